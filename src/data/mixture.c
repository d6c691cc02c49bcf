// Counts per block, the order of a block, and from places to rows and back.
#include "data/mixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

typedef struct stage {
    int64_t block, blocks;          // the first; how many, INT64_MAX of the last stage
    int64_t *counts, *before;       // of each dataset: rows in a block; rows in earlier stages
} stage;

struct mixture {
    int64_t datasets, size, stage_count;
    stage *stages;
    key key;                        // a block's number is folded into it
    bool shuffled;                  // a single dataset keeps its own order
    int64_t block;                  // whose codes these are; -1: none yet
    uint32_t *codes, *moved;        // [size]: dataset << 16 | row within the block; the same on the way to another order
    uint64_t *keys;                 // [size], for sorting
    int64_t *numbers;               // what counts and before lie in
};

// ---- counts --------------------------------------------------------------------------------------------------------

// The shares of `size` places rounded down; what is left goes to the largest, the first of several.
static void count_block(const double *weights, int64_t datasets, int64_t size, int64_t *counts)
{
    double sum = 0;
    int64_t left = size, largest = 0;
    for (int64_t d = 0; d < datasets; d++)
        sum += weights[d];
    for (int64_t d = 0; d < datasets; d++) {
        left -= counts[d] = (int64_t)(weights[d] / sum * (double)size);
        if (counts[d] > counts[largest])
            largest = d;
    }
    counts[largest] += left;
}

// The first dataset that has a weight and no place in a block; -1.
static int64_t left_out(const mixture_config *c, const mixture_stage *s, int64_t size)
{
    int64_t counts[MIXTURE_MOST_DATASETS];
    count_block(s->weights, c->datasets, size, counts);
    for (int64_t d = 0; d < c->datasets; d++)
        if (s->weights[d] > 0 && !counts[d])
            return d;
    return -1;
}

static int64_t smallest_block(const mixture_config *c)
{
    for (int64_t size = 1; size <= MIXTURE_MOST_BLOCK; size++) {
        int64_t i = 0;
        while (i < c->stage_count && left_out(c, &c->stages[i], size) < 0)
            i++;
        if (i == c->stage_count)
            return size;
    }
    return 0;
}

static bool check_counts(const mixture_config *c, err *e)
{
    for (int64_t i = 0; i < c->stage_count; i++) {
        const int64_t d = left_out(c, &c->stages[i], c->block), smallest = d < 0 ? 0 : smallest_block(c);
        if (d >= 0 && smallest)
            return fail(e, ERR_INPUT, "mixture: the weight %g of '%s' comes to none of the %lld rows of a block; the smallest block size "
                        "that works is mixture_block_size=%lld", c->stages[i].weights[d], c->names[d], (long long)c->block,
                        (long long)smallest);
        if (d >= 0)
            return fail(e, ERR_INPUT, "mixture: the weight %g of '%s' comes to none of the %lld rows of a block, nor of any up to %d; "
                        "raise it, or leave it out with weight 0", c->stages[i].weights[d], c->names[d], (long long)c->block,
                        MIXTURE_MOST_BLOCK);
    }
    return true;
}

// ---- what is refused -----------------------------------------------------------------------------------------------

static bool check_names(const mixture_config *c, err *e)
{
    if (c->datasets < 1 || c->datasets > MIXTURE_MOST_DATASETS)
        return fail(e, ERR_INPUT, "mixture: expected 1 to %d datasets, got %lld", MIXTURE_MOST_DATASETS, (long long)c->datasets);
    for (int64_t d = 0; d < c->datasets; d++)
        for (int64_t other = 0; other < d; other++)
            if (!strcmp(c->names[d], c->names[other]))
                return fail(e, ERR_INPUT, "mixture: two datasets are called '%s'; give each a name of its own", c->names[d]);
    return true;
}

static bool check_weights(const mixture_config *c, const mixture_stage *s, err *e)
{
    double sum = 0;
    for (int64_t d = 0; d < c->datasets; d++) {
        if (!(s->weights[d] >= 0 && s->weights[d] < 1e300))
            return fail(e, ERR_INPUT, "mixture: weight of '%s': expected 0 or more, got %g", c->names[d], s->weights[d]);
        sum += s->weights[d];
    }
    if (!(sum > 0 && isfinite(sum)))
        return fail(e, ERR_INPUT, "mixture: at step %lld no dataset has a weight above 0", (long long)s->start);
    return true;
}

static int64_t common_divisor(int64_t a, int64_t b)
{
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static bool check_starts(const mixture_config *c, err *e)
{
    const int64_t raster = c->block / common_divisor(c->block, c->batch);      // steps at which a block begins
    if (c->stage_count < 1 || c->stages[0].start != 0)
        return fail(e, ERR_INPUT, "mixture: the first weights must begin at step 0%s", c->stage_count < 1 ? "; there are none" : "");
    for (int64_t i = 1; i < c->stage_count; i++) {
        const int64_t start = c->stages[i].start, below = start / raster * raster;
        if (start <= c->stages[i - 1].start)
            return fail(e, ERR_INPUT, "mixture: weights that begin at step %lld come after those of step %lld; expected steps that rise",
                        (long long)start, (long long)c->stages[i - 1].start);
        if (start > INT64_MAX / 4 / c->batch)
            return fail(e, ERR_INPUT, "mixture: weights that begin at step %lld: so many steps cannot be", (long long)start);
        if (start % raster)
            return fail(e, ERR_INPUT, "mixture: weights that begin at step %lld, row %lld of the run: expected a multiple of "
                        "mixture_block_size %lld; the nearest steps are %lld and %lld", (long long)start, (long long)(start * c->batch),
                        (long long)c->block, (long long)below, (long long)(below + raster));
    }
    return true;
}

// ---- opening -------------------------------------------------------------------------------------------------------

static void make_stages(mixture *m, const mixture_config *c)
{
    int64_t used = 0;
    for (int64_t i = 0; i < m->stage_count; i++) {
        stage *s = &m->stages[i], *last = s - 1;
        const bool ends = i + 1 < m->stage_count;
        s->block = c->stages[i].start * c->batch / c->block;
        s->blocks = ends ? (c->stages[i + 1].start - c->stages[i].start) * c->batch / c->block : INT64_MAX;
        s->counts = m->numbers + 2 * i * m->datasets;
        s->before = s->counts + m->datasets;
        count_block(c->stages[i].weights, m->datasets, m->size, s->counts);
        for (int64_t d = 0; i && d < m->datasets; d++)
            s->before[d] = last->before[d] + last->blocks * last->counts[d];
    }
    for (int64_t d = 0; d < m->datasets; d++) {
        bool has = false;
        for (int64_t i = 0; i < m->stage_count; i++)
            has |= m->stages[i].counts[d] > 0;
        used += has;
    }
    m->shuffled = used > 1;
}

mixture *mixture_open(const mixture_config *c, err *e)
{
    if (c->block < 1 || c->block > MIXTURE_MOST_BLOCK || c->batch < 1) {
        fail(e, ERR_INPUT, "mixture_block_size: expected 1 to %d rows, got %lld", MIXTURE_MOST_BLOCK, (long long)c->block);
        return NULL;
    }
    bool fine = check_names(c, e) && check_starts(c, e);
    for (int64_t i = 0; fine && i < c->stage_count; i++)
        fine = check_weights(c, &c->stages[i], e);
    if (!fine || !check_counts(c, e))
        return NULL;
    mixture *m = calloc(1, sizeof *m);
    key keys[2];
    key_split(key_from_seed(c->seed), 2, keys);         // as Levanter: the first for the blocks
    if (m) {
        *m = (mixture){ .datasets = c->datasets, .size = c->block, .stage_count = c->stage_count, .key = keys[0], .block = -1,
                        .stages = calloc((size_t)c->stage_count, sizeof *m->stages), .codes = calloc((size_t)c->block, sizeof *m->codes),
                        .moved = calloc((size_t)c->block, sizeof *m->moved), .keys = calloc((size_t)c->block, sizeof *m->keys),
                        .numbers = calloc((size_t)(2 * c->stage_count * c->datasets), sizeof *m->numbers) };
        if (m->stages && m->codes && m->moved && m->keys && m->numbers) {
            make_stages(m, c);
            return m;
        }
    }
    fail(e, ERR_MEMORY, "no memory for a mixture in blocks of %lld rows", (long long)c->block);
    mixture_close(m);
    return NULL;
}

void mixture_close(mixture *m)
{
    if (!m)
        return;
    free(m->stages);
    free(m->codes);
    free(m->moved);
    free(m->keys);
    free(m->numbers);
    free(m);
}

// ---- blocks --------------------------------------------------------------------------------------------------------

static int by_number(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

// jax.random.permutation: sorted by random keys, again and again until keys that meet no longer matter. Sorting is stable, since a
// key's low half is the place it had.
static void shuffle(mixture *m, key k)
{
    const int64_t n = m->size;
    const int rounds = (int)ceil(3 * log((double)n) / log(4294967295.0));
    for (int r = 0; r < rounds; r++) {
        key two[2];
        key_split(k, 2, two);
        k = two[0];
        for (int64_t i = 0; i < n; i++)
            m->keys[i] = (uint64_t)key_bits(two[1], (uint64_t)i) << 32 | (uint64_t)i;
        qsort(m->keys, (size_t)n, sizeof *m->keys, by_number);
        for (int64_t i = 0; i < n; i++)
            m->moved[i] = m->codes[(uint32_t)m->keys[i]];
        memcpy(m->codes, m->moved, (size_t)n * sizeof *m->codes);
    }
}

static const stage *stage_of(const mixture *m, int64_t block)
{
    int64_t i = m->stage_count - 1;
    while (m->stages[i].block > block)
        i--;
    return &m->stages[i];
}

static const stage *read_block(mixture *m, int64_t block)
{
    const stage *s = stage_of(m, block);
    if (block == m->block)
        return s;
    int64_t at = 0;
    for (int64_t d = 0; d < m->datasets; d++)
        for (int64_t j = 0; j < s->counts[d]; j++)
            m->codes[at++] = (uint32_t)(d << 16 | j);
    if (m->shuffled)
        shuffle(m, key_fold_in(m->key, (uint32_t)block));
    m->block = block;
    return s;
}

mixture_place mixture_at(mixture *m, int64_t i)
{
    const int64_t block = i / m->size;
    const stage *s = read_block(m, block);
    const uint32_t code = m->codes[i % m->size], d = code >> 16;
    return (mixture_place){ d, s->before[d] + (block - s->block) * s->counts[d] + (code & 0xffff) };
}

int64_t mixture_block(const mixture *m) { return m->size; }

int64_t mixture_count(const mixture *m, int64_t number, int64_t dataset) { return m->stages[number].counts[dataset]; }

int64_t mixture_share(mixture *m, int64_t dataset, int64_t places)
{
    const int64_t block = places / m->size;
    const stage *s = read_block(m, block);
    int64_t rows = s->before[dataset] + (block - s->block) * s->counts[dataset];
    for (int64_t i = 0; i < places % m->size; i++)
        rows += m->codes[i] >> 16 == (uint32_t)dataset;
    return rows;
}

static bool is_mixed(const mixture *m, int64_t dataset)
{
    for (int64_t i = 0; i < m->stage_count; i++)
        if (m->stages[i].counts[dataset])
            return true;
    return false;
}

// The first place of the dataset's row `index` and those after it, or the place behind the last of this row and those before it: rows
// of one block come in any order. INT64_MAX: row `index` never comes.
static int64_t find_edge(mixture *m, int64_t dataset, int64_t index, bool last)
{
    for (const stage *s = m->stages; s < m->stages + m->stage_count; s++) {
        const int64_t row = index - s->before[dataset], count = s->counts[dataset];
        if (!count || row / count >= s->blocks)
            continue;
        const int64_t block = s->block + row / count;
        if (block > INT64_MAX / m->size - 1)
            return INT64_MAX;
        (void)read_block(m, block);
        int64_t edge = 0;
        for (int64_t at = 0; at < m->size; at++) {
            const int64_t code = m->codes[at];
            if (code >> 16 != dataset || (last ? (code & 0xffff) > row % count : (code & 0xffff) < row % count))
                continue;
            edge = block * m->size + at + last;
            if (!last)
                break;
        }
        return edge;
    }
    return INT64_MAX;
}

int64_t mixture_end(mixture *m, const int64_t *lengths, mixture_stop how, int64_t *decides)
{
    int64_t end = how == STOP_ALL ? 0 : INT64_MAX;
    *decides = 0;
    for (int64_t d = 0; how != STOP_RESTART && d < m->datasets; d++) {
        if (!is_mixed(m, d))
            continue;
        const int64_t at = how == STOP_ALL ? find_edge(m, d, lengths[d] - 1, true) : find_edge(m, d, lengths[d], false);
        if (how == STOP_ALL ? at > end : at < end) {
            end = at;
            *decides = d;
        }
    }
    return end;
}
