// Numbers packed in bits: runs (RLE and bit-packed in turn), and differences in blocks (DELTA_BINARY_PACKED).
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef struct pq_runs {
    const uint8_t *at, *end;
    int width;                      // bits of a number, 0 to 32
    bool plain;                     // the old BIT_PACKED: no runs, the highest bit of a byte first
    int64_t same, packed;           // numbers left of the run: `same` times `value`, or `packed` ones from bit `bit` of `at` on
    uint32_t value;
    int64_t bit;
} pq_runs;

bool pq_runs_get(pq_runs *r, uint32_t *out, int64_t count);            // false: the bytes end, or are no runs
bool pq_runs_ended(const pq_runs *r);                   // nothing is left but padding
bool pq_zeros(const uint8_t *at, const uint8_t *end);   // as some writers pad

typedef struct pq_delta {
    const uint8_t *at, *end;
    int64_t count;                  // of all numbers
    int64_t left;
    uint64_t last, least;           // number before; smallest difference of the block
    int64_t mini_size, in_mini;     // numbers of a miniblock; of them left
    int64_t mini_count, mini;       // miniblocks of a block; the next one
    const uint8_t *widths, *bits;   // of the block; of the miniblock
    int width;
    int64_t bit;
    bool begun;
} pq_delta;

bool pq_delta_begin(pq_delta *d, const uint8_t *at, const uint8_t *end);
bool pq_delta_get(pq_delta *d, int64_t *out);
const uint8_t *pq_delta_end(pq_delta d);                // where what follows begins; NULL: the bytes end before
bool pq_delta_ended(const pq_delta *d, const uint8_t *end);             // all numbers are taken, and nothing but padding follows
