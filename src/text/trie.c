// A trie whose edges lie in one hash table.
#include "text/trie.h"

#include <stdlib.h>

#include "base/util.h"

static void put_edge(trie *t, uint64_t key, int32_t to)
{
    int64_t i = (int64_t)((key * 0x9e3779b97f4a7c15u) >> 32);
    while (t->edges[i & t->mask])
        i++;
    t->edges[i & t->mask] = key;
    t->to[i & t->mask] = to;
}

static bool grow(trie *t)
{
    trie old = *t;
    int64_t room = old.room ? 2 * old.room : 256;
    t->edges = calloc((size_t)(2 * room), sizeof *t->edges);
    t->to = malloc((size_t)(2 * room) * sizeof *t->to);
    int32_t *value = realloc(old.value, (size_t)room * sizeof *value);
    t->value = value ? value : old.value;
    if (!t->edges || !t->to || !value) {
        free(t->edges);
        free(t->to);
        t->edges = old.edges;
        t->to = old.to;
        return false;
    }
    t->mask = 2 * room - 1;
    t->room = room;
    for (int64_t i = 0; old.edges && i <= old.mask; i++)
        if (old.edges[i])
            put_edge(t, old.edges[i], old.to[i]);
    free(old.edges);
    free(old.to);
    return true;
}

// A node more; TRIE_NONE: no memory.
static int32_t new_node(trie *t)
{
    if (t->count == t->room && !grow(t))
        return TRIE_NONE;
    t->value[t->count] = -1;
    return (int32_t)t->count++;
}

bool trie_add(trie *t, str s, int32_t value, err *e)
{
    int32_t at = TRIE_ROOT;
    bool ok = t->count || new_node(t) >= 0;
    for (size_t i = 0; ok && i < s.size; i++) {
        int32_t next = trie_step(t, at, (uint8_t)s.at[i]);
        if (next < 0) {
            next = new_node(t);
            ok = next >= 0;
            if (ok)
                put_edge(t, ((uint64_t)(uint32_t)at << 8 | (uint8_t)s.at[i]) + 1, next);
        }
        at = next;
    }
    if (!ok)
        return fail(e, ERR_MEMORY, "no memory for a vocabulary");
    t->value[at] = value;
    return true;
}

void trie_close(trie *t)
{
    free(t->edges);
    free(t->to);
    free(t->value);
    *t = (trie){0};
}

int32_t trie_longest(const trie *t, const char *chars, size_t at, size_t end, size_t *size)
{
    int32_t best = -1, here = TRIE_ROOT;
    for (size_t i = at; i < end && (here = trie_step(t, here, (uint8_t)chars[i])) >= 0; i++)
        if (t->value[here] >= 0) {
            best = t->value[here];
            *size = i + 1 - at;
        }
    return best;
}
