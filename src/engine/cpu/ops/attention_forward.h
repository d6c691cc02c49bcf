// Forward in one type of element: E(name) is f32_name or bf16_name. First k and v of all heads are packed, then each
// row, head and block of queries is a tile of its own.

static int64_t E(forward_bytes)(const attn *a)
{
    return (int64_t)sizeof(E(elem)) * (a->H*BLOCK + BLOCK*BLOCK) + 4 * (BLOCK*BLOCK + a->H*BLOCK) + 64;
}

static void E(forward_pack)(void *self, int64_t i, int thread)
{
    const attn *a = self;
    const int64_t row = i / a->kv_heads, kv = i % a->kv_heads, size = a->t->bf16[0] ? 2 : 4;
    (void)thread;
    E(a_rows)((E(elem) *)(a->keys + i*a->packed), a->H, (const char *)a->qkv + attn_k_at(a, row, kv) * size, attn_width(a),
              a->seq, a->size, a->S, a->H, a->t->bf16[0]);
    E(a_cols)((E(elem) *)(a->values + i*a->packed), a->S, (const char *)a->qkv + attn_v_at(a, row, kv) * size, attn_width(a),
              a->seq, a->size, a->S, a->H, a->t->bf16[0]);
}

// P = exp(scale * scores - maximum) for the block of keys at k; updates maxima and sums, returns in `factor` by what
// the earlier sums are to be multiplied.
static void E(softmax)(const attn *a, int64_t row, int64_t q, int64_t k, const float *scores, E(elem) *p, float *most,
    float *sum, float *factor)
{
    const bool whole = attn_whole(a, row, q, k);
    const vec scale = v_set(a->scale);
    for (int64_t g = 0; g < BLOCK; g += LANES) {
        vec score[BLOCK], old = v_load(most + g), new = old, total = v_set(0);
        for (int64_t j = 0; j < BLOCK; j++) {
            score[j] = v_mul(v_load(scores + j*BLOCK + g), scale);
            if (!whole)
                score[j] = v_choose(attn_seen(a, row, q + g, k + j), score[j], v_set(-INFINITY));
            new = v_max(new, score[j]);
        }
        vec back = v_exp(v_sub(old, new));
        for (int64_t j = 0; j < BLOCK; j += 2) {
            vec x = v_exp(v_sub(score[j], new)), y = v_exp(v_sub(score[j + 1], new));
            total = v_add(total, v_add(x, y));
            E(put_pair)(p, BLOCK, j, g, x, y);
        }
        v_store(most + g, new);
        v_store(factor + g, back);
        v_store(sum + g, v_fma(v_load(sum + g), back, total));
    }
}

static void E(forward_tile)(void *self, int64_t i, int thread)
{
    const attn *a = self;
    const int64_t blocks = a->S / BLOCK, q = (blocks - 1 - i % blocks) * BLOCK;     // the longest first
    const int64_t head = i / blocks % a->heads, row = i / blocks / a->heads, size = a->t->bf16[0] ? 2 : 4;
    const int64_t kv = row * a->kv_heads + head / (a->heads / a->kv_heads), queries = MIN(BLOCK, a->seq - q), first = attn_first(a, row, q);
    char *room = a->room + thread * a->thread_bytes;
    E(elem) *query = take(&room, a->H*BLOCK * (int64_t)sizeof *query), *p = take(&room, BLOCK*BLOCK * (int64_t)sizeof *p);
    float *scores = take(&room, BLOCK*BLOCK*4), *out = take(&room, a->H*BLOCK*4);
    float most[BLOCK], sum[BLOCK] = {0}, factor[BLOCK];
    for (int j = 0; j < BLOCK; j++)
        most[j] = -1e30f;           // not -inf, whose difference from itself is no number
    E(b_cols)(query, BLOCK, (const char *)a->qkv + (attn_q_at(a, row, head) + q*attn_width(a)) * size, attn_width(a), queries,
        a->size, BLOCK, a->H, a->t->bf16[0]);
    E(begin)();
    for (int64_t k = first; k <= q; k += BLOCK) {
        E(product)(scores, BLOCK, (const E(elem) *)(a->keys + kv*a->packed) + k*a->H, a->H, query, BLOCK, BLOCK, BLOCK, a->H, false);
        E(softmax)(a, row, q, k, scores, p, most, sum, factor);
        for (int64_t j = 0; k > first && j < a->H; j++)
            for (int64_t g = 0; g < BLOCK; g += LANES)
                v_store(out + j*BLOCK + g, v_mul(v_load(out + j*BLOCK + g), v_load(factor + g)));
        E(product)(out, BLOCK, (const E(elem) *)(a->values + kv*a->packed) + k, a->S, p, BLOCK, a->H, BLOCK, BLOCK, k > first);
    }
    E(end)();
    for (int j = 0; j < BLOCK; j++)
        factor[j] = 1 / sum[j];
    const int64_t width = a->heads * a->size, at = (row*a->seq + q) * width + head * a->size;
    BY_TYPE(a->t->bf16[0], attn_turn_out, a->t->at[0], at, width, queries, a->size, out, BLOCK, factor);
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
    pool_run(t->pool, a.rows * a.kv_heads, E(forward_pack), &a);
    pool_run(t->pool, a.rows * a.heads * (a.S / BLOCK), E(forward_tile), &a);
}
