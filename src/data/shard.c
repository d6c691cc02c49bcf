// Reading and writing one shard of the token cache.
#include "data/shard.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "base/util.h"

static const char MAGIC[8] = "SKIFFTOK";
_Static_assert(sizeof(shard_head) == SHARD_HEADER, "the header is written as it lies in memory");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "shards are mapped as they are: little-endian");

static size_t padded(size_t size) { return (size + 7) & ~(size_t)7; }

void shard_name(int64_t index, char name[32]) { snprintf(name, 32, "shard-%05lld.tok", (long long)index); }

// ---- pieces ----

static bool grow(void *array, size_t item, int64_t room, err *e)
{
    void **at = array, *more = realloc(*at, item * (size_t)room);
    if (!more)
        return fail(e, ERR_MEMORY, "no memory for %lld tokens or conversations of a shard", (long long)room);
    *at = more;
    return true;
}

bool piece_add(shard_piece *p, const int32_t *ids, const uint8_t *mask, int64_t count, int32_t file, int64_t row, err *e)
{
    if (p->tokens + count > p->token_room) {
        p->token_room = MAX(2 * p->token_room, p->tokens + count + 1024);
        TRY(grow(&p->ids, sizeof *p->ids, p->token_room, e));
        TRY(grow(&p->mask, sizeof *p->mask, p->token_room, e));
    }
    if (p->count == p->room) {
        p->room = MAX(2 * p->room, 64);
        TRY(grow(&p->files, sizeof *p->files, p->room, e));
        TRY(grow(&p->counts, sizeof *p->counts, p->room, e));
        TRY(grow(&p->rows, sizeof *p->rows, p->room, e));
    }
    memcpy(p->ids + p->tokens, ids, sizeof *ids * (size_t)count);
    memcpy(p->mask + p->tokens, mask, (size_t)count);
    p->tokens += count;
    p->files[p->count] = file;
    p->counts[p->count] = count;
    p->rows[p->count++] = row;
    return true;
}

void piece_clear(shard_piece *p)
{
    p->tokens = p->count = 0;
    p->info = (shard_info){0};
}

void piece_close(shard_piece *p)
{
    free(p->ids);
    free(p->files);
    free(p->mask);
    free(p->counts);
    free(p->rows);
    *p = (shard_piece){0};
}

// ---- writing ----

typedef struct output { writer w; digest *d; size_t size; } output;

static void put(output *o, const void *bytes, size_t size)
{
    if (size) {
        writer_put(&o->w, bytes, size);
        digest_add(o->d, bytes, size);
        o->size += size;
    }
}

static void pad(output *o)
{
    static const char zeros[8];
    put(o, zeros, padded(o->size) - o->size);
}

static void put_all(output *o, const shard_head *head, const shard_piece *pieces, int64_t count, str info)
{
    int64_t offset = 0;
    put(o, head, sizeof *head);
    put(o, &offset, sizeof offset);
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < pieces[i].count; j++) {
            offset += pieces[i].counts[j];
            put(o, &offset, sizeof offset);
        }
    for (int64_t i = 0; i < count; i++)
        put(o, pieces[i].rows, sizeof *pieces[i].rows * (size_t)pieces[i].count);
    for (int64_t i = 0; i < count; i++)
        put(o, pieces[i].files, sizeof *pieces[i].files * (size_t)pieces[i].count);
    pad(o);
    for (int64_t i = 0; i < count; i++)
        put(o, pieces[i].ids, sizeof *pieces[i].ids * (size_t)pieces[i].tokens);
    pad(o);
    for (int64_t i = 0; i < count; i++)
        put(o, pieces[i].mask, (size_t)pieces[i].tokens);
    pad(o);
    put(o, info.at, info.size);
    pad(o);
}

static void sum_up(const shard_piece *pieces, int64_t count, shard_head *head, text *info)
{
    arena a = {0};
    shard_info all = {0};
    for (int64_t i = 0; i < count; i++) {
        head->count += pieces[i].count;
        head->tokens += pieces[i].tokens;
        info_add(&all, &pieces[i].info);
    }
    node *object = node_object(&a);
    info_put(&a, object, &all);
    json_write(info, object, JSON_COMPACT);
    head->rows = all.totals.rows;
    head->info_size = (int64_t)info->size;
    arena_close(&a);
}

bool shard_write(const char *path, const char *key, uint32_t vocab, int64_t index, const shard_piece *pieces, int64_t count,
                 char hex[SHA256_HEX + 1], err *e)
{
    output o = {0};
    text info = {0};
    shard_head head = { .version = SHARD_VERSION, .vocab = vocab, .index = index };
    memcpy(head.magic, MAGIC, sizeof MAGIC);
    memcpy(head.key, key, SHA256_HEX);
    sum_up(pieces, count, &head, &info);
    bool ok = text_ok(&info, e) && writer_open(&o.w, path, e);
    if (ok) {
        o.d = sha256_open();
        put_all(&o, &head, pieces, count, text_view(&info));
        digest_close(o.d, hex);
        writer_put(&o.w, hex, SHA256_HEX);
        ok = writer_commit(&o.w, e);
    }
    text_close(&info);
    return ok;
}

// ---- reading ----

static bool damaged(const char *path, err *e, const char *what)
{
    return fail(e, ERR_INPUT, "%s: damaged: %s; tokenize again", path, what);
}

// The sections lie one after the other; together they are the whole file.
static bool place_sections(str bytes, const char *path, shard *s, str *info, err *e)
{
    const shard_head *h = &s->head;
    const int64_t size = (int64_t)bytes.size;
    if (h->count < 0 || h->tokens < 0 || h->info_size < 0 || h->count > size / 8 || h->tokens > size / 4 || h->info_size > size)
        return damaged(path, e, "its header does not fit its size");
    const size_t n = (size_t)h->count, t = (size_t)h->tokens;
    const size_t rows = SHARD_HEADER + 8 * (n + 1), files = rows + 8 * n, ids = padded(files + 4 * n), mask = padded(ids + 4 * t),
                 counts = padded(mask + t), end = padded(counts + (size_t)h->info_size);
    if (end + SHA256_HEX != bytes.size)
        return damaged(path, e, "its size is not what its header says");
    s->offsets = (const void *)(bytes.at + SHARD_HEADER);
    s->rows = (const void *)(bytes.at + rows);
    s->files = (const void *)(bytes.at + files);
    s->ids = (const void *)(bytes.at + ids);
    s->mask = (const void *)(bytes.at + mask);
    *info = (str){ bytes.at + counts, (size_t)h->info_size };
    memcpy(s->digest, bytes.at + end, SHA256_HEX);
    return true;
}

static bool check_values(const shard *s, const char *path, int64_t *trained, err *e)
{
    const shard_head *h = &s->head;
    uint32_t largest = 0;
    uint8_t marks = 0;
    for (int64_t i = 0; i < h->count; i++)
        if (s->offsets[i + 1] < s->offsets[i] || s->rows[i] < 1 || s->files[i] < 0)
            return damaged(path, e, "its conversations are out of order");
    if (s->offsets[0] != 0 || s->offsets[h->count] != h->tokens)
        return damaged(path, e, "its conversations do not cover its tokens");
    for (int64_t i = 0; i < h->tokens; i++)
        largest = MAX(largest, (uint32_t)s->ids[i]);
    for (int64_t i = 0; i < h->tokens; i++) {
        marks |= s->mask[i];
        *trained += s->mask[i];
    }
    if (h->tokens && largest >= h->vocab)
        return damaged(path, e, "a token id is not in the vocabulary");
    return marks <= 1 || damaged(path, e, "its mask holds other numbers than 0 and 1");
}

static bool read_info(str info, const char *path, int64_t trained, shard *s, err *e)
{
    arena a = {0};
    const node *object;
    bool ok = json_parse(&a, info, (place){ .file = path }, &object, e) && shard_info_read(object, path, &s->info, e);
    const cache_totals *t = &s->info.totals;
    if (ok && (t->rows != s->head.rows || t->kept != s->head.count || t->tokens != s->head.tokens
               || t->trained != trained))
        ok = damaged(path, e, "its counts disagree");
    arena_close(&a);
    return ok;
}

bool shard_parse(str bytes, const char *path, shard *out, err *e)
{
    str info;
    int64_t trained = 0;
    *out = (shard){0};
    if (bytes.size < SHARD_HEADER + 8 + SHA256_HEX || memcmp(bytes.at, MAGIC, sizeof MAGIC))
        return damaged(path, e, "it does not begin as a shard of a token cache does");
    memcpy(&out->head, bytes.at, SHARD_HEADER);
    if (out->head.version != SHARD_VERSION)
        return fail(e, ERR_INPUT, "%s: version %u of the format, expected %d; tokenize again", path, out->head.version, SHARD_VERSION);
    TRY(place_sections(bytes, path, out, &info, e));
    TRY(check_values(out, path, &trained, e));
    return read_info(info, path, trained, out, e);
}

bool shard_check_digest(str bytes, const char *path, err *e)
{
    char hex[SHA256_HEX + 1];
    if (bytes.size < SHA256_HEX)
        return damaged(path, e, "it is cut off");
    sha256_hex((str){ bytes.at, bytes.size - SHA256_HEX }, hex);
    return !memcmp(hex, bytes.at + bytes.size - SHA256_HEX, SHA256_HEX) || damaged(path, e, "its digest is not that of its bytes");
}
