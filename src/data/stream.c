// Reading files, plain or compressed. THE TABLE of compressions says how each is known and unpacked.
#include "data/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/util.h"

typedef struct compression {
    const char *name;
    str magic;                      // the first bytes of such a file
    bool (*open)(stream *s, err *e);
    bool (*unpack)(stream *s, int64_t row, err *e);        // packed bytes to the window, which has room
    void (*close)(stream *s);
    const char *remedy;             // not NULL: known, but not read (yet)
} compression;

enum { BLOCK = 1 << 18 };

// ---- the file ----

static bool read_some(stream *s, char *to, size_t room, size_t *got, err *e)
{
    ssize_t n;
    do
        n = read(s->fd, to, room);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return fail_io(e, "read", s->path);
    s->file_ended = n == 0;
    s->file_read += n;
    *got = (size_t)n;
    return true;
}

static bool refill_packed(stream *s, err *e)
{
    if (s->packed_begin < s->packed_end || s->file_ended)
        return true;
    s->packed_begin = 0;
    return read_some(s, s->packed, BLOCK, &s->packed_end, e);
}

static bool plain_unpack(stream *s, int64_t row, err *e)
{
    (void)row;
    size_t got = s->packed_end - s->packed_begin;
    if (got) {                      // what was read to look at the magic
        memcpy(s->bytes + s->end, s->packed + s->packed_begin, got);
        s->packed_begin = s->packed_end = 0;
    } else if (!read_some(s, s->bytes + s->end, s->room - s->end, &got, e)) {
        return false;
    }
    s->end += got;
    s->ended = s->file_ended;
    return true;
}

// ---- gzip (RFC 1952): several members may follow each other, zeros may pad the end ----

typedef struct gzip { z_stream z; bool between; } gzip;     // between: a member has ended, none has begun

static bool gzip_open(stream *s, err *e)
{
    gzip *g = calloc(1, sizeof *g);
    s->state = g;
    if (!g || inflateInit2(&g->z, 15 + 16) != Z_OK) {
        free(g);
        s->state = NULL;
        return fail(e, ERR_MEMORY, "no memory to read '%s'", s->path);
    }
    return true;
}

static void gzip_close(stream *s)
{
    gzip *g = s->state;
    if (g)
        inflateEnd(&g->z);
    free(g);
}

static bool packed_fail(const stream *s, int64_t row, const char *what, const char *why, err *e)
{
    return fail(e, ERR_INPUT, "%s: %s after row %lld (%s); fetch it or pack it again", s->path, what, (long long)row, why);
}

// After a member: another one, zeros that pad the file, or bytes that do not belong there.
static bool gzip_next_member(stream *s, gzip *g, int64_t row, err *e)
{
    while (s->packed_begin < s->packed_end && s->packed[s->packed_begin] == 0)
        s->packed_begin++;
    if (s->packed_begin == s->packed_end)
        return true;
    if ((unsigned char)s->packed[s->packed_begin] != 0x1f)
        return packed_fail(s, row, "the file does not end", "bytes that are no gzip data follow its gzip data", e);
    inflateReset(&g->z);
    g->between = false;
    return true;
}

static bool gzip_unpack(stream *s, int64_t row, err *e)
{
    gzip *g = s->state;
    TRY(refill_packed(s, e));
    if (g->between)
        TRY(gzip_next_member(s, g, row, e));
    if (s->packed_begin == s->packed_end && s->file_ended) {
        s->ended = true;
        return g->between || packed_fail(s, row, "the file is cut off", "its gzip data has no end", e);
    }
    if (g->between)
        return true;
    g->z.next_in = (unsigned char *)s->packed + s->packed_begin;
    g->z.avail_in = (unsigned)(s->packed_end - s->packed_begin);
    g->z.next_out = (unsigned char *)s->bytes + s->end;
    g->z.avail_out = (unsigned)MIN(s->room - s->end, (size_t)1 << 30);
    const size_t had = s->end;
    int state = inflate(&g->z, Z_NO_FLUSH);
    s->packed_begin = s->packed_end - g->z.avail_in;
    s->end = (size_t)((char *)g->z.next_out - s->bytes);
    if (s->end > had && state == Z_DATA_ERROR)
        return true;                // what came before the damage is read first; the next call fails again
    g->between = state == Z_STREAM_END;
    if (state == Z_MEM_ERROR)
        return fail(e, ERR_MEMORY, "no memory to read '%s'", s->path);
    if (state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR)
        return packed_fail(s, row, "the file is damaged", g->z.msg ? g->z.msg : "its gzip data cannot be unpacked", e);
    return true;
}

// ---- Zstandard (RFC 8878): several frames may follow each other, some of them to be skipped ----

typedef struct zstd { ZSTD_DStream *z; size_t want; bool between; } zstd;     // want: bytes of the next block

static bool zstd_open(stream *s, err *e)
{
    zstd *z = calloc(1, sizeof *z);
    s->state = z;
    if (z && (z->z = ZSTD_createDStream())) {
        z->want = ZSTD_initDStream(z->z);
        z->between = true;
        return true;
    }
    return fail(e, ERR_MEMORY, "no memory to read '%s'", s->path);
}

static void zstd_close(stream *s)
{
    zstd *z = s->state;
    if (z)
        ZSTD_freeDStream(z->z);
    free(z);
}

// A block at a time, so that all that stands before a damaged one is read.
static bool zstd_unpack(stream *s, int64_t row, err *e)
{
    zstd *z = s->state;
    TRY(refill_packed(s, e));
    if (s->packed_begin == s->packed_end && s->file_ended) {
        s->ended = true;
        return z->between || packed_fail(s, row, "the file is cut off", "its Zstandard data has no end", e);
    }
    ZSTD_inBuffer in = { s->packed, MIN(s->packed_end, s->packed_begin + z->want), s->packed_begin };
    ZSTD_outBuffer out = { s->bytes, s->room, s->end };
    const size_t state = ZSTD_decompressStream(z->z, &out, &in);
    s->packed_begin = in.pos;
    s->end = out.pos;
    if (ZSTD_isError(state))
        return z->between ? packed_fail(s, row, "the file does not end", "bytes that are no Zstandard data follow its Zstandard data", e)
                          : packed_fail(s, row, "the file is damaged", ZSTD_getErrorName(state), e);
    z->between = state == 0;
    z->want = MAX(state, 1);
    return true;
}

// ---- the table ----

#define MAGIC(literal) { "" literal, sizeof(literal) - 1 }

static const compression table[] = {
    { "gzip", MAGIC("\x1f\x8b"), gzip_open, gzip_unpack, gzip_close, NULL },
    { "Zstandard", MAGIC("\x28\xb5\x2f\xfd"), zstd_open, zstd_unpack, zstd_close, NULL },
    { "Zstandard", MAGIC("\x50\x2a\x4d\x18"), zstd_open, zstd_unpack, zstd_close, NULL },    // a frame to be skipped first, as of pzstd
    { "bzip2", MAGIC("BZh"), NULL, NULL, NULL, "unpack it with 'bunzip2', or pack it with gzip" },
    { "xz", MAGIC("\xfd" "7zXZ"), NULL, NULL, NULL, "unpack it with 'unxz', or pack it with gzip" },
    { "zip", MAGIC("PK\x03\x04"), NULL, NULL, NULL, "unpack it with 'unzip'" },
    { "UTF-16", MAGIC("\xff\xfe"), NULL, NULL, NULL, "write it as UTF-8, for example with 'iconv -f UTF-16 -t UTF-8'" },
    { "UTF-16", MAGIC("\xfe\xff"), NULL, NULL, NULL, "write it as UTF-8, for example with 'iconv -f UTF-16 -t UTF-8'" },
};
static const compression plain = { .name = "plain", .unpack = plain_unpack };

static bool choose(stream *s, err *e)
{
    str first = { s->packed, s->packed_end };
    s->kind = &plain;
    for (size_t i = 0; i < COUNT(table); i++)
        if (str_begins(first, table[i].magic))
            s->kind = &table[i];
    if (s->kind->remedy)
        return fail(e, ERR_INPUT, "%s: this is %s data, expected JSON (plain, gzip or Zstandard) or Parquet; %s", s->path,
                    s->kind->name, s->kind->remedy);
    return !s->kind->open || s->kind->open(s, e);
}

static const char *const packings[] = { ".gz", ".zst", ".zstd" };

size_t stream_packing(const char *name)
{
    for (size_t i = 0; i < COUNT(packings); i++)
        if (str_ends(str_of(name), str_of(packings[i])))
            return strlen(packings[i]);
    return 0;
}

bool stream_is_packed(const stream *s) { return s->kind != &plain; }

static bool open_file(stream *s, err *e)
{
    struct stat info;
    s->fd = open(s->path, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0) {
        bool users = errno == ENOENT || errno == EACCES || errno == ENOTDIR;
        (void)!fail_io(e, "read", s->path);
        if (users)
            e->code = ERR_INPUT;
        return false;
    }
    if (fstat(s->fd, &info) == 0 && S_ISDIR(info.st_mode))
        return fail(e, ERR_INPUT, "'%s' is a folder, expected a file", s->path);
    return true;
}

bool stream_open(stream *s, const char *path, err *e)
{
    *s = (stream){ .path = path, .fd = -1, .room = 2 * BLOCK };
    bool ok = open_file(s, e);
    s->bytes = malloc(s->room);
    s->packed = malloc(BLOCK);
    if (ok && (!s->bytes || !s->packed))
        ok = fail(e, ERR_MEMORY, "no memory to read '%s'", path);
    while (ok && !s->file_ended && s->packed_end < 8) {     // a pipe may give fewer bytes at a time
        size_t got = 0;
        ok = read_some(s, s->packed + s->packed_end, BLOCK - s->packed_end, &got, e);
        s->packed_end += ok ? got : 0;
    }
    if (ok && choose(s, e))
        return true;
    stream_close(s);
    return false;
}

void stream_close(stream *s)
{
    if (s->kind && s->kind->close)
        s->kind->close(s);
    if (s->fd >= 0)
        close(s->fd);
    free(s->bytes);
    free(s->packed);
    *s = (stream){ .fd = -1 };
}

// Room for a block behind the window: what was taken is given up first, then the window doubles.
static bool make_room(stream *s, int64_t row, err *e)
{
    if (s->begin) {
        memmove(s->bytes, s->bytes + s->begin, s->end - s->begin);
        s->end -= s->begin;
        s->begin = 0;
    }
    if (s->room - s->end >= BLOCK)
        return true;
    if (s->room >= STREAM_LONGEST_ROW)
        return fail_at(e, (place){ .file = s->path, .row = row + 1 },
                       "longer than 1 GiB; is this a file of rows (JSON lines, or an array of objects)?");
    char *more = realloc(s->bytes, 2 * s->room);
    if (!more)
        return fail(e, ERR_MEMORY, "no memory for row %lld of '%s'", (long long)row + 1, s->path);
    s->bytes = more;
    s->room *= 2;
    return true;
}

bool stream_more(stream *s, int64_t row, err *e)
{
    TRY(make_room(s, row, e));
    size_t had = s->end;
    while (!s->ended && s->end == had)
        TRY(s->kind->unpack(s, row, e));
    return true;
}
