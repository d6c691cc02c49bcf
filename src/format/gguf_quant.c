// Blocks of quantised numbers as float32. The layouts are those of ggml-quants.c; each product and sum is
// rounded where ggml's reference (and the `gguf` package) rounds it, so that the results are equal bit for bit.
// In the K types 256 numbers share a half-precision scale, and each 32 (or 16) of them a 6-bit (8-bit) one.
#include <string.h>

#include "format/gguf.h"
#include "format/safetensors.h"

enum { QK = 32, QK_K = 256 };

static inline float half_at(const uint8_t *at)
{
    uint16_t h;
    float f;
    memcpy(&h, at, sizeof h);
    f16_to_f32(&h, &f, 1);
    return f;
}

static void from_f32(const uint8_t *from, float *to, int64_t blocks)
{
    (void)st_to_f32(ST_F32, from, to, blocks);
}

static void from_f16(const uint8_t *from, float *to, int64_t blocks)
{
    (void)st_to_f32(ST_F16, from, to, blocks);
}

static void from_bf16(const uint8_t *from, float *to, int64_t blocks)
{
    (void)st_to_f32(ST_BF16, from, to, blocks);
}

// half d, 32 signed bytes
static void from_q8_0(const uint8_t *from, float *to, int64_t blocks)
{
    for (int64_t b = 0; b < blocks; b++, from += 2 + QK, to += QK) {
        float d = half_at(from);
        const int8_t *q = (const int8_t *)from + 2;
        for (int i = 0; i < QK; i++)
            to[i] = d * (float)q[i];
    }
}

// half d, 16 bytes: low nibbles are the first 16 numbers, high ones the others
static void from_q4_0(const uint8_t *from, float *to, int64_t blocks)
{
    for (int64_t b = 0; b < blocks; b++, from += 2 + QK / 2, to += QK) {
        float d = half_at(from);
        const uint8_t *q = from + 2;
        for (int i = 0; i < QK / 2; i++) {
            to[i] = d * (float)((q[i] & 15) - 8);
            to[i + QK / 2] = d * (float)((q[i] >> 4) - 8);
        }
    }
}

// half d, half m, 16 bytes of nibbles
static void from_q4_1(const uint8_t *from, float *to, int64_t blocks)
{
    for (int64_t b = 0; b < blocks; b++, from += 4 + QK / 2, to += QK) {
        float d = half_at(from), m = half_at(from + 2);
        const uint8_t *q = from + 4;
        for (int i = 0; i < QK / 2; i++) {
            to[i] = d * (float)(q[i] & 15) + m;
            to[i + QK / 2] = d * (float)(q[i] >> 4) + m;
        }
    }
}

static inline uint32_t word_at(const uint8_t *at)
{
    uint32_t w;
    memcpy(&w, at, sizeof w);
    return w;
}

// half d, 32 fifth bits, 16 bytes of nibbles
static void from_q5_0(const uint8_t *from, float *to, int64_t blocks)
{
    for (int64_t b = 0; b < blocks; b++, from += 6 + QK / 2, to += QK) {
        float d = half_at(from);
        uint32_t high = word_at(from + 2);
        const uint8_t *q = from + 6;
        for (int i = 0; i < QK / 2; i++) {
            to[i] = d * (float)((int)((q[i] & 15) | (high >> i & 1) << 4) - 16);
            to[i + QK / 2] = d * (float)((int)((q[i] >> 4) | (high >> (i + 16) & 1) << 4) - 16);
        }
    }
}

// half d, half m, 32 fifth bits, 16 bytes of nibbles
static void from_q5_1(const uint8_t *from, float *to, int64_t blocks)
{
    for (int64_t b = 0; b < blocks; b++, from += 8 + QK / 2, to += QK) {
        float d = half_at(from), m = half_at(from + 2);
        uint32_t high = word_at(from + 4);
        const uint8_t *q = from + 8;
        for (int i = 0; i < QK / 2; i++) {
            to[i] = d * (float)((q[i] & 15) | (high >> i & 1) << 4) + m;
            to[i + QK / 2] = d * (float)((q[i] >> 4) | (high >> (i + 16) & 1) << 4) + m;
        }
    }
}

// Eight 6-bit scales and eight 6-bit minima in 12 bytes: the first four of each stand in the low bits of bytes
// 0-3 and 4-7, the others in the nibbles of bytes 8-11 with their upper two bits atop bytes 0-7.
static void six_bits(const uint8_t s[12], uint8_t scale[8], uint8_t least[8])
{
    for (int i = 0; i < 4; i++) {
        scale[i] = s[i] & 63;
        least[i] = s[i + 4] & 63;
        scale[i + 4] = (uint8_t)((s[i + 8] & 15) | (s[i] >> 2 & 48));
        least[i + 4] = (uint8_t)(s[i + 8] >> 4 | (s[i + 4] >> 2 & 48));
    }
}

// half d, half dmin, 12 bytes of scales, 128 bytes: 32 bytes hold 32 numbers in low and the next 32 in high nibbles
static void from_q4_k(const uint8_t *from, float *to, int64_t blocks)
{
    for (int64_t b = 0; b < blocks; b++, from += 16 + QK_K / 2, to += QK_K) {
        float d = half_at(from), dmin = half_at(from + 2);
        uint8_t scale[8], least[8];
        six_bits(from + 4, scale, least);
        for (int j = 0; j < 8; j += 2) {
            const uint8_t *q = from + 16 + 16 * j;
            float *y = to + 32 * j;
            float d0 = d * scale[j], m0 = dmin * least[j], d1 = d * scale[j + 1], m1 = dmin * least[j + 1];
            for (int i = 0; i < 32; i++) {
                y[i] = d0 * (float)(q[i] & 15) - m0;
                y[i + 32] = d1 * (float)(q[i] >> 4) - m1;
            }
        }
    }
}

// As Q4_K, with 32 bytes before the nibbles: bit j of byte i is the fifth bit of number 32 j + i
static void from_q5_k(const uint8_t *from, float *to, int64_t blocks)
{
    for (int64_t b = 0; b < blocks; b++, from += 48 + QK_K / 2, to += QK_K) {
        float d = half_at(from), dmin = half_at(from + 2);
        const uint8_t *high = from + 16;
        uint8_t scale[8], least[8];
        six_bits(from + 4, scale, least);
        for (int j = 0; j < 8; j += 2) {
            const uint8_t *q = from + 48 + 16 * j;
            float *y = to + 32 * j;
            float d0 = d * scale[j], m0 = dmin * least[j], d1 = d * scale[j + 1], m1 = dmin * least[j + 1];
            for (int i = 0; i < 32; i++) {
                y[i] = d0 * (float)((q[i] & 15) | (high[i] >> j & 1) << 4) - m0;
                y[i + 32] = d1 * (float)(q[i] >> 4 | (high[i] >> (j + 1) & 1) << 4) - m1;
            }
        }
    }
}

// 128 bytes of nibbles, 64 bytes of upper pairs of bits, 16 signed scales, half d. Two halves of 128 numbers: 64 bytes
// hold numbers 0-63 in low and 64-127 in high nibbles; byte i of the pairs serves numbers i, i + 32, i + 64, i + 96.
static void from_q6_k(const uint8_t *from, float *to, int64_t blocks)
{
    for (int64_t b = 0; b < blocks; b++, from += 210, to += QK_K) {
        const int8_t *scales = (const int8_t *)from + 192;
        float d = half_at(from + 208);
        for (int j = 0; j < 8; j++) {
            const uint8_t *q = from + 64 * (j / 4) + 32 * (j % 2), *high = from + 128 + 32 * (j / 4);
            int nibble = j % 4 / 2 * 4, pair = j % 4 * 2;
            for (int i = 0; i < 32; i++) {
                float scale = d * (float)scales[2 * j + i / 16];
                to[32 * j + i] = scale * (float)(((q[i] >> nibble & 15) | (high[i] >> pair & 3) << 4) - 32);
            }
        }
    }
}

static const gguf_block blocks[] = {
    { 0, "F32", 1, 4, from_f32 },       { 1, "F16", 1, 2, from_f16 },       { GGUF_TYPE_BF16, "BF16", 1, 2, from_bf16 },
    { 2, "Q4_0", 32, 18, from_q4_0 },   { 3, "Q4_1", 32, 20, from_q4_1 },   { 6, "Q5_0", 32, 22, from_q5_0 },
    { 7, "Q5_1", 32, 24, from_q5_1 },   { 8, "Q8_0", 32, 34, from_q8_0 },   { 12, "Q4_K", 256, 144, from_q4_k },
    { 13, "Q5_K", 256, 176, from_q5_k }, { 14, "Q6_K", 256, 210, from_q6_k },
    { 9, "Q8_1", 32, 40, NULL },        { 10, "Q2_K", 256, 84, NULL },      { 11, "Q3_K", 256, 110, NULL },
    { 15, "Q8_K", 256, 292, NULL },     { 16, "IQ2_XXS", 256, 66, NULL },   { 17, "IQ2_XS", 256, 74, NULL },
    { 18, "IQ3_XXS", 256, 98, NULL },   { 19, "IQ1_S", 256, 50, NULL },     { 20, "IQ4_NL", 32, 18, NULL },
    { 21, "IQ3_S", 256, 110, NULL },    { 22, "IQ2_S", 256, 82, NULL },     { 23, "IQ4_XS", 256, 136, NULL },
    { 24, "I8", 1, 1, NULL },           { 25, "I16", 1, 2, NULL },          { 26, "I32", 1, 4, NULL },
    { 27, "I64", 1, 8, NULL },          { 28, "F64", 1, 8, NULL },          { 29, "IQ1_M", 256, 56, NULL },
    { 34, "TQ1_0", 256, 54, NULL },     { 35, "TQ2_0", 256, 66, NULL },     { 39, "MXFP4", 32, 17, NULL },
    { 40, "NVFP4", 64, 36, NULL },      { 41, "Q1_0", 128, 18, NULL },
};

const gguf_block *gguf_block_of(int type)
{
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        if (blocks[i].type == type)
            return &blocks[i];
    return NULL;
}

bool gguf_part_to_f32(const gguf *g, const gguf_tensor *t, int64_t from, int64_t count, float *to, err *e)
{
    const gguf_block *b = gguf_block_of(t->type);
    if (!b || !b->to_f32)
        return fail(e, ERR_UNSUPPORTED, "%s: tensor '%.*s' has the type %s, which cannot be read; use a file with F32, F16, "
                    "BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K or Q6_K", g->path, STR_ARG(t->name), b ? b->name : "?");
    if (from % b->elements || count % b->elements || from < 0 || count < 0 || from > t->count - count)
        return fail(e, ERR_BUG, "%s: tensor '%.*s': elements %lld to %lld are not whole blocks of it", g->path,
                    STR_ARG(t->name), (long long)from, (long long)(from + count));
    b->to_f32((const uint8_t *)t->bytes + from / b->elements * b->bytes, to, count / b->elements);
    return true;
}

bool gguf_to_f32(const gguf *g, const gguf_tensor *t, float *to, err *e)
{
    return gguf_part_to_f32(g, t, 0, t->count, to, e);
}
