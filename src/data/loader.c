// Rows of batches from packs, and which packs: the data of step k from the seed and k alone.
#include "data/loader.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/util.h"
#include "data/packs.h"
#include "data/permute.h"

typedef struct source {
    const packs *packs;
    key key;                        // of the data set and the seed; an epoch's number is folded into it
    int64_t epoch;                  // the epoch that `order` permutes
    permuter order;
} source;

struct loader {
    mixture *mixture;               // NULL: one source
    permutation how;
    int64_t rows, count;
    batch *batch;
    source sources[];
};

batch *batch_open(int64_t rows, int64_t seq, err *e)
{
    batch *b = calloc(1, sizeof *b);
    if (b && rows > 0 && seq > 0 && rows < INT64_MAX / 64 / seq) {
        const size_t n = (size_t)(rows * seq);
        *b = (batch){ .rows = rows, .seq = seq, .ids = calloc(n, sizeof *b->ids), .position = calloc(n, sizeof *b->position),
                      .start = calloc(n, sizeof *b->start), .target = calloc(n, sizeof *b->target),
                      .pack = calloc((size_t)rows, sizeof *b->pack), .dataset = calloc((size_t)rows, sizeof *b->dataset) };
        if (b->ids && b->position && b->start && b->target && b->pack && b->dataset)
            return b;
    }
    fail(e, ERR_MEMORY, "no memory for a batch of %lld rows of %lld tokens", (long long)rows, (long long)seq);
    batch_close(b);
    return NULL;
}

void batch_close(batch *b)
{
    if (!b)
        return;
    free(b->ids);
    free(b->position);
    free(b->start);
    free(b->target);
    free(b->pack);
    free(b->dataset);
    free(b);
}

// One conversation at `at` of a row. Place p is trained if the token at p + 1 is a trained one of the same conversation.
static void fill_segment(batch *b, int64_t begin, int64_t at, conversation c, int64_t count)
{
    int32_t *ids = b->ids + begin + at, *position = b->position + begin + at;
    int32_t *start = b->start + begin + at, *target = b->target + begin + at;
    memcpy(ids, c.ids, sizeof *ids * (size_t)count);
    for (int64_t i = 0; i < count; i++) {
        position[i] = (int32_t)i;
        start[i] = (int32_t)at;
        target[i] = i + 1 < count && c.mask[i + 1] ? c.ids[i + 1] : -1;
        b->trained += target[i] >= 0;
    }
    b->real += count;
}

void packs_fill(const packs *p, int64_t pack, batch *out, int64_t row)
{
    const int64_t *items, count = packs_at(p, pack, &items), begin = row * out->seq;
    int64_t at = 0;
    for (int64_t i = 0; i < count; i++) {
        const int64_t size = p->kept[items[i]];
        fill_segment(out, begin, at, cache_at(p->cache, items[i]), size);
        at += size;
    }
    for (; at < out->seq; at++) {
        out->ids[begin + at] = out->position[begin + at] = 0;
        out->start[begin + at] = (int32_t)at;
        out->target[begin + at] = -1;
    }
    out->pack[row] = pack;
}

// The name's part of the key: 32 bits of its digest.
static key key_of(const char *name, uint64_t seed)
{
    char hex[SHA256_HEX + 1];
    sha256_hex(str_of(name), hex);
    hex[8] = 0;
    return key_fold_in(key_from_seed(seed), (uint32_t)strtoul(hex, NULL, 16));
}

loader *loader_open_mixture(const loader_part *parts, int64_t count, mixture *m, uint64_t seed, permutation how, int64_t rows, err *e)
{
    if (rows < 1) {
        fail(e, ERR_INPUT, "batch: expected at least 1 row, got %lld", (long long)rows);
        return NULL;
    }
    loader *l = calloc(1, sizeof *l + (size_t)count * sizeof *l->sources);
    batch *b = l ? batch_open(rows, parts[0].packs->seq, e) : NULL;
    if (!b) {
        if (!l)
            fail(e, ERR_MEMORY, "no memory for the loader");
        free(l);
        return NULL;
    }
    l->mixture = m, l->how = how, l->rows = rows, l->count = count, l->batch = b;
    for (int64_t i = 0; i < count; i++)
        l->sources[i] = (source){ .packs = parts[i].packs, .key = key_of(parts[i].name, seed), .epoch = -1 };
    return l;
}

loader *loader_open(const packs *p, const char *name, uint64_t seed, permutation how, int64_t rows, err *e)
{
    return loader_open_mixture(&(loader_part){ name, p }, 1, NULL, seed, how, rows, e);
}

void loader_close(loader *l)
{
    if (!l)
        return;
    batch_close(l->batch);
    free(l);
}

int64_t loader_epoch_steps(const loader *l) { return (l->sources[0].packs->count + l->rows - 1) / l->rows; }

// Row i of the endless sequence of a dataset's epochs.
static int64_t pack_of(const loader *l, source *s, int64_t i)
{
    const int64_t epoch = i / s->packs->count;
    if (epoch != s->epoch) {
        s->order = permuter_make(l->how, key_fold_in(s->key, (uint32_t)epoch), s->packs->count);
        s->epoch = epoch;
    }
    return permuter_at(&s->order, i % s->packs->count);
}

// Numbers of epochs and of blocks have 32 bits in their keys.
static bool is_there(const loader *l, int64_t k)
{
    if (k < 0 || k > (INT64_MAX - l->rows) / l->rows)
        return false;
    const int64_t last = k * l->rows + l->rows - 1;
    bool there = !l->mixture || last / mixture_block(l->mixture) <= UINT32_MAX;
    for (int64_t i = 0; there && i < l->count; i++)
        there = last / l->sources[i].packs->count <= UINT32_MAX;
    return there;
}

bool loader_batch(loader *l, int64_t k, batch *out, err *e)
{
    if (!is_there(l, k))
        return fail(e, ERR_INPUT, "there is no batch %lld of this data", (long long)k);
    l->batch->real = l->batch->trained = 0;
    for (int64_t row = 0; row < l->rows; row++) {
        const int64_t i = k * l->rows + row;
        const mixture_place at = l->mixture ? mixture_at(l->mixture, i) : (mixture_place){ 0, i };
        source *s = &l->sources[at.dataset];
        packs_fill(s->packs, pack_of(l, s, at.index), l->batch, row);
        l->batch->dataset[row] = (int32_t)at.dataset;
    }
    *out = *l->batch;
    return true;
}
