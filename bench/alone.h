// For benches of single operations in the engine.
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "engine/engine.h"

static inline void must(bool ok, const err *e)
{
    if (!ok)
        fprintf(stderr, "%s\n", e->text), exit(1);
}

// In BF16 the upper half of the number.
static inline void put(void *at, int64_t i, float x, type h)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (h == F32)
        ((float *)at)[i] = x;
    else
        ((uint16_t *)at)[i] = (uint16_t)(bits >> 16);
}

// Small numbers, whole eighths: exact in BF16.
static inline void fill_eighths(engine *g, tensor t, int64_t count, type h)
{
    void *at = g->address(g, t);
    for (int64_t i = 0; i < count; i++)
        put(at, i, (float)(i % 13) * 0.125f - 0.75f, h);
}

// Seconds of the best step but the first.
static inline double best_step(engine *g, int repeats)
{
    err e = {0};
    double best = 1e9;
    for (int i = 0; i <= repeats; i++) {
        const double begin = clock_now();
        must(g->step(g, &e), &e);
        best = i ? MIN(best, clock_now() - begin) : best;
    }
    return best;
}
