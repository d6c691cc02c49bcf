// What a training step reads: rows of packed conversations.
#pragma once
#include <stdint.h>

typedef struct batch {
    int64_t rows, seq;
    int32_t *ids;                   // [rows, seq]; 0 in padding
    int32_t *position;              // [rows, seq]; from 0 in each segment
    int32_t *start;                 // [rows, seq]; index within the row where the token's segment begins; its own index in padding
    int32_t *target;                // [rows, seq]; the next token of the same conversation where that is trained, else -1
    int64_t real, trained;          // tokens that are no padding; targets that are not -1
    int64_t *pack;                  // [rows]; number of the pack in its cache, for error messages
    int32_t *dataset;               // [rows]; which dataset of the loader that is
} batch;
