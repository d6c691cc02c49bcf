// A permutation made once and asked often (loader.h's `permute` makes it each time).
#pragma once
#include "data/loader.h"

enum { FEISTEL_ROUNDS = 5 };

typedef struct permuter {
    permutation how;
    int64_t length;
    uint64_t a, b;                  // linear: (a x + b) mod length
    uint64_t keys[FEISTEL_ROUNDS];  // Feistel: keys of the rounds, over 2 x bits bits
    int bits;
} permuter;

permuter permuter_make(permutation how, key k, int64_t length);
int64_t permuter_at(const permuter *p, int64_t i);         // i in [0, length)
