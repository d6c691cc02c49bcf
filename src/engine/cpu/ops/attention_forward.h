// Forward in one type of element: E(name) is f32_name or bf16_name. Each row, head and block of queries is a tile.

static int64_t E(forward_bytes)(const attn *a)
{
    return (int64_t)sizeof(E(elem)) * (a->H*BLOCK + (E(plain) ? 0 : BLOCK*BLOCK)) + 4 * (BLOCK*BLOCK + a->H*BLOCK);
}

// P = exp(scale * scores - maximum) for the block of keys at k; updates maxima and sums, returns in `factor` by what
// the earlier sums are to be multiplied.
static void E(softmax)(const attn *a, const seen *s, int64_t row, int64_t q, int64_t k, const float *scores, E(elem) *p, float *most,
    float *sum, float *factor)
{
    const vec scale = v_set(a->scale), zero = v_set(0);
    for (int g = 0; g < GROUPS; g++) {
        const int64_t n = g * LANES;
        vec score[BLOCK], old = v_load(most + n), new = old, total = zero;
        for (int j = s->from[g]; j < s->to[g]; j++) {
            score[j] = v_mul(v_load(scores + j*BLOCK + n), scale);
            if (!s->all[g])
                score[j] = v_choose(attn_sees(a, row, q + n, k + j), score[j], v_set(-INFINITY));
            new = v_max(new, score[j]);
        }
        vec back = v_exp(v_sub(old, new));
        for (int j = 0; j < s->from[g]; j += 2)
            E(put_pair)(p, BLOCK, j, n, zero, zero);
        for (int j = s->from[g]; j < s->to[g]; j += 2) {
            vec x = v_exp(v_sub(score[j], new)), y = v_exp(v_sub(score[j + 1], new));
            total = v_add(total, v_add(x, y));
            E(put_pair)(p, BLOCK, j, n, x, y);
        }
        for (int j = s->to[g]; j < BLOCK; j += 2)
            E(put_pair)(p, BLOCK, j, n, zero, zero);
        v_store(most + n, new);
        v_store(factor + n, back);
        v_store(sum + n, v_fma(v_load(sum + n), back, total));
    }
}

static void E(forward_tile)(void *self, int64_t i, int thread)
{
    const attn *a = self;
    const int64_t q = (a->blocks - 1 - i % a->blocks) * BLOCK;      // the longest first
    const int64_t head = i / a->blocks % a->heads, row = i / a->blocks / a->heads, width = attn_width(a), out_width = a->heads * a->size;
    const int64_t queries = MIN(BLOCK, a->seq - q), first = attn_first(a, row, q), h = a->t->bf16[0];
    char *room = a->room + thread * a->thread_bytes;
    E(elem) *query = take(&room, a->H*BLOCK * (int64_t)sizeof *query);
    float *scores = take(&room, BLOCK*BLOCK*4), *out = take(&room, a->H*BLOCK*4);
    E(elem) *p = E(plain) ? (void *)scores : take(&room, BLOCK*BLOCK * (int64_t)sizeof *p);
    float most[BLOCK], sum[BLOCK] = {0}, factor[BLOCK];
    for (int j = 0; j < BLOCK; j++)
        most[j] = -1e30f;           // not -inf, whose difference from itself is no number
    memset(out, 0, sizeof *out * (size_t)(a->H*BLOCK));
    E(b_cols)(query, BLOCK, (const char *)a->qkv + (attn_at(a, row, head) + q*width) * (h ? 2 : 4), width, queries, a->size, BLOCK, a->H,
              (int)h);
    E(begin)();
    for (int64_t k = first; k <= q; k += BLOCK) {
        const seen s = attn_seen(a, row, q, k);
        E(score)(&s, scores, E(keys_at)(a, a->keys, row, head, k), query, a->H);
        E(softmax)(a, &s, row, q, k, scores, p, most, sum, factor);
        if (k > first)
            E(scale_queries)(out, a->H, factor);
        E(to_queries)(&s, out, p, E(keys_at)(a, a->values, row, head, k), a->H);
    }
    E(end)();
    for (int j = 0; j < BLOCK; j++)
        factor[j] = 1 / sum[j];
    BY_TYPE(h, E(store_queries), a->t->at[0], (row*a->seq + q) * out_width + head * a->size, out_width, queries, a->size, out, a->H,
            factor);
    for (int64_t j = 0; a->t->at[1] && j < queries; j++)
        ((float *)a->t->at[1])[(row*a->seq + q + j) * a->heads + head] = most[j] + logf(sum[j]);
}

static void E(attention)(const task *t)
{
    attn a = attn_sizes(t->c);
    char *room = t->room;
    a.t = t, a.qkv = t->at[2];
    attn_mask(&a, t->at[3], &room);
    a.packed = round_up(a.S * a.H * (int64_t)sizeof(E(elem)), 64);
    a.keys = take(&room, a.rows * a.kv_heads * a.packed);
    a.values = take(&room, a.rows * a.kv_heads * a.packed);
    a.room = room;
    a.thread_bytes = round_up(E(forward_bytes)(&a), 64);
    pool_run(t->pool, a.rows * a.kv_heads * a.blocks, E(forward_pack), &a);
    pool_run(t->pool, a.rows * a.heads * a.blocks, E(forward_tile), &a);
}
