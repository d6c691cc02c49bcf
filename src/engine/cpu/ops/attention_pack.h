// The packing of k and v in one type of element, before attention: blocks of 64 keys, as [64][H], or turned where `for_queries` and
// the type wants that. A tile is a block of a row and kv head.
static void E(pack)(const attn *a, char *to, int64_t i, int64_t head, bool for_queries)
{
    const int64_t of = i / a->blocks, k = i % a->blocks * BLOCK, width = attn_width(a), rows = MIN(BLOCK, a->seq - k);
    const int h = a->t->bf16[0];
    const char *x = (const char *)a->qkv + (attn_at(a, of / a->kv_heads, head + of % a->kv_heads) + k*width) * (h ? 2 : 4);
    E(elem) *y = (E(elem) *)(to + of * a->packed) + k * a->H;
    if (for_queries && !E(plain))
        E(a_cols)(y, BLOCK, x, width, rows, a->size, BLOCK, a->H, h);
    else
        E(a_rows)(y, a->H, x, width, rows, a->size, BLOCK, a->H, h);
}

static void E(forward_pack)(void *self, int64_t i, int thread)
{
    const attn *a = self;
    (void)thread;
    E(pack)(a, a->keys, i, a->heads, false);
    E(pack)(a, a->values, i, a->heads + a->kv_heads, true);
}

static void E(backward_pack)(void *self, int64_t i, int thread)
{
    const attn *a = self;
    (void)thread;
    E(pack)(a, a->keys, i, a->heads, false);
    E(pack)(a, a->values, i, a->heads + a->kv_heads, false);
    if (!E(plain))
        E(pack)(a, a->turned, i, a->heads, true);
}

static E(elem) *E(keys_at)(const attn *a, char *packed, int64_t row, int64_t head, int64_t k)
{
    const int64_t of = row * a->kv_heads + head / (a->heads / a->kv_heads);
    return (E(elem) *)(packed + of * a->packed) + k * a->H;
}
