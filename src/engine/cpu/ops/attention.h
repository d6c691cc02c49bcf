// Attention in blocks of 64 queries and 64 keys; what is masked is left out, by whole blocks and by groups of 16 queries. Scores are
// held turned, [key][query], so that a vector's lanes are queries: the running maxima and sums of the softmax, the
// mask and the gradient's delta are then plain vector arithmetic, and the turned P is what the products want next.

enum { BLOCK = 64, GROUPS = BLOCK / LANES, ATTN_TILES = 32 };

typedef struct attn {               // sizes, and what all tiles share
    const task *t;
    int64_t rows, seq, heads, kv_heads, size;
    int64_t S, H;                   // seq and size in whole blocks
    int64_t blocks, parts;          // of the queries of a row; backward: a tile is one of so many parts of them
    float scale;
    const void *qkv;
    int32_t *start, *index;         // [rows][S] of each query; [S]: 0, 1, 2 …
    int32_t *least, *most;          // [rows][S/16]: of the starts of 16 queries
    char *keys, *values, *turned;   // packed k and v of each row and kv head, by blocks; keys turned, where these are wanted too
    int64_t packed;                 // bytes of one of them
    float *sums;                    // backward: dk and dv of each row, kv head and part
    char *room;                     // of the threads
    int64_t thread_bytes;
} attn;

static attn attn_sizes(const call *c)
{
    attn a = { .seq = (int64_t)c->number[1], .kv_heads = (int64_t)c->number[0], .scale = c->number[2] };
    const int64_t q = c->dim['q' - 'a'], o = c->dim['o' - 'a'];
    a.rows = c->dim['n' - 'a'] / a.seq;
    a.size = (q - o) / (2 * a.kv_heads);
    a.heads = o / a.size;
    a.S = round_up(a.seq, BLOCK);
    a.H = round_up(a.size, 32);
    a.blocks = a.S / BLOCK;
    a.parts = MIN(a.blocks, tiles_of(ATTN_TILES, a.rows * a.kv_heads));
    return a;
}

static int64_t attn_mask_bytes(const attn *a)
{
    return round_up(4 * a->rows * a->S, 64) + round_up(4 * a->S, 64) + 2 * round_up(4 * a->rows * a->S / LANES, 64);
}

// Queries past the end see only themselves; their results are not stored.
static void attn_mask(attn *a, const int32_t *start, char **room)
{
    a->start = take(room, 4 * a->rows * a->S);
    a->index = take(room, 4 * a->S);
    a->least = take(room, 4 * a->rows * a->S / LANES);
    a->most = take(room, 4 * a->rows * a->S / LANES);
    for (int64_t i = 0; i < a->S; i++)
        a->index[i] = (int32_t)i;
    for (int64_t r = 0; r < a->rows; r++)
        for (int64_t i = 0; i < a->S; i++) {
            const int64_t at = r*a->S + i;
            const int32_t first = a->start[at] = i < a->seq ? start[r*a->seq + i] : (int32_t)i;
            a->least[at / LANES] = i % LANES ? MIN(a->least[at / LANES], first) : first;
            a->most[at / LANES] = i % LANES ? MAX(a->most[at / LANES], first) : first;
        }
}

// The first key block that some query of the block at q sees.
static int64_t attn_first(const attn *a, int64_t row, int64_t q)
{
    const int32_t *least = a->least + (row*a->S + q) / LANES;
    return MIN(MIN(least[0], least[1]), MIN(least[2], least[3])) / BLOCK * BLOCK;
}

#include "engine/cpu/ops/attention_block.h"

// What the queries at q see of the keys at k.
static seen attn_seen(const attn *a, int64_t row, int64_t q, int64_t k)
{
    seen s = { .whole = true };
    for (int g = 0; g < GROUPS; g++) {
        const int64_t at = (row*a->S + q) / LANES + g, first = q + g*LANES;
        const int from = (int)MAX(0, a->least[at] - k) & ~1, to = (int)MIN(BLOCK, first + LANES - k);
        s.from[g] = from < to ? from : 0;
        s.to[g] = from < to ? to : 0;
        s.all[g] = a->most[at] <= k + from && first >= k + to - 1;
        s.whole = s.whole && s.all[g] && from == 0 && to == BLOCK;
    }
    return s;
}

// Which of 16 queries from q on see key k?
INLINE mask attn_sees(const attn *a, int64_t row, int64_t q, int64_t k)
{
    return v_both(v_at_most(a->start + row*a->S + q, (int32_t)k), v_at_least(a->index + q, (int32_t)k));
}

static int64_t attn_width(const attn *a) { return (a->heads + 2*a->kv_heads) * a->size; }
static int64_t attn_at(const attn *a, int64_t row, int64_t head) { return row * a->seq * attn_width(a) + head * a->size; }

// Backward: where a part of the queries begins, the first key that it sees, and its sums, dk then dv of the keys up to its end.
static int64_t attn_part(const attn *a, int64_t part) { return part * a->blocks / a->parts * BLOCK; }

static int64_t attn_part_first(const attn *a, int64_t row, int64_t part)
{
    int64_t first = a->S;
    for (int64_t q = attn_part(a, part); q < attn_part(a, part + 1); q += BLOCK)
        first = MIN(first, attn_first(a, row, q));
    return first;
}

static int64_t attn_sums_to(const attn *a, int64_t part)
{
    int64_t sum = 0;
    for (int64_t i = 1; i <= part; i++)
        sum += 2 * a->H * attn_part(a, i);
    return sum;
}

static float *attn_sums(const attn *a, int64_t of, int64_t part)
{
    return a->sums + of * attn_sums_to(a, a->parts) + attn_sums_to(a, part);
}

static int64_t attn_sums_bytes(const attn *a) { return 4 * a->rows * a->kv_heads * attn_sums_to(a, a->parts); }

// dk and dv of a block of keys: those of the parts that see it are added up in their order.
INLINE void attn_add_block(const attn *a, int64_t of, int64_t k, const int h)
{
    const int64_t row = of / a->kv_heads, head = a->heads + of % a->kv_heads, rows = MIN(BLOCK, a->seq - k), width = attn_width(a);
    const float *from[2][ATTN_TILES];
    int count = 0;
    for (int64_t part = 0; part < a->parts; part++)
        if (k < attn_part(a, part + 1) && k >= attn_part_first(a, row, part)) {
            from[0][count] = attn_sums(a, of, part) + k * a->H;
            from[1][count] = from[0][count] + attn_part(a, part + 1) * a->H;
            count++;
        }
    for (int side = 0; side < 2; side++)
        for (int64_t j = 0; j < rows; j++)
            for (int64_t n = 0; n < a->size; n += LANES) {
                vec sum = v_load(from[side][0] + j*a->H + n);
                for (int i = 1; i < count; i++)
                    sum = v_add(sum, v_load(from[side][i] + j*a->H + n));
                v_put_n(a->t->at[0], attn_at(a, row, head + side*a->kv_heads) + (k + j)*width + n, sum, V_WIDTH(n, a->size), h);
            }
}

static void attn_add_parts(void *self, int64_t i, int thread)
{
    const attn *a = self;
    (void)thread;
    BY_TYPE(a->t->bf16[0], attn_add_block, a, i / a->blocks, i % a->blocks * BLOCK);
}

// dout . out of a query's head.
INLINE float attn_delta(const attn *a, int64_t at, const int h)
{
    vec sum = v_set(0);
    for (int64_t j = 0; j < a->size; j += LANES) {
        const int64_t n = V_WIDTH(j, a->size);
        sum = v_fma(v_get_n(a->t->at[2], at + j, n, h), v_get_n(a->t->at[4], at + j, n, h), sum);
    }
    return v_sum(sum);
}

#define E(name) f32_##name
#include "engine/cpu/ops/attention_pack.h"
#include "engine/cpu/ops/attention_forward.h"
#include "engine/cpu/ops/attention_backward.h"
#undef E
#if BF16_PRODUCTS
#define E(name) bf16_##name
#include "engine/cpu/ops/attention_pack.h"
#include "engine/cpu/ops/attention_forward.h"
#include "engine/cpu/ops/attention_backward.h"
#undef E
#endif

static void run_attention(const task *t)
{
#if BF16_PRODUCTS
    if (t->bf16[0]) {
        bf16_attention(t);
        return;
    }
#endif
    f32_attention(t);
}

static void run_attention_backward(const task *t)
{
#if BF16_PRODUCTS
    if (t->bf16[0]) {
        bf16_attention_backward(t);
        return;
    }
#endif
    f32_attention_backward(t);
}

static int64_t room_attention(const call *c, int threads)
{
    attn a = attn_sizes(c);
    return attn_mask_bytes(&a) + 2 * a.rows * a.kv_heads * round_up(a.S * a.H * 4, 64) + threads * round_up(f32_forward_bytes(&a), 64);
}

// Three copies of keys and values in BF16 take less than two in float32.
static int64_t room_attention_backward(const call *c, int threads)
{
    attn a = attn_sizes(c);
    return attn_mask_bytes(&a) + 2 * a.rows * a.kv_heads * round_up(a.S * a.H * 4, 64) + attn_sums_bytes(&a) +
           threads * round_up(f32_backward_bytes(&a), 64);
}

#define k_attention          { run_attention, room_attention }
#define k_attention_backward { run_attention_backward, room_attention_backward }
