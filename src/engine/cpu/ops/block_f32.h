// Products of small blocks in float32, and the packing of what attention multiplies: c = a b or c += a b. Sums are
// made in registers, from zero: c, which may be large, is added in the end, so that less is lost.
//     a   [M][lda]    rows, as they are
//     b   [K][ldb]    rows; in block_bf16.h pairs of rows interleaved
// M, N and K are multiples of 32; `rows` are those that exist, the rest is filled with zeros.

typedef float f32_elem;

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(SANITIZED) || defined(__SANITIZE_ADDRESS__)
#define UNROLL                              // checks in every turn: minutes to compile, and nothing won
#define UNROLL_4
#elif defined(__clang__)
#define UNROLL _Pragma("unroll")
#define UNROLL_4 _Pragma("unroll 4")
#else
#define UNROLL _Pragma("GCC unroll 16")     // early enough that arrays of sums become registers
#define UNROLL_4 _Pragma("GCC unroll 4")
#endif

INLINE void f32_turn(lane sum[8][8], const float *const a[8], int64_t k, const float *b, const int rows, const int vecs)
{
    lane row[8];
    UNROLL for (int j = 0; j < vecs; j++)
        row[j] = l_load(b + j*LANE);
    UNROLL for (int i = 0; i < rows; i++) {
        const lane x = l_set(a[i][k]);
        UNROLL for (int j = 0; j < vecs; j++)
            l_fma_into(&sum[i][j], x, row[j]);
    }
}

// rows x (vecs * LANE) of c. Element (i, k) of a is a[i*ra + k*ka]. Four k a turn: another thread on the same core takes places of
// instructions, and then those that only count are missed.
INLINE void f32_micro(float *c, int64_t ldc, const float *a, int64_t ra, const int64_t ka, const float *b, int64_t ldb, int64_t K,
                      const int rows, const int vecs, const int add)
{
    enum { AT_ONCE = 4 };
    lane sum[8][8];
    int64_t k = 0;
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int j = 0; j < vecs; j++)
            sum[i][j] = l_set(0);
    UNROLL for (int i = 0; i < rows; i++) {
        __builtin_prefetch(c + i*ldc);
        __builtin_prefetch(c + i*ldc + vecs*LANE - 1);
    }
    const float *at[8];
    UNROLL for (int i = 0; i < rows; i++) {
        at[i] = a + i*ra;
        __asm__("" : "+r"(at[i]));              // else the compiler keeps a sum of both for every place of the turn, in memory
    }
    for (; k + AT_ONCE <= K; k += AT_ONCE, b += AT_ONCE * ldb)
        UNROLL for (int u = 0; u < AT_ONCE; u++)
            f32_turn(sum, at, (k + u)*ka, b + u*ldb, rows, vecs);
    for (; k < K; k++, b += ldb)
        f32_turn(sum, at, k*ka, b, rows, vecs);
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int j = 0; j < vecs; j++)
            l_store(c + i*ldc + j*LANE, add ? l_add(l_load(c + i*ldc + j*LANE), sum[i][j]) : sum[i][j]);
}

enum { F32_ROWS = REGISTERS == 32 ? 8 : 6, F32_VECS = 2, F32_COLUMNS = F32_VECS * LANE };

static inline void f32_begin(void) {}
static inline void f32_end(void) {}

// Rows k and k + 1 of b, 16 columns from n.
static inline void f32_put_pair(float *b, int64_t ldb, int64_t k, int64_t n, vec x, vec y)
{
    v_store(b + k*ldb + n, x);
    v_store(b + (k + 1)*ldb + n, y);
}

static inline void f32_put_row(float *a, int64_t i, vec x) { v_store(a + i, x); }

// a[i][k] = x[i][k], which is b too.
INLINE void f32_rows(float *a, int64_t lda, const void *x, int64_t ldx, int64_t rows, int64_t columns, int64_t M, int64_t K, const int h)
{
    for (int64_t i = 0; i < M; i++)
        for (int64_t k = 0; k < K; k += LANES)
            v_store(a + i*lda + k, i < rows && k < columns ? v_get_n(x, i*ldx + k, V_WIDTH(k, columns), h) : v_set(0));
}

// a[k][i] = x[i][k]; x has `rows` rows (of M) and `columns` columns (of K).
INLINE void f32_turned(float *a, int64_t lda, const void *x, int64_t ldx, int64_t rows, int64_t columns, int64_t M, int64_t K, const int h)
{
    for (int64_t i = 0; i < M; i += LANES)
        for (int64_t k = 0; k < K; k += LANES) {
            vec square[LANES];
            for (int l = 0; l < LANES; l++)
                square[l] = i + l < rows && k < columns ? v_get_n(x, (i + l)*ldx + k, V_WIDTH(k, columns), h) : v_set(0);
            v_turn(square);
            for (int l = 0; l < LANES; l++)
                v_store(a + (k + l)*lda + i, square[l]);
        }
}

#define f32_a_rows  f32_rows
#define f32_a_cols  f32_turned
#define f32_b_rows  f32_rows
#define f32_b_cols  f32_turned
