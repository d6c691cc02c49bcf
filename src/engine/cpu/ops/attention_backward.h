// Backward in one type of element. A tile is a row and a kv head: dk and dv add up over its query heads in their order.
//     p = exp(scale k.q - lse)   dv += p dout   ds = p (v.dout - delta) scale   dk += ds q   dq += ds k

typedef struct E(back) {
    E(elem) *k, *v, *k_turned;      // [S][H], [S][H], [H][S]: left factors
    E(elem) *q, *dout;              // [S][H]: right factors of dk and dv
    E(elem) *q_turned, *dout_turned;// [H][S]: right factors of the scores and of v.dout
    E(elem) *p, *ds, *ds_right;     // of one block, [key][query]
    float *scores, *dp;             // the same before
    float *dk, *dv, *dq;            // [S][H], [S][H], [H][S]
    float *lse, *delta;             // [S]
} E(back);

static int64_t E(backward_bytes)(const attn *a)
{
    return (int64_t)sizeof(E(elem)) * (7 * a->S*a->H + 3 * BLOCK*BLOCK) + 4 * (3 * a->S*a->H + 2 * BLOCK*BLOCK + 2 * a->S) + 64;
}

static E(back) E(back_room)(const attn *a, int thread)
{
    char *room = a->room + thread * a->thread_bytes;
    const int64_t whole = a->S * a->H, block = BLOCK * BLOCK, size = sizeof(E(elem));
    return (E(back)){
        take(&room, whole*size), take(&room, whole*size), take(&room, whole*size), take(&room, whole*size), take(&room, whole*size),
        take(&room, whole*size), take(&room, whole*size), take(&room, block*size), take(&room, block*size), take(&room, block*size),
        take(&room, block*4), take(&room, block*4), take(&room, whole*4), take(&room, whole*4), take(&room, whole*4),
        take(&room, a->S*4), take(&room, a->S*4),
    };
}

// p and ds of the block of keys at k and queries at q, from its scores and v.dout.
static void E(back_block)(const attn *a, const E(back) *b, int64_t row, int64_t q, int64_t k)
{
    const bool whole = attn_whole(a, row, q, k);
    const vec scale = v_set(a->scale);
    for (int64_t j = 0; j < BLOCK; j += 2)
        for (int64_t g = 0; g < BLOCK; g += LANES) {
            const vec lse = v_load(b->lse + q + g), delta = v_load(b->delta + q + g);
            vec p[2], ds[2];
            for (int l = 0; l < 2; l++) {
                p[l] = v_exp(v_sub(v_mul(v_load(b->scores + (j + l)*BLOCK + g), scale), lse));
                if (!whole)
                    p[l] = v_choose(attn_seen(a, row, q + g, k + j + l), p[l], v_set(0));
                ds[l] = v_mul(v_mul(p[l], v_sub(v_load(b->dp + (j + l)*BLOCK + g), delta)), scale);
                E(put_row)(b->p, (j + l)*BLOCK + g, p[l]);
                E(put_row)(b->ds, (j + l)*BLOCK + g, ds[l]);
            }
            E(put_pair)(b->ds_right, BLOCK, j, g, ds[0], ds[1]);
        }
}

static void E(back_head)(const attn *a, const E(back) *b, int64_t row, int64_t head)
{
    const int64_t S = a->S, H = a->H;
    memset(b->dq, 0, sizeof(float) * (size_t)(S * H));
    E(begin)();
    for (int64_t k = 0; k < S; k += BLOCK)
        for (int64_t q = k; q < S; q += BLOCK) {
            if (attn_first(a, row, q) > k)
                continue;
            E(product)(b->scores, BLOCK, b->k + k*H, H, E(b_at)(b->q_turned, S, 0, q), S, BLOCK, BLOCK, H, false);
            E(product)(b->dp, BLOCK, b->v + k*H, H, E(b_at)(b->dout_turned, S, 0, q), S, BLOCK, BLOCK, H, false);
            E(back_block)(a, b, row, q, k);
            E(product)(b->dv + k*H, H, b->p, BLOCK, E(b_at)(b->dout, H, q, 0), H, BLOCK, H, BLOCK, true);
            E(product)(b->dk + k*H, H, b->ds, BLOCK, E(b_at)(b->q, H, q, 0), H, BLOCK, H, BLOCK, true);
            E(product)(b->dq + q, S, b->k_turned + k, S, b->ds_right, BLOCK, H, BLOCK, BLOCK, true);
        }
    E(end)();
    const int h = a->t->bf16[0];
    BY_TYPE(h, attn_turn_out, a->t->at[0], attn_q_at(a, row, head), attn_width(a), a->seq, a->size, b->dq, S, NULL);
}

static void E(back_pack_head)(const attn *a, const E(back) *b, int64_t row, int64_t head)
{
    const int h = a->t->bf16[0];
    const int64_t size = h ? 2 : 4, width = attn_width(a), out = a->heads * a->size;
    const char *q = (const char *)a->qkv + attn_q_at(a, row, head) * size;
    const char *dout = (const char *)a->t->at[2] + (row*a->seq*out + head*a->size) * size;
    E(b_rows)(b->q, a->H, q, width, a->seq, a->size, a->S, a->H, h);
    E(b_cols)(b->q_turned, a->S, q, width, a->seq, a->size, a->S, a->H, h);
    E(b_rows)(b->dout, a->H, dout, out, a->seq, a->size, a->S, a->H, h);
    E(b_cols)(b->dout_turned, a->S, dout, out, a->seq, a->size, a->S, a->H, h);
    for (int64_t i = 0; i < a->S; i++) {
        const int64_t at = (row*a->seq + i) * a->heads + head;
        b->lse[i] = i < a->seq ? ((const float *)a->t->at[5])[at] : 0;
        b->delta[i] = i < a->seq ? ((const float *)a->t->at[1])[at] : 0;
    }
}

INLINE void E(back_store)(const attn *a, int64_t at, const float *x, const int h)
{
    for (int64_t i = 0; i < a->seq; i++)
        for (int64_t j = 0; j < a->size; j += LANES)
            v_put_n(a->t->at[0], at + i*attn_width(a) + j, v_load(x + i*a->H + j), V_WIDTH(j, a->size), h);
}

static void E(backward_tile)(void *self, int64_t i, int thread)
{
    const attn *a = self;
    const int64_t row = i / a->kv_heads, kv = i % a->kv_heads, group = a->heads / a->kv_heads, width = attn_width(a);
    const E(back) b = E(back_room)(a, thread);
    const int h = a->t->bf16[0];
    const char *k = (const char *)a->qkv + attn_k_at(a, row, kv) * (h ? 2 : 4), *v = (const char *)a->qkv + attn_v_at(a, row,
        kv) * (h ? 2 : 4);
    E(a_rows)(b.k, a->H, k, width, a->seq, a->size, a->S, a->H, h);
    E(a_rows)(b.v, a->H, v, width, a->seq, a->size, a->S, a->H, h);
    E(a_cols)(b.k_turned, a->S, k, width, a->seq, a->size, a->S, a->H, h);
    memset(b.dk, 0, sizeof(float) * (size_t)(a->S * a->H));
    memset(b.dv, 0, sizeof(float) * (size_t)(a->S * a->H));
    for (int64_t head = kv * group; head < (kv + 1) * group; head++) {
        E(back_pack_head)(a, &b, row, head);
        E(back_head)(a, &b, row, head);
    }
    BY_TYPE(h, E(back_store), a, attn_k_at(a, row, kv), b.dk);
    BY_TYPE(h, E(back_store), a, attn_v_at(a, row, kv), b.dv);
}

static void E(attention_backward)(const task *t)
{
    attn a = attn_sizes(t->c);
    char *room = t->room;
    a.t = t, a.qkv = t->at[3];
    attn_mask(&a, t->at[6], &room);
    a.room = room;
    a.thread_bytes = round_up(E(backward_bytes)(&a), 64);
    pool_run(t->pool, a.rows * a.kv_heads, E(backward_tile), &a);
}
