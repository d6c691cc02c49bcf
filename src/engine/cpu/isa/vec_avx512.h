// vec with AVX-512 F, BW, VL, DQ.
#pragma once

typedef __m512 vec;
typedef __mmask16 mask;

// One register: a vec.
typedef __m512 lane;
enum { LANE = 16, REGISTERS = 32 };
static inline lane l_set(float x) { return _mm512_set1_ps(x); }
static inline lane l_load(const float *x) { return _mm512_loadu_ps(x); }
static inline void l_store(float *y, lane a) { _mm512_storeu_ps(y, a); }
static inline lane l_add(lane a, lane b) { return _mm512_add_ps(a, b); }
static inline lane l_fma(lane a, lane b, lane c) { return _mm512_fmadd_ps(a, b, c); }
// As with AVX2: else sums are moved about.
static inline void l_fma_into(lane *sum, lane a, lane b) { __asm__("vfmadd231ps %2, %1, %0" : "+v"(*sum) : "v"(a), "v"(b)); }
static inline lane l_held(lane a) { __asm__ ("" : "+v"(a)); return a; }     // loaded once, not again with each use

static inline __mmask16 v_first(int64_t n) { return (__mmask16)((1u << n) - 1); }

static inline vec v_set(float x) { return _mm512_set1_ps(x); }
static inline vec v_load(const float *x) { return _mm512_loadu_ps(x); }
static inline vec v_load_n(const float *x, int64_t n) { return _mm512_maskz_loadu_ps(v_first(n), x); }
static inline void v_store(float *y, vec a) { _mm512_storeu_ps(y, a); }
static inline void v_store_n(float *y, vec a, int64_t n) { _mm512_mask_storeu_ps(y, v_first(n), a); }
static inline vec v_add(vec a, vec b) { return _mm512_add_ps(a, b); }
static inline vec v_sub(vec a, vec b) { return _mm512_sub_ps(a, b); }
static inline vec v_mul(vec a, vec b) { return _mm512_mul_ps(a, b); }
static inline vec v_div(vec a, vec b) { return _mm512_div_ps(a, b); }
static inline vec v_fma(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
static inline vec v_max(vec a, vec b) { return _mm512_max_ps(a, b); }
static inline vec v_min(vec a, vec b) { return _mm512_min_ps(a, b); }
static inline vec v_sqrt(vec a) { return _mm512_sqrt_ps(a); }
static inline vec v_round(vec a) { return _mm512_roundscale_ps(a, 8); }

static inline vec v_scale(vec p, vec n) { return _mm512_scalef_ps(p, n); }          // p * 2^n

// Lanes whose a[i] <= b[i], as whole numbers; and a choice by lane.
static inline mask v_at_most(const int32_t *a, int32_t b) { return _mm512_cmple_epi32_mask(_mm512_loadu_si512(a), _mm512_set1_epi32(b)); }
static inline mask v_at_least(const int32_t *a, int32_t b) { return _mm512_cmpge_epi32_mask(_mm512_loadu_si512(a), _mm512_set1_epi32(b)); }
static inline mask v_both(mask a, mask b) { return a & b; }
static inline vec v_choose(mask m, vec yes, vec no) { return _mm512_mask_blend_ps(m, no, yes); }

static inline vec v_load_h(const uint16_t *x)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)x)), 16));
}

static inline vec v_load_h_n(const uint16_t *x, int64_t n)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(v_first(n), x)), 16));
}

static inline __m256i v_half(vec a)
{
#if defined(__AVX512BF16__)
    return (__m256i)_mm512_cvtneps_pbh(a);
#else
    __m512i b = _mm512_castps_si512(a);
    __m512i odd = _mm512_and_si512(_mm512_srli_epi32(b, 16), _mm512_set1_epi32(1));
    __m512i r = _mm512_srli_epi32(_mm512_add_epi32(b, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
    __mmask16 nan = _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q);
    r = _mm512_mask_or_epi32(r, nan, _mm512_srli_epi32(b, 16), _mm512_set1_epi32(0x40));
    return _mm512_cvtepi32_epi16(r);
#endif
}

static inline void v_store_h(uint16_t *y, vec a) { _mm256_storeu_si256((void *)y, v_half(a)); }
static inline void v_store_h_n(uint16_t *y, vec a, int64_t n) { _mm256_mask_storeu_epi16(y, v_first(n), v_half(a)); }

// Turns a square of 16 x 16: row i becomes column i. Pairs, then fours, then the four 128-bit lanes.
static inline void v_turn(vec r[16])
{
    __m512 p[16], q[16];
    for (int i = 0; i < 16; i += 2) {
        p[i]     = _mm512_unpacklo_ps(r[i], r[i + 1]);
        p[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4)
        for (int j = 0; j < 2; j++) {
            __m512d a = _mm512_castps_pd(p[i + j]), b = _mm512_castps_pd(p[i + 2 + j]);
            q[i + 2*j]     = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
            q[i + 2*j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
        }
    for (int j = 0; j < 4; j++) {               // q[j], q[4 + j], q[8 + j], q[12 + j] hold column j of each lane
        __m512 a = _mm512_shuffle_f32x4(q[j], q[4 + j], 0x88), b = _mm512_shuffle_f32x4(q[j], q[4 + j], 0xdd);
        __m512 c = _mm512_shuffle_f32x4(q[8 + j], q[12 + j], 0x88), d = _mm512_shuffle_f32x4(q[8 + j], q[12 + j], 0xdd);
        r[j]      = _mm512_shuffle_f32x4(a, c, 0x88);
        r[4 + j]  = _mm512_shuffle_f32x4(b, d, 0x88);
        r[8 + j]  = _mm512_shuffle_f32x4(a, c, 0xdd);
        r[12 + j] = _mm512_shuffle_f32x4(b, d, 0xdd);
    }
}

static inline lane l_load_h(const uint16_t *x) { return v_load_h(x); }
static inline void l_turn(lane r[LANE]) { v_turn(r); }

// The sum of the lanes in the order of vec.h: halves are added, and halves of these.
#define V_SUM
static inline float v_sum(vec v)
{
    __m256 y = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(y), _mm256_extractf128_ps(y, 1));
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}
