// The product of BF16 operands: b in panels of as many columns as registers hold sums of; each tile packs its rows of a, so that they are
// near when they are read again for every panel.

enum { BF16_PANEL = AMX ? 32 : 48,
       BF16_STRIP = AMX ? 640 : 320,    // of K: a panel's strip stays in a first-level cache
       BF16_NEAR = 360 << 10 };         // elements of a tile's rows of a: they stay in a second-level cache

// The largest chunks: all of K when y is BF16, so that it is rounded once.
static void bf16_chunks(mm *p, const call *c, bool y_bf16)
{
    p->M = c->dim['m' - 'a'], p->N = c->dim['n' - 'a'], p->K = c->dim['k' - 'a'];
    p->kc = y_bf16 || p->K <= MM_DEEP ? p->K : MM_DEEP;
    const int64_t most = MAX(MM_ROWS, MIN(MM_CHUNK, ((int64_t)1 << 23) / p->kc)) / BF16_PANEL * BF16_PANEL;
    p->nc = MIN(p->N, round_up(tiles_of(p->N, tiles_of(p->N, most)), BF16_PANEL));
    const int64_t rows = MAX(96, MIN(MM_ROWS, BF16_NEAR / p->kc / 32 * 32));
    p->tile_m = round_up(tiles_of(p->M, MAX(4, tiles_of(p->M, rows))), 32);
}

static int64_t bf16_b_bytes(const mm *p)      { return round_up(round_up(p->nc, BF16_PANEL) * round_up(p->kc, 32) * 2, 64); }
static int64_t bf16_thread_bytes(const mm *p) { return p->tile_m * round_up(p->kc, 32) * 2 + p->tile_m * BF16_PANEL * 4; }

// b lies packed in panels. Either way it is read along its rows: those of a panel (of a turned b) …
static void bf16_pack_panel(void *self, int64_t i, int thread)
{
    const mm *p = self;
    const int64_t n = BF16_PANEL * i;
    (void)thread;
    bf16_b_cols((bf16_elem *)p->b + n * p->kp, BF16_PANEL, (const uint16_t *)p->t->at[2] + (p->n0 + n) * p->K + p->k0, p->K,
                MIN(BF16_PANEL, p->nc - n), p->kc, BF16_PANEL, p->kp, 1);
}

// … or 32 rows of all panels.
static void bf16_pack_rows(void *self, int64_t i, int thread)
{
    const mm *p = self;
    const int64_t k = 32*i;
    (void)thread;
    for (int64_t n = 0; n < p->nc; n += BF16_PANEL)
        bf16_b_rows(bf16_b_at((bf16_elem *)p->b + n * p->kp, BF16_PANEL, k, 0), BF16_PANEL,
                    (const uint16_t *)p->t->at[2] + (p->k0 + k) * p->N + p->n0 + n, p->N, MIN(32, p->kc - k),
                    MIN(BF16_PANEL, p->nc - n), 32, BF16_PANEL, 1);
}

// Rows of a from m on, in squares of 32 x 32. A turned a is read along its rows, 32 of them at a time.
static void bf16_pack_a(const mm *p, bf16_elem *to, int64_t m, int64_t rows)
{
    const uint16_t *a = p->t->at[1];
    for (int64_t i = 0; i < rows && !p->a_turned; i += 32)
        bf16_a_rows_of(to + i * p->kp, 32, 1024, a + (m + i) * p->K + p->k0, p->K, MIN(32, rows - i), p->kc, 32, p->kp, 1);
    for (int64_t k = 0; k < p->kp && p->a_turned; k += 32)
        for (int64_t i = 0; i < rows; i += 32)
            bf16_a_cols_of(to + i * p->kp + k * 32, 32, 1024, a + (p->k0 + k) * p->M + m + i, p->M, MIN(32, p->kc - k),
                         MIN(32, rows - i), 32, 32, 1);
}

static void bf16_tile(void *self, int64_t i, int thread)
{
    const mm *p = self;
    const int64_t m = i / p->tiles_n * p->tile_m, n = i % p->tiles_n * p->tile_n;
    const int64_t rows = MIN(p->tile_m, p->M - m), columns = MIN(p->tile_n, p->nc - n);
    // Sums begin at 0 and are added to y in the end: y may be the residual stream, whose largest entries would swallow them.
    const bool plain = !p->t->bf16[0] && !p->add && rows % 32 == 0, later = p->add || p->k0 > 0;
    const int64_t strip = round_up(tiles_of(p->kp, tiles_of(p->kp, BF16_STRIP)), 32);
    bf16_elem *a = (bf16_elem *)(void *)(p->room + thread * p->thread_bytes), *b = (bf16_elem *)p->b + n * p->kp;
    float *sums = (float *)(void *)(a + p->tile_m * p->kp), *y = (float *)p->t->at[0] + m * p->N + p->n0 + n;
    bf16_pack_a(p, a, m, rows);
    bf16_begin();
    for (int64_t j = 0; j < columns; j += BF16_PANEL) {
        const int64_t width = MIN(BF16_PANEL, columns - j);
        const bool direct = plain && width == BF16_PANEL;
        for (int64_t k = 0; k < p->kp; k += strip)
            bf16_product_of(direct ? y + j : sums, direct ? p->N : BF16_PANEL, a + k*32, 32, 1024, 32 * p->kp,
                            bf16_b_at(b + j * p->kp, BF16_PANEL, k, 0), BF16_PANEL, round_up(rows, 32), BF16_PANEL,
                            MIN(strip, p->kp - k), k > 0 || (direct && later));
        for (int64_t r = 0; r < rows && !direct; r++)
            BY_TYPE(p->t->bf16[0], mm_finish_row, p, m + r, p->n0 + n + j, width, sums + r * BF16_PANEL, later);
    }
    bf16_end();
}

static void bf16_matmul(mm *p)
{
    const int64_t nc = p->nc, kc = p->kc, tiles_m = tiles_of(p->M, p->tile_m);
    char *room = p->t->room;
    p->b = take(&room, bf16_b_bytes(p));
    p->room = room;
    p->thread_bytes = bf16_thread_bytes(p);
    p->add = p->t->c->mode == ADD;
    for (p->n0 = 0; p->n0 < p->N; p->n0 += nc)
        for (p->k0 = 0; p->k0 < p->K; p->k0 += kc) {
            p->nc = MIN(nc, p->N - p->n0), p->kc = MIN(kc, p->K - p->k0), p->kp = round_up(p->kc, 32);
            mm_cut(p, tiles_m, BF16_PANEL, p->nc);
            pool_run(p->t->pool, p->b_turned ? tiles_of(p->nc, BF16_PANEL) : p->kp / 32, p->b_turned ? bf16_pack_panel : bf16_pack_rows, p);
            pool_run(p->t->pool, tiles_m * p->tiles_n, bf16_tile, p);
        }
}
