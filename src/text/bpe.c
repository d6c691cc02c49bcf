// The merges of a word. Words up to 128 symbols: the lowest rank is searched in an array, which is fast for the few
// symbols of most words. Longer ones: a heap, so that a megabyte of one letter takes n log n.
#include "text/bpe.h"

#include <stdlib.h>

#include "base/util.h"

enum { SHORT = 128 };
#define NO_RANK UINT32_MAX

void bpe_open(bpe *b, arena *a, const vocab *v, int64_t merges)
{
    uint32_t room = 64;
    while (room < 2 * merges)
        room *= 2;
    *b = (bpe){ .vocab = v, .mask = room - 1, .unk = -1 };
    b->merges = ARENA_ARRAY(a, merge, room);
    for (uint32_t i = 0; i < room; i++)
        b->merges[i].left = -1;
    for (int i = 0; i < 256; i++) {
        char c[2];
        b->byte[i] = vocab_find(v, (str){ c, (size_t)byte_to_utf8((uint8_t)i, c) });
    }
}

static inline uint32_t pair_hash(int32_t left, int32_t right)
{
    uint64_t h = ((uint64_t)(uint32_t)left << 32 | (uint32_t)right) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(h >> 32 ^ h >> 15);
}

void bpe_add(bpe *b, int32_t left, int32_t right, int32_t id)
{
    uint32_t i = pair_hash(left, right);
    merge *m;
    do
        m = &b->merges[i++ & b->mask];
    while (m->left >= 0 && (m->left != left || m->right != right));
    *m = (merge){ left, right, b->merge_count++, id };
}

bool bpe_add_ranked(bpe *b, int32_t left, int32_t right, int32_t rank, int32_t id)
{
    if (b->filled > b->mask / 4 * 3)
        return false;
    bpe_add(b, left, right, id);
    b->filled++;
    uint32_t i = pair_hash(left, right);
    while (b->merges[i & b->mask].left != left || b->merges[i & b->mask].right != right)
        i++;
    b->merges[i & b->mask].rank = rank;
    b->merge_count = MAX(rank + 1, b->merge_count - 1);
    return true;
}

const merge *bpe_find(const bpe *b, int32_t left, int32_t right)
{
    for (uint32_t i = pair_hash(left, right);; i++) {
        const merge *m = &b->merges[i & b->mask];
        if (m->left == left && m->right == right)
            return m;
        if (m->left < 0)
            return NULL;
    }
}

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
    const merge *m = bpe_find(b, (int32_t)left, (int32_t)right);
    return m ? (uint32_t)m->rank : NO_RANK;
}

// A word under merging. Symbols have a token and a place; rank[i] is that of symbol i with its right neighbour.
typedef struct word {
    uint32_t *id, *begin, *end, *rank, *next, *before;
    uint32_t count;
} word;

enum { NONE = -1 };                 // no neighbour, in `next` and `before`

// The bytes as symbols. Bytes that the vocabulary lacks become the unknown token or nothing.
static void first_symbols(const bpe *b, const char *chars, size_t begin, size_t end, word *w)
{
    bool unknown = false;
    w->count = 0;
    for (size_t i = begin; i < end; i++) {
        int32_t id = b->byte[(uint8_t)chars[i]];
        bool missing = id < 0;
        if (missing && b->unk < 0)
            continue;
        if (missing && unknown && b->fuse_unk) {
            w->end[w->count - 1] = (uint32_t)i + 1;
            continue;
        }
        w->id[w->count] = (uint32_t)(missing ? b->unk : id);
        w->begin[w->count] = (uint32_t)i;
        w->end[w->count++] = (uint32_t)i + 1;
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

static inline void drop(uint32_t *array, uint32_t i, uint32_t count)
{
    memmove(array + i, array + i + 1, (count - i - 1) * sizeof *array);
}

static void merge_short(const bpe *b, word *w)
{
    first_ranks(b, w);
    for (;;) {
        uint32_t least = NO_RANK, i = 0;
        for (uint32_t j = 0; j < w->count; j++)
            least = MIN(least, w->rank[j]);
        if (least == NO_RANK)
            return;
        while (w->rank[i] != least)
            i++;
        w->id[i] = (uint32_t)bpe_find(b, (int32_t)w->id[i], (int32_t)w->id[i + 1])->id;
        w->end[i] = w->end[i + 1];
        drop(w->id, i + 1, w->count);
        drop(w->begin, i + 1, w->count);
        drop(w->end, i + 1, w->count);
        drop(w->rank, i + 1, w->count);
        w->count--;
        w->rank[i] = i + 1 < w->count ? rank_of(b, w->id[i], w->id[i + 1]) : NO_RANK;
        if (i > 0)
            w->rank[i - 1] = rank_of(b, w->id[i - 1], w->id[i]);
    }
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
    uint32_t id[SHORT], from[SHORT], to[SHORT], rank[SHORT];
    word w = { .id = id, .begin = from, .end = to, .rank = rank };
    first_symbols(b, chars, begin, end, &w);
    merge_short(b, &w);
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
    return end - begin <= SHORT ? short_word(b, chars, begin, end, out) : long_word(b, chars, begin, end, out);
}
