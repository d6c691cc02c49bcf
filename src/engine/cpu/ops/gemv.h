// Products y = a b^T with few rows of a: a step of generation. Every row of b is read once, where it lies, and multiplied with all rows
// of a on the way, four at a time; nothing is packed. With one row a matter of memory: BF16 weights take half the time of F32 ones.
// Each sum is made in one order, whatever the tiles.

enum { GEMV_TILE = 32768 };         // elements of b to a tile

// `rows` rows of b from n on, with `count` rows of a from m on: both constants, so that the sums stay in registers.
INLINE void gemv_rows(const task *t, int64_t m, int64_t n, const int rows, const int count, const int x_half, const int w_as)
{
    const int64_t K = SIZE(k), N = SIZE(n), whole = K / LANES * LANES, left = K - whole;
    vec sum[4][4];
    for (int i = 0; i < count; i++)
        for (int j = 0; j < rows; j++)
            sum[i][j] = v_set(0);
    for (int64_t k = 0; k < whole; k += LANES) {
        vec w[4];
        for (int j = 0; j < rows; j++) {
            w[j] = v_get(t->at[2], (n + j)*K + k, w_as);
            if (count == 1)         // two turns ahead: the processor's own prefetching ends with the page
                __builtin_prefetch((const char *)t->at[2] + ((n + j + 2*rows)*K + k) * (w_as == AS_BF16 ? 2 : 4));
        }
        for (int i = 0; i < count; i++) {
            const vec x = v_get(t->at[1], (m + i)*K + k, x_half);
            for (int j = 0; j < rows; j++)
                sum[i][j] = v_fma(x, w[j], sum[i][j]);
        }
    }
    for (int i = 0; i < count && left; i++) {
        const vec x = v_get_n(t->at[1], (m + i)*K + whole, (int)left, x_half);
        for (int j = 0; j < rows; j++)
            sum[i][j] = v_fma(x, v_get_n(t->at[2], (n + j)*K + whole, (int)left, w_as), sum[i][j]);
    }
    for (int i = 0; i < count; i++)
        for (int j = 0; j < rows; j++) {
            const int64_t at = (m + i)*N + n + j;
            float *y = (float *)t->at[0] + at, add = 0;
            uint16_t *half = (uint16_t *)t->at[0] + at;
            if (t->c->mode == ADD)
                add = t->bf16[0] ? bf16_to_float(*half) : *y;
            const float all = add + v_sum(sum[i][j]);
            if (t->bf16[0])
                *half = bf16_from_float(all);
            else
                *y = all;
        }
}

// A single row of a: four of b at a time.
INLINE void gemv_one(const task *t, int64_t begin, int64_t end, const int x_half, const int w_as)
{
    int64_t n = begin;
    for (; n + 4 <= end; n += 4)
        gemv_rows(t, 0, n, 4, 1, x_half, w_as);
    for (; n < end; n++)
        gemv_rows(t, 0, n, 1, 1, x_half, w_as);
}

INLINE void gemv_typed(const task *t, int64_t begin, int64_t end, const int x_half, const int w_as)
{
    const int64_t M = SIZE(m);
    if (M == 1) {
        gemv_one(t, begin, end, x_half, w_as);
        return;
    }
    for (int64_t n = begin; n < end; n++) {
        int64_t m = 0;
        for (; m + 4 <= M; m += 4)
            gemv_rows(t, m, n, 1, 4, x_half, w_as);
        for (; m < M; m++)
            gemv_rows(t, m, n, 1, 1, x_half, w_as);
    }
}

INLINE void gemv_f32(const task *t, int64_t begin, int64_t end, const int w_as)  { gemv_typed(t, begin, end, 0, w_as); }
INLINE void gemv_bf16(const task *t, int64_t begin, int64_t end, const int w_as) { gemv_typed(t, begin, end, 1, w_as); }

static void gemv_part(const task *t, int64_t begin, int64_t end)
{
    if (t->bf16[1])
        BY_READ(READ_AS(2), gemv_bf16, t, begin, end);
    else
        BY_READ(READ_AS(2), gemv_f32, t, begin, end);
}

static void run_gemv(const task *t) { in_parts(t, SIZE(n), round_up(tiles_of(GEMV_TILE, SIZE(k)), 4), gemv_part); }
