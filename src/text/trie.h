// Texts by their beginnings: all that a text begins with are found in one walk along it.
#pragma once
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

typedef struct trie {
    uint64_t *edges;                // open hash table: node << 8 | byte, plus 1; 0 is empty
    int32_t *to;                    // the node an edge leads to
    int32_t *value;                 // [count] of the text that ends at a node; -1: none
    int64_t count, room, mask;
} trie;

bool trie_add(trie *t, str s, int32_t value, err *e) MUST_CHECK;       // a text given twice keeps the later value
void trie_close(trie *t);

enum { TRIE_ROOT = 0, TRIE_NONE = -1 };

// The node that byte `b` leads to; TRIE_NONE.
static inline int32_t trie_step(const trie *t, int32_t from, uint8_t b)
{
    uint64_t edge = ((uint64_t)(uint32_t)from << 8 | b) + 1, h = edge * 0x9e3779b97f4a7c15u;
    if (!t->count)
        return TRIE_NONE;
    for (int64_t i = (int64_t)(h >> 32);; i++) {
        uint64_t found = t->edges[i & t->mask];
        if (found == edge)
            return t->to[i & t->mask];
        if (!found)
            return TRIE_NONE;
    }
}

// The longest text that chars[at, end) begins with: its value and size; -1.
int32_t trie_longest(const trie *t, const char *chars, size_t at, size_t end, size_t *size);
