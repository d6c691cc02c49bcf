// The three products of a block of 64 keys and 64 queries, in both types of element, of which only what is seen is made:
//     score        [key][query]   = keys queries^T                        `queries` turned: [H][query]
//     to_keys      [key][H]      += p x                                   p: [key][query]
//     to_queries                 += p^T keys                              float32: [query][H]; BF16: [H][query], from turned keys
// p is zero where nothing is seen.

typedef struct seen {               // 16 queries each see of the block's keys
    int from[GROUPS], to[GROUPS];   // only these, by twos; from = to: none,
    bool all[GROUPS];               // and each of the queries all of these
    bool whole;                     // the whole block is seen by all
} seen;

// The queries, in whole groups, by which some of the keys from m on, `rows` of them, are seen.
static inline void seen_by(const seen *s, int m, int rows, int *from, int *to)
{
    *from = BLOCK, *to = 0;
    for (int g = 0; g < GROUPS && !s->whole; g++)
        if (s->from[g] < m + rows && s->to[g] > m)
            *from = MIN(*from, g * LANES), *to = (g + 1) * LANES;
    if (s->whole)
        *from = 0, *to = BLOCK;
}

// The keys that some of the queries from n on, `columns` of them, see.
static inline void seen_of(const seen *s, int n, int columns, int *from, int *to)
{
    *from = BLOCK, *to = 0;
    for (int g = n / LANES; g <= (n + columns - 1) / LANES; g++)
        if (s->from[g] < s->to[g])
            *from = MIN(*from, s->from[g]), *to = MAX(*to, s->to[g]);
}

// So many rows at a time: the most there are registers for, then four, then two.
static inline int f32_step(int left) { return left >= F32_ROWS ? F32_ROWS : left >= 4 ? 4 : 2; }

INLINE void f32_rows_by_step(float *c, int64_t ldc, const float *a, int64_t ra, const int64_t ka, const float *b, int64_t ldb, int64_t K,
    int rows, const int add)
{
    if (rows == F32_ROWS)
        f32_micro(c, ldc, a, ra, ka, b, ldb, K, F32_ROWS, F32_VECS, add);
    else if (rows == 4)
        f32_micro(c, ldc, a, ra, ka, b, ldb, K, 4, F32_VECS, add);
    else
        f32_micro(c, ldc, a, ra, ka, b, ldb, K, 2, F32_VECS, add);
}

static void f32_score(const seen *s, float *c, const float *keys, const float *queries, int64_t H)
{
    for (int n = 0, from, to; n < BLOCK; n += F32_COLUMNS) {
        seen_of(s, n, F32_COLUMNS, &from, &to);
        for (int m = from, rows; m < to; m += rows) {
            rows = f32_step(to - m);
            f32_rows_by_step(c + m*BLOCK + n, BLOCK, keys + m*H, H, 1, queries + n, BLOCK, H, rows, 0);
        }
    }
}

static void f32_to_keys(const seen *s, float *c, const float *p, const float *x, int64_t H)
{
    for (int64_t n = 0; n < H; n += F32_COLUMNS)
        for (int m = 0, rows, from, to; m < BLOCK; m += rows) {
            rows = f32_step(BLOCK - m);
            seen_by(s, m, rows, &from, &to);
            if (from < to)
                f32_rows_by_step(c + m*H + n, H, p + m*BLOCK + from, BLOCK, 1, x + from*H + n, H, to - from, rows, 1);
        }
}

static void f32_to_queries(const seen *s, float *c, const float *p, const float *keys, int64_t H)
{
    for (int64_t n = 0; n < H; n += F32_COLUMNS)
        for (int m = 0, rows, from, to; m < BLOCK; m += rows) {
            rows = f32_step(BLOCK - m);
            seen_of(s, m, rows, &from, &to);
            if (from < to)
                f32_rows_by_step(c + m*H + n, H, p + from*BLOCK + m, 1, BLOCK, keys + from*H + n, H, to - from, rows, 1);
        }
}

enum { f32_plain = 1 };             // one layout serves for rows of all factors, and p may take the place of its scores

// y[i][j] = c[i][j] * factor[i]
INLINE void f32_store_queries(void *y, int64_t at, int64_t ldy, int64_t rows, int64_t columns, const float *c, int64_t H,
    const float *factor, const int h)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j += LANES)
            v_put_n(y, at + i*ldy + j, v_mul(v_load(c + i*H + j), v_set(factor[i])), V_WIDTH(j, columns), h);
}

static void f32_scale_queries(float *c, int64_t H, const float *factor)
{
    for (int64_t i = 0; i < BLOCK; i++)
        for (int64_t j = 0; j < H; j += LANES)
            v_store(c + i*H + j, v_mul(v_load(c + i*H + j), v_set(factor[i])));
}

#if BF16_PRODUCTS
// In whole blocks of a product: BF16_ROWS rows, 32 columns, 32 of the sum.
static void bf16_score(const seen *s, float *c, const uint16_t *keys, const uint16_t *queries, int64_t H)
{
    for (int n = 0, from, to; n < BLOCK; n += 32) {
        seen_of(s, n, 32, &from, &to);
        from = from / BF16_ROWS * BF16_ROWS, to = (int)round_up(to, BF16_ROWS);
        if (from < to)
            bf16_product(c + from*BLOCK + n, BLOCK, keys + from*H, H, queries + 2*n, BLOCK, to - from, 32, H, false);
    }
}

static void bf16_to_keys(const seen *s, float *c, const uint16_t *p, const uint16_t *x, int64_t H)
{
    const int rows = s->whole ? BLOCK : BF16_ROWS;
    for (int m = 0, from, to; m < BLOCK; m += rows) {
        seen_by(s, m, rows, &from, &to);
        from = from / 32 * 32, to = (int)round_up(to, 32);
        if (from < to)
            bf16_product(c + m*H, H, p + m*BLOCK + from, BLOCK, x + from*H, H, rows, H, to - from, true);
    }
}

static void bf16_to_queries(const seen *s, float *c, const uint16_t *p, const uint16_t *keys, int64_t H)
{
    for (int n = 0, from, to; n < BLOCK; n += 32) {
        seen_of(s, n, 32, &from, &to);
        from = from / 32 * 32, to = (int)round_up(to, 32);
        if (from < to)
            bf16_product(c + n, BLOCK, keys + from, BLOCK, p + from*BLOCK + 2*n, BLOCK, H, 32, to - from, true);
    }
}

enum { bf16_plain = 0 };

// Squares are turned, 16 rows of y at a time.
INLINE void bf16_store_queries(void *y, int64_t at, int64_t ldy, int64_t rows, int64_t columns, const float *c, int64_t H,
    const float *factor, const int h)
{
    (void)H;
    for (int64_t i = 0; i < rows; i += LANES)
        for (int64_t j = 0; j < columns; j += LANES) {
            vec square[LANES];
            for (int l = 0; l < LANES; l++)
                square[l] = v_mul(v_load(c + (j + l)*BLOCK + i), v_load(factor + i));
            v_turn(square);
            for (int l = 0; l < LANES && i + l < rows; l++)
                v_put_n(y, at + (i + l)*ldy + j, square[l], V_WIDTH(j, columns), h);
        }
}

static void bf16_scale_queries(float *c, int64_t H, const float *factor)
{
    for (int64_t j = 0; j < H; j++)
        for (int64_t g = 0; g < BLOCK; g += LANES)
            v_store(c + j*BLOCK + g, v_mul(v_load(c + j*BLOCK + g), v_load(factor + g)));
}
#endif
