// Floating types of files as float32 and back. Plain loops on the bits, without branches, so that the
// compiler turns them into vector code on every machine and every machine gives the same bits.
#include <string.h>

#include "format/safetensors.h"

static inline float f32_of_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static inline uint32_t bits_of_f32(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

// Five bits of exponent (bias 15) become eight (bias 127). Subnormal halves are m * 2^-24: as bits under the
// exponent of 2^-14 they read 2^-14 + m * 2^-24, so that one subtraction is left.
static inline float f32_of_f16(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16;
    uint32_t bits = (uint32_t)(h & 0x7fff) << 13;
    uint32_t exponent = bits & 0x0f800000;
    uint32_t normal = bits + (112u << 23) + (exponent == 0x0f800000 ? 112u << 23 : 0);
    float tiny = f32_of_bits(bits + (113u << 23)) - f32_of_bits(113u << 23);
    return f32_of_bits(sign | (exponent ? normal : bits_of_f32(tiny)));
}

void f16_to_f32(const uint16_t *from, float *to, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = f32_of_f16(from[i]);
}

void bf16_to_f32(const uint16_t *from, float *to, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = f32_of_bits((uint32_t)from[i] << 16);
}

// To nearest, ties to even: adding 0x7fff and the last kept bit carries exactly when it should. NaN would turn
// into infinity by that, so it is kept apart and made quiet.
void f32_to_bf16(const float *from, uint16_t *to, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits = bits_of_f32(from[i]);
        uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
        uint32_t quiet = bits >> 16 | 0x40;
        to[i] = (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? quiet : rounded);
    }
}

enum { CHUNK = 512 };

// Tensors of a file begin where they begin: numbers are copied out before they are used as such.
bool st_to_f32(st_type t, const void *from, float *to, int64_t count)
{
    union { uint16_t half[CHUNK]; double wide[CHUNK]; } in;
    const char *at = from;
    if (t == ST_F32 && count)
        memcpy(to, from, (size_t)count * sizeof *to);
    if (t == ST_F32)
        return true;
    if (t != ST_F16 && t != ST_BF16 && t != ST_F64)
        return false;
    size_t size = t == ST_F64 ? sizeof(double) : sizeof(uint16_t);
    for (int64_t i = 0; i < count; i += CHUNK) {
        int64_t n = count - i < CHUNK ? count - i : CHUNK;
        memcpy(&in, at + (size_t)i * size, (size_t)n * size);
        if (t == ST_F16)
            f16_to_f32(in.half, to + i, n);
        else if (t == ST_BF16)
            bf16_to_f32(in.half, to + i, n);
        for (int64_t j = 0; t == ST_F64 && j < n; j++)
            to[i + j] = (float)in.wide[j];
    }
    return true;
}
