// The inside of `packs`, between packing (packs.c), fitting (fit.c) and filling rows (fill.c).
#pragma once
#include "data/loader.h"

struct packs {
    const cache *cache;
    int64_t seq, count;
    int64_t *items;                 // conversations, pack after pack
    int64_t *begin;                 // [count + 1] into items
    int32_t *kept;                  // [conversations of the cache]: tokens kept; 0: the conversation is left out
    pack_totals totals;
};

// Fits `count` pieces of the given sizes (each in [1, seq]) into packs of at most seq tokens and `most` pieces. Writes the pack
// of each piece, and returns how many packs there are; -1 without memory. best: best fit of the largest first; else next fit in order.
int64_t fit_best(const int32_t *sizes, int64_t count, int64_t seq, int64_t most, int64_t *pack);
int64_t fit_sequential(const int32_t *sizes, int64_t count, int64_t seq, int64_t most, int64_t *pack);

// How many of a conversation's tokens are kept, by the rule for over-long ones; 0 and `*dropped` when none.
typedef enum lost { LOST_NOT, LOST_LONG, LOST_UNTRAINED } lost;
int64_t keep_tokens(conversation c, int64_t seq, truncate_how how, lost *why);
// Places of [0, count) whose next token is trained: what the loss is computed at.
int64_t count_targets(conversation c, int64_t count);
