// vec in plain C with the compilers' vector extension: four parts of four, which x86-64 and ARM have. Multiply-add
// rounds twice here.
#pragma once

typedef float four __attribute__((vector_size(16)));
typedef int32_t four_whole __attribute__((vector_size(16)));
typedef uint32_t four_bits __attribute__((vector_size(16)));
typedef struct vec { four p[4]; } vec;
typedef struct mask { four_whole p[4]; } mask;

// One register.
typedef four lane;
enum { LANE = 4, REGISTERS = 16 };
static inline lane l_set(float x) { return (lane){ x, x, x, x }; }
static inline lane l_load(const float *x) { lane v; memcpy(&v, x, sizeof v); return v; }
static inline void l_store(float *y, lane a) { memcpy(y, &a, sizeof a); }
static inline lane l_add(lane a, lane b) { return a + b; }
static inline lane l_fma(lane a, lane b, lane c) { return c + a * b; }
static inline void l_fma_into(lane *sum, lane a, lane b) { *sum = l_fma(a, b, *sum); }
static inline lane l_held(lane a) { return a; }

// Turns a square of 4 x 4: row i becomes column i.
static inline void l_turn(lane r[LANE])
{
    lane in[LANE];
    memcpy(in, r, sizeof in);
    for (int i = 0; i < LANE; i++)
        r[i] = (lane){ in[0][i], in[1][i], in[2][i], in[3][i] };
}

#define EACH(expr) do { for (int i = 0; i < 4; i++) expr; } while (0)

static inline vec v_set(float x) { vec v; EACH(v.p[i] = ((four){ x, x, x, x })); return v; }
static inline vec v_load(const float *x) { vec v; memcpy(&v, x, sizeof v); return v; }
static inline void v_store(float *y, vec a) { memcpy(y, &a, sizeof a); }
static inline vec v_load_n(const float *x, int64_t n) { vec v = {0}; memcpy(&v, x, sizeof *x * (size_t)n); return v; }
static inline void v_store_n(float *y, vec a, int64_t n) { memcpy(y, &a, sizeof *y * (size_t)n); }
static inline vec v_add(vec a, vec b) { EACH(a.p[i] += b.p[i]); return a; }
static inline vec v_sub(vec a, vec b) { EACH(a.p[i] -= b.p[i]); return a; }
static inline vec v_mul(vec a, vec b) { EACH(a.p[i] *= b.p[i]); return a; }
static inline vec v_div(vec a, vec b) { EACH(a.p[i] /= b.p[i]); return a; }
static inline vec v_fma(vec a, vec b, vec c) { EACH(c.p[i] += a.p[i] * b.p[i]); return c; }

static inline four four_choose(four_whole m, four yes, four no) { return (four)(((four_whole)yes & m) | ((four_whole)no & ~m)); }
static inline vec v_choose(mask m, vec yes, vec no) { EACH(no.p[i] = four_choose(m.p[i], yes.p[i], no.p[i])); return no; }
static inline vec v_max(vec a, vec b) { EACH(a.p[i] = four_choose(a.p[i] > b.p[i], a.p[i], b.p[i])); return a; }
static inline vec v_min(vec a, vec b) { EACH(a.p[i] = four_choose(a.p[i] < b.p[i], a.p[i], b.p[i])); return a; }
static inline vec v_sqrt(vec a) { EACH(a.p[i] = ((four){ sqrtf(a.p[i][0]), sqrtf(a.p[i][1]), sqrtf(a.p[i][2]),
    sqrtf(a.p[i][3]) })); return a; }

// To nearest, ties to even, for what exp needs: adding and taking away 1.5 * 2^23.
static inline vec v_round(vec a) { EACH(a.p[i] = (a.p[i] + 12582912.0f) - 12582912.0f); return a; }

// p * 2^n for -150 <= n <= 128, in two steps so that neither factor overflows. A NaN is no whole number: 0 for it.
static inline four four_scale(four p, four n)
{
    four_whole whole = __builtin_convertvector(four_choose(n == n, n, (four){0}), four_whole), first = whole >> 1;
    return p * (four)((first + 127) << 23) * (four)((whole - first + 127) << 23);
}
static inline vec v_scale(vec p, vec n) { EACH(p.p[i] = four_scale(p.p[i], n.p[i])); return p; }

static inline mask v_at_most(const int32_t *a, int32_t b) { mask m; memcpy(&m, a, sizeof m); EACH(m.p[i] = m.p[i] <= b); return m; }
static inline mask v_at_least(const int32_t *a, int32_t b) { mask m; memcpy(&m, a, sizeof m); EACH(m.p[i] = m.p[i] >= b); return m; }
static inline mask v_both(mask a, mask b) { EACH(a.p[i] &= b.p[i]); return a; }

static inline vec v_load_h_n(const uint16_t *x, int64_t n)
{
    vec v = {0};
    for (int64_t i = 0; i < n; i++)
        v.p[i / 4][i % 4] = bf16_to_float(x[i]);
    return v;
}
static inline vec v_load_h(const uint16_t *x)
{
    vec v;
    EACH(v.p[i] = (four)((four_bits){ x[4*i], x[4*i + 1], x[4*i + 2], x[4*i + 3] } << 16));
    return v;
}

static inline lane l_load_h(const uint16_t *x) { return (lane)((four_bits){ x[0], x[1], x[2], x[3] } << 16); }

static inline void v_store_h_n(uint16_t *y, vec a, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = bf16_from_float(a.p[i / 4][i % 4]);
}
static inline void v_store_h(uint16_t *y, vec a) { v_store_h_n(y, a, 16); }

// Turns a square of 16 x 16: row i becomes column i.
static inline void v_turn(vec r[16])
{
    float in[16][16], out[16][16];
    memcpy(in, r, sizeof in);
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 16; j++)
            out[j][i] = in[i][j];
    memcpy(r, out, sizeof out);
}

#undef EACH
