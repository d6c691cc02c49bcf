// Sixteen floats at a time, whatever the instruction set: the same order of sums everywhere. Loops over
// rows of any length use the _n forms, which read zeros past the end.
#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "engine/cpu/bf16.h"

#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(NEON)
#include <arm_neon.h>
#endif

enum { LANES = 16 };

#if defined(__AVX512F__)
#include "engine/cpu/isa/vec_avx512.h"
#elif defined(__AVX2__)
#include "engine/cpu/isa/vec_avx2.h"
#elif defined(NEON)
#include "engine/cpu/isa/vec_neon.h"
#else
#include "engine/cpu/isa/vec_generic.h"
#endif

#if !defined(V_SUM)
// The sum of the lanes, always in this order; sets that have a shorter way define V_SUM.
static inline float v_sum(vec a)
{
    float x[LANES];
    v_store(x, a);
    for (int half = LANES / 2; half; half /= 2)
        for (int i = 0; i < half; i++)
            x[i] += x[i + half];
    return x[0];
}
#endif

static inline float v_largest(vec a)
{
    float x[LANES], most;
    v_store(x, a);
    most = x[0];
    for (int i = 1; i < LANES; i++)
        most = x[i] > most ? x[i] : most;
    return most;
}

// exp(x), relative error below 2e-7: x = n ln 2 + r, |r| <= ln 2 / 2, exp(x) = 2^n * exp(r). exp(r) is a
// polynomial of degree 6 (Cephes' coefficients). Infinite from 88.8 on, 0 from -104 down, NaN stays
// (v_max and v_min give their second argument when one is NaN).
static inline vec v_exp(vec x)
{
    x = v_min(v_set(89), v_max(v_set(-104), x));
    vec n = v_round(v_mul(x, v_set(1.44269504088896341f)));
    vec r = v_fma(n, v_set(-0.693359375f), x);
    r = v_fma(n, v_set(2.12194440e-4f), r);
    vec p = v_set(1.9875691500e-4f);
    p = v_fma(p, r, v_set(1.3981999507e-3f));
    p = v_fma(p, r, v_set(8.3334519073e-3f));
    p = v_fma(p, r, v_set(4.1665795894e-2f));
    p = v_fma(p, r, v_set(1.6666665459e-1f));
    p = v_fma(p, r, v_set(5.0000001201e-1f));
    p = v_add(v_fma(p, v_mul(r, r), r), v_set(1));
    return v_scale(p, n);
}

// 1 / (1 + exp(-x))
static inline vec v_sigmoid(vec x)
{
    return v_div(v_set(1), v_add(v_set(1), v_exp(v_sub(v_set(0), x))));
}

// A register as BF16 would hold it: to nearest, ties to even; a NaN stays one.
static inline lane l_rounded(lane x)
{
    typedef uint32_t bits __attribute__((vector_size(sizeof(lane))));
    bits b, r, nan;
    memcpy(&b, &x, sizeof b);
    r = (b + 0x7fff + (b >> 16 & 1)) & 0xffff0000;
    nan = (bits)((b & 0x7fffffff) > 0x7f800000);
    r = (nan & ((b & 0xffff0000) | 0x400000)) | (~nan & r);
    memcpy(&x, &r, sizeof x);
    return x;
}

static inline vec v_rounded(vec x)
{
    lane part[LANES / LANE];
    memcpy(part, &x, sizeof x);
    for (int i = 0; i < LANES / LANE; i++)
        part[i] = l_rounded(part[i]);
    memcpy(&x, part, sizeof x);
    return x;
}

// How a row is read: as it is stored, or (a weight of a BF16 program) float32 rounded to BF16 on the way. Chosen outside of the
// loop by a constant argument.
enum { AS_F32, AS_BF16, AS_ROUNDED };

static inline vec v_get(const void *x, int64_t i, int as)
{
    return as == AS_BF16 ? v_load_h((const uint16_t *)x + i) : as == AS_ROUNDED ? v_rounded(v_load((const float *)x + i))
         : v_load((const float *)x + i);
}
static inline vec v_get_n(const void *x, int64_t i, int n, int as)
{
    return as == AS_BF16 ? v_load_h_n((const uint16_t *)x + i, n) : as == AS_ROUNDED ? v_rounded(v_load_n((const float *)x + i, n))
         : v_load_n((const float *)x + i, n);
}
static inline void v_put(void *y, int64_t i, vec a, int bf16)
{
    bf16 ? v_store_h((uint16_t *)y + i, a) : v_store((float *)y + i, a);
}
static inline void v_put_n(void *y, int64_t i, vec a, int n, int bf16)
{
    bf16 ? v_store_h_n((uint16_t *)y + i, a, n) : v_store_n((float *)y + i, a, n);
}

static inline lane l_get(const void *x, int64_t i, int as)
{
    return as == AS_BF16 ? l_load_h((const uint16_t *)x + i) : as == AS_ROUNDED ? l_rounded(l_load((const float *)x + i))
         : l_load((const float *)x + i);
}

// A register of a row of n elements.
static inline lane l_get_n(const void *x, int64_t i, int64_t n, int as)
{
    float whole[LANE] = {0};
    if (n == LANE && as == AS_BF16)
        return l_load_h((const uint16_t *)x + i);
    if (n == LANE)
        return as == AS_ROUNDED ? l_rounded(l_load((const float *)x + i)) : l_load((const float *)x + i);
    for (int64_t j = 0; j < n; j++)
        whole[j] = as == AS_BF16 ? bf16_to_float(((const uint16_t *)x)[i + j]) : ((const float *)x)[i + j];
    return as == AS_ROUNDED ? l_rounded(l_load(whole)) : l_load(whole);
}

// for (V_ROW(j, n, width)) { … v_get_n(x, j, width, …) … }: full vectors, then what is left.
#define V_ROW(j, n, width) int64_t j = 0, width = V_WIDTH(j, n); j < (n); j += LANES, width = V_WIDTH(j, n)
#define V_WIDTH(j, n) ((n) - (j) < LANES ? (n) - (j) : LANES)
