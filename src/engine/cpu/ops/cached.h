// attention_cached: new tokens against all keys and values kept so far. One tile for each token and head; what is
// read is every key once, so this is a matter of memory, not of multiplying.

INLINE float cached_dot(const void *q, const void *k, int64_t q_at, int64_t k_at, int64_t size, const int h)
{
    vec sum = v_set(0);
    for (int64_t l = 0; l < size; l += LANES)
        sum = v_fma(v_get_n(q, q_at + l, V_WIDTH(l, size), h), v_get_n(k, k_at + l, V_WIDTH(l, size), h), sum);
    return v_sum(sum);
}

typedef struct cached { int64_t heads, kv_heads, size, at; float scale; } cached;

// Columns of the values, `vecs` times `width` of them, weighted by p.
INLINE void cached_values(const task *t, const float *p, int64_t keys, int64_t v, int64_t o, vec share, const int vecs, int64_t width,
                          const int h)
{
    const int64_t U = SIZE(u);
    vec out[4];
    for (int i = 0; i < vecs; i++)
        out[i] = v_set(0);
    for (int64_t j = 0; j < keys; j++)
        for (int i = 0; i < vecs; i++)
            out[i] = v_fma(v_set(p[j]), v_get_n(t->at[1], j*U + v + i*LANES, (int)width, h), out[i]);
    for (int i = 0; i < vecs; i++)
        v_put_n(t->at[0], o + i*LANES, v_mul(out[i], share), (int)width, h);
}

INLINE void cached_head(const task *t, const cached *a, int64_t i, int64_t head, float *p, const int h)
{
    const int64_t S = a->size, U = SIZE(u), keys = a->at + i + 1, q = i * SIZE(q) + head*S;
    const int64_t k = head / (a->heads / a->kv_heads) * S, v = k + a->kv_heads*S, o = (i*a->heads + head) * S;
    float largest = -INFINITY;
    for (int64_t j = 0; j < keys; j++) {
        p[j] = a->scale * cached_dot(t->at[2], t->at[1], q, j*U + k, S, h);
        largest = p[j] > largest ? p[j] : largest;
    }
    vec sum = v_set(0);
    for (int64_t j = 0; j < keys; j += LANES) {
        vec e = v_exp(v_sub(v_load_n(p + j, V_WIDTH(j, keys)), v_set(largest)));
        v_store_n(p + j, e, V_WIDTH(j, keys));
        sum = v_add(sum, v_load_n(p + j, V_WIDTH(j, keys)));
    }
    const vec share = v_set(1 / v_sum(sum));
    int64_t l = 0;
    for (; l + 4*LANES <= S; l += 4*LANES)
        cached_values(t, p, keys, v + l, o + l, share, 4, LANES, h);
    for (; l < S; l += LANES)
        cached_values(t, p, keys, v + l, o + l, share, 1, V_WIDTH(l, S), h);
}

static cached cached_of(const task *t)
{
    const int64_t heads = (int64_t)t->c->number[0];
    return (cached){ heads, (int64_t)t->c->number[1], SIZE(o) / heads, *(const int32_t *)t->at[3], t->c->number[2] };
}

static void cached_tile(void *self, int64_t i, int thread)
{
    const task *t = self;
    const cached a = cached_of(t);
    float *p = (float *)t->room + thread * round_up(SIZE(p), LANES);
    BY_TYPE(t->bf16[0], cached_head, t, &a, i / a.heads, i % a.heads, p);
}

static void run_attention_cached(const task *t)
{
    const cached a = cached_of(t);
    const int64_t U = SIZE(u), size = t->bf16[0] ? 2 : 4;
    for (int64_t i = 0; i < SIZE(n); i++)
        memcpy((char *)t->at[1] + (a.at + i) * U * size, (const char *)t->at[2] + (i * SIZE(q) + a.heads * a.size) * size,
            (size_t)(U * size));
    pool_run(t->pool, SIZE(n) * a.heads, cached_tile, (void *)t);
}

static int64_t room_attention_cached(const call *c, int threads)
{
    return threads * round_up(c->dim['p' - 'a'], LANES) * (int64_t)sizeof(float);
}

#define k_attention_cached { run_attention_cached, room_attention_cached }
