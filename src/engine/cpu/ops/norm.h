// rmsnorm: y = x * r * w, r = 1 / sqrt(mean(x^2) + eps).

INLINE void norm_row(const task *t, int64_t i, const float *x, float r, const float *w, const int h)
{
    const int64_t D = SIZE(d);
    for (int64_t j = 0; j < D; j += LANES) {
        const int64_t n = V_WIDTH(j, D);
        v_put_n(t->at[0], i*D + j, v_mul(v_mul(v_load_n(x + j, n), v_set(r)), v_load_n(w + j, n)), n, h);
    }
}

static void rmsnorm_rows(const task *t, int64_t begin, int64_t end)
{
    const int64_t D = SIZE(d);
    for (int64_t i = begin; i < end; i++) {
        const float *x = (const float *)t->at[2] + i*D;
        vec square = v_set(0);
        for (int64_t j = 0; j < D; j += LANES) {
            vec a = v_load_n(x + j, V_WIDTH(j, D));
            square = v_fma(a, a, square);
        }
        float r = 1 / sqrtf(v_sum(square) / (float)D + t->c->number[0]);
        if (t->at[1])
            ((float *)t->at[1])[i] = r;
        BY_TYPE(t->bf16[0], norm_row, t, i, x, r, t->at[3]);
    }
}

static void run_rmsnorm(const task *t) { in_parts(t, SIZE(n), row_tile(SIZE(d)), rmsnorm_rows); }

static void rmsnorm_again_rows(const task *t, int64_t begin, int64_t end)
{
    for (int64_t i = begin; i < end; i++)
        BY_TYPE(t->bf16[0], norm_row, t, i, (const float *)t->at[2] + i*SIZE(d), ((const float *)t->at[1])[i], t->at[3]);
}

static void run_rmsnorm_again(const task *t) { in_parts(t, SIZE(n), row_tile(SIZE(d)), rmsnorm_again_rows); }

// Rows of a tile in backward: each makes a partial dw.
enum { NORM_ROWS = 32 };

// dw += dy * x * r;   dx (+)= r * (dy * w) - x * r^3 / D * sum(dy * w * x)
INLINE void norm_backward_row(const task *t, int64_t i, float *dw, const int h)
{
    const int64_t D = SIZE(d);
    const float *x = (const float *)t->at[4] + i*D, *w = t->at[5], r = ((const float *)t->at[3])[i];
    vec sum = v_set(0);
    for (int64_t j = 0; j < D; j += LANES) {
        const int64_t n = V_WIDTH(j, D);
        vec dyx = v_mul(v_get_n(t->at[2], i*D + j, n, h), v_load_n(x + j, n));
        sum = v_fma(dyx, v_load_n(w + j, n), sum);
        if (dw)
            v_store_n(dw + j, v_fma(dyx, v_set(r), v_load_n(dw + j, n)), n);
    }
    if (!t->at[0])
        return;
    float *dx = (float *)t->at[0] + i*D;
    const vec scale = v_set(-r * r * r * v_sum(sum) / (float)D);
    for (int64_t j = 0; j < D; j += LANES) {
        const int64_t n = V_WIDTH(j, D);
        vec dyw = v_mul(v_get_n(t->at[2], i*D + j, n, h), v_load_n(w + j, n));
        vec d = v_fma(dyw, v_set(r), v_mul(v_load_n(x + j, n), scale));
        v_store_n(dx + j, t->c->mode == ADD ? v_add(v_load_n(dx + j, n), d) : d, n);
    }
}

static void rmsnorm_backward_rows(const task *t, int64_t begin, int64_t end)
{
    const int64_t D = SIZE(d);
    float *dw = t->at[1] ? (float *)t->room + begin / NORM_ROWS * D : NULL;
    if (dw)
        memset(dw, 0, sizeof *dw * (size_t)D);
    for (int64_t i = begin; i < end; i++)
        BY_TYPE(t->bf16[2], norm_backward_row, t, i, dw);
}

static void add_partial_columns(const task *t, int64_t begin, int64_t end)
{
    const int64_t D = SIZE(d), tiles = tiles_of(SIZE(n), NORM_ROWS);
    float *dw = t->at[1];
    for (int64_t j = begin; j < end; j += LANES) {
        const int64_t n = V_WIDTH(j, end);
        vec sum = v_set(0);
        for (int64_t i = 0; i < tiles; i++)
            sum = v_add(sum, v_load_n((const float *)t->room + i*D + j, n));
        v_store_n(dw + j, v_add(v_load_n(dw + j, n), sum), n);
    }
}

static void run_rmsnorm_backward(const task *t)
{
    in_parts(t, SIZE(n), NORM_ROWS, rmsnorm_backward_rows);
    if (t->at[1])
        in_parts(t, SIZE(d), 1024, add_partial_columns);
}

static int64_t room_rmsnorm_backward(const call *c, int threads)
{
    (void)threads;
    return tiles_of(c->dim['n' - 'a'], NORM_ROWS) * c->dim['d' - 'a'] * (int64_t)sizeof(float);
}

#define k_rmsnorm          { run_rmsnorm, NULL }
#define k_rmsnorm_again    { run_rmsnorm_again, NULL }
#define k_rmsnorm_backward { run_rmsnorm_backward, room_rmsnorm_backward }
