// Operations on all elements alike: set, copy, sumsq, clip_scale, adamw.

enum { FLAT = 1 << 16 };            // elements of a tile

INLINE void set_part(void *y, int64_t begin, int64_t end, float number, const int h)
{
    for (int64_t i = begin; i < end; i += LANES)
        v_put_n(y, i, v_set(number), V_WIDTH(i, end), h);
}

static void set_parts(const task *t, int64_t begin, int64_t end)
{
    if (t->c->number[0] == 0)
        memset((char *)t->at[0] + begin * (t->bf16[0] ? 2 : 4), 0, (size_t)((end - begin) * (t->bf16[0] ? 2 : 4)));
    else
        BY_TYPE(t->bf16[0], set_part, t->at[0], begin, end, t->c->number[0]);
}

static void run_set(const task *t) { in_parts(t, t->c->count, FLAT, set_parts); }

INLINE void copy_part(void *y, const void *x, int64_t begin, int64_t end, const int to, const int from)
{
    for (int64_t i = begin; i < end; i += LANES)
        v_put_n(y, i, v_get_n(x, i, V_WIDTH(i, end), from), V_WIDTH(i, end), to);
}

static void copy_parts(const task *t, int64_t begin, int64_t end)
{
    const int64_t size = t->bf16[0] ? 2 : 4;
    if (t->bf16[0] == t->bf16[1])
        memcpy((char *)t->at[0] + begin * size, (const char *)t->at[1] + begin * size, (size_t)((end - begin) * size));
    else if (t->bf16[0])
        copy_part(t->at[0], t->at[1], begin, end, 1, 0);
    else
        copy_part(t->at[0], t->at[1], begin, end, 0, 1);
}

static void run_copy(const task *t) { in_parts(t, t->c->count, FLAT, copy_parts); }

// In float32 over a few thousand elements, then in double, in their order.
static double sumsq_run(const float *x, int64_t begin, int64_t end)
{
    vec sum[4] = { v_set(0), v_set(0), v_set(0), v_set(0) };
    int64_t i = begin;
    for (; i + 4*LANES <= end; i += 4*LANES)
        for (int l = 0; l < 4; l++) {
            vec a = v_load(x + i + l*LANES);
            sum[l] = v_fma(a, a, sum[l]);
        }
    for (; i < end; i += LANES) {
        vec a = v_load_n(x + i, V_WIDTH(i, end));
        sum[0] = v_fma(a, a, sum[0]);
    }
    return (double)v_sum(v_add(v_add(sum[0], sum[1]), v_add(sum[2], sum[3])));
}

static void sumsq_parts(const task *t, int64_t begin, int64_t end)
{
    double sum = 0;
    for (int64_t i = begin; i < end; i += 4096)
        sum += sumsq_run(t->at[1], i, MIN(i + 4096, end));
    ((double *)t->room)[begin / FLAT] = sum;
}

static void run_sumsq(const task *t)
{
    double sum = 0;
    in_parts(t, t->c->count, FLAT, sumsq_parts);
    for (int64_t i = 0; i < tiles_of(t->c->count, FLAT); i++)
        sum += ((double *)t->room)[i];
    *(float *)t->at[0] += (float)sum;
}

static int64_t room_sumsq(const call *c, int threads)
{
    (void)threads;
    return tiles_of(c->count, FLAT) * (int64_t)sizeof(double);
}

static void run_grad_done(const task *t) { (void)t; }

static void run_clip_scale(const task *t)
{
    const float limit = *(float *)t->at[2], sumsq = *(float *)t->at[3], loss = *(float *)t->at[4];
    *(float *)t->at[0] = limit > 0 ? fminf(1, limit / sqrtf(sumsq)) : 1;
    *(float *)t->at[1] = isfinite(sumsq) && isfinite(loss);
}

// Random words for sixteen elements: of a tile's two, which its key and place gave, and the place within the tile. MurmurHash3's last
// steps, which spread every bit over all of a word. Whole numbers: the same on every instruction set.
INLINE void random_words(uint32_t out[LANES], const uint32_t tile[2], int64_t at)
{
    for (uint32_t i = 0; i < LANES; i++) {
        uint32_t x = tile[0] + ((uint32_t)at + i) * 0x9e3779b9u;
        x = (x ^ x >> 16) * 0x85ebca6bu ^ tile[1];
        x = (x ^ x >> 13) * 0xc2b2ae35u;
        out[i] = x ^ x >> 16;
    }
}

// To one of the two nearest BF16, by half of random words (shift 0 or 16): away from zero as often as x is near to that one.
INLINE vec v_rounded_by(vec x, const uint32_t words[LANES], const int shift)
{
    uint32_t b[LANES];
    memcpy(b, &x, sizeof b);
    for (int i = 0; i < LANES; i++)
        b[i] = (b[i] + (words[i] >> shift & 0xffff)) & 0xffff0000;
    memcpy(&x, b, sizeof x);
    return x;
}

static void adamw_key(const task *t, int64_t begin, uint32_t tile[2])
{
    const uint32_t *k = t->at[9], stream = (uint32_t)t->c->number[4];
    const uint64_t number = (uint64_t)(begin / FLAT);
    tile[0] = tile[1] = 0;
    if (k) {
        threefry2x32(k[0], k[1], stream, (uint32_t)(number >> 32), tile);
        threefry2x32(tile[0], tile[1], 0, (uint32_t)number, tile);
    }
}

INLINE void adamw_part(const task *t, int64_t begin, int64_t end, const int copied, const int m_half, const int v_half)
{
    float *w = t->at[0];
    void *m = t->at[1], *v = t->at[2];
    uint32_t tile[2];
    adamw_key(t, begin, tile);
    const float *dw = t->at[3], rate = *(float *)t->at[4];
    const float *beta = t->c->number;
    const vec c1 = v_set(*(float *)t->at[5]), c2 = v_set(*(float *)t->at[6]), scale = v_set(*(float *)t->at[7]);
    const vec beta1 = v_set(beta[0]), beta2 = v_set(beta[1]), rest1 = v_set(1 - beta[0]), rest2 = v_set(1 - beta[1]);
    const vec eps = v_set(beta[2]), decay = v_set(beta[3]), down = v_set(-rate), most = v_set(0x1.fep127f);     // of BF16
    for (int64_t i = begin; i < end; i += LANES) {
        const int64_t n = V_WIDTH(i, end);
        vec g = v_mul(scale, v_load_n(dw + i, n)), old = v_load_n(w + i, n);
        vec mean = v_fma(beta1, v_get_n(m, i, n, m_half), v_mul(rest1, g));
        vec square = v_fma(beta2, v_get_n(v, i, n, v_half), v_mul(rest2, v_mul(g, g)));
        vec change = v_div(v_mul(mean, c1), v_add(v_sqrt(v_mul(square, c2)), eps));
        vec new = v_fma(down, v_fma(decay, old, change), old);
        if (m_half || v_half) {
            uint32_t words[LANES];
            random_words(words, tile, i - begin);
            mean = m_half ? v_rounded_by(mean, words, 0) : mean;
            square = v_half ? v_rounded_by(v_min(square, most), words, 16) : square;
        }
        v_put_n(m, i, mean, n, m_half);
        v_put_n(v, i, square, n, v_half);
        v_store_n(w + i, new, n);
        if (copied)
            v_store_h_n(t->copy + i, new, n);
    }
}

// The same type for both moments, or each its own; a copy only where BF16 is multiplied.
INLINE void adamw_both(const task *t, int64_t begin, int64_t end, const int copied)
{
    if (t->bf16[1] == t->bf16[2])
        t->bf16[1] ? adamw_part(t, begin, end, copied, 1, 1) : adamw_part(t, begin, end, copied, 0, 0);
    else
        t->bf16[1] ? adamw_part(t, begin, end, copied, 1, 0) : adamw_part(t, begin, end, copied, 0, 1);
}

static void adamw_parts(const task *t, int64_t begin, int64_t end)
{
    BY_TYPE(t->copy, adamw_both, t, begin, end);
}

static void run_adamw(const task *t)
{
    if (*(float *)t->at[8] != 0)
        in_parts(t, t->c->count, FLAT, adamw_parts);
}

#define k_set        { run_set, NULL }
#define k_copy       { run_copy, NULL }
#define k_sumsq      { run_sumsq, room_sumsq }
#define k_grad_done  { run_grad_done, NULL }
#define k_clip_scale { run_clip_scale, NULL }
#define k_adamw      { run_adamw, NULL }
