// The product in one type of element: E(name) is f32_name or bf16_name.

// Tiles of 32 rows of a, then panels of 32 columns of b.
static void E(pack)(void *self, int64_t i, int thread)
{
    const mm *p = self;
    const int a_bf16 = p->t->bf16[1], b_bf16 = p->t->bf16[2];
    const int64_t a_tiles = tiles_of(p->mc, 32), m = 32*i, n = 32*(i - a_tiles);
    (void)thread;
    if (i < a_tiles) {
        const int64_t rows = MIN(32, p->mc - m), size = a_bf16 ? 2 : 4;
        E(elem) *to = (E(elem) *)p->a + m * p->lda;
        if (p->a_turned)
            E(a_cols)(to, p->lda, (const char *)p->t->at[1] + (p->k0 * p->M + p->m0 + m) * size, p->M, p->kc, rows, p->kp, 32, a_bf16);
        else
            E(a_rows)(to, p->lda, (const char *)p->t->at[1] + ((p->m0 + m) * p->K + p->k0) * size, p->K, rows, p->kc, 32, p->kp, a_bf16);
        return;
    }
    const int64_t columns = MIN(32, p->nc - n), size = b_bf16 ? 2 : 4;
    E(elem) *to = (E(elem) *)p->b + n * p->kp;
    if (p->b_turned)
        E(b_cols)(to, 32, (const char *)p->t->at[2] + ((p->n0 + n) * p->K + p->k0) * size, p->K, columns, p->kc, 32, p->kp, b_bf16);
    else
        E(b_rows)(to, 32, (const char *)p->t->at[2] + (p->k0 * p->N + p->n0 + n) * size, p->N, p->kc, columns, p->kp, 32, b_bf16);
}

static void E(tile)(void *self, int64_t i, int thread)
{
    const mm *p = self;
    const int64_t m = i / p->tiles_n * MM_ROWS, n = i % p->tiles_n * p->tile_n;
    const int64_t rows = MIN(MM_ROWS, p->mc - m), columns = MIN(p->tile_n, p->nc - n);
    const bool direct = !p->t->bf16[0] && rows % 32 == 0 && columns % 32 == 0, later = p->add || p->k0 > 0;
    const int64_t ldc = direct ? p->N : 32, strip = round_up(p->kp / tiles_of(p->kp, MM_STRIP), 32);
    float *sums = p->sums + (int64_t)thread * MM_ROWS * 32, *y = (float *)p->t->at[0] + (p->m0 + m) * p->N + p->n0 + n;
    const E(elem) *a = (const E(elem) *)p->a + m * p->lda;
    E(begin)();
    for (int64_t j = 0; j < columns; j += 32) {
        for (int64_t k = 0; k < p->kp; k += strip)
            E(product)(direct ? y + j : sums, ldc, a + k, p->lda, E(b_at)((E(elem) *)p->b + (n + j) * p->kp, 32, k, 0), 32,
                       round_up(rows, 32), 32, MIN(strip, p->kp - k), k > 0 || (direct && later));
        for (int64_t r = 0; r < rows && !direct; r++)
            BY_TYPE(p->t->bf16[0], mm_finish_row, p, p->m0 + m + r, p->n0 + n + j, MIN(32, columns - j), sums + r*32, later);
    }
    E(end)();
}

static void E(matmul)(mm *p)
{
    const int64_t mc = p->mc, nc = p->nc, kc = p->kc;
    char *room = p->t->room;
    p->a = take(&room, mm_a_bytes(p, sizeof(E(elem))));
    p->b = take(&room, mm_b_bytes(p, sizeof(E(elem))));
    p->sums = (float *)room;
    p->add = p->t->c->mode == ADD;
    for (p->m0 = 0; p->m0 < p->M; p->m0 += mc)
        for (p->n0 = 0; p->n0 < p->N; p->n0 += nc)
            for (p->k0 = 0; p->k0 < p->K; p->k0 += kc) {
                p->mc = MIN(mc, p->M - p->m0), p->nc = MIN(nc, p->N - p->n0), p->kc = MIN(kc, p->K - p->k0);
                p->kp = round_up(p->kc, 32), p->lda = p->kp + 32;
                p->tile_n = round_up((p->nc + tiles_of(p->nc, MM_COLUMNS) - 1) / tiles_of(p->nc, MM_COLUMNS), 32);
                p->tiles_n = tiles_of(p->nc, p->tile_n);
                pool_run(p->t->pool, tiles_of(p->mc, 32) + tiles_of(p->nc, 32), E(pack), p);
                pool_run(p->t->pool, tiles_of(p->mc, MM_ROWS) * p->tiles_n, E(tile), p);
            }
}
