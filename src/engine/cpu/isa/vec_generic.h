// vec in plain C: loops over sixteen floats. Multiply-add rounds twice here.
#pragma once

typedef struct vec { float x[16]; } vec;
typedef struct mask { int32_t x[16]; } mask;

#define EACH(expr) do { for (int i = 0; i < 16; i++) expr; } while (0)

static inline vec v_set(float x) { vec v; EACH(v.x[i] = x); return v; }
static inline vec v_load(const float *x) { vec v; EACH(v.x[i] = x[i]); return v; }
static inline vec v_load_n(const float *x, int64_t n) { vec v; EACH(v.x[i] = i < n ? x[i] : 0); return v; }
static inline void v_store(float *y, vec a) { EACH(y[i] = a.x[i]); }
static inline void v_store_n(float *y, vec a, int64_t n) { for (int i = 0; i < n; i++) y[i] = a.x[i]; }
static inline vec v_add(vec a, vec b) { EACH(a.x[i] += b.x[i]); return a; }
static inline vec v_sub(vec a, vec b) { EACH(a.x[i] -= b.x[i]); return a; }
static inline vec v_mul(vec a, vec b) { EACH(a.x[i] *= b.x[i]); return a; }
static inline vec v_div(vec a, vec b) { EACH(a.x[i] /= b.x[i]); return a; }
static inline vec v_fma(vec a, vec b, vec c) { EACH(c.x[i] += a.x[i] * b.x[i]); return c; }
static inline vec v_max(vec a, vec b) { EACH(a.x[i] = a.x[i] > b.x[i] ? a.x[i] : b.x[i]); return a; }
static inline vec v_min(vec a, vec b) { EACH(a.x[i] = a.x[i] < b.x[i] ? a.x[i] : b.x[i]); return a; }
static inline vec v_sqrt(vec a) { EACH(a.x[i] = sqrtf(a.x[i])); return a; }

// To nearest, ties to even, for what exp needs: adding and taking away 1.5 * 2^23.
static inline vec v_round(vec a) { EACH(a.x[i] = (a.x[i] + 12582912.0f) - 12582912.0f); return a; }

static inline float power_of_two(int32_t n)
{
    uint32_t bits = (uint32_t)(n + 127) << 23;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

// p * 2^n for -150 <= n <= 128, in two steps so that neither factor overflows.
static inline float scale_one(float p, float n)
{
    int32_t whole = n == n ? (int32_t)n : 0, first = whole >> 1;
    return p * power_of_two(first) * power_of_two(whole - first);
}

static inline vec v_scale(vec p, vec n) { EACH(p.x[i] = scale_one(p.x[i], n.x[i])); return p; }

static inline mask v_at_most(const int32_t *a, int32_t b) { mask m; EACH(m.x[i] = a[i] <= b); return m; }
static inline mask v_at_least(const int32_t *a, int32_t b) { mask m; EACH(m.x[i] = a[i] >= b); return m; }
static inline mask v_both(mask a, mask b) { EACH(a.x[i] &= b.x[i]); return a; }
static inline vec v_choose(mask m, vec yes, vec no) { EACH(no.x[i] = m.x[i] ? yes.x[i] : no.x[i]); return no; }

static inline vec v_load_h(const uint16_t *x) { vec v; EACH(v.x[i] = bf16_to_float(x[i])); return v; }
static inline vec v_load_h_n(const uint16_t *x, int64_t n) { vec v; EACH(v.x[i] = i < n ? bf16_to_float(x[i]) : 0); return v; }
static inline void v_store_h(uint16_t *y, vec a) { EACH(y[i] = bf16_from_float(a.x[i])); }
static inline void v_store_h_n(uint16_t *y, vec a, int64_t n) { for (int i = 0; i < n; i++) y[i] = bf16_from_float(a.x[i]); }

#undef EACH
