// What the machine can do at most: multiply-adds on registers.

enum { PEAK_CHAINS = 12 };

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
        sum[j] = _mm512_setzero_ps();
    for (int64_t i = 0; i < rounds; i++)
        for (int j = 0; j < PEAK_CHAINS; j++) {
            sum[j] = _mm512_dpbf16_ps(sum[j], (__m512bh)some, (__m512bh)some);
            __asm__("" : "+v"(sum[j]));
        }
    return (double)rounds * PEAK_CHAINS * 64;
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
        sum[j] = some;
    for (int64_t i = 0; i < rounds; i++)
        for (int j = 0; j < PEAK_CHAINS; j++) {
            sum[j] = _mm512_fmadd_ps(some, some, sum[j]);
            __asm__("" : "+v"(sum[j]));
        }
    return (double)rounds * PEAK_CHAINS * 32;
#elif defined(__AVX2__)
    __m256 sum[PEAK_CHAINS], some = _mm256_set1_ps(0.5f);
    for (int j = 0; j < PEAK_CHAINS; j++)
        sum[j] = some;
    for (int64_t i = 0; i < rounds; i++)
        for (int j = 0; j < PEAK_CHAINS; j++) {
            sum[j] = _mm256_fmadd_ps(some, some, sum[j]);
            __asm__("" : "+x"(sum[j]));
        }
    return (double)rounds * PEAK_CHAINS * 16;
#else
    float sum[PEAK_CHAINS][4];
    volatile float half = 0.5f;
    const float some = half;
    for (int j = 0; j < PEAK_CHAINS; j++)
        for (int l = 0; l < 4; l++)
            sum[j][l] = some;
    for (int64_t i = 0; i < rounds; i++)
        for (int j = 0; j < PEAK_CHAINS; j++)
            for (int l = 0; l < 4; l++)
                sum[j][l] = sum[j][l] * 0.25f + some;
    for (int j = 0; j < PEAK_CHAINS; j++)
        half = sum[j][0] + sum[j][1] + sum[j][2] + sum[j][3];
    return (double)rounds * PEAK_CHAINS * 8;
#endif
}
