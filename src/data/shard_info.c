// What is counted while rows become conversations, and its form in JSON.
#include <stdio.h>
#include <stddef.h>

#include "base/util.h"
#include "base/utf8.h"
#include "data/shard.h"

// THE TABLE of counts: its name in the file, and where it is kept. Larger-of instead of sum for `longest`.
static const struct { const char *name; size_t at; bool largest; } counts[] = {
#define COUNT_OF(member) { #member, offsetof(cache_totals, member), false }
    COUNT_OF(rows), COUNT_OF(kept), COUNT_OF(dropped), COUNT_OF(tokens), COUNT_OF(trained), COUNT_OF(special_in_content),
    COUNT_OF(bos_missing), COUNT_OF(bos_double), COUNT_OF(tools_unseen), COUNT_OF(left_out),
    { "longest", offsetof(cache_totals, longest), true },
};

static int64_t *count_at(cache_totals *t, size_t i) { return (int64_t *)((char *)t + counts[i].at); }
static int64_t count_of(const cache_totals *t, size_t i) { return *(const int64_t *)((const char *)t + counts[i].at); }

void info_drop(shard_info *s, const char *reason, const char *first, int64_t rows)
{
    cache_totals *t = &s->totals;
    int i = 0;
    while (i < t->drop_count && strcmp(t->drops[i].reason, reason))
        i++;
    if (i == (int)COUNT(t->drops))
        return;
    if (i == t->drop_count) {
        t->drop_count++;
        t->drops[i].reason = reason;
        t->drops[i].rows = 0;
        snprintf(t->drops[i].first, sizeof t->drops[i].first, "%s", first);
    }
    t->drops[i].rows += rows;
}

void info_stop(shard_info *s, int32_t token)
{
    for (int i = 0; i < s->stop_count; i++)
        if (s->stops[i] == token)
            return;
    if (token >= 0 && s->stop_count < SHARD_STOPS)
        s->stops[s->stop_count++] = token;
}

void info_add(shard_info *to, const shard_info *more)
{
    for (size_t i = 0; i < COUNT(counts); i++) {
        int64_t *sum = count_at(&to->totals, i), n = count_of(&more->totals, i);
        *sum = counts[i].largest ? MAX(*sum, n) : *sum + n;
    }
    for (int i = 0; i < more->totals.drop_count; i++)
        info_drop(to, more->totals.drops[i].reason, more->totals.drops[i].first, more->totals.drops[i].rows);
    for (int i = 0; i < more->stop_count; i++)
        info_stop(to, more->stops[i]);
}

// A path may hold bytes that are no UTF-8, which JSON cannot.
node info_text(arena *a, const char *s)
{
    str all = str_of(s);
    char *copy = arena_chars(a, all);
    for (size_t bad; (bad = utf8_check((str){ copy, all.size })) < all.size;)
        copy[bad] = '?';
    return node_text((str){ copy, all.size });
}

void info_put(arena *a, node *object, const shard_info *s)
{
    for (size_t i = 0; i < COUNT(counts); i++)
        node_put(a, object, counts[i].name, node_int(count_of(&s->totals, i)));
    node *drops = node_list(a), *stops = node_list(a);
    for (int i = 0; i < s->totals.drop_count; i++) {
        node *one = node_add(a, drops, *node_object(a));
        node_put(a, one, "reason", node_text(str_of(s->totals.drops[i].reason)));
        node_put(a, one, "rows", node_int(s->totals.drops[i].rows));
        node_put(a, one, "first", info_text(a, s->totals.drops[i].first));
    }
    for (int i = 0; i < s->stop_count; i++)
        node_add(a, stops, node_int(s->stops[i]));
    node_put(a, object, "drops", *drops);
    node_put(a, object, "stop_tokens", *stops);
}

static bool read_drop(const node *one, const char *file, shard_info *out, err *e)
{
    str reason, first;
    int64_t rows;
    char place_of[sizeof out->totals.drops[0].first];
    TRY(node_want_text(one, file, "reason", &reason, e));
    TRY(node_want_text(one, file, "first", &first, e));
    TRY(node_want_int(one, file, "rows", &rows, e));
    snprintf(place_of, sizeof place_of, "%.*s", (int)MIN(first.size, sizeof place_of - 1), first.at);
    for (int i = 0; i < DROP_REASONS; i++)
        if (str_is(reason, drop_reasons[i]) && rows > 0) {
            info_drop(out, drop_reasons[i], place_of, rows);
            return true;
        }
    return fail(e, ERR_INPUT, "%s: drops: unknown reason or number of rows", file);
}

bool shard_info_read(const node *object, const char *file, shard_info *out, err *e)
{
    const node *drops, *stops;
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < COUNT(counts); i++) {
        if (object->kind == NODE_OBJECT && !node_get(object, counts[i].name))
            return fail(e, ERR_INPUT, "%s: an older version of skiff made it, without the count '%s'; tokenize again", file,
                        counts[i].name);
        TRY(node_want_int(object, file, counts[i].name, count_at(&out->totals, i), e));
        if (count_of(&out->totals, i) < 0)
            return fail(e, ERR_INPUT, "%s: %s: below 0", file, counts[i].name);
    }
    TRY(node_want(object, file, "drops", NODE_LIST, &drops, e));
    TRY(node_want(object, file, "stop_tokens", NODE_LIST, &stops, e));
    for (int64_t i = 0; i < drops->list.count; i++)
        TRY(read_drop(&drops->list.items[i], file, out, e));
    for (int64_t i = 0; i < stops->list.count; i++) {
        const node *n = &stops->list.items[i];
        if (n->kind != NODE_INT || n->integer < 0 || n->integer > INT32_MAX)
            return fail(e, ERR_INPUT, "%s: stop_tokens: expected ids", file);
        info_stop(out, (int32_t)n->integer);
    }
    return true;
}
