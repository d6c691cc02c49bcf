// Products of small blocks in float32, and the packing of what they multiply: c = a b or c += a b.
//     a   [M][lda]    rows, as they are; or in squares of 32 x 32: `step` elements from one to the next along k,
//                     `down` to the 32 rows below (rows: step 32, down 32 lda)
//     b   [K][ldb]    rows; in block_bf16.h pairs of rows interleaved
// M, N and K are multiples of 32; `rows` are those that exist, the rest is filled with zeros.

typedef float f32_elem;

#if defined(__AVX512F__)
enum { F32_ROWS = 8, F32_VECS = 2 };
#else
enum { F32_ROWS = 4, F32_VECS = 1 };
#endif

INLINE void f32_micro(float *c, int64_t ldc, const float *a, int64_t lda, int64_t step, const float *b, int64_t ldb,
    int64_t K, const int add)
{
    vec sum[F32_ROWS][F32_VECS];
    for (int i = 0; i < F32_ROWS; i++)
        for (int j = 0; j < F32_VECS; j++)
            sum[i][j] = v_set(0);              // y, which may be large, is added in the end: less is lost
    for (int64_t k = 0; k < K; k += 32, a += step)
        for (int l = 0; l < 32; l++) {
            vec row[F32_VECS];
            for (int j = 0; j < F32_VECS; j++)
                row[j] = v_load(b + (k + l)*ldb + j*LANES);
            for (int i = 0; i < F32_ROWS; i++)
                for (int j = 0; j < F32_VECS; j++)
                    sum[i][j] = v_fma(v_set(a[i*lda + l]), row[j], sum[i][j]);
        }
    for (int i = 0; i < F32_ROWS; i++)
        for (int j = 0; j < F32_VECS; j++)
            v_store(c + i*ldc + j*LANES, add ? v_add(v_load(c + i*ldc + j*LANES), sum[i][j]) : sum[i][j]);
}

static void f32_product_of(float *c, int64_t ldc, const float *a, int64_t lda, int64_t step, int64_t down, const float *b, int64_t ldb,
                           int64_t M, int64_t N, int64_t K, bool add)
{
    for (int64_t n = 0; n < N; n += F32_VECS * LANES)
        for (int64_t m = 0; m < M; m += F32_ROWS)
            if (add)
                f32_micro(c + m*ldc + n, ldc, a + m/32*down + m%32*lda, lda, step, b + n, ldb, K, 1);
            else
                f32_micro(c + m*ldc + n, ldc, a + m/32*down + m%32*lda, lda, step, b + n, ldb, K, 0);
}

static void f32_product(float *c, int64_t ldc, const float *a, int64_t lda, const float *b, int64_t ldb,
                        int64_t M, int64_t N, int64_t K, bool add)
{
    f32_product_of(c, ldc, a, lda, 32, 32*lda, b, ldb, M, N, K, add);
}

static inline void f32_begin(void) {}
static inline void f32_end(void) {}

// Element (k, n) of b begins here.
static inline float *f32_b_at(float *b, int64_t ldb, int64_t k, int64_t n) { return b + k*ldb + n; }

// Rows k and k + 1 of b, 16 columns from n.
static inline void f32_put_pair(float *b, int64_t ldb, int64_t k, int64_t n, vec x, vec y)
{
    v_store(b + k*ldb + n, x);
    v_store(b + (k + 1)*ldb + n, y);
}

static inline void f32_put_row(float *a, int64_t i, vec x) { v_store(a + i, x); }

// a[i][k] = x[i][k], which is b too.
INLINE void f32_rows(float *a, int64_t lda, int64_t step, const void *x, int64_t ldx, int64_t rows, int64_t columns,
    int64_t M, int64_t K, const int h)
{
    for (int64_t i = 0; i < M; i++)
        for (int64_t k = 0; k < K; k += LANES)
            v_store(a + i*lda + k/32*step + k%32, i < rows && k < columns ? v_get_n(x, i*ldx + k, V_WIDTH(k, columns), h) : v_set(0));
}

// a[k][i] = x[i][k]; x has `rows` rows (of M) and `columns` columns (of K).
INLINE void f32_turned(float *a, int64_t lda, int64_t step, const void *x, int64_t ldx, int64_t rows, int64_t columns,
    int64_t M, int64_t K, const int h)
{
    for (int64_t i = 0; i < M; i += LANES)
        for (int64_t k = 0; k < K; k += LANES) {
            vec square[LANES];
            for (int l = 0; l < LANES; l++)
                square[l] = i + l < rows && k < columns ? v_get_n(x, (i + l)*ldx + k, V_WIDTH(k, columns), h) : v_set(0);
            v_turn(square);
            for (int l = 0; l < LANES; l++)
                v_store(a + (k + l)*lda + i/32*step + i%32, square[l]);
        }
}

#define f32_a_rows_of(...)       f32_rows(__VA_ARGS__)
#define f32_a_cols_of(...)       f32_turned(__VA_ARGS__)
#define f32_a_rows(a, lda, ...)  f32_rows(a, lda, 32, __VA_ARGS__)
#define f32_a_cols(a, lda, ...)  f32_turned(a, lda, 32, __VA_ARGS__)
#define f32_b_rows(b, ldb, ...)  f32_rows(b, ldb, 32, __VA_ARGS__)
#define f32_b_cols(b, ldb, ...)  f32_turned(b, ldb, 32, __VA_ARGS__)
