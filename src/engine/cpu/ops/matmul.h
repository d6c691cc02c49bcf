// Matrix products: y = a b, a b^T or a^T b of any sizes and types. Factors are packed once, by all threads, in
// chunks that fit the caches; then tiles of y are made, each sum in the same order whatever the threads.

enum { MM_ROWS = 256, MM_COLUMNS = 768, MM_CHUNK = 4096, MM_DEEP = 2048 };

typedef struct mm {                 // a product being computed
    const task *t;
    int64_t M, N, K;
    bool a_turned, b_turned;        // a is stored [K][M]; b is stored [N][K]
    bool add;
    int64_t m0, n0, k0, mc, nc, kc; // the chunk at hand
    int64_t kp, lda;                // kc in whole blocks; between rows of the packed a
    int64_t tile_n, tiles_n;
    void *a, *b;                    // packed
    float *sums;                    // by thread: 32 columns of a tile of y, where y is not written directly
} mm;

// The largest chunks: all of K when y is BF16, so that it is rounded once.
static void mm_chunks(mm *p, const call *c, bool y_bf16)
{
    p->M = c->dim['m' - 'a'], p->N = c->dim['n' - 'a'], p->K = c->dim['k' - 'a'];
    p->kc = y_bf16 || p->K <= MM_DEEP ? p->K : MM_DEEP;
    int64_t most = MAX(MM_ROWS, MIN(MM_CHUNK, ((int64_t)1 << 23) / p->kc / 32 * 32));
    p->mc = MIN(p->M, most);
    p->nc = MIN(p->N, most);
}

static int64_t mm_a_bytes(const mm *p, int64_t size) { return round_up(round_up(p->mc, 32) * (round_up(p->kc, 32) + 32) * size, 64); }
static int64_t mm_b_bytes(const mm *p, int64_t size) { return round_up(round_up(p->nc, 32) * round_up(p->kc, 32) * size, 64); }

static int64_t room_matmul(const call *c, int threads)
{
    mm p;
    mm_chunks(&p, c, true);         // not knowing y's type: the larger of both
    int64_t with_bf16 = mm_a_bytes(&p, 4) + mm_b_bytes(&p, 4);
    mm_chunks(&p, c, false);
    return MAX(with_bf16, mm_a_bytes(&p, 4) + mm_b_bytes(&p, 4)) + (int64_t)threads * MM_ROWS * 32 * 4;
}

INLINE void mm_finish_row(const mm *p, int64_t i, int64_t n, int64_t columns, const float *sums, bool add, const int h)
{
    for (int64_t j = 0; j < columns; j += LANES) {
        const int64_t width = V_WIDTH(j, columns), at = i * p->N + n + j;
        vec y = v_load(sums + j);
        v_put_n(p->t->at[0], at, add ? v_add(v_get_n(p->t->at[0], at, width, h), y) : y, width, h);
    }
}

#define E(name) f32_##name
#define MM_STRIP 256
#include "engine/cpu/ops/matmul_body.h"
#undef MM_STRIP
#undef E
#if BF16_PRODUCTS
#define E(name) bf16_##name
#define MM_STRIP 640
#include "engine/cpu/ops/matmul_body.h"
#undef MM_STRIP
#undef E
#endif

static void run_mm(const task *t, bool a_turned, bool b_turned)
{
    mm p = { .t = t, .a_turned = a_turned, .b_turned = b_turned };
    mm_chunks(&p, t->c, t->bf16[0]);
#if BF16_PRODUCTS
    if (t->bf16[1] && t->bf16[2]) {
        bf16_matmul(&p);
        return;
    }
#endif
    f32_matmul(&p);
}

static void run_matmul(const task *t)    { run_mm(t, false, false); }
static void run_matmul_nt(const task *t) { run_mm(t, false, true); }
static void run_matmul_tn(const task *t) { run_mm(t, true, false); }

#define k_matmul    { run_matmul, room_matmul }
#define k_matmul_nt { run_matmul_nt, room_matmul }
#define k_matmul_tn { run_matmul_tn, room_matmul }
