// The merges of a word. Words up to 64 symbols: the lowest rank is searched in an array, which is fast for the few
// symbols of most words. Longer ones: a heap, so that a megabyte of one letter takes n log n.
#include "text/bpe.h"

#include <stdlib.h>

#include "base/util.h"

enum { SHORT = 64, MOST_SHORT_RANK = 1 << 26 };           // a rank and a place fit into 32 bits
#define NO_RANK UINT32_MAX

void bpe_open(bpe *b, arena *a, const vocab *v, int64_t merges)
{
    uint32_t room = 64;
    int bits = 10;
    while (2 * (int64_t)room < 3 * merges)
        room *= 2;
    while (bits < 31 && (int64_t)1 << bits < 8 * merges)
        bits++;
    *b = (bpe){ .vocab = v, .mask = room - 1, .filter_bits = bits, .lacks_none = true, .byte_least = INT32_MAX, .unk = -1, .last = -1 };
    b->filter = ARENA_ARRAY(a, uint64_t, ((size_t)1 << bits) / 64);
    b->pairs = ARENA_ARRAY(a, byte_pair, 256 * 256);
    b->merges = ARENA_ARRAY(a, merge, room);
    for (uint32_t i = 0; i < room; i++)
        b->merges[i].left = -1;
    for (int i = 0; i < 256; i++) {
        char c[2];
        b->byte[i] = vocab_find(v, (str){ c, (size_t)byte_to_utf8((uint8_t)i, c) });
        b->lacks_none &= b->byte[i] >= 0;
        b->byte_least = MIN(b->byte_least, b->byte[i]);
        b->byte_most = MAX(b->byte_most, b->byte[i]);
    }
}

static inline uint64_t pair_hash(int32_t left, int32_t right)
{
    return ((uint64_t)(uint32_t)left << 32 | (uint32_t)right) * 0x9e3779b97f4a7c15u;
}

static inline uint32_t slot_of(uint64_t hash) { return (uint32_t)(hash >> 32 ^ hash >> 15); }

// The byte that a token stands for at the beginning of a word; -1.
static int byte_of(const bpe *b, int32_t id)
{
    if (id < b->byte_least || id > b->byte_most)
        return -1;                                      // most tokens; seen without a look at the vocabulary
    str s = b->vocab->bytes[id];
    return s.size == 1 && b->byte[(uint8_t)s.at[0]] == id ? (uint8_t)s.at[0] : -1;
}

static void add_merge(bpe *b, int32_t left, int32_t right, int32_t rank, int32_t id)
{
    uint64_t hash = pair_hash(left, right), bit = hash >> (64 - b->filter_bits);
    uint32_t i = slot_of(hash);
    int x = byte_of(b, left), y = byte_of(b, right);
    merge *m;
    do
        m = &b->merges[i++ & b->mask];
    while (m->left >= 0 && (m->left != left || m->right != right));
    *m = (merge){ left, right, rank, id };
    b->filter[bit / 64] |= (uint64_t)1 << bit % 64;
    if (x >= 0 && y >= 0)
        b->pairs[x << 8 | y] = (byte_pair){ (uint32_t)rank + 1, (uint32_t)id };
    b->last = id;
}

void bpe_add(bpe *b, int32_t left, int32_t right, int32_t id) { add_merge(b, left, right, b->merge_count++, id); }

bool bpe_add_ranked(bpe *b, int32_t left, int32_t right, int32_t rank, int32_t id)
{
    if (b->filled > b->mask / 4 * 3)
        return false;
    add_merge(b, left, right, rank, id);
    b->filled++;
    b->merge_count = MAX(rank + 1, b->merge_count);
    return true;
}

static inline const merge *find_pair(const bpe *b, int32_t left, int32_t right)
{
    uint64_t hash = pair_hash(left, right), bit = hash >> (64 - b->filter_bits);
    if (!(b->filter[bit / 64] >> bit % 64 & 1))
        return NULL;
    for (uint32_t i = slot_of(hash);; i++) {
        const merge *m = &b->merges[i & b->mask];
        if (m->left == left && m->right == right)
            return m;
        if (m->left < 0)
            return NULL;
    }
}

const merge *bpe_find(const bpe *b, int32_t left, int32_t right) { return find_pair(b, left, right); }

const merge **bpe_by_rank(const bpe *b, arena *a)
{
    const merge **list = ARENA_ARRAY(a, const merge *, b->merge_count);
    for (uint32_t i = 0; i <= b->mask; i++)
        if (b->merges[i].left >= 0)
            list[b->merges[i].rank] = &b->merges[i];
    return list;
}

static int by_rank(const void *a, const void *b)
{
    const merge *x = *(const merge *const *)a, *y = *(const merge *const *)b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return x->left != y->left ? (x->left > y->left) - (x->left < y->left) : (x->right > y->right) - (x->right < y->right);
}

const merge **bpe_all(const bpe *b, arena *a, int64_t *count)
{
    const merge **list = NULL;
    *count = 0;
    for (uint32_t i = 0; i <= b->mask; i++)
        if (b->merges[i].left >= 0)
            ARENA_PUSH(a, list, *count, &b->merges[i]);
    if (*count)
        qsort(list, (size_t)*count, sizeof *list, by_rank);
    return list;
}

static inline uint32_t rank_of(const bpe *b, uint32_t left, uint32_t right)
{
    const merge *m = find_pair(b, (int32_t)left, (int32_t)right);
    return m ? (uint32_t)m->rank : NO_RANK;
}

// A word under merging. Symbols have a token and a place; rank[i] is that of symbol i with its right neighbour.
typedef struct word {
    uint32_t *id, *begin, *end, *rank, *next, *before;
    uint32_t count;
} word;

enum { NONE = -1 };                 // no neighbour, in `next` and `before`

static inline void add_symbol(word *w, int32_t id, size_t at)
{
    w->id[w->count] = (uint32_t)id;
    w->begin[w->count] = (uint32_t)at;
    w->end[w->count++] = (uint32_t)at + 1;
}

// The bytes as symbols. Bytes that the vocabulary lacks become the unknown token or nothing.
static void first_symbols(const bpe *b, const char *chars, size_t begin, size_t end, word *w)
{
    bool unknown = false;
    w->count = 0;
    if (b->lacks_none) {
        for (size_t i = begin; i < end; i++)
            add_symbol(w, b->byte[(uint8_t)chars[i]], i);
        return;
    }
    for (size_t i = begin; i < end; i++) {
        int32_t id = b->byte[(uint8_t)chars[i]];
        bool missing = id < 0;
        if (missing && b->unk < 0)
            continue;
        if (missing && unknown && b->fuse_unk) {
            w->end[w->count - 1] = (uint32_t)i + 1;
            continue;
        }
        add_symbol(w, missing ? b->unk : id, i);
        unknown = missing;
    }
}

static void first_ranks(const bpe *b, word *w)
{
    for (uint32_t i = 0; i + 1 < w->count; i++)
        w->rank[i] = rank_of(b, w->id[i], w->id[i + 1]);
    if (w->count)
        w->rank[w->count - 1] = NO_RANK;
}

// The pair that begins at symbol i of a short word: its rank and its place in one number, and what it becomes.
static inline void short_pair(const bpe *b, const word *w, uint32_t i, uint32_t j, uint32_t *order, uint32_t *becomes)
{
    const merge *m = find_pair(b, (int32_t)w->id[i], (int32_t)w->id[j]);
    order[i] = m ? (uint32_t)m->rank << 6 | i : NO_RANK;
    becomes[i] = m ? (uint32_t)m->id : 0;
}

// The pairs that a word begins with. `bytes`: those of the symbols, where each is the next one's neighbour; or NULL.
static void first_pairs(const bpe *b, const word *w, const char *bytes, uint32_t *order, uint32_t *becomes)
{
    for (uint32_t i = 0; i + 1 < w->count; i++) {
        if (!bytes) {
            short_pair(b, w, i, i + 1, order, becomes);
            continue;
        }
        byte_pair p = b->pairs[(uint8_t)bytes[i] << 8 | (uint8_t)bytes[i + 1]];
        order[i] = p.after ? (p.after - 1) << 6 | i : NO_RANK;
        becomes[i] = p.id;
    }
    order[w->count - 1] = NO_RANK;
}

// Symbols keep their places; those that are left are the bits of `alive`.
static void merge_short(const bpe *b, word *w, const char *bytes)
{
    uint32_t order[SHORT], becomes[SHORT], count = w->count, left = 0;
    if (!count)
        return;
    uint64_t alive = UINT64_MAX >> (SHORT - count);
    first_pairs(b, w, bytes, order, becomes);
    for (;;) {
        uint32_t least = NO_RANK;
        for (uint32_t i = 0; i < count; i++)
            least = MIN(least, order[i]);
        if (least == NO_RANK)
            break;
        uint32_t i = least % SHORT;
        uint64_t after = alive & ~(((uint64_t)2 << i) - 1), before = alive & (((uint64_t)1 << i) - 1);
        uint32_t gone = (uint32_t)__builtin_ctzll(after);
        after &= after - 1;
        alive ^= (uint64_t)1 << gone;
        w->id[i] = becomes[i];
        w->end[i] = w->end[gone];
        order[gone] = order[i] = NO_RANK;
        if (after)
            short_pair(b, w, i, (uint32_t)__builtin_ctzll(after), order, becomes);
        if (before)
            short_pair(b, w, 63 - (uint32_t)__builtin_clzll(before), i, order, becomes);
    }
    for (; alive; alive &= alive - 1, left++) {
        uint32_t i = (uint32_t)__builtin_ctzll(alive);
        w->id[left] = w->id[i];
        w->begin[left] = w->begin[i];
        w->end[left] = w->end[i];
    }
    w->count = left;
}

// A heap of (rank, symbol) packed into a number; what is out of date is seen by the symbol's rank having changed.
typedef struct heap { uint64_t *items; size_t count; } heap;

static void heap_sink(heap *h, size_t i)
{
    uint64_t item = h->items[i];
    for (size_t child; (child = 2 * i + 1) < h->count; i = child) {
        if (child + 1 < h->count && h->items[child + 1] < h->items[child])
            child++;
        if (item <= h->items[child])
            break;
        h->items[i] = h->items[child];
    }
    h->items[i] = item;
}

static void heap_push(heap *h, uint64_t item)
{
    size_t i = h->count++;
    for (; i > 0 && item < h->items[(i - 1) / 2]; i = (i - 1) / 2)
        h->items[i] = h->items[(i - 1) / 2];
    h->items[i] = item;
}

static inline uint64_t heap_item(const word *w, uint32_t i) { return (uint64_t)w->rank[i] << 32 | i; }

static void heap_fill(heap *h, word *w)
{
    for (uint32_t i = 0; i < w->count; i++) {
        w->next[i] = i + 1 < w->count ? i + 1 : (uint32_t)NONE;
        w->before[i] = i - 1;
        if (w->rank[i] != NO_RANK)
            h->items[h->count++] = heap_item(w, i);
    }
    for (size_t i = h->count / 2; i-- > 0;)
        heap_sink(h, i);
}

static void new_rank(const bpe *b, word *w, heap *h, uint32_t i)
{
    w->rank[i] = w->next[i] == (uint32_t)NONE ? NO_RANK : rank_of(b, w->id[i], w->id[w->next[i]]);
    if (w->rank[i] != NO_RANK)
        heap_push(h, heap_item(w, i));
}

// Every merge takes one symbol away and puts in at most two heap items: n - 1 + 2 (n - 1) items in all.
static void merge_long(const bpe *b, word *w, heap *h)
{
    first_ranks(b, w);
    heap_fill(h, w);
    while (h->count) {
        uint64_t top = h->items[0];
        h->items[0] = h->items[--h->count];
        heap_sink(h, 0);
        uint32_t i = (uint32_t)top;
        if (w->rank[i] != top >> 32)
            continue;
        uint32_t gone = w->next[i];
        w->id[i] = (uint32_t)bpe_find(b, (int32_t)w->id[i], (int32_t)w->id[gone])->id;
        w->end[i] = w->end[gone];
        w->rank[gone] = NO_RANK;
        w->next[i] = w->next[gone];
        if (w->next[i] != (uint32_t)NONE)
            w->before[w->next[i]] = i;
        new_rank(b, w, h, i);
        if (i > 0)
            new_rank(b, w, h, w->before[i]);
    }
    uint32_t count = 0;
    for (uint32_t i = 0; w->count && i != (uint32_t)NONE; i = w->next[i], count++) {
        w->id[count] = w->id[i];
        w->begin[count] = w->begin[i];
        w->end[count] = w->end[i];
    }
    w->count = count;
}

static bool put_all(const word *w, tokens *out)
{
    if (!tokens_reserve(out, w->count))
        return false;
    for (uint32_t i = 0; i < w->count; i++)
        tokens_put(out, (int32_t)w->id[i], w->begin[i], w->end[i]);
    return true;
}

// Cut out of one block: six arrays of n, and the heap.
static bool long_word(const bpe *b, const char *chars, size_t begin, size_t end, tokens *out)
{
    scratch *s = tokens_scratch(out);
    size_t n = end - begin, need = 6 * n + 2 * 3 * n;
    if (!s)
        return false;
    if (s->symbol_room < need) {
        uint32_t *grown = realloc(s->symbols, need * sizeof *grown);
        if (!grown)
            return false;
        s->symbols = grown;
        s->symbol_room = need;
    }
    uint32_t *p = s->symbols + 6 * n;
    word w = { .id = p - 6 * n, .begin = p - 5 * n, .end = p - 4 * n, .rank = p - 3 * n, .next = p - 2 * n, .before = p - n };
    heap h = { .items = (uint64_t *)(void *)p };        // 24 n bytes from the start of the block: aligned
    first_symbols(b, chars, begin, end, &w);
    merge_long(b, &w, &h);
    return put_all(&w, out);
}

static bool short_word(const bpe *b, const char *chars, size_t begin, size_t end, tokens *out)
{
    uint32_t id[SHORT], from[SHORT], to[SHORT];
    word w = { .id = id, .begin = from, .end = to };
    first_symbols(b, chars, begin, end, &w);
    merge_short(b, &w, b->lacks_none ? chars + begin : NULL);
    return put_all(&w, out);
}

bool bpe_word(const bpe *b, const char *chars, size_t begin, size_t end, tokens *out)
{
    if (b->ignore_merges) {
        int32_t id = vocab_find_bytes(b->vocab, str_slice((str){ chars, end }, begin, end));
        if (id >= 0) {
            if (!tokens_reserve(out, 1))
                return false;
            tokens_put(out, id, begin, end);
            return true;
        }
    }
    return end - begin <= SHORT && b->merge_count < MOST_SHORT_RANK ? short_word(b, chars, begin, end, out)
                                                                        : long_word(b, chars, begin, end, out);
}
