// The numbers of a model's tensors, read and widened in runs of rows by all threads: each has room for one run and puts it where the
// table of weights says. Nothing depends on who reads what, so the bits are those of one thread.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/util.h"
#include "model/loader.h"

enum { RUN = 1 << 16, AHEAD = 32 };                     // numbers read at once, at least a row; runs the system is told of before

typedef struct piece {              // a tensor of the file
    weight_part part;               // a vector is one row
    source_tensor tensor;
    int64_t begin, rows, first;     // its first element in ours, rows of a run, the number of its first run
} piece;

typedef struct filling {
    const loader *l;
    piece *pieces;
    int64_t count, runs, longest;   // numbers of a run at most
    float *numbers;                 // by thread
    uint16_t *halves;               // the same as bf16, for an engine that keeps them so
    atomic_llong failed;            // the first run that did
    pthread_mutex_t lock;           // of it and the error
} filling;

static bool is_permuted(const loader *l, const weight_part *p) { return p->permuted_in_gguf && l->source.is_gguf; }

// Row `r` of llama.cpp's q and k is row (r mod 2) * half + r / 2 of the head: it turns neighbours where Hugging Face
// turns halves.
static int64_t place_of_row(const loader *l, const weight_part *p, int64_t row)
{
    int64_t head = l->c->head_size, r = row % head;
    return is_permuted(l, p) ? row - r + r % 2 * (head / 2) + r / 2 : row;
}

static int64_t rows_at_once(const loader *l, const weight_part *p)
{
    int64_t head = l->c->head_size, rows = MAX(RUN / p->columns, 1);
    if (p->permuted_in_gguf)
        rows = MAX(rows / head, 1) * head;
    return MIN(rows, p->rows);
}

// The runs of all tensors, in the order of the table.
static bool cut(filling *f)
{
    const loader *l = f->l;
    int64_t most = 0;
    for (int i = 0; i < l->part_count; i++)
        most += loader_layers(l, &l->parts[i]);
    if (!(f->pieces = calloc((size_t)most, sizeof *f->pieces)))
        return fail(l->e, ERR_MEMORY, "%s: no memory to read it", l->path);
    for (int i = 0; i < l->part_count; i++)
        for (int64_t layer = 0; layer < loader_layers(l, &l->parts[i]); layer++) {
            piece *p = &f->pieces[f->count++];
            *p = (piece){ .part = l->parts[i], .first = f->runs };
            if (!loader_find(l, &p->part, layer, &p->tensor))
                return fail(l->e, ERR_BUG, "%s: a tensor vanished", l->path);
            p->begin = layer * shape_count(shape_inner(weight_shape(l->c, p->part.in))) + p->part.row * MAX(p->part.columns, 1);
            if (!p->part.columns)
                p->part.columns = p->part.rows, p->part.rows = 1;
            p->rows = rows_at_once(l, &p->part);
            f->runs += (p->part.rows + p->rows - 1) / p->rows;
            f->longest = MAX(f->longest, p->rows * p->part.columns);
        }
    return true;
}

static const piece *piece_of(const filling *f, int64_t run)
{
    int64_t from = 0, to = f->count;
    while (to - from > 1) {
        int64_t middle = (from + to) / 2;
        *(f->pieces[middle].first <= run ? &from : &to) = middle;
    }
    return &f->pieces[from];
}

static void cut_run(const piece *p, int64_t run, int64_t *row, int64_t *rows)
{
    *row = (run - p->first) * p->rows;
    *rows = MIN(p->rows, p->part.rows - *row);
}

static bool read_rows(const loader *l, const piece *p, int64_t row, int64_t rows, float *to, err *e)
{
    int64_t n = p->part.columns;
    if (!is_permuted(l, &p->part))
        return source_read(&l->source, &p->tensor, row * n, rows * n, to, e);
    for (int64_t r = row; r < row + rows; r++)
        TRY(source_read(&l->source, &p->tensor, r * n, n, to + (place_of_row(l, &p->part, r) - row) * n, e));
    return true;
}

static bool give(const loader *l, tensor to, int64_t at, int64_t count, const float *numbers, uint16_t *halves, err *e)
{
    if (program_value(l->g->program, to)->type == F32)
        return l->g->write(l->g, to, at, count, numbers, e);
    f32_to_bf16(numbers, halves, count);
    return l->g->write(l->g, to, at, count, halves, e);
}

// Runs begin in order: when one fails, all before it have begun, and none of those gives way to it.
static void note_failure(filling *f, int64_t run, const err *e)
{
    pthread_mutex_lock(&f->lock);
    if (run < atomic_load(&f->failed)) {
        atomic_store(&f->failed, run);
        *f->l->e = *e;
    }
    pthread_mutex_unlock(&f->lock);
}

static void expect_run(const filling *f, int64_t run)
{
    int64_t row, rows;
    if (run >= f->runs)
        return;
    const piece *p = piece_of(f, run);
    cut_run(p, run, &row, &rows);
    source_expect(&p->tensor, row * p->part.columns, rows * p->part.columns);
}

static void fill_run(void *self, int64_t run, int thread)
{
    filling *f = self;
    const loader *l = f->l;
    const piece *p = piece_of(f, run);
    float *numbers = f->numbers + thread * f->longest;
    err e = {0};
    int64_t row, rows, n = p->part.columns;
    if (atomic_load(&f->failed) < run)
        return;
    expect_run(f, run + AHEAD);
    cut_run(p, run, &row, &rows);
    if (!read_rows(l, p, row, rows, numbers, &e) ||
        !give(l, l->w->at[p->part.in], p->begin + row * n, rows * n, numbers, f->halves + thread * f->longest, &e))
        note_failure(f, run, &e);
    source_forget(&p->tensor, row * n, rows * n);
}

static bool run_all(filling *f, int64_t runs, void (*tile)(void *, int64_t, int))
{
    const loader *l = f->l;
    const size_t threads = (size_t)pool_threads(l->g->pool);
    f->numbers = malloc(threads * (size_t)f->longest * sizeof *f->numbers);
    f->halves = malloc(threads * (size_t)f->longest * sizeof *f->halves);
    if (!f->numbers || !f->halves)
        return fail(l->e, ERR_MEMORY, "%s: no memory to read it", l->path);
    atomic_store(&f->failed, INT64_MAX);
    pthread_mutex_init(&f->lock, NULL);
    pool_run(l->g->pool, runs, tile, f);
    pthread_mutex_destroy(&f->lock);
    return atomic_load(&f->failed) == INT64_MAX;
}

static void drop(filling *f)
{
    free(f->pieces);
    free(f->numbers);
    free(f->halves);
}

bool loader_fill(const loader *l)
{
    filling f = { .l = l };
    bool ok = cut(&f);
    for (int64_t run = 0; ok && run < AHEAD; run++)
        expect_run(&f, run);
    ok = ok && run_all(&f, f.runs, fill_run);
    drop(&f);
    return ok;
}

// ---- comparing -----------------------------------------------------------------------------------------------------------

typedef struct comparing { filling f; const source_tensor *a, *b; int64_t count; atomic_bool differ; } comparing;

static void compare_run(void *self, int64_t run, int thread)
{
    comparing *c = self;
    const source *s = &c->f.l->source;
    err e = {0};
    const int64_t half = c->f.longest / 2, at = run * half, n = MIN(half, c->count - at);
    float *x = c->f.numbers + thread * c->f.longest, *y = x + half;
    if (!source_read(s, c->a, at, n, x, &e) || !source_read(s, c->b, at, n, y, &e))
        note_failure(&c->f, run, &e);
    else if (memcmp(x, y, (size_t)n * sizeof *x))
        atomic_store(&c->differ, true);
    source_forget(c->a, at, n);
    source_forget(c->b, at, n);
}

bool loader_compare(const loader *l, const source_tensor *a, const source_tensor *b, bool *same)
{
    comparing c = { .f = { .l = l, .longest = RUN }, .a = a, .b = b, .count = 1 };
    for (int i = 0; i < a->rank; i++)
        c.count *= a->dim[i];
    const bool ok = run_all(&c.f, (c.count + RUN / 2 - 1) / (RUN / 2), compare_run);
    *same = !atomic_load(&c.differ);
    drop(&c.f);
    return ok;
}
