// One operation in a program of its own, on the ref engine and on a CPU engine of each instruction set.
#pragma once
#include <stdlib.h>

#include "../test.h"
#include "engine/cpu/bf16.h"
#include "engine/engine.h"

static void must(bool ok, const err *e)
{
    if (!ok)
        fprintf(stderr, "%s\n", e->text), exit(1);
}

__attribute__((unused))
static tensor in(program *p, type t, const char *name, shape s)  { return program_tensor(p, INPUT, t, name, s); }
__attribute__((unused))
static tensor out(program *p, type t, const char *name, shape s) { return program_tensor(p, OUTPUT, t, name, s); }

typedef struct op_case {
    const char *name;
    void (*record)(program *p, type h);
    int32_t (*whole)(const char *name, int64_t i);  // what I32 tensors hold
    float f32, bf16;                // tolerances, as shares of the largest expected value
} op_case;

// Any numbers in (-1, 1), the same every time, different for each tensor; all are exact in BF16.
__attribute__((unused))
static float some(const char *name, int64_t i)
{
    uint64_t x = (uint64_t)i * 0x9e3779b97f4a7c15u + 12345;
    for (; *name; name++)
        x = (x ^ (uint64_t)*name) * 0x100000001b3u;
    x ^= x >> 29, x *= 0xbf58476d1ce4e5b9u, x ^= x >> 32;
    return bf16_to_float(bf16_from_float((float)(int32_t)(uint32_t)x / 2147483648.0f));
}

// Moments of the second order must not be negative, and r of rmsnorm is positive.
static float value_of(const char *name, int64_t i)
{
    float x = some(name, i);
    return strcmp(name, "v") == 0 || strcmp(name, "r") == 0 ? bf16_to_float(bf16_from_float(fabsf(x) + 0.5f)) : strcmp(name, "finite") == 0 ? 1 : x;
}

__attribute__((unused))
static void fill(engine *g, const op_case *o)
{
    err e = {0};
    for (int32_t t = 1; t < g->program->value_count; t++) {
        const value *v = &g->program->values[t];
        if (v->of.id || v->kind > STATE)
            continue;
        int64_t n = shape_count(v->shape);
        char *bytes = malloc((size_t)(4 * n));
        for (int64_t i = 0; i < n; i++)
            if (v->type == I32)
                ((int32_t *)(void *)bytes)[i] = o->whole(v->name, i);
            else if (v->type == F32)
                ((float *)(void *)bytes)[i] = value_of(v->name, i);
            else
                ((uint16_t *)(void *)bytes)[i] = bf16_from_float(value_of(v->name, i));
        must(g->write(g, (tensor){ t }, 0, n, bytes, &e), &e);
        free(bytes);
    }
    g->prepare(g);
}

// The elements of a kept tensor as floats; to be freed.
__attribute__((unused))
static float *floats(engine *g, int32_t t)
{
    err e = {0};
    const value *v = &g->program->values[t];
    int64_t n = shape_count(v->shape);
    float *out = malloc((size_t)(4 * n));
    uint16_t *halves = malloc((size_t)(2 * n));
    must(g->read(g, (tensor){ t }, 0, n, v->type == BF16 ? (void *)halves : (void *)out, &e), &e);
    for (int64_t i = 0; v->type == BF16 && i < n; i++)
        out[i] = bf16_to_float(halves[i]);
    free(halves);
    return out;
}
