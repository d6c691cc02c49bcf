// Operations on all elements alike: set, copy, sumsq, clip_scale, adamw.

enum { FLAT = 1 << 16 };            // elements of a tile

INLINE void set_part(void *y, int64_t begin, int64_t end, float number, const int h)
{
    for (int64_t i = begin; i < end; i += LANES)
        v_put_n(y, i, v_set(number), V_WIDTH(i, end), h);
}

static void set_parts(const task *t, int64_t begin, int64_t end)
{
    if (t->c->number[0] == 0)
        memset((char *)t->at[0] + begin * (t->bf16[0] ? 2 : 4), 0, (size_t)((end - begin) * (t->bf16[0] ? 2 : 4)));
    else
        BY_TYPE(t->bf16[0], set_part, t->at[0], begin, end, t->c->number[0]);
}

static void run_set(const task *t) { in_parts(t, t->c->count, FLAT, set_parts); }

INLINE void copy_part(void *y, const void *x, int64_t begin, int64_t end, const int to, const int from)
{
    for (int64_t i = begin; i < end; i += LANES)
        v_put_n(y, i, v_get_n(x, i, V_WIDTH(i, end), from), V_WIDTH(i, end), to);
}

static void copy_parts(const task *t, int64_t begin, int64_t end)
{
    const int64_t size = t->bf16[0] ? 2 : 4;
    if (t->bf16[0] == t->bf16[1])
        memcpy((char *)t->at[0] + begin * size, (const char *)t->at[1] + begin * size, (size_t)((end - begin) * size));
    else if (t->bf16[0])
        copy_part(t->at[0], t->at[1], begin, end, 1, 0);
    else
        copy_part(t->at[0], t->at[1], begin, end, 0, 1);
}

static void run_copy(const task *t) { in_parts(t, t->c->count, FLAT, copy_parts); }

// In float32 over a few thousand elements, then in double, in their order.
static double sumsq_run(const float *x, int64_t begin, int64_t end)
{
    vec sum[4] = { v_set(0), v_set(0), v_set(0), v_set(0) };
    int64_t i = begin;
    for (; i + 4*LANES <= end; i += 4*LANES)
        for (int l = 0; l < 4; l++) {
            vec a = v_load(x + i + l*LANES);
            sum[l] = v_fma(a, a, sum[l]);
        }
    for (; i < end; i += LANES) {
        vec a = v_load_n(x + i, V_WIDTH(i, end));
        sum[0] = v_fma(a, a, sum[0]);
    }
    return (double)v_sum(v_add(v_add(sum[0], sum[1]), v_add(sum[2], sum[3])));
}

static void sumsq_parts(const task *t, int64_t begin, int64_t end)
{
    double sum = 0;
    for (int64_t i = begin; i < end; i += 4096)
        sum += sumsq_run(t->at[1], i, MIN(i + 4096, end));
    ((double *)t->room)[begin / FLAT] = sum;
}

static void run_sumsq(const task *t)
{
    double sum = 0;
    in_parts(t, t->c->count, FLAT, sumsq_parts);
    for (int64_t i = 0; i < tiles_of(t->c->count, FLAT); i++)
        sum += ((double *)t->room)[i];
    *(float *)t->at[0] += (float)sum;
}

static int64_t room_sumsq(const call *c, int threads)
{
    (void)threads;
    return tiles_of(c->count, FLAT) * (int64_t)sizeof(double);
}

static void run_grad_done(const task *t) { (void)t; }

static void run_clip_scale(const task *t)
{
    const float limit = *(float *)t->at[2], sumsq = *(float *)t->at[3], loss = *(float *)t->at[4];
    *(float *)t->at[0] = limit > 0 ? fminf(1, limit / sqrtf(sumsq)) : 1;
    *(float *)t->at[1] = isfinite(sumsq) && isfinite(loss);
}

INLINE void adamw_part(const task *t, int64_t begin, int64_t end, const int copied)
{
    float *w = t->at[0], *m = t->at[1], *v = t->at[2];
    const float *dw = t->at[3], rate = *(float *)t->at[4];
    const float *beta = t->c->number;
    const vec c1 = v_set(*(float *)t->at[5]), c2 = v_set(*(float *)t->at[6]), scale = v_set(*(float *)t->at[7]);
    const vec beta1 = v_set(beta[0]), beta2 = v_set(beta[1]), rest1 = v_set(1 - beta[0]), rest2 = v_set(1 - beta[1]);
    const vec eps = v_set(beta[2]), decay = v_set(beta[3]), down = v_set(-rate);
    for (int64_t i = begin; i < end; i += LANES) {
        const int64_t n = V_WIDTH(i, end);
        vec g = v_mul(scale, v_load_n(dw + i, n)), old = v_load_n(w + i, n);
        vec mean = v_fma(beta1, v_load_n(m + i, n), v_mul(rest1, g));
        vec square = v_fma(beta2, v_load_n(v + i, n), v_mul(rest2, v_mul(g, g)));
        vec change = v_div(v_mul(mean, c1), v_add(v_sqrt(v_mul(square, c2)), eps));
        vec new = v_fma(down, v_fma(decay, old, change), old);
        v_store_n(m + i, mean, n);
        v_store_n(v + i, square, n);
        v_store_n(w + i, new, n);
        if (copied)
            v_store_h_n(t->copy + i, new, n);
    }
}

static void adamw_parts(const task *t, int64_t begin, int64_t end)
{
    BY_TYPE(t->copy, adamw_part, t, begin, end);
}

static void run_adamw(const task *t)
{
    if (*(float *)t->at[8] != 0)
        in_parts(t, t->c->count, FLAT, adamw_parts);
}

#define k_set        { run_set, NULL }
#define k_copy       { run_copy, NULL }
#define k_sumsq      { run_sumsq, room_sumsq }
#define k_grad_done  { run_grad_done, NULL }
#define k_clip_scale { run_clip_scale, NULL }
#define k_adamw      { run_adamw, NULL }
