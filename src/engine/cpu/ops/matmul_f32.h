// The product in float32 (also of BF16 operands, where the CPU does not multiply these): b in panels as wide as the
// registers hold, each rows of one k after the other. Rows of a are read where they lie; a turned a, or one in BF16, is
// packed strip by strip, PANEL_ROWS rows together.

enum { PANEL_ROWS = REGISTERS == 32 ? 8 : 6, PANEL_VECS = REGISTERS == 32 ? 3 : 2, PANEL = PANEL_VECS * LANE,
       F32_TILE_ROWS = PANEL > 32 ? 96 : 48, F32_TILE_COLUMNS = 576 / PANEL * PANEL,
       F32_STRIP = PANEL > 32 ? 192 : 576,      // of K. Long ones read and write y less often (docs/performance.md)
       F32_B_MOST = 1 << 21 };          // elements of b packed at once

static void f32_chunks(mm *p, const call *c, bool y_bf16)
{
    p->M = c->dim['m' - 'a'], p->N = c->dim['n' - 'a'], p->K = c->dim['k' - 'a'];
    p->kc = y_bf16 || p->K <= MM_DEEP ? p->K : MM_DEEP;
    p->nc = MIN(p->N, MAX(MM_ROWS, F32_B_MOST / p->kc) / PANEL * PANEL);
    p->tile_m = MIN(F32_TILE_ROWS, round_up(p->M, PANEL_ROWS));
    p->tile_n = MIN(F32_TILE_COLUMNS, round_up(p->nc, PANEL));
}

// Elements of PANEL_ROWS packed rows of a: not a power of two apart, and with room for what the last k writes too much.
static inline int64_t f32_left_panel(int64_t deep) { return deep * PANEL_ROWS + 8; }

static int64_t f32_left_room(const mm *p)    { return tiles_of(p->tile_m, PANEL_ROWS) * f32_left_panel(F32_STRIP) + LANE; }
static int64_t f32_b_bytes(const mm *p)      { return 4 * round_up(p->nc, PANEL) * p->kc; }
static int64_t f32_thread_bytes(const mm *p)
{
    return round_up(4 * (f32_left_room(p) + p->tile_m * p->tile_n) + 64, 64);       // sums are read by whole vectors
}

// b[k][l] of a panel = x[n + l][k]: squares are turned.
INLINE void f32_pack_panel_as(const mm *p, int64_t i, const int as)
{
    float *b = (float *)p->b + i * PANEL * p->kc;
    for (int64_t k = 0; k < p->kc; k += LANE)
        for (int v = 0; v < PANEL_VECS; v++) {
            lane square[LANE];
            const int64_t n = i * PANEL + v * LANE, width = MIN(LANE, p->kc - k);
            for (int l = 0; l < LANE; l++) {
                const int64_t at = (p->n0 + n + l) * p->K + p->k0 + k;
                square[l] = n + l < p->nc ? l_get_n(p->t->at[2], at, width, as) : l_set(0);
            }
            l_turn(square);
            for (int l = 0; l < width; l++)
                l_store(b + (k + l) * PANEL + v * LANE, square[l]);
        }
}

// Eight rows of b in all panels.
INLINE void f32_pack_rows_as(const mm *p, int64_t i, const int as)
{
    for (int64_t k = 8*i; k < MIN(p->kc, 8*i + 8); k++)
        for (int64_t n = 0; n < round_up(p->nc, PANEL); n += LANE) {
            float *to = (float *)p->b + n / PANEL * PANEL * p->kc + k * PANEL + n % PANEL;
            const int64_t at = (p->k0 + k) * p->N + p->n0 + n;
            l_store(to, n < p->nc ? l_get_n(p->t->at[2], at, MIN(LANE, p->nc - n), as) : l_set(0));
        }
}

static void f32_pack_panel(void *self, int64_t i, int thread)
{
    const mm *p = self;
    const task *t = p->t;
    (void)thread;
    BY_READ(READ_AS(2), f32_pack_panel_as, p, i);
}

static void f32_pack_rows(void *self, int64_t i, int thread)
{
    const mm *p = self;
    const task *t = p->t;
    (void)thread;
    BY_READ(READ_AS(2), f32_pack_rows_as, p, i);
}

// A strip of a tile's rows of a turned a: for each k PANEL_ROWS rows together. What is written too much, the next k overwrites.
INLINE void f32_pack_turned(const mm *p, float *to, int64_t m, int64_t rows, int64_t k, int64_t deep, const int as)
{
    for (int64_t l = 0; l < deep; l++)
        for (int64_t i = 0; i < rows; i += PANEL_ROWS) {
            const int64_t from = (p->k0 + k + l) * p->M + m + i;
            float *panel = to + i / PANEL_ROWS * f32_left_panel(deep) + l * PANEL_ROWS;
            if (l + 8 < deep)
                __builtin_prefetch((const char *)p->t->at[1] + (from + 8 * p->M) * (as == AS_BF16 ? 2 : 4));
            for (int64_t j = 0; j < PANEL_ROWS && m + i + j < p->M; j += LANE)
                l_store(panel + j, l_get_n(p->t->at[1], from + j, MIN(LANE, p->M - m - i - j), as));
        }
}

// The same of one that is not turned and not in float32: rows.
INLINE void f32_pack_a(const mm *p, float *to, int64_t m, int64_t rows, int64_t k, int64_t deep, const int as)
{
    if (p->a_turned) {
        f32_pack_turned(p, to, m, rows, k, deep, as);
        return;
    }
    for (int64_t i = 0; i < rows; i++)
        for (int64_t l = 0; l < deep; l += LANE)
            l_store(to + i*deep + l, l_get_n(p->t->at[1], (m + i) * p->K + p->k0 + k + l, MIN(LANE, deep - l), as));
}

// Up to PANEL_ROWS rows of a panel's columns; `ka` is a constant.
INLINE void f32_few(float *c, int64_t ldc, const float *a, int64_t ra, const int64_t ka, const float *b, int64_t K, int64_t rows, bool add)
{
#define ROWS_OF(n) case n: \
    if (n <= PANEL_ROWS && add) f32_micro(c, ldc, a, ra, ka, b, PANEL, K, MIN(n, PANEL_ROWS), PANEL_VECS, 1); \
    else if (n <= PANEL_ROWS) f32_micro(c, ldc, a, ra, ka, b, PANEL, K, MIN(n, PANEL_ROWS), PANEL_VECS, 0); \
    break;
    switch (rows) {
    ROWS_OF(1) ROWS_OF(2) ROWS_OF(3) ROWS_OF(4) ROWS_OF(5) ROWS_OF(6) ROWS_OF(7) ROWS_OF(8)
    }
#undef ROWS_OF
}

typedef struct f32_left { const float *at; int64_t ra; bool packed; } f32_left;

// A strip: y (+)= a b for a tile's rows and columns.
static void f32_strip(float *y, int64_t ldy, const f32_left *a, const float *b, int64_t panel, int64_t rows, int64_t columns, int64_t deep,
                      bool add)
{
    for (int64_t j = 0; j < columns; j += PANEL, b += panel)
        for (int64_t i = 0; i < rows; i += PANEL_ROWS) {
            const int64_t few = MIN(PANEL_ROWS, rows - i);
            if (a->packed)
                f32_few(y + i*ldy + j, ldy, a->at + i/PANEL_ROWS * f32_left_panel(deep), 1, PANEL_ROWS, b, deep, few, add);
            else
                f32_few(y + i*ldy + j, ldy, a->at + i*a->ra, a->ra, 1, b, deep, few, add);
        }
}

static void f32_tile(void *self, int64_t i, int thread)
{
    const mm *p = self;
    const task *t = p->t;
    const int as = READ_AS(1);
    const int64_t m = i / p->tiles_n * p->tile_m, n = i % p->tiles_n * p->tile_n;
    const int64_t rows = MIN(p->tile_m, p->M - m), columns = MIN(p->tile_n, p->nc - n);
    const bool later = p->add || p->k0 > 0, direct = !p->t->bf16[0] && !later && columns % PANEL == 0;
    const int64_t strip = round_up(tiles_of(p->kc, tiles_of(p->kc, F32_STRIP)), 8), whole = round_up(columns, PANEL);
    float *room = (float *)(void *)(p->room + thread * p->thread_bytes), *sums = room + f32_left_room(p);
    float *y = direct ? (float *)p->t->at[0] + m * p->N + p->n0 + n : sums;
    for (int64_t k = 0; k < p->kc; k += strip) {
        const int64_t deep = MIN(strip, p->kc - k);
        f32_left a = { (const float *)p->t->at[1] + m * p->K + p->k0 + k, p->K, p->a_turned };
        if (p->a_turned || as != AS_F32) {
            BY_READ(as, f32_pack_a, p, room, m, rows, k, deep);
            a.at = room, a.ra = deep;
        }
        f32_strip(y, direct ? p->N : whole, &a, (float *)p->b + n * p->kc + k * PANEL, PANEL * p->kc, rows, whole, deep, k > 0);
    }
    for (int64_t r = 0; r < rows && !direct; r++)
        BY_TYPE(p->t->bf16[0], mm_finish_row, p, m + r, p->n0 + n, columns, sums + r*whole, later);
}

static void f32_matmul(mm *p)
{
    char *room = p->t->room;
    f32_chunks(p, p->t->c, p->t->bf16[0]);
    const int64_t nc = p->nc, kc = p->kc, tiles_m = tiles_of(p->M, p->tile_m);
    p->b = take(&room, f32_b_bytes(p));
    p->room = room, p->thread_bytes = f32_thread_bytes(p);
    p->add = p->t->c->mode == ADD;
    for (p->n0 = 0; p->n0 < p->N; p->n0 += nc)
        for (p->k0 = 0; p->k0 < p->K; p->k0 += kc) {
            p->nc = MIN(nc, p->N - p->n0), p->kc = MIN(kc, p->K - p->k0);
            mm_cut(p, tiles_m, PANEL, F32_TILE_COLUMNS);
            if (p->b_turned)
                pool_run(p->t->pool, tiles_of(p->nc, PANEL), f32_pack_panel, p);
            else
                pool_run(p->t->pool, tiles_of(p->kc, 8), f32_pack_rows, p);
            pool_run(p->t->pool, tiles_m * p->tiles_n, f32_tile, p);
        }
}
