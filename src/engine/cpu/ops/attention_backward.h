// Backward in one type of element. A tile is a row, a kv head and a part of the queries, of all query heads of the kv head; dk and dv of
// the parts are added up in their order when all are done.
//     p = exp(scale k.q - lse)   dv += p dout   ds = p (v.dout - delta) scale   dk += ds q   dq += ds k

typedef struct E(back) {            // a block of queries
    E(elem) *q, *dout;              // [64][H]: right factors of dk and dv
    E(elem) *q_turned, *dout_turned;// [H][64]: right factors of the scores and of v.dout
    E(elem) *p, *ds, *ds_right;     // with a block of keys: [key][query]
    float *scores, *dp;             // the same before
    float *dq, *dk, *dv;            // of the block; of the part, [S][H]
    float lse[BLOCK], delta[BLOCK];
} E(back);

static int64_t E(backward_bytes)(const attn *a)
{
    return (int64_t)sizeof(E(elem)) * (4*BLOCK*a->H + (E(plain) ? 0 : 3*BLOCK*BLOCK)) + 4 * (2*BLOCK*BLOCK + BLOCK*a->H);
}

static E(back) E(back_room)(const attn *a, int thread)
{
    char *room = a->room + thread * a->thread_bytes;
    const int64_t block = BLOCK * a->H, pairs = BLOCK * BLOCK, size = sizeof(E(elem));
    E(back) b = {
        .q = take(&room, block*size), .dout = take(&room, block*size), .q_turned = take(&room, block*size),
        .dout_turned = take(&room, block*size), .scores = take(&room, pairs*4), .dp = take(&room, pairs*4), .dq = take(&room, block*4),
    };
    if (E(plain))
        b.p = (void *)b.scores, b.ds = b.ds_right = (void *)b.dp;
    else
        b.p = take(&room, pairs*size), b.ds = take(&room, pairs*size), b.ds_right = take(&room, pairs*size);
    return b;
}

INLINE void E(back_put)(const E(back) *b, int64_t j, int64_t n, const vec p[2], const vec ds[2])
{
    for (int l = 0; l < 2; l++) {
        E(put_row)(b->p, (j + l)*BLOCK + n, p[l]);
        E(put_row)(b->ds, (j + l)*BLOCK + n, ds[l]);
    }
    if (!E(plain))
        E(put_pair)(b->ds_right, BLOCK, j, n, ds[0], ds[1]);
}

// p and ds of the block of keys at k and queries at q, from its scores and v.dout.
static void E(back_block)(const attn *a, const seen *s, const E(back) *b, int64_t row, int64_t q, int64_t k)
{
    const vec scale = v_set(a->scale), zero[2] = { v_set(0), v_set(0) };
    for (int g = 0; g < GROUPS; g++) {
        const int64_t n = g * LANES;
        const vec lse = v_load(b->lse + n), delta = v_load(b->delta + n);
        for (int j = 0; j < s->from[g]; j += 2)
            E(back_put)(b, j, n, zero, zero);
        for (int j = s->from[g]; j < s->to[g]; j += 2) {
            vec p[2], ds[2];
            for (int l = 0; l < 2; l++) {
                p[l] = v_exp(v_sub(v_mul(v_load(b->scores + (j + l)*BLOCK + n), scale), lse));
                if (!s->all[g])
                    p[l] = v_choose(attn_sees(a, row, q + n, k + j + l), p[l], v_set(0));
                ds[l] = v_mul(v_mul(p[l], v_sub(v_load(b->dp + (j + l)*BLOCK + n), delta)), scale);
            }
            E(back_put)(b, j, n, p, ds);
        }
        for (int j = s->to[g]; j < BLOCK; j += 2)
            E(back_put)(b, j, n, zero, zero);
    }
}

// Packs q and dout of a block, and makes its delta.
static void E(back_pack)(const attn *a, E(back) *b, int64_t row, int64_t head, int64_t q)
{
    const task *t = a->t;
    const int h = t->bf16[0];
    const int64_t size = h ? 2 : 4, width = attn_width(a), out = a->heads * a->size, queries = MIN(BLOCK, a->seq - q);
    const int64_t at = (row*a->seq + q) * out + head * a->size;
    const char *x = (const char *)a->qkv + (attn_at(a, row, head) + q*width) * size, *dout = (const char *)t->at[2] + at * size;
    E(b_rows)(b->q, a->H, x, width, queries, a->size, BLOCK, a->H, h);
    E(b_cols)(b->q_turned, BLOCK, x, width, queries, a->size, BLOCK, a->H, h);
    E(b_rows)(b->dout, a->H, dout, out, queries, a->size, BLOCK, a->H, h);
    E(b_cols)(b->dout_turned, BLOCK, dout, out, queries, a->size, BLOCK, a->H, h);
    for (int64_t i = 0; i < BLOCK; i++) {
        const int64_t of = (row*a->seq + q + i) * a->heads + head;
        b->lse[i] = i < queries ? ((const float *)t->at[5])[of] : 0;
        b->delta[i] = i < queries ? BY_TYPE(h, attn_delta, a, at + i*out) : 0;
        if (i < queries)
            ((float *)t->at[1])[of] = b->delta[i];
    }
}

static void E(back_queries)(const attn *a, E(back) *b, int64_t row, int64_t head, int64_t q)
{
    const int64_t H = a->H;
    float one[BLOCK];
    E(back_pack)(a, b, row, head, q);
    memset(b->dq, 0, sizeof(float) * (size_t)(BLOCK * H));
    E(begin)();
    for (int64_t k = attn_first(a, row, q); k <= q; k += BLOCK) {
        const seen s = attn_seen(a, row, q, k);
        E(score)(&s, b->scores, E(keys_at)(a, a->keys, row, head, k), b->q_turned, H);
        E(score)(&s, b->dp, E(keys_at)(a, a->values, row, head, k), b->dout_turned, H);
        E(back_block)(a, &s, b, row, q, k);
        E(to_keys)(&s, b->dv + k*H, b->p, b->dout, H);
        E(to_keys)(&s, b->dk + k*H, b->ds, b->q, H);
        E(to_queries)(&s, b->dq, b->ds_right, E(keys_at)(a, E(plain) ? a->keys : a->turned, row, head, k), H);
    }
    E(end)();
    for (int i = 0; i < BLOCK; i++)
        one[i] = 1;
    BY_TYPE(a->t->bf16[0], E(store_queries), a->t->at[0], attn_at(a, row, head) + q*attn_width(a), attn_width(a), MIN(BLOCK, a->seq - q),
            a->size, b->dq, H, one);
}

static void E(backward_tile)(void *self, int64_t i, int thread)
{
    const attn *a = self;
    const int64_t of = i % (a->rows * a->kv_heads), part = a->parts - 1 - i / (a->rows * a->kv_heads);  // the longest first
    const int64_t row = of / a->kv_heads, kv = of % a->kv_heads, group = a->heads / a->kv_heads;
    const int64_t begin = attn_part(a, part), end = attn_part(a, part + 1), first = attn_part_first(a, row, part);
    E(back) b = E(back_room)(a, thread);
    b.dk = attn_sums(a, of, part), b.dv = b.dk + end * a->H;
    memset(b.dk + first * a->H, 0, sizeof(float) * (size_t)((end - first) * a->H));
    memset(b.dv + first * a->H, 0, sizeof(float) * (size_t)((end - first) * a->H));
    for (int64_t q = begin; q < end; q += BLOCK)
        for (int64_t head = kv * group; head < (kv + 1) * group; head++)
            E(back_queries)(a, &b, row, head, q);
}

static void E(attention_backward)(const task *t)
{
    attn a = attn_sizes(t->c);
    char *room = t->room;
    const int64_t heads = a.rows * a.kv_heads;
    a.t = t, a.qkv = t->at[3];
    attn_mask(&a, t->at[6], &room);
    a.packed = round_up(a.S * a.H * (int64_t)sizeof(E(elem)), 64);
    a.keys = take(&room, heads * a.packed);
    a.values = take(&room, heads * a.packed);
    a.turned = E(plain) ? NULL : take(&room, heads * a.packed);
    a.sums = take(&room, attn_sums_bytes(&a));
    a.room = room;
    a.thread_bytes = round_up(E(backward_bytes)(&a), 64);
    pool_run(t->pool, heads * a.blocks, E(backward_pack), &a);
    pool_run(t->pool, heads * a.parts, E(backward_tile), &a);
    pool_run(t->pool, heads * a.blocks, attn_add_parts, &a);
}
