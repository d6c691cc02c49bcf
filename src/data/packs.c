// Packing a cache: what is kept of each conversation, and which ones share a row.
#include "data/packs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

enum { MOST_SEGMENTS = 64, DESCRIBED = 4 };

// A token is a target if it is trained and another one stands before it.
int64_t count_targets(conversation c, int64_t count)
{
    int64_t n = 0;
    for (int64_t i = 1; i < count; i++)
        n += c.mask[i];
    return n;
}

// A turn ends where a trained token is followed by one that is not, or by nothing.
static int64_t last_whole_turn(conversation c, int64_t seq)
{
    for (int64_t end = seq; end > 1; end--)
        if (c.mask[end - 1] && !c.mask[end])        // seq < c.count
            return end;
    return 0;
}

int64_t keep_tokens(conversation c, int64_t seq, truncate_how how, lost *why)
{
    int64_t keep = c.count;
    *why = LOST_NOT;
    if (c.count > seq) {
        if (how == TRUNCATE_DROP) {
            *why = LOST_LONG;
            return 0;
        }
        keep = how == TRUNCATE_TURNS ? last_whole_turn(c, seq) : seq;
    }
    if (!count_targets(c, keep)) {
        *why = LOST_UNTRAINED;
        return 0;
    }
    return keep;
}

// Sizes of what is kept, in cache order, in `sizes`; their number.
static int64_t measure(packs *p, truncate_how how, int32_t *sizes)
{
    int64_t count = 0;
    for (int64_t i = 0; i < cache_count(p->cache); i++) {
        lost why;
        conversation c = cache_at(p->cache, i);
        int64_t keep = keep_tokens(c, p->seq, how, &why);
        p->kept[i] = (int32_t)keep;
        p->totals.dropped_long += why == LOST_LONG;
        p->totals.dropped_untrained += why == LOST_UNTRAINED;
        if (!keep)
            continue;
        p->totals.cut += keep < c.count;
        p->totals.tokens += keep;
        p->totals.trained += count_targets(c, keep);
        sizes[count++] = (int32_t)keep;
    }
    p->totals.conversations = count;
    return count;
}

// Conversations pack after pack, in cache order within each.
static void arrange(packs *p, const int64_t *pack)
{
    for (int64_t i = 0; i < p->totals.conversations; i++)
        p->begin[pack[i] + 1]++;
    for (int64_t i = 0; i < p->count; i++)
        p->begin[i + 1] += p->begin[i];
    for (int64_t i = 0, k = 0; i < cache_count(p->cache); i++)
        if (p->kept[i])
            p->items[p->begin[pack[k++]]++] = i;
    for (int64_t i = p->count; i > 0; i--)
        p->begin[i] = p->begin[i - 1];
    p->begin[0] = 0;
}

static bool no_memory(int64_t conversations, err *e)
{
    return fail(e, ERR_MEMORY, "no memory to pack %lld conversations", (long long)conversations);
}

static bool make(packs *p, packing how, truncate_how cut, int64_t segments, int32_t *sizes, int64_t *pack, err *e)
{
    const int64_t all = cache_count(p->cache), kept = measure(p, cut, sizes);
    if (!kept)
        return fail(e, ERR_INPUT, "none of the %lld conversations can be trained on with rows of %lld tokens: %lld are longer, and of "
                                  "%lld nothing trained is left within that; raise max_seq_len, or set truncate=right",
                    (long long)all, (long long)p->seq, (long long)p->totals.dropped_long, (long long)p->totals.dropped_untrained);
    if (how == PACK_OFF)
        segments = 1;
    p->count = how == PACK_BEST_FIT && segments > 1 ? fit_best(sizes, kept, p->seq, segments, pack)
                                                    : fit_sequential(sizes, kept, p->seq, segments, pack);
    if (p->count < 0)
        return no_memory(kept, e);
    p->totals.packs = p->count;
    p->items = calloc((size_t)kept, sizeof *p->items);
    p->begin = calloc((size_t)p->count + 2, sizeof *p->begin);
    if (!p->items || !p->begin)
        return no_memory(kept, e);
    arrange(p, pack);
    return true;
}

packs *packs_open(const cache *c, int64_t seq, packing how, truncate_how cut, int64_t max_segments, err *e)
{
    if (seq < 2 || seq > 1 << 30 || max_segments < 0) {
        fail(e, ERR_INPUT, "max_seq_len: expected at least 2 tokens and at most %d, got %lld", 1 << 30, (long long)seq);
        return NULL;
    }
    const size_t all = (size_t)cache_count(c);
    packs *p = calloc(1, sizeof *p);
    int32_t *sizes = malloc(sizeof *sizes * (all + 1));
    int64_t *pack = malloc(sizeof *pack * (all + 1));
    bool ok = p && sizes && pack;
    if (ok) {
        *p = (packs){ .cache = c, .seq = seq, .kept = calloc(all + 1, sizeof *p->kept) };
        ok = p->kept != NULL;
    }
    if (!ok)
        (void)!no_memory((int64_t)all, e);
    ok = ok && make(p, how, cut, max_segments ? max_segments : MOST_SEGMENTS, sizes, pack, e);
    free(sizes);
    free(pack);
    if (ok)
        return p;
    packs_close(p);
    return NULL;
}

void packs_close(packs *p)
{
    if (!p)
        return;
    free(p->items);
    free(p->begin);
    free(p->kept);
    free(p);
}

const pack_totals *packs_totals(const packs *p) { return &p->totals; }

int64_t packs_at(const packs *p, int64_t pack, const int64_t **conversations)
{
    *conversations = p->items + p->begin[pack];
    return p->begin[pack + 1] - p->begin[pack];
}

void packs_describe(const packs *p, int64_t pack, char *out, size_t room)
{
    const int64_t *items, count = packs_at(p, pack, &items);
    int64_t last = -1, shown = MIN(count, (int64_t)DESCRIBED);
    size_t used = 0;
    out[0] = 0;
    for (int64_t i = 0; i < shown && used < room; i++) {
        conversation c = cache_at(p->cache, items[i]);
        if (c.source_file != last)
            used += (size_t)snprintf(out + used, room - used, "%s%s: ", i ? "; " : "", cache_source(p->cache, c.source_file));
        else
            used += (size_t)snprintf(out + used, room - used, ", ");
        if (used < room)
            used += (size_t)snprintf(out + used, room - used, "row %lld", (long long)c.source_row);
        last = c.source_file;
    }
    if (count > shown && used < room)
        snprintf(out + used, room - used, " and %lld more", (long long)(count - shown));
}
