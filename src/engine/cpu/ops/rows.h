// Operations on rows: embed, gather, scatter, rope, swiglu, and their backwards.

static void embed_rows(const task *t, int64_t begin, int64_t end)
{
    const int64_t D = SIZE(d);
    const int32_t *ids = t->at[2];
    for (int64_t i = begin; i < end; i++)
        for (int64_t j = 0; j < D; j += LANES)
            v_store_n((float *)t->at[0] + i*D + j, v_get_n(t->at[1], ids[i]*D + j, V_WIDTH(j, D), t->bf16[1]), V_WIDTH(j, D));
}

static void run_embed(const task *t) { in_parts(t, SIZE(n), row_tile(SIZE(d)), embed_rows); }

// Tiles are columns, so that rows named twice are added to in the order of the tokens.
static void embed_backward_columns(const task *t, int64_t begin, int64_t end)
{
    const int64_t D = SIZE(d), N = SIZE(n);
    const int32_t *ids = t->at[2];
    for (int64_t i = 0; i < N; i++) {
        float *y = (float *)t->at[0] + ids[i]*D;
        const float *x = (const float *)t->at[1] + i*D;
        for (int64_t j = begin; j < end; j += LANES)
            v_store_n(y + j, v_add(v_load_n(y + j, V_WIDTH(j, end)), v_load_n(x + j, V_WIDTH(j, end))), V_WIDTH(j, end));
    }
}

static void run_embed_backward(const task *t) { in_parts(t, SIZE(d), 64, embed_backward_columns); }

static void gather_rows(const task *t, int64_t begin, int64_t end)
{
    const int64_t bytes = SIZE(d) * (t->bf16[0] ? 2 : 4);
    const int32_t *index = t->at[2];
    for (int64_t i = begin; i < end; i++) {
        char *y = (char *)t->at[0] + i*bytes;
        if (index[i] < 0)
            memset(y, 0, (size_t)bytes);
        else
            memcpy(y, (const char *)t->at[1] + index[i]*bytes, (size_t)bytes);
    }
}

static void run_gather(const task *t) { in_parts(t, SIZE(c), row_tile(SIZE(d)), gather_rows); }

static void scatter_rows(const task *t, int64_t begin, int64_t end)
{
    const int64_t D = SIZE(d);
    const int32_t *index = t->at[2];
    for (int64_t i = begin; i < end; i++)
        for (int64_t j = 0; j < D && index[i] >= 0; j += LANES)
            v_put_n(t->at[0], index[i]*D + j, v_get_n(t->at[1], i*D + j, V_WIDTH(j, D), t->bf16[1]), V_WIDTH(j, D), t->bf16[0]);
}

static void run_scatter(const task *t) { in_parts(t, SIZE(c), row_tile(SIZE(d)), scatter_rows); }

INLINE void rope_row(const task *t, int64_t i, const int h)
{
    const int64_t G = SIZE(g), Q = SIZE(q), heads = (int64_t)(t->c->number[0] + t->c->number[1]);
    const int32_t position = ((const int32_t *)t->at[1])[i];
    const float *cosine = (const float *)t->at[2] + position*G, *sine = (const float *)t->at[3] + position*G;
    const vec sign = v_set(t->c->number[2]), minus = v_set(-t->c->number[2]);
    for (int64_t k = 0; k < heads; k++)
        for (int64_t j = 0; j < G; j += LANES) {
            const int64_t n = V_WIDTH(j, G), low = i*Q + 2*G*k + j, high = low + G;
            vec c = v_load_n(cosine + j, n), s = v_load_n(sine + j, n);
            vec a = v_get_n(t->at[0], low, n, h), b = v_get_n(t->at[0], high, n, h);
            v_put_n(t->at[0], low, v_fma(v_mul(b, s), minus, v_mul(a, c)), n, h);
            v_put_n(t->at[0], high, v_fma(v_mul(a, s), sign, v_mul(b, c)), n, h);
        }
}

static void rope_rows(const task *t, int64_t begin, int64_t end)
{
    for (int64_t i = begin; i < end; i++)
        BY_TYPE(t->bf16[0], rope_row, t, i);
}

static void run_rope(const task *t) { in_parts(t, SIZE(n), row_tile(SIZE(q)), rope_rows); }

INLINE void swiglu_row(const task *t, int64_t i, const int h)
{
    const int64_t F = SIZE(f);
    for (int64_t j = 0; j < F; j += LANES) {
        const int64_t n = V_WIDTH(j, F);
        vec gate = v_get_n(t->at[1], 2*i*F + j, n, h), up = v_get_n(t->at[1], 2*i*F + F + j, n, h);
        v_put_n(t->at[0], i*F + j, v_mul(v_mul(gate, v_sigmoid(gate)), up), n, h);
    }
}

static void swiglu_rows(const task *t, int64_t begin, int64_t end)
{
    for (int64_t i = begin; i < end; i++)
        BY_TYPE(t->bf16[0], swiglu_row, t, i);
}

static void run_swiglu(const task *t) { in_parts(t, SIZE(n), row_tile(SIZE(e)), swiglu_rows); }

// dgate = dy * up * s * (1 + gate * (1 - s)),   dup = dy * gate * s,   s = 1 / (1 + exp(-gate))
INLINE void swiglu_backward_row(const task *t, int64_t i, const int h)
{
    const int64_t F = SIZE(f);
    const vec one = v_set(1);
    for (int64_t j = 0; j < F; j += LANES) {
        const int64_t n = V_WIDTH(j, F), g = 2*i*F + j, u = g + F;
        vec dy = v_get_n(t->at[1], i*F + j, n, h), gate = v_get_n(t->at[2], g, n, h), up = v_get_n(t->at[2], u, n, h);
        vec s = v_sigmoid(gate), slope = v_mul(s, v_fma(gate, v_sub(one, s), one));
        v_put_n(t->at[0], g, v_mul(v_mul(dy, up), slope), n, h);
        v_put_n(t->at[0], u, v_mul(dy, v_mul(gate, s)), n, h);
    }
}

static void swiglu_backward_rows(const task *t, int64_t begin, int64_t end)
{
    for (int64_t i = begin; i < end; i++)
        BY_TYPE(t->bf16[0], swiglu_backward_row, t, i);
}

static void run_swiglu_backward(const task *t) { in_parts(t, SIZE(n), row_tile(SIZE(e)), swiglu_backward_rows); }

#define k_embed           { run_embed, NULL }
#define k_embed_backward  { run_embed_backward, NULL }
#define k_gather          { run_gather, NULL }
#define k_scatter         { run_scatter, NULL }
#define k_rope            { run_rope, NULL }
#define k_swiglu          { run_swiglu, NULL }
#define k_swiglu_backward { run_swiglu_backward, NULL }
