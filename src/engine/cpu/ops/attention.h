// Attention in blocks of 64 queries and 64 keys; blocks that are masked as a whole are never computed. Scores are
// held turned, [key][query], so that a vector's lanes are queries: the running maxima and sums of the softmax, the
// mask and the gradient's delta are then plain vector arithmetic, and the turned P is what the products want next.

enum { BLOCK = 64, GROUPS = BLOCK / LANES };

typedef struct attn {               // sizes, and what all tiles share
    const task *t;
    int64_t rows, seq, heads, kv_heads, size;
    int64_t S, H;                   // seq and size in whole blocks
    float scale;
    const void *qkv;
    int32_t *start, *index;         // [rows][S] of each query; [S]: 0, 1, 2 …
    char *keys, *values;            // forward: packed k [S][H] and turned v [H][S] of each row and kv head
    int64_t packed;                 // bytes of one of them
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
    return a;
}

static int64_t attn_shared_bytes(const attn *a) { return round_up(4 * a->rows * a->S, 64) + round_up(4 * a->S, 64); }

// Queries past the end see only themselves; their results are not stored.
static void attn_mask(attn *a, const int32_t *start, char **room)
{
    a->start = take(room, 4 * a->rows * a->S);
    a->index = take(room, 4 * a->S);
    for (int64_t i = 0; i < a->S; i++) {
        a->index[i] = (int32_t)i;
        for (int64_t r = 0; r < a->rows; r++)
            a->start[r*a->S + i] = i < a->seq ? start[r*a->seq + i] : (int32_t)i;
    }
}

// The first key block that some query of the block at q sees, and whether the whole block of keys at k is seen by all.
static int64_t attn_first(const attn *a, int64_t row, int64_t q)
{
    int32_t least = INT32_MAX;
    for (int64_t i = q; i < q + BLOCK; i++)
        least = MIN(least, a->start[row*a->S + i]);
    return least / BLOCK * BLOCK;
}

static bool attn_whole(const attn *a, int64_t row, int64_t q, int64_t k)
{
    if (k + BLOCK > q)
        return false;
    for (int64_t i = q; i < q + BLOCK; i++)
        if (a->start[row*a->S + i] > k)
            return false;
    return true;
}

// Which of 16 queries from q on see key k?
INLINE mask attn_seen(const attn *a, int64_t row, int64_t q, int64_t k)
{
    return v_both(v_at_most(a->start + row*a->S + q, (int32_t)k), v_at_least(a->index + q, (int32_t)k));
}

static int64_t attn_q_at(const attn *a, int64_t row,
    int64_t head)  { return row * a->seq * (a->heads + 2*a->kv_heads) * a->size + head * a->size; }
static int64_t attn_k_at(const attn *a, int64_t row, int64_t kv)    { return attn_q_at(a, row, a->heads + kv); }
static int64_t attn_v_at(const attn *a, int64_t row, int64_t kv)    { return attn_q_at(a, row, a->heads + a->kv_heads + kv); }
static int64_t attn_width(const attn *a)                            { return (a->heads + 2*a->kv_heads) * a->size; }

// x[i][j] = y[j][i] * factor[i] for i < rows, j < columns; y is [columns in whole vectors][ldy], 16 rows of x at a time.
INLINE void attn_turn_out(void *x, int64_t x_at, int64_t ldx, int64_t rows, int64_t columns, const float *y, int64_t ldy,
    const float *factor, const int h)
{
    for (int64_t i = 0; i < rows; i += LANES)
        for (int64_t j = 0; j < columns; j += LANES) {
            vec square[LANES];
            for (int l = 0; l < LANES; l++) {
                vec column = v_load(y + (j + l)*ldy + i);
                square[l] = factor ? v_mul(column, v_load(factor + i)) : column;
            }
            v_turn(square);
            for (int l = 0; l < LANES && i + l < rows; l++)
                v_put_n(x, x_at + (i + l)*ldx + j, square[l], V_WIDTH(j, columns), h);
        }
}

#define E(name) f32_##name
#include "engine/cpu/ops/attention_forward.h"
#include "engine/cpu/ops/attention_backward.h"
#undef E
#if BF16_PRODUCTS
#define E(name) bf16_##name
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

static void attn_delta_rows(const task *t, int64_t begin, int64_t end)
{
    const int64_t heads = SIZE(s), size = SIZE(o) / heads;
    for (int64_t i = begin * heads; i < end * heads; i++) {
        vec sum = v_set(0);
        for (int64_t j = 0; j < size; j += LANES) {
            const int64_t n = V_WIDTH(j, size);
            sum = v_fma(v_get_n(t->at[2], i*size + j, n, t->bf16[2]), v_get_n(t->at[4], i*size + j, n, t->bf16[4]), sum);
        }
        ((float *)t->at[1])[i] = v_sum(sum);
    }
}

static void run_attention_backward(const task *t)
{
    in_parts(t, SIZE(n), row_tile(SIZE(o)), attn_delta_rows);
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
    return attn_shared_bytes(&a) + 2 * a.rows * a.kv_heads * round_up(a.S * a.H * 4, 64) + threads * f32_forward_bytes(&a);
}

static int64_t room_attention_backward(const call *c, int threads)
{
    attn a = attn_sizes(c);
    return attn_shared_bytes(&a) + threads * f32_backward_bytes(&a);
}

#define k_attention          { run_attention, room_attention }
#define k_attention_backward { run_attention_backward, room_attention_backward }
