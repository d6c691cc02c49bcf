// Byte pair encoding: a word's symbols are merged pair by pair, the pair of lowest rank first, leftmost among equals.
#pragma once
#include "text/scan.h"
#include "text/scratch.h"
#include "text/vocab.h"

typedef struct merge { int32_t left, right, rank, id; } merge;

// Of two bytes side by side, with which every word begins.
typedef struct byte_pair { uint32_t after, id; } byte_pair;    // after: rank + 1; 0: they do not merge

typedef struct bpe {
    const vocab *vocab;
    int32_t byte[256];              // the first symbols; -1: the vocabulary lacks this byte
    bool lacks_none;
    int32_t byte_least, byte_most;  // the first and the last id among them
    merge *merges;                  // open hash table by (left, right); left < 0: empty
    uint32_t mask;
    uint64_t *filter;               // a bit by another part of the hash: 0 where no pair is. Small enough to stay near
    int filter_bits;
    byte_pair *pairs;               // [256 * 256]
    int32_t last;                   // what the merge added last makes; -1
    int32_t merge_count;            // ranks are below this
    uint32_t filled;                // merges of shared ranks
    int32_t unk;                    // stands for bytes that are missing; -1: they are left out, as `tokenizers` does
    bool fuse_unk;                  // one for a run of them
    bool ignore_merges;             // a word that is a token as a whole is that token
    uint64_t owner;                 // of cached words
} bpe;

void bpe_open(bpe *b, arena *a, const vocab *v, int64_t merges);
// `rank` counts up; a pair given twice keeps the later rank, as in `tokenizers`.
void bpe_add(bpe *b, int32_t left, int32_t right, int32_t id);
// The same with a rank that others may have too: among equals the leftmost goes first. False: more than bpe_open made room for.
bool bpe_add_ranked(bpe *b, int32_t left, int32_t right, int32_t rank, int32_t id);
const merge **bpe_all(const bpe *b, arena *a, int64_t *count);         // by rank, then by ids
const merge **bpe_by_rank(const bpe *b, arena *a);      // [merge_count]; pairs that were given twice leave NULLs
const merge *bpe_find(const bpe *b, int32_t left, int32_t right);

// Appends the tokens of chars[begin, end): of one word, or of all words that `scan` finds there. False: no memory.
bool bpe_word(const bpe *b, const char *chars, size_t begin, size_t end, tokens *out);
bool bpe_cached_word(const bpe *b, const char *chars, size_t begin, size_t end, tokens *out);
bool bpe_words(const bpe *b, scan_run *scan, const char *chars, size_t begin, size_t end, tokens *out);
