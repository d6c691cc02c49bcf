// A column of a row group, page after page: headers read, checked and unpacked, levels decoded.
#include <stdlib.h>
#include <zlib.h>

#include "base/util.h"
#include "format/parquet_file.h"

enum { WINDOW = 64 << 10, LARGEST_HEADER = 16 << 20, DATA_PAGE = 0, INDEX_PAGE, DICTIONARY_PAGE, DATA_PAGE_V2 };
enum { ENCODING_RLE = 3, ENCODING_BIT_PACKED = 4 };

typedef struct header {
    int type;
    int32_t size, packed_size, count, encoding;
    int32_t def_encoding, rep_encoding;         // version 1
    int32_t def_size, rep_size, nulls, rows;    // version 2
    uint32_t crc;
    bool has_crc, is_packed, has_inner;
} header;

// ---- bytes of the chunk ----

// At least `size` bytes in the window, or all that the chunk has left.
static bool fill(pq_column *c, size_t size, err *e)
{
    const size_t had = c->filled - c->begin;
    if (had >= size || c->read_to == c->end)
        return true;
    const int64_t more = MIN(c->end - c->read_to, (int64_t)MAX(size - had, WINDOW));
    if (had)
        memmove(c->window.at, c->window.at + c->begin, had);
    c->begin = 0;
    c->filled = had;
    if (!pq_room(&c->window, had, had + (size_t)more))
        return fail(e, ERR_MEMORY, "no memory to read '%s'", c->file->path);
    TRY(pq_read_at(c->file, c->read_to, c->window.at + had, (size_t)more, e));
    c->read_to += more;
    c->filled += (size_t)more;
    return true;
}

// ---- headers ----

static void read_inner(thrift *t, const thrift_field *f, header *h)
{
    const bool second = h->type == DATA_PAGE_V2;
    thrift_field x = {0};
    if (!thrift_struct(t, f))
        return;
    h->has_inner = true;
    while (thrift_next(t, &x)) {
        if (x.id == 1)
            h->count = thrift_int32(t, &x);
        else if (x.id == (second ? 4 : 2))
            h->encoding = thrift_int32(t, &x);
        else if (second && x.id == 2)
            h->nulls = thrift_int32(t, &x);
        else if (second && x.id == 3)
            h->rows = thrift_int32(t, &x);
        else if (second && x.id == 5)
            h->def_size = thrift_int32(t, &x);
        else if (second && x.id == 6)
            h->rep_size = thrift_int32(t, &x);
        else if (second && x.id == 7)
            h->is_packed = thrift_bool(t, &x);
        else if (h->type == DATA_PAGE && x.id == 3)
            h->def_encoding = thrift_int32(t, &x);
        else if (h->type == DATA_PAGE && x.id == 4)
            h->rep_encoding = thrift_int32(t, &x);
        else
            thrift_skip(t, &x);
    }
    thrift_up(t);
}

static void parse_header(thrift *t, header *h)
{
    static const int inner[] = { 5, 6, 7, 8 };
    thrift_field f = {0};
    *h = (header){ .type = -1, .encoding = -1, .is_packed = true, .def_encoding = ENCODING_RLE, .rep_encoding = ENCODING_RLE,
                   .nulls = -1, .rows = -1 };
    while (thrift_next(t, &f)) {
        if (f.id == 1)
            h->type = thrift_int32(t, &f);
        else if (f.id == 2)
            h->size = thrift_int32(t, &f);
        else if (f.id == 3)
            h->packed_size = thrift_int32(t, &f);
        else if (f.id == 4)
            h->has_crc = true, h->crc = (uint32_t)thrift_int(t, &f);
        else if (h->type >= 0 && h->type < (int)COUNT(inner) && f.id == inner[h->type])
            read_inner(t, &f, h);
        else
            thrift_skip(t, &f);
    }
}

static bool check_header(const pq_column *c, const header *h, err *e)
{
    if (h->type < DATA_PAGE || h->type > DATA_PAGE_V2)
        return pq_damaged(c, e, "its type is %d, 0 to 3 are known", h->type);
    if (h->size < 0 || h->packed_size < 0 || h->size > PQ_LARGEST_PAGE)
        return pq_damaged(c, e, "it would have %d bytes, packed %d", h->size, h->packed_size);
    if (h->type == INDEX_PAGE)
        return true;
    if (!h->has_inner)
        return pq_damaged(c, e, "its header does not say what it holds");
    if (h->count < 0)
        return pq_damaged(c, e, "it would have %d values", h->count);
    if (h->def_size < 0 || h->rep_size < 0 || (int64_t)h->def_size + h->rep_size > MIN(h->size, h->packed_size))
        return pq_damaged(c, e, "its levels would have %d and %d bytes of its %d", h->rep_size, h->def_size, h->packed_size);
    return true;
}

// The next page's header, and its bytes as they stand in the file (in the window).
static bool next_page(pq_column *c, header *h, str *bytes, err *e)
{
    thrift t;
    size_t want = 1024;
    c->pages++;
    do {
        TRY(fill(c, want, e));
        t = (thrift){ .at = c->window.at + c->begin, .end = c->window.at + c->filled };
        if (t.at == t.end)
            return pq_damaged(c, e, "the column ends where %lld more values are expected", (long long)c->to_come);
        parse_header(&t, h);
        want = 2 * (c->filled - c->begin);
    } while (t.ended && c->read_to < c->end && want <= LARGEST_HEADER);
    if (t.bad)
        return pq_damaged(c, e, t.ended ? "its header is cut off" : "its header is no page's header");
    TRY(check_header(c, h, e));
    c->begin = (size_t)(t.at - c->window.at);
    TRY(fill(c, (size_t)h->packed_size, e));
    if (c->filled - c->begin < (size_t)h->packed_size)
        return pq_damaged(c, e, "it has %d bytes, but the column ends after %zu", h->packed_size, c->filled - c->begin);
    *bytes = (str){ (const char *)c->window.at + c->begin, (size_t)h->packed_size };
    c->begin += (size_t)h->packed_size;
    if (h->has_crc && crc32_z(0, (const uint8_t *)bytes->at, bytes->size) != h->crc)
        return pq_damaged(c, e, "its bytes do not match its checksum (CRC-32)");
    return true;
}

// ---- what pages hold ----

static bool unpack(pq_column *c, str packed, size_t size, pq_buffer *to, str *out, err *e)
{
    if (!c->chunk->codec && to == &c->page && packed.size == size) {    // a page in the window stays there while it is read
        *out = packed;
        return true;
    }
    const char *why = pq_unpack(c->file->unpacker, c->chunk->codec, packed, size, to);
    *out = (str){ (const char *)to->at, size };
    return !why || pq_damaged(c, e, "%s (%s)", why, pq_codec_name(c->chunk->codec));
}

static bool read_dictionary(pq_column *c, const header *h, str bytes, err *e)
{
    if (c->has_dictionary)
        return pq_damaged(c, e, "a second dictionary");
    if (h->encoding != 0 && h->encoding != 2)
        return pq_damaged(c, e, "a dictionary in encoding %d, 0 and 2 are known", h->encoding);
    TRY(unpack(c, bytes, (size_t)h->size, &c->dictionary_page, &bytes, e));
    TRY(pq_dictionary_read(c, bytes, h->count, e));
    c->has_dictionary = true;
    return true;
}

static int width_of(int most)
{
    int width = 0;
    while (most >> width)
        width++;
    return width;
}

static void set_levels(pq_runs *r, const uint8_t *at, size_t size, int most, bool plain)
{
    *r = (pq_runs){ .at = at, .end = at + size, .width = width_of(most), .plain = plain };
}

// Version 1: levels stand before the values, those in runs with their size in front.
static bool take_levels(pq_column *c, pq_runs *r, int most, int encoding, int64_t count, err *e)
{
    uint32_t size = 0;
    const size_t left = (size_t)(c->limit - c->at);
    if (!most)
        return true;
    if (encoding == ENCODING_BIT_PACKED) {
        const size_t bytes = (size_t)((count * width_of(most) + 7) / 8);
        if (bytes > left)
            return pq_damaged(c, e, "its levels would have %zu bytes, but it has %zu", bytes, left);
        set_levels(r, c->at, bytes, most, true);
        c->at += bytes;
        return true;
    }
    if (encoding != ENCODING_RLE)
        return pq_damaged(c, e, "levels in encoding %d, 3 and 4 are known", encoding);
    if (left < 4 || (memcpy(&size, c->at, 4), size > left - 4))
        return pq_damaged(c, e, "its levels would have %u bytes, but it has %zu", size, left);
    set_levels(r, c->at + 4, size, most, false);
    c->at += 4 + (size_t)size;
    return true;
}

static bool begin_first(pq_column *c, const header *h, str bytes, err *e)
{
    TRY(unpack(c, bytes, (size_t)h->size, &c->page, &bytes, e));
    c->at = (const uint8_t *)bytes.at;
    c->limit = c->at + bytes.size;
    return take_levels(c, &c->reps, c->leaf->max_rep, h->rep_encoding, h->count, e)
        && take_levels(c, &c->defs, c->leaf->max_def, h->def_encoding, h->count, e);
}

// Version 2: levels are not compressed, and the header has their sizes.
static bool begin_second(pq_column *c, const header *h, str bytes, err *e)
{
    const size_t levels = (size_t)h->rep_size + (size_t)h->def_size;
    str values = str_from(bytes, levels);
    set_levels(&c->reps, (const uint8_t *)bytes.at, (size_t)h->rep_size, c->leaf->max_rep, false);
    set_levels(&c->defs, (const uint8_t *)bytes.at + h->rep_size, (size_t)h->def_size, c->leaf->max_def, false);
    if (h->is_packed)
        TRY(unpack(c, values, (size_t)h->size - levels, &c->page, &values, e));
    else if (h->size != h->packed_size)
        return pq_damaged(c, e, "its two sizes differ, though it is not compressed");
    c->at = (const uint8_t *)values.at;
    c->limit = c->at + values.size;
    return true;
}

static bool next_data(pq_column *c, err *e)
{
    header h = {0};
    str bytes = {0};
    do {
        TRY(next_page(c, &h, &bytes, e));
        if (h.type == DICTIONARY_PAGE)
            TRY(read_dictionary(c, &h, bytes, e));
    } while (h.type == DICTIONARY_PAGE || h.type == INDEX_PAGE);
    if (h.count > c->to_come)
        return pq_damaged(c, e, "it would have %d values, but the column has %lld left", h.count, (long long)c->to_come);
    TRY(h.type == DATA_PAGE ? begin_first(c, &h, bytes, e) : begin_second(c, &h, bytes, e));
    if (h.rows >= 0 && h.rows != h.count && !c->leaf->max_rep)
        return pq_damaged(c, e, "it would have %d values in %d rows", h.count, h.rows);
    c->left = c->page_count = h.count;
    c->page_nulls = h.nulls;
    c->seen_before = c->defs_seen[c->leaf->max_def];
    c->to_come -= h.count;
    return pq_values_begin(c, h.encoding, e);
}

// Adds to `seen` how many there are of each level.
static bool get_levels(pq_column *c, pq_runs *r, int most, uint32_t *out, int count, int64_t *seen, const char *name, err *e)
{
    uint32_t largest = 0;
    int sum = 0;
    if (most && !pq_runs_get(r, out, count))
        return pq_damaged(c, e, "its %s levels end early", name);
    for (uint32_t level = 0; level <= (uint32_t)most && sum < count; level++) {
        int n = 0;
        for (int i = 0; i < count; i++)
            n += out[i] == level;
        seen[level] += n;
        sum += n;
    }
    for (int i = 0; i < count && sum < count; i++)
        largest = MAX(largest, out[i]);
    return sum == count || pq_damaged(c, e, "a %s level is %u, at most %d is possible", name, largest, most);
}

bool pq_more(pq_column *c, err *e)
{
    while (!c->left && c->to_come)
        TRY(pq_page_ended(c, e) && next_data(c, e));
    if (!c->left) {
        TRY(pq_page_ended(c, e) && pq_chunk_ended(c, e));
        c->ended = true;
        c->rep_now = c->def_now = 0;
        return true;
    }
    c->batch_count = (int)MIN(c->left, PQ_BATCH);
    TRY(get_levels(c, &c->reps, c->leaf->max_rep, c->rep, c->batch_count, c->reps_seen, "repetition", e));
    TRY(get_levels(c, &c->defs, c->leaf->max_def, c->def, c->batch_count, c->defs_seen, "definition", e));
    c->left -= c->batch_count;
    c->batch = 1;
    c->rep_now = (int)c->rep[0];
    c->def_now = (int)c->def[0];
    return true;
}

bool pq_column_begin(pq_column *c, const pq_chunk *chunk, err *e)
{
    c->chunk = chunk;
    c->read_to = chunk->offset;
    c->end = chunk->offset + chunk->size;
    c->begin = c->filled = 0;
    c->to_come = chunk->values;
    c->pages = c->left = 0;
    c->batch = c->batch_count = 0;
    c->dictionary_count = 0;
    c->has_dictionary = c->ended = false;
    c->values_ended = NULL;
    c->text_bytes = 0;
    c->shares = false;
    memset(c->reps_seen, 0, sizeof *c->reps_seen * (size_t)(c->leaf->max_rep + 1));
    memset(c->defs_seen, 0, sizeof *c->defs_seen * (size_t)(c->leaf->max_def + 1));
    if (!pq_codec_is_read(chunk->codec))
        return pq_refuse(c, e, "its compression %d%s%s is not read; SNAPPY, GZIP, BROTLI, LZ4, ZSTD and LZ4_RAW are", chunk->codec,
                         pq_codec_name(chunk->codec) ? ", " : "", pq_codec_name(chunk->codec) ? pq_codec_name(chunk->codec) : "");
    return pq_room(&c->window, 0, 0) ? pq_more(c, e) : fail(e, ERR_MEMORY, "no memory to read '%s'", c->file->path);
}

void pq_column_close(pq_column *c)
{
    free(c->window.at);
    free(c->page.at);
    free(c->dictionary_page.at);
    free(c->dictionary);
    free(c->scratch.at);
}
