// Products y = a b^T with few rows of a: a step of generation, or a chunk of a prompt. Every row of b is read once, where it lies;
// nothing is packed. With one row of a it is a matter of memory: BF16 weights take half the time of F32 ones. A few are multiplied on
// the way, four at a time. Of more, blocks of a's rows meet blocks of b's, which wait in the nearest cache, widened.
// Each sum is made in one order, whatever the tiles and however many rows there are.

enum { GEMV_TILE = 32768,           // elements of b to a tile
       GEMV_FEW = 8,                // rows of a that are a few
       GEMV_NEAR = 6144,            // elements of b that wait for all rows of a …
       GEMV_ROWS = 16,              // … and rows of it, at most
       LANE_PARTS = LANES / LANE,
       GEMV_A = LANE_PARTS == 1 ? 4 : 3, GEMV_B = LANE_PARTS == 1 ? 4 : REGISTERS / LANE_PARTS / 4 };  // a block: its sums are registers

INLINE void gemv_put(const task *t, int64_t at, float sum)
{
    float *y = (float *)t->at[0] + at, add = 0;
    uint16_t *half = (uint16_t *)t->at[0] + at;
    if (t->c->mode == ADD)
        add = t->bf16[0] ? bf16_to_float(*half) : *y;
    if (t->bf16[0])
        *half = bf16_from_float(add + sum);
    else
        *y = add + sum;
}

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
        for (int j = 0; j < rows; j++)
            gemv_put(t, (m + i)*N + n + j, v_sum(sum[i][j]));
}

// Rows of b that are near, where they begin in b, and what memory has to be asked for meanwhile: the rows after them.
typedef struct near_rows {
    const void *at;
    int64_t first, count;
    const char *next;
    int64_t next_bytes;
    float (*lanes)[LANES];          // sums before their lanes are added up, [rows of a][count]
} near_rows;

// What is left of the rows behind their vecs: row m of a with the j-th near one of b.
INLINE void gemv_end(const task *t, const near_rows *b, int64_t m, int64_t j, float lanes[LANES], const int x_half, const int w_as)
{
    const int64_t K = SIZE(k), whole = K / LANES * LANES;
    const vec x = v_get_n(t->at[1], m*K + whole, (int)(K - whole), x_half), w = v_get_n(b->at, j*K + whole, (int)(K - whole), w_as);
    v_store(lanes, v_fma(x, w, v_load(lanes)));
}

// `count` rows of a from m on with `rows` of b from the j-th near one on: both constants.
INLINE void gemv_block(const task *t, const near_rows *b, int64_t m, int64_t j, const int count, const int rows, const int x_half,
                       const int w_as)
{
    const int64_t K = SIZE(k);
    lane sum[GEMV_A][GEMV_B][LANE_PARTS];
    UNROLL for (int i = 0; i < count; i++)
        UNROLL for (int r = 0; r < rows; r++)
            UNROLL for (int l = 0; l < LANE_PARTS; l++)
                sum[i][r][l] = l_set(0);
    for (int64_t k = 0; k + LANES <= K; k += LANES)
        UNROLL for (int l = 0; l < LANE_PARTS; l++) {
            lane w[GEMV_B];
            UNROLL for (int r = 0; r < rows; r++)
                w[r] = l_get(b->at, (j + r)*K + k + l*LANE, w_as);
            UNROLL for (int i = 0; i < count; i++) {
                const lane x = l_held(l_get(t->at[1], (m + i)*K + k + l*LANE, x_half));
                UNROLL for (int r = 0; r < rows; r++)
                    sum[i][r][l] = l_fma(x, w[r], sum[i][r][l]);
            }
        }
    float (*lanes)[LANES] = b->lanes + j;
    const int64_t next = b->count;
    UNROLL for (int i = 0; i < count; i++)
        UNROLL for (int r = 0; r < rows; r++)
            UNROLL for (int l = 0; l < LANE_PARTS; l++)
                l_store(lanes[i*next + r] + l*LANE, sum[i][r][l]);
    for (int i = 0; i < count && K % LANES; i++)        // apart: within the loops above it would keep sums from being registers
        for (int r = 0; r < rows; r++)
            gemv_end(t, b, m + i, j + r, lanes[i*next + r], x_half, w_as);
}

// LANE sums of lanes at once, each in the order of v_sum: halves are added until a register is left, the rest as columns.
INLINE void gemv_sums(float (*lanes)[LANES], float out[LANE])
{
    lane r[LANE];
    UNROLL for (int i = 0; i < LANE; i++) {
        lane part[LANE_PARTS];
        UNROLL for (int l = 0; l < LANE_PARTS; l++)
            part[l] = l_load(lanes[i] + l*LANE);
        UNROLL for (int half = LANE_PARTS / 2; half; half /= 2)
            UNROLL for (int l = 0; l < half; l++)
                part[l] = l_add(part[l], part[l + half]);
        r[i] = part[0];
    }
    l_turn(r);
    UNROLL for (int half = LANE / 2; half; half /= 2)
        UNROLL for (int i = 0; i < half; i++)
            r[i] = l_add(r[i], r[i + half]);
    l_store(out, r[0]);
}

INLINE void gemv_some(const task *t, const near_rows *b, int64_t m, const int count, const int x_half, const int w_as)
{
    float sums[GEMV_A * GEMV_ROWS + LANE];
    int64_t j = 0;
    for (; j + GEMV_B <= b->count; j += GEMV_B)
        gemv_block(t, b, m, j, count, GEMV_B, x_half, w_as);
    for (; j < b->count; j++)
        gemv_block(t, b, m, j, count, 1, x_half, w_as);
    for (int64_t i = 0; i < count * b->count; i += LANE)
        gemv_sums(b->lanes + i, sums + i);
    for (int64_t i = 0; i < count; i++)
        for (j = 0; j < b->count; j++)
            gemv_put(t, (m + i)*SIZE(n) + b->first + j, sums[i*b->count + j]);
}

// All rows of a with the near ones of b. Each block asks for its share of what comes next.
INLINE void gemv_all(const task *t, const near_rows *b, const int x_half, const int w_as)
{
    const int64_t share = round_up(tiles_of(b->next_bytes, tiles_of(SIZE(m), GEMV_A)), 64);
    int64_t m = 0, asked = 0;
    for (; m + GEMV_A <= SIZE(m); m += GEMV_A) {
        for (const int64_t end = MIN(asked + share, b->next_bytes); asked < end; asked += 64)
            __builtin_prefetch(b->next + asked);
        gemv_some(t, b, m, GEMV_A, x_half, w_as);
    }
    for (; m + 2 <= SIZE(m); m += 2)
        gemv_some(t, b, m, 2, x_half, w_as);
    if (m < SIZE(m))
        gemv_some(t, b, m, 1, x_half, w_as);
}

INLINE void gemv_near(const task *t, int64_t begin, int64_t end, const int x_half, const int w_as)
{
    const int64_t K = SIZE(k), most = MIN(MAX(GEMV_NEAR / K / GEMV_B, 1) * GEMV_B, GEMV_ROWS), row = K * (w_as == AS_BF16 ? 2 : 4);
    _Alignas(64) float widened[GEMV_NEAR], lanes[GEMV_A * GEMV_ROWS + LANE][LANES] = {0};
    for (int64_t n = begin; n < end; n += most) {
        const int64_t count = MIN(most, end - n), after = n + count;
        near_rows b = { (const char *)t->at[2] + n*row, n, count, (const char *)t->at[2] + after*row, MIN(most, end - after) * row, lanes };
        if (w_as == AS_F32 || b.count * K > GEMV_NEAR) {       // a row so long is read as it is
            gemv_all(t, &b, x_half, w_as);
            continue;
        }
        copy_part(widened, b.at, 0, b.count * K, 0, w_as);
        b.at = widened;
        gemv_all(t, &b, x_half, AS_F32);
    }
}

// One row of a: four of b at a time.
INLINE void gemv_typed(const task *t, int64_t begin, int64_t end, const int x_half, const int w_as)
{
    const int64_t M = SIZE(m);
    int64_t n = begin;
    if (M > GEMV_FEW) {
        gemv_near(t, begin, end, x_half, w_as);
        return;
    }
    for (; M == 1 && n + 4 <= end; n += 4)
        gemv_rows(t, 0, n, 4, 1, x_half, w_as);
    for (; n < end; n++) {
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
