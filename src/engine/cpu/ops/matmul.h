// Matrix products: y = a b, a b^T or a^T b of any sizes and types. b is packed once, by all threads, in chunks; then
// tiles of y are made, each packing its rows of a, so that they are near when they are read again for every 32 columns
// of b. Each sum is made in the same order whatever the threads.

enum { MM_ROWS = 256, MM_CHUNK = 4096, MM_DEEP = 2048, MM_TILES = 8,
       MM_NEAR = 360 << 10 };        // elements of a tile's rows of a: they stay in a second-level cache

typedef struct mm {                 // a product being computed
    const task *t;
    int64_t M, N, K;
    bool a_turned, b_turned;        // a is stored [K][M]; b is stored [N][K]
    bool add;
    int64_t n0, k0, nc, kc;         // the chunk at hand
    int64_t kp;                     // kc in whole blocks
    int64_t tile_m, tile_n, tiles_n;
    void *b;                        // packed
    char *room;                     // by thread: a tile's rows of a, and 32 columns of y where it is not written directly
    int64_t thread_bytes;
} mm;

// The largest chunks: all of K when y is BF16, so that it is rounded once.
static void mm_chunks(mm *p, const call *c, bool y_bf16)
{
    p->M = c->dim['m' - 'a'], p->N = c->dim['n' - 'a'], p->K = c->dim['k' - 'a'];
    p->kc = y_bf16 || p->K <= MM_DEEP ? p->K : MM_DEEP;
    p->nc = MIN(p->N, MAX(MM_ROWS, MIN(MM_CHUNK, ((int64_t)1 << 23) / p->kc / 32 * 32)));
    const int64_t rows = MAX(96, MIN(MM_ROWS, MM_NEAR / p->kc / 32 * 32));
    p->tile_m = round_up(tiles_of(p->M, MAX(4, tiles_of(p->M, rows))), 32);
}

static int64_t mm_b_bytes(const mm *p, int64_t size)      { return round_up(round_up(p->nc, 32) * round_up(p->kc, 32) * size, 64); }
static int64_t mm_thread_bytes(const mm *p, int64_t size) { return p->tile_m * round_up(p->kc, 32) * size + p->tile_m * 32 * 4; }

static int64_t room_matmul(const call *c, int threads)
{
    mm p;
    mm_chunks(&p, c, true);         // not knowing y's type: the larger of both
    int64_t whole = mm_b_bytes(&p, 4) + threads * mm_thread_bytes(&p, 4);
    mm_chunks(&p, c, false);
    return MAX(whole, mm_b_bytes(&p, 4) + threads * mm_thread_bytes(&p, 4));
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
// Where BF16 is not multiplied natively, packing weights kept in it costs more than it gives up to a chunk of a prompt.
static void run_matmul_nt(const task *t)
{
    const bool widened = t->bf16[2] && !(BF16_PRODUCTS && t->bf16[1]);
    if (SIZE(m) <= (widened ? 4 * FEW_ROWS : FEW_ROWS))
        run_gemv(t);
    else
        run_mm(t, false, true);
}

static void run_matmul_tn(const task *t) { run_mm(t, true, false); }

#define k_matmul    { run_matmul, room_matmul }
#define k_matmul_nt { run_matmul_nt, room_matmul }
#define k_matmul_tn { run_matmul_tn, room_matmul }
