// A small model, recorded, and steps of it on any engine: for the tests of model and train.
#pragma once
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "engine/engine.h"
#include "train/step.h"

typedef enum which { REF, CPU } which;

typedef struct net { step_config c; program p; arena a; step s; engine *g; } net;

// Sizes that differ from each other, heads that are grouped, heads * head size that is not hidden.
#define SMALL_CONFIG {                                                                                       \
    .family = "llama", .vocab = 13, .hidden = 8, .layers = 2, .heads = 4, .kv_heads = 2, .head_size = 4,     \
    .ffn = 10, .max_positions = 64, .norm_eps = 1e-5, .rope_theta = 10000,                                   \
}
enum { MICRO = 2, ROWS = 2, SEQ = 6, TOKENS = MICRO * ROWS * SEQ };

static const step_config small = {
    .model = { .config = SMALL_CONFIG, .rows = ROWS, .seq = SEQ, .head_chunk = 5, .recompute = RECOMPUTE_CHEAP },
    .adamw = { .beta1 = 0.9f, .beta2 = 0.95f, .eps = 1e-8f, .decay = 0.1f },
    .micro = MICRO,
};

// Two or three segments a row; about half of the tokens are trained.
typedef struct tokens { int32_t ids[TOKENS], position[TOKENS], start[TOKENS], target[TOKENS]; int64_t trained; } tokens;

static inline void must(bool ok, const err *e)
{
    if (!ok) {
        fprintf(stderr, "%s\n", e->text);
        exit(1);
    }
}

// Numbers from 0 to 2^32 that look random and are the same everywhere; tests/golden/tiny_llama.py has the same lines.
static inline uint32_t mixed(uint32_t i, uint32_t stream)
{
    uint32_t x = i * 2654435761u + stream * 40503u + 12345u;
    x = (x ^ x >> 15) * 2246822519u;
    x = (x ^ x >> 13) * 3266489917u;
    return x ^ x >> 16;
}

// Element i of a weight: exact in float32, in ±1/4, norms around 1.
static inline double some(weight_id w, int64_t i)
{
    const bool norm = w == W_ATTN_NORM || w == W_MLP_NORM || w == W_NORM;
    return (norm ? 1 : 0) + ((double)(mixed((uint32_t)i, (uint32_t)w) >> 8) / 16777216.0 - 0.5) / 2;
}

static inline int64_t count_of(const net *n, tensor t) { return shape_count(program_value(&n->p, t)->shape); }

static inline void net_put_weights(net *n)
{
    err e = {0};
    for (int w = 0; w < WEIGHTS; w++) {
        const tensor t = n->s.w.at[w];
        if (!t.id)
            continue;
        const int64_t count = count_of(n, t);
        float *v = malloc((size_t)count * sizeof *v);
        for (int64_t i = 0; i < count; i++)
            v[i] = (float)some((weight_id)w, i);
        must(n->g->write(n->g, t, 0, count, v, &e), &e);
        free(v);
    }
    n->g->prepare(n->g);
}

static inline void net_open(net *n, const step_config *c, which on, type compute, bool unroll)
{
    err e = {0};
    *n = (net){ .c = *c };
    program_open(&n->p, compute);
    n->p.unroll = unroll;
    n->s = step_record(&n->p, c, &n->a);
    must(program_finish(&n->p, &e), &e);
    n->g = on == REF ? ref_open(&n->p, &e) : cpu_open(&n->p, &(cpu_options){0}, &e);
    must(n->g, &e);
    net_put_weights(n);
}

static inline void net_close(net *n)
{
    n->g->close(n->g);
    program_close(&n->p);
    arena_close(&n->a);
}

static inline tokens make_tokens(void)
{
    tokens t = {0};
    for (int i = 0; i < TOKENS; i++) {
        const int at = i % SEQ, row = i / SEQ, cut = 2 + row % 3;       // the second segment begins at `cut`
        t.ids[i] = (int32_t)(mixed((uint32_t)i, 100) % 13);
        t.start[i] = at < cut ? 0 : cut;
        t.position[i] = at - t.start[i];
        const bool end = at == SEQ - 1 || at == cut - 1;
        t.target[i] = end || mixed((uint32_t)i, 101) % 3 == 0 ? -1 : (int32_t)(mixed((uint32_t)i, 102) % 13);
        t.trained += t.target[i] >= 0;
    }
    return t;
}

static inline void net_put(net *n, const tokens *t, const step_numbers *numbers)
{
    err e = {0};
    must(step_write(n->g, &n->s, &n->c, t->ids, t->position, t->start, t->target, numbers, &e), &e);
}

static inline double get(const net *n, tensor t)
{
    err e = {0};
    float number = NAN;
    must(n->g->read(n->g, t, 0, 1, &number, &e), &e);
    return (double)number;
}

static inline double get_double(const net *n, tensor t)
{
    err e = {0};
    double number = NAN;
    must(ref_read_double(n->g, t, &number, &e), &e);
    return number;
}

// To be freed. All numbers of a tensor, as float or (ref) double.
static inline float *read_floats(const net *n, tensor t)
{
    err e = {0};
    float *v = malloc((size_t)count_of(n, t) * sizeof *v);
    must(n->g->read(n->g, t, 0, count_of(n, t), v, &e), &e);
    return v;
}

static inline double *read_doubles(const net *n, tensor t)
{
    err e = {0};
    double *v = malloc((size_t)count_of(n, t) * sizeof *v);
    must(ref_read_double(n->g, t, v, &e), &e);
    return v;
}

// The k-th step, from 1, on the same tokens: only numbers change, never the program.
static inline double one_step(net *n, const tokens *t, double rate, double clip, int64_t k)
{
    err e = {0};
    net_put(n, t, &(step_numbers){ .rate = rate, .clip = clip, .number = k, .trained = t->trained });
    must(n->g->step(n->g, &e), &e);
    return get(n, n->s.loss);
}

// The largest difference between two tensors, as a share of the largest entry of the second.
static inline double apart(const double *got, const double *want, int64_t count)
{
    double largest = 0, worst = 0;
    for (int64_t i = 0; i < count; i++) {
        const double d = fabs(got[i] - want[i]);
        if (!isfinite(d))
            return INFINITY;
        largest = fmax(largest, fabs(want[i]));
        worst = fmax(worst, d);
    }
    return largest > 0 ? worst / largest : worst;
}
