// What the instructions of AVX-512 BF16 and of AMX do, said with those of AVX-512 F: for emulators that have only these. It is included
// before the kernels (BY_HAND=1), whose source stays as it is; features.c beside it says that the CPU has them.
#pragma once
#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__AVX512BF16__)
// Pairs of 16 sums: the odd element first.
static inline __m512 by_hand_dpbf16(__m512 sum, __m512bh a, __m512bh b)
{
    const __m512i x = (__m512i)a, y = (__m512i)b, high = _mm512_set1_epi32((int)0xffff0000u);
    sum = _mm512_fmadd_ps((__m512)_mm512_and_si512(x, high), (__m512)_mm512_and_si512(y, high), sum);
    return _mm512_fmadd_ps((__m512)_mm512_slli_epi32(x, 16), (__m512)_mm512_slli_epi32(y, 16), sum);
}

// Rounded to even; NaN stays one, what is denormal becomes zero.
static inline __m256bh by_hand_cvtneps(__m512 x)
{
    const __m512i bits = (__m512i)x, odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), small = _mm512_testn_epi32_mask(bits, _mm512_set1_epi32(0x7f800000));
    __m512i to = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    to = _mm512_mask_or_epi32(to, nan, bits, _mm512_set1_epi32(0x400000));
    to = _mm512_mask_and_epi32(to, small, bits, _mm512_set1_epi32((int)0x80000000u));
    return (__m256bh)_mm512_cvtepi32_epi16(_mm512_srli_epi32(to, 16));
}

#define _mm512_dpbf16_ps    by_hand_dpbf16
#define _mm512_cvtneps_pbh  by_hand_cvtneps
#endif

#if defined(__AMX_TILE__)
// Eight tiles a thread. Nothing is known in them before a configuration, and the kernels use whole ones only.
static _Thread_local struct { bool on; __m512i row[8][16]; } by_hand_tiles;

static inline void by_hand_whole(bool good)
{
    if (!good)
        abort();
}

static inline void by_hand_loadconfig(const void *from)
{
    const uint8_t *c = from;
    by_hand_whole(c[0] == 1 && c[1] == 0);              // palette, first row
    for (int t = 0; t < 8; t++)
        by_hand_whole(c[16 + 2*t] == 64 && c[17 + 2*t] == 0 && c[48 + t] == 16);
    memset(&by_hand_tiles, 0, sizeof by_hand_tiles);
    by_hand_tiles.on = true;
}

static inline void by_hand_release(void) { by_hand_tiles.on = false; }

static inline void by_hand_zero(int to)
{
    by_hand_whole(by_hand_tiles.on);
    memset(by_hand_tiles.row[to], 0, sizeof by_hand_tiles.row[to]);
}

static inline void by_hand_load(int to, const void *from, int64_t stride)
{
    by_hand_whole(by_hand_tiles.on);
    for (int i = 0; i < 16; i++)
        by_hand_tiles.row[to][i] = _mm512_loadu_si512((const char *)from + i*stride);
}

static inline void by_hand_store(int from, void *to, int64_t stride)
{
    by_hand_whole(by_hand_tiles.on);
    for (int i = 0; i < 16; i++)
        _mm512_storeu_si512((char *)to + i*stride, by_hand_tiles.row[from][i]);
}

// Each pair of a row of a with the row of b that has its pairs.
static inline void by_hand_tile_product(int to, int a, int b)
{
    by_hand_whole(by_hand_tiles.on);
    for (int i = 0; i < 16; i++) {
        __m512 sum = (__m512)by_hand_tiles.row[to][i];
        int32_t pairs[16];
        _mm512_storeu_si512(pairs, by_hand_tiles.row[a][i]);
        for (int k = 0; k < 16; k++)
            sum = by_hand_dpbf16(sum, (__m512bh)_mm512_set1_epi32(pairs[k]), (__m512bh)by_hand_tiles.row[b][k]);
        by_hand_tiles.row[to][i] = (__m512i)sum;
    }
}

#undef _tile_zero
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbf16ps
#define _tile_loadconfig    by_hand_loadconfig
#define _tile_release       by_hand_release
#define _tile_zero          by_hand_zero
#define _tile_loadd         by_hand_load
#define _tile_stored        by_hand_store
#define _tile_dpbf16ps      by_hand_tile_product
#endif
