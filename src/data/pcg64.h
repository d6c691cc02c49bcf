// numpy's default generator, as far as the permutations of Marin need it: SeedSequence, PCG64 and bounded whole numbers.
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef struct pcg64 {
    unsigned __int128 state, step;
    uint32_t half;                  // the upper half of a draw whose lower half was used for 32 bits
    bool has_half;
} pcg64;

pcg64 pcg64_open(uint64_t seed);                            // numpy.random.PCG64(seed)
uint64_t pcg64_next(pcg64 *g);
uint64_t pcg64_integer(pcg64 *g, uint64_t low, uint64_t high);     // numpy.random.Generator(g).integers(low, high); low < high
