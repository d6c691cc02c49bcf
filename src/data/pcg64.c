// O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms" (2014): XSL-RR 128/64, seeded and bounded
// as numpy does it (numpy/random/bit_generator.pyx, src/distributions/distributions.c).
#include "data/pcg64.h"

typedef unsigned __int128 u128;

enum { POOL = 4 };

static uint32_t hash(uint32_t value, uint32_t *constant, uint32_t multiplier)
{
    value ^= *constant;
    *constant *= multiplier;
    value *= *constant;
    return value ^ value >> 16;
}

static uint32_t mix(uint32_t x, uint32_t y)
{
    uint32_t r = 0xca01f9dd * x - 0x4973f715 * y;
    return r ^ r >> 16;
}

// SeedSequence(seed).generate_state(8): the seed's words stirred into a pool of four, and eight words drawn from it.
static void seed_words(uint64_t seed, uint32_t out[8])
{
    uint32_t pool[POOL], constant = 0x43b0d7e5;
    const uint32_t entropy[POOL] = { (uint32_t)seed, (uint32_t)(seed >> 32) };
    for (int i = 0; i < POOL; i++)
        pool[i] = hash(entropy[i], &constant, 0x931e8875);
    for (int from = 0; from < POOL; from++)
        for (int to = 0; to < POOL; to++)
            if (from != to)
                pool[to] = mix(pool[to], hash(pool[from], &constant, 0x931e8875));
    constant = 0x8b51f9dd;
    for (int i = 0; i < 8; i++)
        out[i] = hash(pool[i % POOL], &constant, 0x58f38ded);
}

static void advance(pcg64 *g)
{
    const u128 multiplier = (u128)2549297995355413924u << 64 | 4865540595714422341u;
    g->state = g->state * multiplier + g->step;
}

pcg64 pcg64_open(uint64_t seed)
{
    uint32_t w[8];
    seed_words(seed, w);
    const u128 state = (u128)((uint64_t)w[1] << 32 | w[0]) << 64 | ((uint64_t)w[3] << 32 | w[2]);
    const u128 stream = (u128)((uint64_t)w[5] << 32 | w[4]) << 64 | ((uint64_t)w[7] << 32 | w[6]);
    pcg64 g = { .step = stream << 1 | 1 };
    advance(&g);
    g.state += state;
    advance(&g);
    return g;
}

uint64_t pcg64_next(pcg64 *g)
{
    advance(g);
    const uint64_t folded = (uint64_t)(g->state >> 64) ^ (uint64_t)g->state;
    const unsigned turn = (unsigned)(g->state >> 122);
    return folded >> turn | folded << (-turn & 63);
}

static uint32_t next32(pcg64 *g)
{
    if (g->has_half) {
        g->has_half = false;
        return g->half;
    }
    uint64_t both = pcg64_next(g);
    g->has_half = true;
    g->half = (uint32_t)(both >> 32);
    return (uint32_t)both;
}

// Lemire, "Fast Random Integer Generation in an Interval" (2019), by 32 bits where the range allows.
uint64_t pcg64_integer(pcg64 *g, uint64_t low, uint64_t high)
{
    const uint64_t range = high - low;          // how many numbers
    if (range == 1)
        return low;
    if (range < (uint64_t)1 << 32) {
        uint64_t m = (uint64_t)next32(g) * range;
        const uint32_t limit = (uint32_t)((((uint64_t)1 << 32) - range) % range);
        while ((uint32_t)m < limit)
            m = (uint64_t)next32(g) * range;
        return low + (m >> 32);
    }
    if (range == (uint64_t)1 << 32)
        return low + next32(g);
    u128 m = (u128)pcg64_next(g) * range;
    const uint64_t limit = -range % range;
    while ((uint64_t)m < limit)
        m = (u128)pcg64_next(g) * range;
    return low + (uint64_t)(m >> 64);
}
