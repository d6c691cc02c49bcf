// Choosing the next token from its logits.
#pragma once
#include <stdint.h>

#include "base/err.h"
#include "base/random.h"

typedef struct sample_options {
    double temperature, top_p;      // temperature 0: greedy; top_p 0 or 1: all
    double min_p;                   // only tokens with this share of the likeliest one's probability; 0: all
    int top_k;                      // 0: all
} sample_options;

typedef struct candidate { float logit; int32_t id; } candidate;

bool sample_check(const sample_options *o, err *e) MUST_CHECK;

// The `number`-th choice of the stream `k`. Equal logits count in the order of their ids, so greedy takes the lowest. `scratch`
// has room for all of the vocabulary. Logits that are not finite are an error: the model is broken.
bool sample(const float *logits, int64_t vocab, const sample_options *o, key k, uint64_t number, candidate *scratch,
            int32_t *id, err *e) MUST_CHECK;
