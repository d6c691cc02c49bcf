// Matrix products: y = a b, a b^T or a^T b of any sizes and types. b is packed once, by all threads, in chunks; then
// tiles of y are made. Each sum is made in the same order whatever the threads.

enum { MM_ROWS = 256, MM_CHUNK = 4096, MM_DEEP = 2048, MM_TILES = 8 };

typedef struct mm {                 // a product being computed
    const task *t;
    int64_t M, N, K;
    bool a_turned, b_turned;        // a is stored [K][M]; b is stored [N][K]
    bool add;
    int64_t n0, k0, nc, kc;         // the chunk at hand
    int64_t kp;                     // BF16: kc in whole blocks
    int64_t tile_m, tile_n, tiles_n;
    void *b;                        // packed
    char *room;                     // by thread: a tile's rows of a, and sums where y is not written directly
    int64_t thread_bytes;
} mm;

INLINE void mm_finish_row(const mm *p, int64_t i, int64_t n, int64_t columns, const float *sums, bool add, const int h)
{
    for (int64_t j = 0; j < columns; j += LANES) {
        const int64_t width = V_WIDTH(j, columns), at = i * p->N + n + j;
        vec y = v_load(sums + j);
        v_put_n(p->t->at[0], at, add ? v_add(v_get_n(p->t->at[0], at, width, h), y) : y, width, h);
    }
}

// Columns are cut to have enough tiles or to have `most` in one, and not below 192: a is packed again for each. How they are cut
// changes no sum, so it may depend on the threads.
static void mm_cut(mm *p, int64_t tiles_m, int64_t panel, int64_t most)
{
    const int64_t enough = tiles_of(MAX(MM_TILES, 2 * pool_threads(p->t->pool)), tiles_m);
    p->tile_n = round_up(tiles_of(p->nc, MAX(tiles_of(p->nc, most), MIN(enough, tiles_of(p->nc, 192)))), panel);
    p->tiles_n = tiles_of(p->nc, p->tile_n);
}

#include "engine/cpu/ops/matmul_f32.h"
#if BF16_PRODUCTS
#include "engine/cpu/ops/matmul_bf16.h"
#endif

// Types are not known here: the most of all.
static int64_t room_matmul(const call *c, int threads)
{
    int64_t most = 0;
    for (int y_bf16 = 0; y_bf16 < 2; y_bf16++) {
        mm p;
        f32_chunks(&p, c, y_bf16);
        most = MAX(most, round_up(f32_b_bytes(&p), 64) + threads * f32_thread_bytes(&p));
#if BF16_PRODUCTS
        bf16_chunks(&p, c, y_bf16);
        most = MAX(most, bf16_b_bytes(&p) + threads * bf16_thread_bytes(&p));
#endif
    }
    return most;
}

static void run_mm(const task *t, bool a_turned, bool b_turned)
{
    mm p = { .t = t, .a_turned = a_turned, .b_turned = b_turned };
#if BF16_PRODUCTS
    if (t->bf16[1] && t->bf16[2]) {
        bf16_chunks(&p, t->c, t->bf16[0]);
        bf16_matmul(&p);
        return;
    }
#endif
    f32_matmul(&p);
}

static void run_matmul(const task *t)    { run_mm(t, false, false); }
// Packing costs more than it gives up to a chunk of a prompt; where BF16 is multiplied natively, only up to a few rows.
static void run_matmul_nt(const task *t)
{
    const bool native = BF16_PRODUCTS && t->bf16[1] && t->bf16[2];
    if (SIZE(m) <= (native ? FEW_ROWS : SOME_ROWS) && !t->rounded[1])
        run_gemv(t);
    else
        run_mm(t, false, true);
}

static void run_matmul_tn(const task *t) { run_mm(t, true, false); }

#define k_matmul    { run_matmul, room_matmul }
#define k_matmul_nt { run_matmul_nt, room_matmul }
#define k_matmul_tn { run_matmul_tn, room_matmul }
