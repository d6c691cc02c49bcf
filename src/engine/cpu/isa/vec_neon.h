// vec with the NEON of 64-bit ARM: four parts of four. Products and sums are those of AVX2, bit for bit.
#pragma once

typedef struct vec { float32x4_t p[4]; } vec;
typedef struct mask { uint32x4_t p[4]; } mask;

// One register.
typedef float32x4_t lane;
enum { LANE = 4, REGISTERS = 32 };
static inline lane l_set(float x) { return vdupq_n_f32(x); }
static inline lane l_load(const float *x) { return vld1q_f32(x); }
static inline void l_store(float *y, lane a) { vst1q_f32(y, a); }
static inline lane l_add(lane a, lane b) { return vaddq_f32(a, b); }
static inline lane l_fma(lane a, lane b, lane c) { return vfmaq_f32(c, a, b); }
static inline void l_fma_into(lane *sum, lane a, lane b) { *sum = l_fma(a, b, *sum); }
static inline lane l_held(lane a) { __asm__ ("" : "+w"(a)); return a; }     // loaded once, not again with each use
static inline lane l_load_h(const uint16_t *x) { return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(x), 16)); }

// Turns a square of 4 x 4: row i becomes column i.
static inline void l_turn(lane r[LANE])
{
    const float32x4x2_t a = vtrnq_f32(r[0], r[1]), b = vtrnq_f32(r[2], r[3]);
    r[0] = vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0]));
    r[1] = vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1]));
    r[2] = vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0]));
    r[3] = vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1]));
}

#define EACH(expr) do { for (int i = 0; i < 4; i++) expr; } while (0)

static inline vec v_set(float x) { vec v; EACH(v.p[i] = vdupq_n_f32(x)); return v; }
static inline vec v_load(const float *x) { vec v; EACH(v.p[i] = vld1q_f32(x + 4*i)); return v; }
static inline void v_store(float *y, vec a) { EACH(vst1q_f32(y + 4*i, a.p[i])); }

static inline vec v_add(vec a, vec b) { EACH(a.p[i] = vaddq_f32(a.p[i], b.p[i])); return a; }
static inline vec v_sub(vec a, vec b) { EACH(a.p[i] = vsubq_f32(a.p[i], b.p[i])); return a; }
static inline vec v_mul(vec a, vec b) { EACH(a.p[i] = vmulq_f32(a.p[i], b.p[i])); return a; }
static inline vec v_div(vec a, vec b) { EACH(a.p[i] = vdivq_f32(a.p[i], b.p[i])); return a; }
static inline vec v_fma(vec a, vec b, vec c) { EACH(c.p[i] = vfmaq_f32(c.p[i], a.p[i], b.p[i])); return c; }
static inline vec v_sqrt(vec a) { EACH(a.p[i] = vsqrtq_f32(a.p[i])); return a; }
static inline vec v_round(vec a) { EACH(a.p[i] = vrndnq_f32(a.p[i])); return a; }      // ties to even

static inline vec v_choose(mask m, vec yes, vec no) { EACH(no.p[i] = vbslq_f32(m.p[i], yes.p[i], no.p[i])); return no; }

// Not vmaxq and vminq: these give the second argument when one is NaN.
static inline vec v_max(vec a, vec b) { EACH(a.p[i] = vbslq_f32(vcgtq_f32(a.p[i], b.p[i]), a.p[i], b.p[i])); return a; }
static inline vec v_min(vec a, vec b) { EACH(a.p[i] = vbslq_f32(vcltq_f32(a.p[i], b.p[i]), a.p[i], b.p[i])); return a; }

// p * 2^n for -150 <= n <= 128, in two steps so that neither factor overflows. A NaN becomes 0 as a whole number.
static inline float32x4_t four_scale(float32x4_t p, float32x4_t n)
{
    const int32x4_t whole = vcvtq_s32_f32(n), first = vshrq_n_s32(whole, 1), second = vsubq_s32(whole, first), bias = vdupq_n_s32(127);
    p = vmulq_f32(p, vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(first, bias), 23)));
    return vmulq_f32(p, vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(second, bias), 23)));
}
static inline vec v_scale(vec p, vec n) { EACH(p.p[i] = four_scale(p.p[i], n.p[i])); return p; }

static inline mask v_at_most(const int32_t *a, int32_t b)
{
    mask m;
    EACH(m.p[i] = vcleq_s32(vld1q_s32(a + 4*i), vdupq_n_s32(b)));
    return m;
}
static inline mask v_at_least(const int32_t *a, int32_t b)
{
    mask m;
    EACH(m.p[i] = vcgeq_s32(vld1q_s32(a + 4*i), vdupq_n_s32(b)));
    return m;
}
static inline mask v_both(mask a, mask b) { EACH(a.p[i] = vandq_u32(a.p[i], b.p[i])); return a; }

static inline vec v_load_h(const uint16_t *x)
{
    vec v;
    EACH(v.p[i] = vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(x + 4*i), 16)));
    return v;
}

// To nearest, ties to even; a NaN stays one (bf16.h).
static inline uint16x4_t four_half(float32x4_t v)
{
    const uint32x4_t b = vreinterpretq_u32_f32(v), odd = vandq_u32(vshrq_n_u32(b, 16), vdupq_n_u32(1));
    const uint32x4_t rounded = vaddq_u32(b, vaddq_u32(odd, vdupq_n_u32(0x7fff))), quiet = vorrq_u32(b, vdupq_n_u32(0x400000));
    return vshrn_n_u32(vbslq_u32(vceqq_f32(v, v), rounded, quiet), 16);
}

static inline void v_store_h(uint16_t *y, vec a) { EACH(vst1_u16(y + 4*i, four_half(a.p[i]))); }

#include "engine/cpu/isa/vec_whole.h"

// Turns a square of 16 x 16, as sixteen of 4 x 4.
static inline void v_turn(vec r[16])
{
    vec out[16];
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            lane square[4] = { r[4*i].p[j], r[4*i + 1].p[j], r[4*i + 2].p[j], r[4*i + 3].p[j] };
            l_turn(square);
            for (int l = 0; l < 4; l++)
                out[4*j + l].p[i] = square[l];
        }
    memcpy(r, out, sizeof out);
}

#undef EACH
