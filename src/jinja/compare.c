// Equality, order, membership and sorting, as Python has them.
#include <math.h>

#include "base/util.h"
#include "jinja/value.h"

enum { DEEPEST = 500 };

static bool is_number(value v) { return v.kind == V_BOOL || v.kind == V_INT || v.kind == V_FLOAT || v.kind == V_BIG; }

static int compare_big(value a, value b)
{
    double x, y;
    if (a.kind == V_BIG && b.kind == V_BIG) {
        str s = a.text->s, t = b.text->s;
        bool minus = s.at[0] == '-', other = t.at[0] == '-';
        if (minus != other)
            return minus ? -1 : 1;
        int order = s.size != t.size ? (s.size < t.size ? -1 : 1) : memcmp(s.at, t.at, s.size);
        return minus ? -order : order;
    }
    value_as_number(a, &x);
    value_as_number(b, &y);
    return x < y ? -1 : x > y;
}

// NaN differs from everything: *order is set to 2.
static void compare_numbers(value a, value b, int *order)
{
    int64_t i, k;
    double x, y;
    if (value_as_int(a, &i) && value_as_int(b, &k)) {
        *order = i < k ? -1 : i > k;
    } else if (a.kind == V_BIG || b.kind == V_BIG) {
        *order = compare_big(a, b);
    } else {
        value_as_number(a, &x);
        value_as_number(b, &y);
        *order = isnan(x) || isnan(y) ? 2 : x < y ? -1 : x > y;
    }
}

static bool equal_lists(render *r, jlist *a, jlist *b, bool *equal)
{
    *equal = a->count == b->count;
    if (!*equal || a == b)
        return true;
    list_fill(r, a);
    list_fill(r, b);
    for (int64_t i = 0; i < a->count && *equal; i++)
        TRY(value_equal(r, a->items[i], b->items[i], equal));
    return true;
}

static bool equal_dicts(render *r, jdict *a, jdict *b, bool *equal)
{
    *equal = a->count == b->count;
    if (!*equal || a == b)
        return true;
    dict_fill(r, a);
    dict_fill(r, b);
    for (int64_t i = 0; i < a->count && *equal; i++) {
        TRY(jinja_step(r, 1 + a->count / 16));
        value *other = dict_find(r, b, a->pairs[i].key);
        *equal = other != NULL;
        if (other)
            TRY(value_equal(r, a->pairs[i].value, *other, equal));
    }
    return true;
}

static bool equal_inside(render *r, value a, value b, bool *equal)
{
    *equal = false;
    if (is_number(a) && is_number(b)) {
        int order;
        compare_numbers(a, b, &order);
        *equal = order == 0;
        return true;
    }
    if (a.kind != b.kind)
        return true;
    switch ((value_kind)a.kind) {
    case V_UNDEFINED: case V_NONE: case V_MISSING: *equal = true; return true;
    case V_TEXT: *equal = str_equal(a.text->s, b.text->s); return true;
    case V_LIST: case V_TUPLE: return equal_lists(r, a.list, b.list, equal);
    case V_DICT: return equal_dicts(r, a.dict, b.dict, equal);
    case V_RANGE:
        *equal = a.range->count == b.range->count && (!a.range->count || (a.range->start == b.range->start
                 && (a.range->count == 1 || a.range->step == b.range->step)));
        return true;
    default: *equal = (const void *)a.list == (const void *)b.list; return true;
    }
}

bool value_equal(render *r, value a, value b, bool *equal)
{
    TRY(jinja_step(r, 1));
    if (r->depth > DEEPEST + 1000)
        return jinja_fail(r, "values nested too deeply to compare");
    r->depth++;
    bool ok = equal_inside(r, a, b, equal);
    r->depth--;
    return ok;
}

bool value_order(render *r, value a, value b, int *order, const char *op)
{
    TRY(jinja_step(r, 1));
    if (a.kind == V_UNDEFINED || b.kind == V_UNDEFINED)
        return undefined_fail(r, a.kind == V_UNDEFINED ? a : b);
    if (is_number(a) && is_number(b)) {
        compare_numbers(a, b, order);
        return true;
    }
    if (a.kind == V_TEXT && b.kind == V_TEXT) {
        int by_bytes = str_compare(a.text->s, b.text->s);   // UTF-8 sorts as its characters do
        *order = (by_bytes > 0) - (by_bytes < 0);
        return true;
    }
    if (a.kind != b.kind || (a.kind != V_LIST && a.kind != V_TUPLE))
        return jinja_fail(r, "'%s' is not possible between %s and %s", op, value_type(a), value_type(b));
    list_fill(r, a.list);
    list_fill(r, b.list);
    TRY(jinja_enter(r));
    for (int64_t i = 0; i < a.list->count && i < b.list->count; i++) {
        bool same;
        TRY(value_equal(r, a.list->items[i], b.list->items[i], &same));
        if (same)
            continue;
        r->depth--;
        return value_order(r, a.list->items[i], b.list->items[i], order, op);
    }
    r->depth--;
    *order = a.list->count < b.list->count ? -1 : a.list->count > b.list->count;
    return true;
}

bool value_contains(render *r, value seq, value v, bool *in)
{
    *in = false;
    if (seq.kind == V_TEXT) {
        if (v.kind == V_UNDEFINED)
            return undefined_fail(r, v);
        if (v.kind != V_TEXT)
            return jinja_fail(r, "'in' a text needs a text on the left, got a %s", value_type(v));
        *in = !v.text->s.size || str_find(seq.text->s, v.text->s, 0) < seq.text->s.size;
        return true;
    }
    if (seq.kind == V_DICT || (seq.kind == V_VIEW && seq.view->part == VIEW_KEYS)) {
        if (!value_hashable(r, v))
            return jinja_fail(r, "a %s cannot be the key of a dict", value_type(v));
        *in = dict_find(r, seq.kind == V_DICT ? seq.dict : seq.view->dict.dict, v) != NULL;
        return true;
    }
    if (!value_iterable(seq))
        return jinja_fail(r, "'in' needs something to look into, got a %s", value_type(seq));
    value *items;
    int64_t count;
    TRY(value_items(r, seq, &items, &count));
    for (int64_t i = 0; i < count && !*in; i++)
        TRY(value_equal(r, items[i], v, in));
    return true;
}

// Merge sort of `order` by keys: stable, and an error of a comparison ends it.
static bool merge(render *r, const value *keys, int64_t *order, int64_t *room, int64_t begin, int64_t end, bool descending)
{
    if (end - begin < 2)
        return true;
    int64_t middle = begin + (end - begin) / 2;
    TRY(merge(r, keys, order, room, begin, middle, descending));
    TRY(merge(r, keys, order, room, middle, end, descending));
    int64_t a = begin, b = middle;
    for (int64_t i = begin; i < end; i++) {
        int less = 0;
        if (a < middle && b < end)                          // is the right one strictly before the left one?
            TRY(value_order(r, keys[order[b]], keys[order[a]], &less, "<"));
        bool right = a == middle || (b < end && (descending ? less == 1 : less == -1));
        room[i] = right ? order[b++] : order[a++];
    }
    memcpy(order + begin, room + begin, (size_t)(end - begin) * sizeof *order);
    return true;
}

bool value_sort(render *r, value *keys, int64_t *order, int64_t count, bool descending)
{
    int64_t *room = ARENA_ARRAY(&r->arena, int64_t, count);
    for (int64_t i = 0; i < count; i++)
        order[i] = i;
    return merge(r, keys, order, room, 0, count, descending);
}
