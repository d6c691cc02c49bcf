// The permutations of Levanter's data/_prp.py: one index at a time, without a table (the numbers of their tests: marin.md, 5.2).
#include "data/permute.h"

#include "data/pcg64.h"

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

permuter permuter_make(permutation how, key k, int64_t length)
{
    permuter p = { .how = length > 1 ? how : PERMUTE_NONE, .length = length };
    pcg64 g = pcg64_open(key_randint30(k));
    if (p.how == PERMUTE_LINEAR) {
        do
            p.a = pcg64_integer(&g, 1, (uint64_t)length);
        while (common_divisor(p.a, (uint64_t)length) != 1);
        p.b = pcg64_integer(&g, 0, (uint64_t)length);
    }
    if (p.how == PERMUTE_FEISTEL) {
        int bits = 64 - __builtin_clzll((uint64_t)length - 1);
        p.bits = bits - bits / 2;
        for (int i = 0; i < FEISTEL_ROUNDS; i++)
            p.keys[i] = pcg64_integer(&g, 0, (uint64_t)1 << p.bits);
    }
    return p;
}

// A bijection on numbers of 2 x bits bits; walking its cycle until it comes back below `length` makes one on [0, length).
static uint64_t feistel(const permuter *p, uint64_t x)
{
    const uint64_t mask = ((uint64_t)1 << p->bits) - 1;
    do {
        uint64_t right = x & mask, left = x >> p->bits;
        for (int i = 0; i < FEISTEL_ROUNDS; i++) {
            uint64_t mixed = left ^ ((right * 2654435761u + p->keys[i]) & mask);
            left = right;
            right = mixed;
        }
        x = left << p->bits | right;
    } while (x >= (uint64_t)p->length);
    return x;
}

int64_t permuter_at(const permuter *p, int64_t i)
{
    switch (p->how) {
    case PERMUTE_FEISTEL: return (int64_t)feistel(p, (uint64_t)i);
    case PERMUTE_LINEAR:  return (int64_t)(((unsigned __int128)p->a * (uint64_t)i + p->b) % (uint64_t)p->length);
    case PERMUTE_NONE:    break;
    }
    return i;
}

int64_t permute(permutation how, key k, int64_t length, int64_t i)
{
    permuter p = permuter_make(how, k, length);
    return permuter_at(&p, i);
}
