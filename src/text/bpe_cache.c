// Runs of words through a cache: most words of a text came before, and their tokens are known. Words are taken in
// batches: where they end, then their keys (with the caches' lines fetched ahead), then their tokens.
#include <stdlib.h>

#include "base/large.h"
#include "base/map.h"
#include "base/util.h"
#include "text/bpe.h"

enum { BATCH = 64, SHORT_SIZE = 15, SHORT_TOKENS = 3, PUT_ROOM = WIDE_TOKENS + 1 };
enum { FIRST_SETS = 8, MOST_SETS = 16, FIRST_WIDE = 5, MOST_WIDE = 13 };        // bits

// A word as the cache knows it.
typedef struct word_key {
    uint64_t low, high, hash;       // as in cached_word; a longer word has a `high` that none there has
} word_key;

// The text's end in a copy with zeros after it, so that sixteen bytes of every word can be loaded.
typedef struct run {
    const char *chars;
    size_t safe;                    // from here on words are read from the copy
    char copy[32];
} run;

static void run_open(run *r, const char *chars, size_t begin, size_t end)
{
    size_t size = MIN(end - begin, 16);
    *r = (run){ .chars = chars, .safe = end - size };
    memcpy(r->copy, chars + r->safe, size);
}

static inline uint64_t key_hash(uint64_t low, uint64_t high)
{
    uint64_t h = low * 0x9e3779b97f4a7c15u ^ (high * 0x9ddfea08eb382d69u + (low >> 29));
    return (h ^ h >> 32) * 0xd6e8feb86659fd93u;
}

// What to keep of sixteen loaded bytes.
#define LOW(n)  ((n) >= 8 ? UINT64_MAX : ((uint64_t)1 << 8 * ((n) & 7)) - 1)
#define HIGH(n) ((n) <= 8 ? 0 : ((uint64_t)1 << 8 * (((n) - 8) & 7)) - 1)
#define KEEP(n) { LOW(n), HIGH(n) }
static const uint64_t keep[SHORT_SIZE + 1][2] = {
    KEEP(0), KEEP(1), KEEP(2), KEEP(3), KEEP(4), KEEP(5), KEEP(6), KEEP(7), KEEP(8), KEEP(9), KEEP(10), KEEP(11), KEEP(12), KEEP(13),
    KEEP(14), KEEP(15),
};

static inline word_key key_of(const run *r, size_t at, size_t size)
{
    word_key k = {0};
    if (size > SHORT_SIZE) {
        k.high = UINT64_MAX;
        k.hash = size > WIDE_SIZE ? 0 : hash_bytes(r->chars + at, size, 0);
        return k;
    }
    const char *from = at < r->safe ? r->chars + at : r->copy + (at - r->safe);
    memcpy(&k.low, from, 8);
    memcpy(&k.high, from + 8, 8);
    k.low &= keep[size][0];
    k.high = (k.high & keep[size][1]) | (uint64_t)size << 56;
    k.hash = key_hash(k.low, k.high);
    return k;
}

static inline cached_word *set_of(const word_cache *c, uint64_t hash) { return c->sets + 2 * (hash >> (64 - c->set_bits)); }

static inline wide_word *wide_of(const word_cache *c, uint64_t hash) { return c->wide + (hash >> (64 - c->wide_bits)); }

static inline bool is_word(const cached_word *c, const word_key *k) { return c->low == k->low && c->high == k->high; }

// All three tokens are written whatever their number; what is too much is written over.
static inline void put_cached(const cached_word *c, size_t at, tokens *out)
{
    int32_t *id = out->ids + out->count;
    uint32_t *begin = out->begin + out->count, *end = out->end + out->count;
    begin[0] = (uint32_t)at;
    for (int i = 0; i < SHORT_TOKENS; i++) {
        id[i] = c->id[i];
        end[i] = begin[i + 1] = (uint32_t)at + c->end[i];
    }
    out->count += c->count;
}

static void put_wide(const wide_word *c, size_t at, tokens *out)
{
    size_t begin = at;
    for (int i = 0; i < c->count; begin = at + c->end[i++])
        tokens_put(out, c->id[i], begin, at + c->end[i]);
}

// Two tables that begin again with `bits` more, the words of the old one put in. False: no memory.
static bool grow_sets(word_cache *c, int bits)
{
    word_cache old = *c;
    cached_word *sets = large_alloc(((size_t)2 << bits) * sizeof *sets);
    if (!sets)
        return false;
    memset(sets, 0, ((size_t)2 << bits) * sizeof *sets);
    c->sets = sets;
    c->set_bits = bits;
    c->kept = 0;
    for (size_t i = old.sets ? (size_t)2 << old.set_bits : 0; i-- > 0;) {       // backwards: the newest goes first
        if (!old.sets[i].high)
            continue;
        cached_word *set = set_of(c, key_hash(old.sets[i].low, old.sets[i].high));
        set[1] = set[0];
        set[0] = old.sets[i];
    }
    free(old.sets);
    return true;
}

static bool grow_wide(word_cache *c, int bits)
{
    word_cache old = *c;
    wide_word *wide = calloc((size_t)1 << bits, sizeof *wide);
    if (!wide)
        return false;
    c->wide = wide;
    c->wide_bits = bits;
    c->wide_kept = 0;
    for (size_t i = 0; old.wide && i < (size_t)1 << old.wide_bits; i++)
        if (old.wide[i].size)
            *wide_of(c, old.wide[i].hash) = old.wide[i];
    free(old.wide);
    return true;
}

static word_cache *cache_of(const bpe *b, tokens *out)
{
    scratch *s = tokens_scratch(out);
    if (!s)
        return NULL;
    word_cache *c = &s->words;
    if (c->owner != b->owner && c->sets) {
        free(c->sets);
        free(c->wide);
        *c = (word_cache){0};
    }
    c->owner = b->owner;
    if ((!c->sets && !grow_sets(c, FIRST_SETS)) || (!c->wide && !grow_wide(c, FIRST_WIDE)))
        return NULL;
    return c;
}

static void keep_wide(word_cache *c, const run *r, const word_key *key, size_t at, size_t size, const tokens *k, int64_t first)
{
    if (c->wide_kept >> c->wide_bits && c->wide_bits < MOST_WIDE && !grow_wide(c, c->wide_bits + 2))
        return;                                         // goes on with the small one
    wide_word *w = wide_of(c, key->hash);
    *w = (wide_word){ .hash = key->hash, .size = (uint8_t)size, .count = (uint8_t)(k->count - first) };
    memcpy(w->bytes, r->chars + at, size);
    for (int i = 0; i < WIDE_TOKENS && first + i < k->count; i++) {
        w->id[i] = k->ids[first + i];
        w->end[i] = (uint8_t)(k->end[first + i] - at);
    }
    c->wide_kept++;
}

static void keep_short(word_cache *c, const word_key *key, size_t at, const tokens *k, int64_t first)
{
    if (c->kept >> c->set_bits && c->set_bits < MOST_SETS && !grow_sets(c, c->set_bits + 2))
        return;
    cached_word *set = set_of(c, key->hash), w = { .low = key->low, .high = key->high, .count = (uint8_t)(k->count - first) };
    for (int i = 0; i < SHORT_TOKENS && first + i < k->count; i++) {
        w.id[i] = k->ids[first + i];
        w.end[i] = (uint8_t)(k->end[first + i] - at);
    }
    set[1] = set[0];
    set[0] = w;
    c->kept++;
}

// Do the tokens from the `first` on cover chars[at, end) without a gap?
static bool covers(const tokens *k, int64_t first, size_t at, size_t end)
{
    for (; first < k->count; at = k->end[first++])
        if (k->begin[first] != at)
            return false;
    return at == end;
}

// A word that is in neither set, or long.
static bool uncommon_word(const bpe *b, word_cache *c, const run *r, const word_key *key, size_t at, size_t next, tokens *out)
{
    size_t size = next - at;
    if (size > WIDE_SIZE)
        return bpe_word(b, r->chars, at, next, out);
    const wide_word *w = wide_of(c, key->hash);
    if (w->hash == key->hash && w->size == size && !memcmp(w->bytes, r->chars + at, size)) {
        put_wide(w, at, out);
        return true;
    }
    int64_t first = out->count;
    TRY(bpe_word(b, r->chars, at, next, out));
    int64_t count = out->count - first;
    if (count < 1 || count > WIDE_TOKENS || !covers(out, first, at, next))
        return true;
    if (size <= SHORT_SIZE && count <= SHORT_TOKENS)
        keep_short(c, key, at, out, first);
    else
        keep_wide(c, r, key, at, size, out, first);
    return true;
}

static inline bool put_word(const bpe *b, word_cache *c, const run *r, const word_key *key, size_t at, size_t next, tokens *out)
{
    const cached_word *set = set_of(c, key->hash);
    if (is_word(&set[0], key))
        put_cached(&set[0], at, out);
    else if (is_word(&set[1], key))
        put_cached(&set[1], at, out);
    else
        return uncommon_word(b, c, r, key, at, next, out) && tokens_reserve(out, BATCH * PUT_ROOM);
    return true;
}

bool bpe_cached_word(const bpe *b, const char *chars, size_t begin, size_t end, tokens *out)
{
    word_cache *c = cache_of(b, out);
    run r;
    if (!c || !tokens_reserve(out, PUT_ROOM))
        return false;
    run_open(&r, chars, begin, end);
    word_key key = key_of(&r, begin, end - begin);
    return put_word(b, c, &r, &key, begin, end, out);
}

bool bpe_words(const bpe *b, scan_run *scan, const char *chars, size_t begin, size_t end, tokens *out)
{
    word_cache *c = cache_of(b, out);
    uint32_t ends[BATCH];
    word_key keys[BATCH];
    run r;
    if (!c || !tokens_reserve(out, BATCH * PUT_ROOM))
        return false;
    run_open(&r, chars, begin, end);
    for (size_t at = begin, from; at < end;) {
        int count = scan(chars, at, end, ends, BATCH);
        from = at;
        for (int i = 0; i < count; from = ends[i++]) {
            keys[i] = key_of(&r, from, ends[i] - from);
            __builtin_prefetch(set_of(c, keys[i].hash));
        }
        TRY(tokens_reserve(out, BATCH * PUT_ROOM));
        for (int i = 0; i < count; at = ends[i++])
            TRY(put_word(b, c, &r, &keys[i], at, ends[i], out));
    }
    return true;
}
