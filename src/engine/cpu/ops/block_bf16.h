// Products of small blocks in BF16, summed in float32; the same functions as block_f32.h.
//     a   [M][lda]        rows, as they are, or in squares of 32 x 32
//     b   [K/2][ldb][2]   rows 2k and 2k + 1 interleaved, as the instructions want them
// M is a multiple of BF16_ROWS, N and K of 32.

typedef uint16_t bf16_elem;

#if AMX
enum { BF16_ROWS = 32 };

// Four tiles of 16 x 16 sums, two of rows of a, two of b.
static inline void bf16_begin(void)
{
    static const struct { uint8_t palette, start, reserved[14]; uint16_t bytes[16]; uint8_t rows[16]; } __attribute__((packed))
    tiles = { 1, 0, {0}, { 64, 64, 64, 64, 64, 64, 64, 64 }, { 16, 16, 16, 16, 16, 16, 16, 16 } };
    _tile_loadconfig(&tiles);
}

static inline void bf16_end(void) { _tile_release(); }

static void bf16_product_of(float *c, int64_t ldc, const uint16_t *a, int64_t lda, int64_t step, int64_t down,
    const uint16_t *b, int64_t ldb,
                            int64_t M, int64_t N, int64_t K, bool add)
{
    for (int64_t n = 0; n < N; n += 32)
        for (int64_t m = 0; m < M; m += 32) {
            float *to = c + m*ldc + n;
            if (add) {
                _tile_loadd(0, to, ldc*4);
                _tile_loadd(1, to + 16, ldc*4);
                _tile_loadd(2, to + 16*ldc, ldc*4);
                _tile_loadd(3, to + 16*ldc + 16, ldc*4);
            } else {
                _tile_zero(0);
                _tile_zero(1);
                _tile_zero(2);
                _tile_zero(3);
            }
            const char *next = (const char *)(to + 32*ldc);         // the sums after these, on their way meanwhile
            const uint16_t *left = a + m/32*down;
            for (int64_t k = 0; k < K; k += 32, left += step) {
                for (int i = 0; i < 2 && m + 32 < M && k < 512; i++, next += ldc*4) {
                    _mm_prefetch(next, _MM_HINT_T0);
                    _mm_prefetch(next + 64, _MM_HINT_T0);
                }
                _tile_loadd(4, left, lda*2);
                _tile_loadd(6, b + k*ldb + 2*n, ldb*4);
                _tile_loadd(7, b + k*ldb + 2*n + 32, ldb*4);
                _tile_dpbf16ps(0, 4, 6);
                _tile_dpbf16ps(1, 4, 7);
                _tile_loadd(5, left + 16*lda, lda*2);
                _tile_dpbf16ps(2, 5, 6);
                _tile_dpbf16ps(3, 5, 7);
            }
            _tile_stored(0, to, ldc*4);
            _tile_stored(1, to + 16, ldc*4);
            _tile_stored(2, to + 16*ldc, ldc*4);
            _tile_stored(3, to + 16*ldc + 16, ldc*4);
        }
}
#else
static inline void bf16_begin(void) {}
static inline void bf16_end(void) {}

enum { BF16_ROWS = 8, BF16_MOST = 3 };

INLINE void bf16_micro(float *c, int64_t ldc, const uint16_t *a, int64_t lda, int64_t step, const uint16_t *b, int64_t ldb,
    int64_t K, const int vecs, const int add)
{
    __m512 sum[BF16_ROWS][BF16_MOST];
    for (int i = 0; i < BF16_ROWS; i++)
        for (int j = 0; j < vecs; j++)
            sum[i][j] = add ? v_load(c + i*ldc + j*LANES) : v_set(0);
    // Within a square addresses are a base and constants: 24 products to 37 instructions, four k a turn of the loop.
    for (int64_t square = 0; square < K; square += 32, a += step, b += 32*ldb)
        UNROLL_4 for (int64_t k = 0; k < 32; k += 2) {
            __m512bh row[BF16_MOST];
            for (int j = 0; j < vecs; j++)
                row[j] = (__m512bh)_mm512_loadu_si512(b + k*ldb + 2*LANES*j);
            for (int i = 0; i < BF16_ROWS; i++) {
                int32_t pair;
                memcpy(&pair, a + i*lda + k, sizeof pair);
                for (int j = 0; j < vecs; j++)
                    sum[i][j] = _mm512_dpbf16_ps(sum[i][j], (__m512bh)_mm512_set1_epi32(pair), row[j]);
            }
        }
    for (int i = 0; i < BF16_ROWS; i++)
        for (int j = 0; j < vecs; j++)
            v_store(c + i*ldc + j*LANES, sum[i][j]);
}

INLINE void bf16_columns(float *c, int64_t ldc, const uint16_t *a, int64_t lda, int64_t step, int64_t down, const uint16_t *b, int64_t ldb,
                         int64_t M, int64_t K, bool add, const int vecs)
{
    for (int64_t m = 0; m < M; m += BF16_ROWS)
        if (add)
            bf16_micro(c + m*ldc, ldc, a + m/32*down + m%32*lda, lda, step, b, ldb, K, vecs, 1);
        else
            bf16_micro(c + m*ldc, ldc, a + m/32*down + m%32*lda, lda, step, b, ldb, K, vecs, 0);
}

// Three registers of columns where they go into N, else two: fewer loads and instructions for a product.
static void bf16_product_of(float *c, int64_t ldc, const uint16_t *a, int64_t lda, int64_t step, int64_t down,
    const uint16_t *b, int64_t ldb,
                            int64_t M, int64_t N, int64_t K, bool add)
{
    if (N % (3*LANES) == 0)
        for (int64_t n = 0; n < N; n += 3*LANES)
            bf16_columns(c + n, ldc, a, lda, step, down, b + 2*n, ldb, M, K, add, 3);
    else
        for (int64_t n = 0; n < N; n += 2*LANES)
            bf16_columns(c + n, ldc, a, lda, step, down, b + 2*n, ldb, M, K, add, 2);
}
#endif

static void bf16_product(float *c, int64_t ldc, const uint16_t *a, int64_t lda, const uint16_t *b, int64_t ldb,
                         int64_t M, int64_t N, int64_t K, bool add)
{
    bf16_product_of(c, ldc, a, lda, 32, 32*lda, b, ldb, M, N, K, add);
}

// Element (k, n) of b begins here; k is even.
static inline uint16_t *bf16_b_at(uint16_t *b, int64_t ldb, int64_t k, int64_t n) { return b + k*ldb + 2*n; }

// 16 pairs: x in the low halves, y in the high ones.
static inline __m512i bf16_pairs(__m256i x, __m256i y)
{
    return _mm512_or_si512(_mm512_cvtepu16_epi32(x), _mm512_slli_epi32(_mm512_cvtepu16_epi32(y), 16));
}

static inline void bf16_put_pair(uint16_t *b, int64_t ldb, int64_t k, int64_t n, vec x, vec y)
{
    _mm512_storeu_si512(b + k*ldb + 2*n, bf16_pairs(v_half(x), v_half(y)));
}

static inline void bf16_put_row(uint16_t *a, int64_t i, vec x) { v_store_h(a + i, x); }

// 32 elements of a row of x; zeros past `columns` and `rows`.
static inline __m512i bf16_32(const uint16_t *x, int64_t ldx, int64_t rows, int64_t columns, int64_t i, int64_t k)
{
    if (i >= rows || k >= columns)
        return _mm512_setzero_si512();
    int64_t n = MIN(32, columns - k);
    return _mm512_maskz_loadu_epi16((__mmask32)(n == 32 ? ~0u : (1u << n) - 1), x + i*ldx + k);
}

static inline __m256i bf16_16(const uint16_t *x, int64_t ldx, int64_t rows, int64_t columns, int64_t i, int64_t k)
{
    if (i >= rows || k >= columns)
        return _mm256_setzero_si256();
    return _mm256_maskz_loadu_epi16(v_first(V_WIDTH(k, columns)), x + i*ldx + k);
}

// a[i][k] = x[i][k]
static void bf16_a_rows_of(uint16_t *a, int64_t lda, int64_t step, const void *x, int64_t ldx, int64_t rows, int64_t columns,
    int64_t M, int64_t K, int h)
{
    (void)h;
    for (int64_t i = 0; i < M; i++)
        for (int64_t k = 0; k < K; k += 32)
            _mm512_storeu_si512(a + i*lda + k/32*step, bf16_32(x, ldx, rows, columns, i, k));
}

// b(k, n) = x[k][n]
static void bf16_b_rows(uint16_t *b, int64_t ldb, const void *x, int64_t ldx, int64_t rows, int64_t columns, int64_t K, int64_t N, int h)
{
    (void)h;
    for (int64_t k = 0; k < K; k += 2)
        for (int64_t n = 0; n < N; n += LANES)
            _mm512_storeu_si512(b + k*ldb + 2*n, bf16_pairs(bf16_16(x, ldx, rows, columns, k, n), bf16_16(x, ldx, rows,
                columns, k + 1, n)));
}

// b(k, n) = x[n][k]: pairs stay together, so this turns squares of 16 x 16 pairs.
static void bf16_b_cols(uint16_t *b, int64_t ldb, const void *x, int64_t ldx, int64_t rows, int64_t columns, int64_t N, int64_t K, int h)
{
    (void)h;
    for (int64_t n = 0; n < N; n += LANES)
        for (int64_t k = 0; k < K; k += 32) {
            vec square[LANES];
            for (int l = 0; l < LANES; l++)
                square[l] = _mm512_castsi512_ps(bf16_32(x, ldx, rows, columns, n + l, k));
            v_turn(square);
            for (int l = 0; l < LANES; l++)
                _mm512_storeu_ps(b + (k + 2*l)*ldb + 2*n, square[l]);
        }
}

// a[m][k] = x[k][m]: interleave rows of x, then turn the squares.
static void bf16_a_cols_of(uint16_t *a, int64_t lda, int64_t step, const void *x, int64_t ldx, int64_t rows, int64_t columns,
    int64_t K, int64_t M, int h)
{
    (void)h;
    for (int64_t m = 0; m < M; m += LANES)
        for (int64_t k = 0; k < K; k += 32) {
            vec square[LANES];
            for (int l = 0; l < LANES; l++)
                square[l] = _mm512_castsi512_ps(bf16_pairs(bf16_16(x, ldx, rows, columns, k + 2*l, m),
                                                           bf16_16(x, ldx, rows, columns, k + 2*l + 1, m)));
            v_turn(square);
            for (int l = 0; l < LANES; l++)
                _mm512_storeu_ps(a + (m + l)*lda + k/32*step, square[l]);
        }
}

#define bf16_a_rows(a, lda, ...) bf16_a_rows_of(a, lda, 32, __VA_ARGS__)
#define bf16_a_cols(a, lda, ...) bf16_a_cols_of(a, lda, 32, __VA_ARGS__)
