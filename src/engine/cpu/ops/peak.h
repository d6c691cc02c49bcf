// What the machine can do at most: multiply-adds on registers.

enum { PEAK_CHAINS = 12 };

// The work, with the result in it so that no compiler leaves it out: sums never get that large.
static inline double peak_work(double flops, float result) { return flops + (result > 1e38f); }

#if AMX
static double peak_bf16(int64_t rounds)
{
    static const uint16_t some[16*32] __attribute__((aligned(64)));
    bf16_begin();
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_loadd(4, some, 64);
    _tile_loadd(5, some, 64);
    _tile_loadd(6, some, 64);
    _tile_loadd(7, some, 64);
    for (int64_t i = 0; i < rounds; i++) {
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    bf16_end();
    return (double)rounds * 4 * 2 * 16 * 16 * 32;
}
#elif BF16_PRODUCTS
static double peak_bf16(int64_t rounds)
{
    __m512 sum[PEAK_CHAINS];
    __m512i some = _mm512_set1_epi16(0x3f80);
    for (int j = 0; j < PEAK_CHAINS; j++)
        sum[j] = _mm512_set1_ps((float)j);
    for (int64_t i = 0; i < rounds; i++)
        for (int j = 0; j < PEAK_CHAINS; j++)
            sum[j] = _mm512_dpbf16_ps(sum[j], (__m512bh)some, (__m512bh)some);
    for (int j = 1; j < PEAK_CHAINS; j++)
        sum[0] = _mm512_add_ps(sum[0], sum[j]);
    return peak_work((double)rounds * PEAK_CHAINS * 64, _mm512_reduce_add_ps(sum[0]));
}
#endif

double PASTE(peak, NAME)(int64_t rounds, bool bf16)
{
#if BF16_PRODUCTS
    if (bf16)
        return peak_bf16(rounds);
#endif
    (void)bf16;
#if defined(__AVX512F__)
    __m512 sum[PEAK_CHAINS], some = _mm512_set1_ps(0.5f);
    for (int j = 0; j < PEAK_CHAINS; j++)
        sum[j] = _mm512_set1_ps((float)j);
    for (int64_t i = 0; i < rounds; i++)
        for (int j = 0; j < PEAK_CHAINS; j++)
            sum[j] = _mm512_fmadd_ps(some, some, sum[j]);
    for (int j = 1; j < PEAK_CHAINS; j++)
        sum[0] = _mm512_add_ps(sum[0], sum[j]);
    return peak_work((double)rounds * PEAK_CHAINS * 32, _mm512_reduce_add_ps(sum[0]));
#elif defined(__AVX2__)
    __m256 sum[PEAK_CHAINS], some = _mm256_set1_ps(0.5f);
    for (int j = 0; j < PEAK_CHAINS; j++)
        sum[j] = _mm256_set1_ps((float)j);
    for (int64_t i = 0; i < rounds; i++)
        for (int j = 0; j < PEAK_CHAINS; j++)
            sum[j] = _mm256_fmadd_ps(some, some, sum[j]);
    for (int j = 1; j < PEAK_CHAINS; j++)
        sum[0] = _mm256_add_ps(sum[0], sum[j]);
    return peak_work((double)rounds * PEAK_CHAINS * 16, _mm256_cvtss_f32(sum[0]));
#elif defined(NEON)
    float32x4_t sum[2*PEAK_CHAINS], some = vdupq_n_f32(0.5f);
    for (int j = 0; j < 2*PEAK_CHAINS; j++)
        sum[j] = vdupq_n_f32((float)j);
    for (int64_t i = 0; i < rounds; i++)
        for (int j = 0; j < 2*PEAK_CHAINS; j++)
            sum[j] = vfmaq_f32(sum[j], some, some);
    for (int j = 1; j < 2*PEAK_CHAINS; j++)
        sum[0] = vaddq_f32(sum[0], sum[j]);
    return peak_work((double)rounds * 2*PEAK_CHAINS * 8, vaddvq_f32(sum[0]));
#else
    four sum[PEAK_CHAINS];
    const four some = { 0.5f, 0.5f, 0.5f, 0.5f }, share = { 0.25f, 0.25f, 0.25f, 0.25f };
    for (int j = 0; j < PEAK_CHAINS; j++)
        sum[j] = some * (float)j;
    for (int64_t i = 0; i < rounds; i++)
        for (int j = 0; j < PEAK_CHAINS; j++)
            sum[j] = sum[j] * share + some;
    for (int j = 1; j < PEAK_CHAINS; j++)
        sum[0] += sum[j];
    return peak_work((double)rounds * PEAK_CHAINS * 8, sum[0][0]);
#endif
}
