// THE TABLE of encodings: how the values of a page follow one another. A reader gives one value, or says why there is none.
#include <stdlib.h>

#include "base/util.h"
#include "format/parquet_file.h"

static const char ends[] = "the values of its page end early", no_memory[] = "there is no memory for it";

static bool take_size(pq_column *c, uint32_t *size)
{
    if (c->limit - c->at < 4)
        return false;
    memcpy(size, c->at, 4);
    c->at += 4;
    return *size <= (size_t)(c->limit - c->at);
}

static void take_bytes(pq_column *c, size_t size, pq_value *out)
{
    out->bytes = (str){ (const char *)c->at, size };
    c->at += size;
}

// ---- PLAIN ----

static const char *plain_bytes(pq_column *c, pq_value *out)
{
    uint32_t size;
    if (!take_size(c, &size))
        return ends;
    take_bytes(c, size, out);
    return NULL;
}

static const char *plain_fixed(pq_column *c, pq_value *out)
{
    if (c->limit - c->at < c->leaf->size)
        return ends;
    take_bytes(c, (size_t)c->leaf->size, out);
    return NULL;
}

static const char *plain_4(pq_column *c, pq_value *out)
{
    int32_t v;
    if (c->limit - c->at < 4)
        return ends;
    memcpy(&v, c->at, 4);
    c->at += 4;
    out->number = v;
    return NULL;
}

static const char *plain_8(pq_column *c, pq_value *out)
{
    if (c->limit - c->at < 8)
        return ends;
    memcpy(&out->number, c->at, 8);
    c->at += 8;
    return NULL;
}

static const char *plain_truth(pq_column *c, pq_value *out)
{
    if (c->bit >> 3 >= c->limit - c->at)
        return ends;
    out->number = c->at[c->bit >> 3] >> (c->bit & 7) & 1;
    c->bit++;
    return NULL;
}

typedef const char *reader(pq_column *c, pq_value *out);

static reader *plain_reader(pq_type t)
{
    static reader *const readers[PQ_TYPES] = {
        [PQ_BOOLEAN] = plain_truth, [PQ_INT32] = plain_4, [PQ_INT64] = plain_8, [PQ_INT96] = plain_fixed, [PQ_FLOAT] = plain_4,
        [PQ_DOUBLE] = plain_8, [PQ_BYTES] = plain_bytes, [PQ_FIXED] = plain_fixed,
    };
    return readers[t];
}

static bool begin_plain(pq_column *c, err *e)
{
    (void)e;
    c->bit = 0;
    c->read = plain_reader(c->leaf->type);
    return true;
}

// ---- dictionaries ----

bool pq_dictionary_read(pq_column *c, str page, int64_t count, err *e)
{
    reader *read = plain_reader(c->leaf->type);
    const size_t least = c->leaf->type == PQ_BYTES ? 4 : (size_t)c->leaf->size;
    if (c->leaf->type == PQ_BOOLEAN || (size_t)count > page.size / least)
        return pq_damaged(c, e, "a dictionary of %lld values in %zu bytes", (long long)count, page.size);
    if (count > c->dictionary_room) {
        free(c->dictionary);
        c->dictionary_room = 0;
        if (!(c->dictionary = malloc(sizeof *c->dictionary * (size_t)count)))
            return fail(e, ERR_MEMORY, "no memory to read '%s'", c->file->path);
        c->dictionary_room = count;
    }
    c->at = (const uint8_t *)page.at;
    c->limit = c->at + page.size;
    for (int64_t i = 0; i < count; i++) {
        c->dictionary[i] = (pq_value){0};
        if (read(c, &c->dictionary[i]))
            return pq_damaged(c, e, "the dictionary ends early, after %lld of %lld values", (long long)i, (long long)count);
    }
    c->dictionary_count = count;
    return pq_zeros(c->at, c->limit) || pq_damaged(c, e, "%zu bytes follow the dictionary's values", (size_t)(c->limit - c->at));
}

static const char *from_dictionary(pq_column *c, pq_value *out)
{
    uint32_t i;
    if (!pq_runs_get(&c->runs, &i, 1))
        return ends;
    if (i >= c->dictionary_count)
        return "an index lies outside of its dictionary";
    *out = c->dictionary[i];
    return NULL;
}

static bool begin_dictionary(pq_column *c, err *e)
{
    if (!c->has_dictionary)
        return pq_damaged(c, e, "its values are indices, but no dictionary came before");
    const int width = c->at < c->limit ? *c->at++ : 0;      // a page of nulls may have no byte
    if (width > 32)
        return pq_damaged(c, e, "indices of %d bits, at most 32 are possible", width);
    c->runs = (pq_runs){ .at = c->at, .end = c->limit, .width = width };
    c->read = from_dictionary;
    return true;
}

// ---- RLE: truths ----

static const char *run_truth(pq_column *c, pq_value *out)
{
    uint32_t v;
    if (!pq_runs_get(&c->runs, &v, 1))
        return ends;
    out->number = v;
    return NULL;
}

static bool begin_runs(pq_column *c, err *e)
{
    uint32_t size = 0;
    if (c->at < c->limit && !take_size(c, &size))
        return pq_damaged(c, e, "its values would have %u bytes, more than the page", size);
    c->runs = (pq_runs){ .at = c->at, .end = c->at + size, .width = 1 };
    c->read = run_truth;
    return true;
}

// ---- differences ----

static const char *delta_number(pq_column *c, pq_value *out)
{
    if (!pq_delta_get(&c->delta, &out->number))
        return ends;
    if (c->leaf->type == PQ_INT32)
        out->number = (int32_t)out->number;     // sums wrap at the width of the type
    return NULL;
}

static bool begin_delta(pq_column *c, err *e)
{
    c->read = delta_number;
    if (c->at == c->limit)
        c->delta = (pq_delta){0};
    else if (!pq_delta_begin(&c->delta, c->at, c->limit))
        return pq_damaged(c, e, "the sizes of its blocks of differences are impossible");
    return true;
}

// Lengths stand before all the bytes.
static bool begin_lengths(pq_column *c, pq_delta *d, err *e)
{
    *d = (pq_delta){0};
    if (c->at == c->limit)
        return true;
    if (!pq_delta_begin(d, c->at, c->limit) || !(c->at = pq_delta_end(*d))) {
        c->at = c->limit;
        return pq_damaged(c, e, "the lengths of its values are damaged");
    }
    return true;
}

static const char *delta_length(pq_column *c, pq_value *out)
{
    int64_t size;
    if (!pq_delta_get(&c->delta, &size) || size < 0 || size > c->limit - c->at)
        return ends;
    take_bytes(c, (size_t)size, out);
    return NULL;
}

static bool begin_delta_length(pq_column *c, err *e)
{
    c->read = delta_length;
    return begin_lengths(c, &c->delta, e);
}

// A prefix of the value before, and what follows it.
static const char *delta_bytes(pq_column *c, pq_value *out)
{
    int64_t prefix, size;
    if (!pq_delta_get(&c->prefixes, &prefix) || prefix < 0 || (size_t)prefix > c->scratch_size)
        return "it continues more of the value before than there is";
    if (!pq_delta_get(&c->delta, &size) || size < 0 || size > c->limit - c->at)
        return ends;
    c->scratch_size = (size_t)(prefix + size);
    if (c->leaf->size && c->scratch_size != (size_t)c->leaf->size)
        return "its length is not that of the column";
    if (!pq_room(&c->scratch, (size_t)prefix, c->scratch_size < c->scratch.room ? c->scratch_size : 2 * c->scratch_size))
        return no_memory;
    if (size)
        memcpy(c->scratch.at + prefix, c->at, (size_t)size);
    c->at += size;
    out->bytes = (str){ (const char *)c->scratch.at, c->scratch_size };
    return NULL;
}

static bool begin_delta_bytes(pq_column *c, err *e)
{
    c->scratch_size = 0;
    c->shares = true;
    c->read = delta_bytes;
    return begin_lengths(c, &c->prefixes, e) && begin_lengths(c, &c->delta, e);
}

// ---- BYTE_STREAM_SPLIT: the first byte of every value, then the second of every value … ----

static const char *split(pq_column *c, pq_value *out)
{
    uint8_t *to = c->scratch.at;
    if (c->split_at == c->split_count)
        return ends;
    for (int i = 0; i < c->leaf->size; i++)
        to[i] = c->at[i * c->split_count + c->split_at];
    c->split_at++;
    out->bytes = (str){ (const char *)to, (size_t)c->leaf->size };
    if (c->leaf->size == 8)
        memcpy(&out->number, to, 8);
    int32_t four;
    if (c->leaf->size == 4)
        out->number = (memcpy(&four, to, 4), four);
    return NULL;
}

static bool begin_split(pq_column *c, err *e)
{
    const int64_t size = c->limit - c->at;
    if (size % c->leaf->size)
        return pq_damaged(c, e, "its %lld bytes of values are not divisible by %d", (long long)size, c->leaf->size);
    if (!pq_room(&c->scratch, 0, (size_t)c->leaf->size))
        return fail(e, ERR_MEMORY, "no memory to read '%s'", c->file->path);
    c->split_at = 0;
    c->split_count = size / c->leaf->size;
    c->read = split;
    return true;
}

// ---- the end: what is left of the page when all its values are read ----

static bool plain_ended(const pq_column *c) { return pq_zeros(c->at + (c->bit + 7) / 8, c->limit); }
static bool runs_ended(const pq_column *c) { return pq_runs_ended(&c->runs); }
static bool delta_ended(const pq_column *c) { return pq_delta_ended(&c->delta, c->delta.at ? c->limit : NULL); }
static bool length_ended(const pq_column *c) { return !c->delta.left && pq_zeros(c->at, c->limit); }
static bool bytes_ended(const pq_column *c) { return !c->prefixes.left && length_ended(c); }
static bool split_ended(const pq_column *c) { return c->split_at == c->split_count; }

// ---- the table ----

#define ON(type) (1 << PQ_##type)
enum { ANY = (1 << PQ_TYPES) - 1, WHOLE = ON(INT32) | ON(INT64), EACH = ON(BYTES) | ON(FIXED) };

static const struct { const char *name; bool (*begin)(pq_column *c, err *e), (*ended)(const pq_column *c); int on; } table[] = {
    [0] = { "PLAIN", begin_plain, plain_ended, ANY },
    [2] = { "PLAIN_DICTIONARY", begin_dictionary, runs_ended, ANY },
    [3] = { "RLE", begin_runs, runs_ended, ON(BOOLEAN) },
    [5] = { "DELTA_BINARY_PACKED", begin_delta, delta_ended, WHOLE },
    [6] = { "DELTA_LENGTH_BYTE_ARRAY", begin_delta_length, length_ended, ON(BYTES) },
    [7] = { "DELTA_BYTE_ARRAY", begin_delta_bytes, bytes_ended, EACH },
    [8] = { "RLE_DICTIONARY", begin_dictionary, runs_ended, ANY },
    [9] = { "BYTE_STREAM_SPLIT", begin_split, split_ended, WHOLE | ON(FLOAT) | ON(DOUBLE) | ON(FIXED) },
};

bool pq_values_begin(pq_column *c, int encoding, err *e)
{
    if (encoding < 0 || encoding >= (int)COUNT(table) || !table[encoding].begin)
        return pq_refuse(c, e, "page %lld has its values in encoding %d, which is not read", (long long)c->pages, encoding);
    if (!(table[encoding].on & 1 << c->leaf->type))
        return pq_damaged(c, e, "its values cannot be in encoding %s", table[encoding].name);
    c->values_ended = table[encoding].ended;
    return table[encoding].begin(c, e);
}
