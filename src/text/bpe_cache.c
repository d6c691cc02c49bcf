// Runs of words through a cache: most words of a text came before, and their tokens are known.
#include <stdlib.h>

#include "base/util.h"
#include "text/bpe.h"

// Up to 16 bytes as two numbers. Reading past the word is fine while it stays in the text.
static inline void load_word(const char *chars, size_t at, size_t size, size_t end, uint64_t *low, uint64_t *high)
{
    if (at + CACHED_SIZE <= end) {
        memcpy(low, chars + at, 8);
        memcpy(high, chars + at + 8, 8);
        if (size < 8) {
            *low &= ((uint64_t)1 << 8 * size) - 1;
            *high = 0;
        } else {
            *high &= size < 16 ? ((uint64_t)1 << 8 * (size - 8)) - 1 : UINT64_MAX;
        }
        return;
    }
    char copy[CACHED_SIZE] = {0};
    memcpy(copy, chars + at, size);
    memcpy(low, copy, 8);
    memcpy(high, copy + 8, 8);
}

static inline uint32_t word_set(uint64_t low, uint64_t high)
{
    uint64_t h = (low ^ (high * 0x9ddfea08eb382d69u)) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(h >> 40 ^ h >> 20) & (CACHE_SETS - 1);
}

static inline bool is_word(const cached_word *c, uint64_t low, uint64_t high, size_t size)
{
    return c->low == low && c->high == high && c->size == size;
}

static inline void put_cached(const cached_word *c, size_t at, tokens *out)
{
    size_t begin = at;
    for (int i = 0;; i++) {
        tokens_put(out, c->id[i], begin, at + c->end[i]);
        if (c->end[i] == c->size)
            return;
        begin = at + c->end[i];
    }
}

// Keeps the tokens from the `first` on if they are few and cover the word without a gap. The newest goes first.
static void keep_word(cached_word *set, uint64_t low, uint64_t high, size_t at, size_t size, const tokens *k, int64_t first)
{
    cached_word c = { .low = low, .high = high, .size = (uint8_t)size };
    size_t end = at;
    if (k->count - first < 1 || k->count - first > CACHED_TOKENS)
        return;
    for (int64_t i = first; i < k->count; end = k->end[i++]) {
        if (k->begin[i] != end)
            return;
        c.end[i - first] = (uint8_t)(k->end[i] - at);
        c.id[i - first] = k->ids[i];
    }
    if (end != at + size)
        return;
    set[1] = set[0];
    set[0] = c;
}

static cached_word *cache_of(const bpe *b, tokens *out)
{
    scratch *s = tokens_scratch(out);
    if (s && s->cache && s->owner != b->owner) {
        free(s->cache);
        s->cache = NULL;
    }
    if (s && !s->cache) {
        s->cache = aligned_alloc(64, 2 * CACHE_SETS * sizeof *s->cache);
        if (s->cache)
            memset(s->cache, 0, 2 * CACHE_SETS * sizeof *s->cache);
        s->owner = b->owner;
    }
    return s ? s->cache : NULL;
}

static bool missed_word(const bpe *b, const char *chars, size_t at, size_t next, cached_word *set, uint64_t low, uint64_t high,
                        tokens *out)
{
    int64_t first = out->count;
    if (!bpe_word(b, chars, at, next, out))
        return false;
    keep_word(set, low, high, at, next - at, out, first);
    return true;
}

// chars[at, next) is a word; the text goes on to `end`.
static inline bool one_word(const bpe *b, cached_word *cache, const char *chars, size_t at, size_t next, size_t end, tokens *out)
{
    size_t size = next - at;
    if (size > CACHED_SIZE)
        return bpe_word(b, chars, at, next, out);
    uint64_t low, high;
    load_word(chars, at, size, end, &low, &high);
    cached_word *set = cache + 2 * word_set(low, high);
    if (!tokens_reserve(out, CACHED_TOKENS))
        return false;
    if (is_word(&set[0], low, high, size))
        put_cached(&set[0], at, out);
    else if (is_word(&set[1], low, high, size))
        put_cached(&set[1], at, out);
    else
        return missed_word(b, chars, at, next, set, low, high, out);
    return true;
}

bool bpe_cached_word(const bpe *b, const char *chars, size_t begin, size_t end, tokens *out)
{
    cached_word *cache = cache_of(b, out);
    return cache && one_word(b, cache, chars, begin, end, end, out);
}

bool bpe_words(const bpe *b, scanner *scan, const char *chars, size_t begin, size_t end, tokens *out)
{
    cached_word *cache = cache_of(b, out);
    if (!cache)
        return false;
    for (size_t at = begin, next; at < end; at = next) {
        next = scan(chars, at, end);
        if (!one_word(b, cache, chars, at, next, end, out))
            return false;
    }
    return true;
}
