// Threefry, and the functions JAX builds on it.
#include "base/random.h"

static uint32_t turn_left(uint32_t x, int n) { return x << n | x >> (32 - n); }

// Threefry-2x32 with 20 rounds: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011).
void threefry2x32(uint32_t k0, uint32_t k1, uint32_t x0, uint32_t x1, uint32_t out[2])
{
    static const int turns[2][4] = { { 13, 15, 26, 6 }, { 17, 29, 16, 24 } };
    const uint32_t k[3] = { k0, k1, k0 ^ k1 ^ 0x1bd11bda };
    x0 += k[0];
    x1 += k[1];
    for (uint32_t i = 0; i < 5; i++) {
        for (int j = 0; j < 4; j++) {
            x0 += x1;
            x1 = turn_left(x1, turns[i & 1][j]) ^ x0;
        }
        x0 += k[(i + 1) % 3];
        x1 += k[(i + 2) % 3] + i + 1;
    }
    out[0] = x0;
    out[1] = x1;
}

key key_from_seed(uint64_t seed) { return (key){ (uint32_t)(seed >> 32), (uint32_t)seed }; }

static key at(key k, uint64_t i)
{
    uint32_t out[2];
    threefry2x32(k.hi, k.lo, (uint32_t)(i >> 32), (uint32_t)i, out);
    return (key){ out[0], out[1] };
}

key key_fold_in(key k, uint32_t data) { return at(k, data); }

void key_split(key k, int n, key *out)
{
    for (int i = 0; i < n; i++)
        out[i] = at(k, (uint64_t)i);
}

uint32_t key_bits(key k, uint64_t index)
{
    key word = at(k, index);
    return word.hi ^ word.lo;
}

// JAX splits the key and takes its low word from the second; the span is a power of two, so the high word drops out.
uint32_t key_randint30(key k)
{
    key two[2];
    key_split(k, 2, two);
    return key_bits(two[1], 0) & 0x3fffffff;
}
