// Drawing rows of the embedding and of the head anew.
#include "train/reinit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/random.h"
#include "base/util.h"

static const char *const llama3_tokens[] = {
    "<|finetune_right_pad_id|>", "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>", NULL,
};

bool reinit_find(const tokenizer *t, const char *const *names, int32_t ids[MOST_REINIT], int *count, err *e)
{
    bool preset = false;
    *count = 0;
    if (names[0] && !names[1] && !strcmp(names[0], "true"))
        names = llama3_tokens, preset = true;
    for (; *names; names++) {
        const str literal = str_of(*names);
        const int32_t id = tokenizer_id(t, literal);
        if (id < 0 || !str_equal(tokenizer_token(t, id), literal))
            return fail(e, ERR_INPUT, "reinit_tokens: '%.80s' is no token of %s%s", *names, tokenizer_path(t),
                        preset ? "; reinit_tokens=true means those of Llama 3: name this model's own" : "");
        for (int i = 0; i < *count; i++)
            if (ids[i] == id)
                return fail(e, ERR_INPUT, "reinit_tokens: '%.80s' is named twice", *names);
        if (*count == MOST_REINIT)
            return fail(e, ERR_INPUT, "reinit_tokens: more than %d tokens", MOST_REINIT);
        ids[(*count)++] = id;
    }
    return true;
}

// ---- rows of a matrix ---------------------------------------------------------------------------------------------------

typedef struct matrix { engine *g; tensor at; int64_t rows, columns; float *row; } matrix;

static bool matrix_open(matrix *m, engine *g, const model_config *c, tensor at, err *e)
{
    *m = (matrix){ .g = g, .at = at, .rows = c->vocab, .columns = c->hidden };
    m->row = malloc(sizeof *m->row * (size_t)m->columns);
    return m->row || fail(e, ERR_MEMORY, "no memory to look at an embedding");
}

static bool read_row(const matrix *m, int64_t i, err *e) { return m->g->read(m->g, m->at, i * m->columns, m->columns, m->row, e); }

// Mean and population deviation of each column.
static bool measure(const matrix *m, double *mean, double *deviation, err *e)
{
    for (int64_t i = 0; i < m->rows; i++) {
        TRY(read_row(m, i, e));
        for (int64_t d = 0; d < m->columns; d++)
            mean[d] += (double)m->row[d] / (double)m->rows;
    }
    for (int64_t i = 0; i < m->rows; i++) {
        TRY(read_row(m, i, e));
        for (int64_t d = 0; d < m->columns; d++)
            deviation[d] += ((double)m->row[d] - mean[d]) * ((double)m->row[d] - mean[d]);
    }
    for (int64_t d = 0; d < m->columns; d++)
        deviation[d] = sqrt(deviation[d] / (double)m->rows);
    return true;
}

// Standard normal within [-3, 3], by Box and Muller: what falls outside is drawn again (3 of 1,000).
static double draw(key k, int64_t column)
{
    enum { TRIES = 64 };
    for (uint64_t i = 0;; i++) {
        const uint64_t at = 2 * ((uint64_t)column * TRIES + i);
        const double u = ((double)key_bits(k, at) + 0.5) / 4294967296.0, v = ((double)key_bits(k, at + 1) + 0.5) / 4294967296.0;
        const double z = sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
        if (fabs(z) <= 3 || i + 1 == TRIES)
            return fmax(-3, fmin(3, z));
    }
}

static bool draw_rows(const matrix *m, const int32_t *ids, int count, key k, err *e)
{
    double *both = calloc(2 * (size_t)m->columns, sizeof *both), *mean = both, *deviation = both + m->columns;
    bool ok = both ? measure(m, mean, deviation, e) : fail(e, ERR_MEMORY, "no memory to draw tokens anew");
    for (int i = 0; ok && i < count; i++) {
        const key of_token = key_fold_in(k, (uint32_t)ids[i]);
        for (int64_t d = 0; d < m->columns; d++)
            m->row[d] = (float)(mean[d] + deviation[d] * draw(of_token, d));
        ok = m->g->write(m->g, m->at, ids[i] * m->columns, m->columns, m->row, e);
    }
    free(both);
    return ok;
}

bool reinit_rows(engine *g, const model_config *c, const model_weights *w, const int32_t *ids, int count, uint64_t seed, err *e)
{
    const weight_id both[] = { W_EMBED, W_HEAD };
    for (size_t i = 0; i < COUNT(both) && count; i++) {
        matrix m;
        if (both[i] == W_HEAD && c->tied)
            continue;
        bool ok = matrix_open(&m, g, c, w->at[both[i]], e)
               && draw_rows(&m, ids, count, key_fold_in(key_fold_in(key_from_seed(seed), 0x7265696e), (uint32_t)i), e);
        free(m.row);
        TRY(ok);
    }
    if (count)
        log_info("reinit_tokens: %d tokens are drawn anew, in the embedding%s", count, c->tied ? "" : " and the head");
    return true;
}

// ---- rows that nothing was learned in -----------------------------------------------------------------------------------

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static uint64_t hash_of(const float *row, int64_t count)
{
    uint64_t h = 1469598103934665603u;
    for (int64_t d = 0; d < count; d++) {
        uint32_t bits;
        memcpy(&bits, row + d, sizeof bits);
        h = (h ^ bits) * 1099511628211u;
        h ^= h >> 29;
    }
    return h;
}

static int64_t count_equal(const uint64_t *hashes, int64_t rows, int32_t id)
{
    int64_t n = 0;
    for (int64_t i = 0; i < rows; i++)
        n += hashes[i] == hashes[id];
    return n;
}

// A quarter of the median is far below what trained vocabularies hold: their rows lie within a factor of two or so of it.
static bool look(const matrix *m, const int32_t *ids, int64_t count, double *norms, double *sorted, uint64_t *hashes, int32_t *out,
                 int64_t *found, double *median, err *e)
{
    for (int64_t i = 0; i < m->rows; i++) {
        double sum = 0;
        TRY(read_row(m, i, e));
        for (int64_t d = 0; d < m->columns; d++)
            sum += (double)m->row[d] * (double)m->row[d];
        norms[i] = sorted[i] = sqrt(sum);
        hashes[i] = hash_of(m->row, m->columns);
    }
    qsort(sorted, (size_t)m->rows, sizeof *sorted, by_size);
    *median = sorted[m->rows / 2];
    for (int64_t i = 0; i < count; i++)
        if (norms[ids[i]] < *median / 4 || count_equal(hashes, m->rows, ids[i]) > 1)
            out[(*found)++] = ids[i];
    return true;
}

bool reinit_unseen(engine *g, const model_config *c, const model_weights *w, const int32_t *ids, int64_t count, int32_t *out,
                   int64_t *found, double *median, err *e)
{
    matrix m;
    double *norms = malloc(2 * sizeof *norms * (size_t)c->vocab);
    uint64_t *hashes = malloc(sizeof *hashes * (size_t)c->vocab);
    *found = 0;
    bool ok = matrix_open(&m, g, c, w->at[W_EMBED], e) && ((norms && hashes) || fail(e, ERR_MEMORY, "no memory to look at an embedding"));
    ok = ok && look(&m, ids, count, norms, norms + c->vocab, hashes, out, found, median, e);
    free(m.row);
    free(norms);
    free(hashes);
    return ok;
}
