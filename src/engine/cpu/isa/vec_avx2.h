// vec with AVX2 and FMA: two halves.
#pragma once

typedef struct vec { __m256 a, b; } vec;
typedef vec mask;

// One register.
typedef __m256 lane;
enum { LANE = 8, REGISTERS = 16 };
static inline lane l_set(float x) { return _mm256_set1_ps(x); }
static inline lane l_load(const float *x) { return _mm256_loadu_ps(x); }
static inline void l_store(float *y, lane a) { _mm256_storeu_ps(y, a); }
static inline lane l_add(lane a, lane b) { return _mm256_add_ps(a, b); }
static inline lane l_fma(lane a, lane b, lane c) { return _mm256_fmadd_ps(a, b, c); }
// Of the three forms the one that overwrites the sum: where gcc chooses, it moves sums about and runs out of registers. clang chooses
// well, and keeps sums in memory where it may not.
#ifdef __clang__
static inline void l_fma_into(lane *sum, lane a, lane b) { *sum = l_fma(a, b, *sum); }
#else
static inline void l_fma_into(lane *sum, lane a, lane b) { __asm__("vfmadd231ps %2, %1, %0" : "+x"(*sum) : "x"(a), "x"(b)); }
#endif
static inline lane l_held(lane a) { __asm__ ("" : "+x"(a)); return a; }     // loaded once, not again with each use

// Turns a square of 8 x 8: row i becomes column i. Pairs, then fours, then the 128-bit halves.
static inline void l_turn(lane r[LANE])
{
    lane a[8], b[8];
    for (int i = 0; i < 8; i += 2) {
        a[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        a[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4)
        for (int j = 0; j < 2; j++) {
            b[i + 2*j] = _mm256_shuffle_ps(a[i + j], a[i + 2 + j], 0x44);
            b[i + 2*j + 1] = _mm256_shuffle_ps(a[i + j], a[i + 2 + j], 0xee);
        }
    for (int i = 0; i < 4; i++) {
        r[i] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x20);
        r[i + 4] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x31);
    }
}

static inline vec v_set(float x) { return (vec){ _mm256_set1_ps(x), _mm256_set1_ps(x) }; }
static inline vec v_load(const float *x) { return (vec){ _mm256_loadu_ps(x), _mm256_loadu_ps(x + 8) }; }
static inline void v_store(float *y, vec v) { _mm256_storeu_ps(y, v.a); _mm256_storeu_ps(y + 8, v.b); }

static inline vec v_add(vec x, vec y) { return (vec){ _mm256_add_ps(x.a, y.a), _mm256_add_ps(x.b, y.b) }; }
static inline vec v_sub(vec x, vec y) { return (vec){ _mm256_sub_ps(x.a, y.a), _mm256_sub_ps(x.b, y.b) }; }
static inline vec v_mul(vec x, vec y) { return (vec){ _mm256_mul_ps(x.a, y.a), _mm256_mul_ps(x.b, y.b) }; }
static inline vec v_div(vec x, vec y) { return (vec){ _mm256_div_ps(x.a, y.a), _mm256_div_ps(x.b, y.b) }; }
static inline vec v_fma(vec x, vec y, vec z) { return (vec){ _mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b) }; }
static inline vec v_max(vec x, vec y) { return (vec){ _mm256_max_ps(x.a, y.a), _mm256_max_ps(x.b, y.b) }; }
static inline vec v_min(vec x, vec y) { return (vec){ _mm256_min_ps(x.a, y.a), _mm256_min_ps(x.b, y.b) }; }
static inline vec v_sqrt(vec x) { return (vec){ _mm256_sqrt_ps(x.a), _mm256_sqrt_ps(x.b) }; }
static inline vec v_round(vec x) { return (vec){ _mm256_round_ps(x.a, 8), _mm256_round_ps(x.b, 8) }; }

static inline vec v_choose(mask m, vec yes, vec no)
{
    return (vec){ _mm256_blendv_ps(no.a, yes.a, m.a), _mm256_blendv_ps(no.b, yes.b, m.b) };
}

// p * 2^n for -150 <= n <= 128, in two steps so that neither factor overflows.
static inline __m256 half_scale(__m256 p, __m256 n)
{
    __m256i whole = _mm256_cvtps_epi32(n), bias = _mm256_set1_epi32(127);
    __m256i first = _mm256_srai_epi32(whole, 1), second = _mm256_sub_epi32(whole, first);
    p = _mm256_mul_ps(p, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(first, bias), 23)));
    return _mm256_mul_ps(p, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(second, bias), 23)));
}

static inline vec v_scale(vec p, vec n) { return (vec){ half_scale(p.a, n.a), half_scale(p.b, n.b) }; }

static inline __m256 half_above(const int32_t *x, int32_t y)
{
    return _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_loadu_si256((const void *)x), _mm256_set1_epi32(y)));
}

static inline mask v_at_least(const int32_t *x, int32_t y) { return (mask){ half_above(x, y - 1), half_above(x + 8, y - 1) }; }
static inline mask v_at_most(const int32_t *x, int32_t y)
{
    __m256 ones = _mm256_castsi256_ps(_mm256_set1_epi32(-1));
    return (mask){ _mm256_xor_ps(ones, half_above(x, y)), _mm256_xor_ps(ones, half_above(x + 8, y)) };
}
static inline mask v_both(mask x, mask y) { return (mask){ _mm256_and_ps(x.a, y.a), _mm256_and_ps(x.b, y.b) }; }

static inline __m256 half_load_h(const uint16_t *x)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const void *)x)), 16));
}

static inline lane l_load_h(const uint16_t *x) { return half_load_h(x); }
static inline vec v_load_h(const uint16_t *x) { return (vec){ half_load_h(x), half_load_h(x + 8) }; }

static inline __m256i half_bits(__m256 v)
{
    __m256i b = _mm256_castps_si256(v), odd = _mm256_and_si256(_mm256_srli_epi32(b, 16), _mm256_set1_epi32(1));
    __m256i r = _mm256_srli_epi32(_mm256_add_epi32(b, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff))), 16);
    __m256i quiet = _mm256_or_si256(_mm256_srli_epi32(b, 16), _mm256_set1_epi32(0x40));
    return _mm256_blendv_epi8(r, quiet, _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q)));
}

static inline void v_store_h(uint16_t *y, vec v)
{
    __m256i both = _mm256_packus_epi32(half_bits(v.a), half_bits(v.b));     // interleaved by 128 bits
    _mm256_storeu_si256((void *)y, _mm256_permute4x64_epi64(both, 0xd8));
}

#include "engine/cpu/isa/vec_whole.h"

// Turns a square of 16 x 16, as four of 8 x 8.
static inline void v_turn(vec r[16])
{
    lane q[4][8];
    for (int i = 0; i < 8; i++)
        q[0][i] = r[i].a, q[1][i] = r[i].b, q[2][i] = r[i + 8].a, q[3][i] = r[i + 8].b;
    for (int i = 0; i < 4; i++)
        l_turn(q[i]);
    for (int i = 0; i < 8; i++)
        r[i] = (vec){ q[0][i], q[2][i] }, r[i + 8] = (vec){ q[1][i], q[3][i] };
}

// The sum of the lanes in the order of vec.h: halves are added, and halves of these.
#define V_SUM
static inline float half_sum(__m256 v)
{
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}

static inline float v_sum(vec v) { return half_sum(_mm256_add_ps(v.a, v.b)); }
