// Filters that look at each item: map, select and reject, sorting, grouping.
#include "base/util.h"
#include "jinja/cut.h"

#define UNUSED (void)self, (void)a, (void)raw

static const value *named(const call_args *c, const char *name)
{
    for (int i = 0; i < c->named_count; i++)
        if (str_is(c->named[i].name, name))
            return &c->named[i].v;
    return NULL;
}

// A filter or test named by a value, with the arguments after the first `used`.
static bool row_of(render *r, const call_args *raw, int used, bool filter, const function_row **row, call_args *rest)
{
    const char *what = filter ? "filter" : "test";
    TRY(want_text(r, raw->list[used], arena_print(&r->arena, "the name of a %s", what)));
    str name = raw->list[used].text->s;
    *row = filter ? filter_find(name) : test_find(name);
    if (!*row)
        return jinja_fail(r, "there is no %s called '%.*s'", what, STR_ARG(name));
    *rest = (call_args){ raw->list + used + 1, raw->named, raw->count - used - 1, raw->named_count };
    return true;
}

static bool map_attribute(render *r, const call_args *raw, value *items, int64_t count, jiterator *out)
{
    const value *path = named(raw, "attribute"), *otherwise = named(raw, "default");
    if (raw->named_count > 1 + (otherwise != NULL))
        return jinja_fail(r, "map takes 'attribute' and 'default', or the name of a filter");
    for (int64_t i = 0; i < count; i++) {
        TRY(attribute_path_or(r, items[i], *path, otherwise, &out->items[i]));
        out->count++;
    }
    return true;
}

static bool run_map(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)a;
    value *items;
    int64_t count;
    const function_row *row;
    call_args rest;
    if (self->kind != V_UNDEFINED && !value_iterable(*self) && !value_truth(r, *self)) {    // none|map(…) is empty
        *out = value_iterator(r, NULL, 0, "generator");
        return true;
    }
    TRY(value_items(r, *self, &items, &count));
    value *to = ARENA_ARRAY(&r->arena, value, count);
    *out = value_iterator(r, to, 0, "generator");
    if (!raw->count && named(raw, "attribute"))
        return map_attribute(r, raw, items, count, out->iterator);
    if (!raw->count)
        return !count || jinja_fail(r, "map takes the name of a filter, or attribute=");
    TRY(!count || row_of(r, raw, 0, true, &row, &rest));
    for (int64_t i = 0; i < count; i++) {
        TRY(call_row(r, "filter", row, &items[i], &rest, &to[i]));
        out->iterator->count++;
    }
    return true;
}

static bool select_items(render *r, value *self, const call_args *raw, bool keep, bool attribute, value *out)
{
    value *items;
    int64_t count;
    const function_row *row = NULL;
    call_args rest;
    if (self->kind != V_UNDEFINED && !value_iterable(*self) && !value_truth(r, *self)) {
        *out = value_iterator(r, NULL, 0, "generator");
        return true;
    }
    TRY(value_items(r, *self, &items, &count));
    if (attribute && !raw->count)
        return !count || jinja_fail(r, "the name of the attribute is missing");
    if (count && raw->count > (int)attribute)
        TRY(row_of(r, raw, attribute, false, &row, &rest));
    value *to = ARENA_ARRAY(&r->arena, value, count);
    *out = value_iterator(r, to, 0, "generator");
    for (int64_t i = 0; i < count; i++) {
        value subject = items[i], yes;
        if (attribute)
            TRY(attribute_path(r, items[i], raw->list[0], &subject));
        yes = subject;
        if (row)
            TRY(call_row(r, "test", row, &subject, &rest, &yes));
        if (value_truth(r, yes) == keep)
            to[out->iterator->count++] = items[i];
    }
    return true;
}

static bool run_select(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)a;
    return select_items(r, self, raw, true, false, out);
}

static bool run_reject(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)a;
    return select_items(r, self, raw, false, false, out);
}

static bool run_selectattr(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)a;
    return select_items(r, self, raw, true, true, out);
}

static bool run_rejectattr(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)a;
    return select_items(r, self, raw, false, true, out);
}

// What an item is compared by: its attribute, text in lower case unless case counts.
static bool key_of(render *r, value item, value path, bool case_sensitive, const value *otherwise, value *key)
{
    TRY(attribute_path_or(r, item, path, otherwise, key));
    return case_sensitive || key->kind != V_TEXT || text_change_case(r, *key, CASE_LOWER, key);
}

// "a,b.c": a list of keys, compared in this order. One key is a list too: equal keys need no order.
static bool keys_of(render *r, value item, value paths, bool case_sensitive, value *key)
{
    value *parts = NULL;
    int64_t count = 0;
    if (paths.kind != V_TEXT) {
        parts = ARENA_NEW(&r->arena, value);
        *key = value_list(r, parts, 1, V_LIST);
        return key_of(r, item, paths, case_sensitive, NULL, parts);
    }
    str s = paths.text->s;
    for (size_t at = 0; at <= s.size;) {
        size_t end = str_find(s, STR(","), at);
        value one;
        TRY(key_of(r, item, text_value(r, str_slice(s, at, end), 0), case_sensitive, NULL, &one));
        ARENA_PUSH(&r->arena, parts, count, one);
        at = end + 1;
    }
    *key = value_list(r, parts, count, V_LIST);
    return true;
}

static bool sorted(render *r, value *items, value *keys, int64_t count, bool reverse, value *out)
{
    int64_t *order = ARENA_ARRAY(&r->arena, int64_t, count);
    TRY(value_sort(r, keys, order, count, reverse));
    value *to = ARENA_ARRAY(&r->arena, value, count);
    for (int64_t i = 0; i < count; i++)
        to[i] = items[order[i]];
    *out = value_list(r, to, count, V_LIST);
    return true;
}

static bool run_sort(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    value *items;
    int64_t count;
    TRY(value_items(r, *self, &items, &count));
    value *keys = ARENA_ARRAY(&r->arena, value, count);
    for (int64_t i = 0; i < count; i++)
        TRY(keys_of(r, items[i], a[2], value_truth(r, a[1]), &keys[i]));
    return sorted(r, items, keys, count, value_truth(r, a[0]), out);
}

static bool run_dictsort(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    value view, *items;
    int64_t count;
    bool by_value = a[1].kind == V_TEXT && str_is(a[1].text->s, "value");
    if (a[1].kind != V_MISSING && !by_value && !(a[1].kind == V_TEXT && str_is(a[1].text->s, "key")))
        return jinja_fail(r, "dictsort sorts by 'key' or 'value'");
    if (self->kind == V_UNDEFINED)
        return undefined_fail(r, *self);
    if (self->kind != V_DICT)
        return jinja_fail(r, "dictsort takes a dict, got a %s", value_type(*self));
    TRY(call_row(r, "method", &methods_of_dict[2], self, &(call_args){0}, &view));
    TRY(value_items(r, view, &items, &count));
    value *keys = ARENA_ARRAY(&r->arena, value, count);
    for (int64_t i = 0; i < count; i++)
        TRY(key_of(r, items[i].list->items[by_value], (value){0}, value_truth(r, a[0]), NULL, &keys[i]));
    return sorted(r, items, keys, count, value_truth(r, a[2]), out);
}

static bool run_unique(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    value *items;
    int64_t count, n = 0;
    TRY(value_items(r, *self, &items, &count));
    value *to = ARENA_ARRAY(&r->arena, value, count);
    jdict seen = {0};
    for (int64_t i = 0; i < count; i++) {
        value key;
        TRY(key_of(r, items[i], a[1], value_truth(r, a[0]), NULL, &key));
        if (value_hashable(r, key) && dict_find(r, &seen, key))
            continue;
        TRY(dict_put(r, &seen, key, value_none));
        to[n++] = items[i];
    }
    *out = value_iterator(r, to, n, "generator");
    return true;
}

static bool extreme(render *r, value *self, value *a, int sign, value *out)
{
    value *items, best, key;
    int64_t count;
    TRY(value_items(r, *self, &items, &count));
    if (!count) {
        *out = value_undefined(r, sign < 0 ? "min of an empty list" : "max of an empty list");
        return true;
    }
    for (int64_t i = 0; i < count; i++) {
        int order = sign;
        TRY(key_of(r, items[i], a[1], value_truth(r, a[0]), NULL, &key));
        if (i)
            TRY(value_order(r, key, best, &order, sign < 0 ? "<" : ">"));
        if (order != sign)
            continue;
        best = key;
        *out = items[i];
    }
    return true;
}

static bool run_min(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    return extreme(r, self, a, -1, out);
}

static bool run_max(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    return extreme(r, self, a, 1, out);
}

// Pairs (key, items), sorted by key; the key has the case of the first item.
static bool run_groupby(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    value *items, *groups = NULL, all;
    int64_t count, n = 0;
    const value *otherwise = a[1].kind == V_MISSING ? NULL : &a[1];
    bool exact = value_truth(r, a[2]);
    TRY(value_items(r, *self, &items, &count));
    value *keys = ARENA_ARRAY(&r->arena, value, count);
    for (int64_t i = 0; i < count; i++)
        TRY(key_of(r, items[i], a[0], exact, otherwise, &keys[i]));
    TRY(sorted(r, items, keys, count, false, &all));
    for (int64_t i = 0; i < count;) {
        value key, next;
        int64_t end = i + 1;
        bool same = true;
        TRY(key_of(r, all.list->items[i], a[0], exact, otherwise, &key));
        for (; end < count; end++) {
            TRY(key_of(r, all.list->items[end], a[0], exact, otherwise, &next));
            TRY(value_equal(r, key, next, &same));
            if (!same)
                break;
        }
        value *pair = ARENA_ARRAY(&r->arena, value, 2);
        TRY(attribute_path_or(r, all.list->items[i], a[0], otherwise, &pair[0]));
        pair[1] = value_list(r, all.list->items + i, end - i, V_LIST);
        value group = value_list(r, pair, 2, V_TUPLE);
        group.safe = true;                                  // has .grouper and .list
        ARENA_PUSH(&r->arena, groups, n, group);
        i = end;
    }
    *out = value_list(r, groups, n, V_LIST);
    return true;
}

LAZY(map)
LAZY(select)
LAZY(reject)
LAZY(selectattr)
LAZY(rejectattr)
LAZY(unique)

const function_row filters_of_items[] = {
    { "map", "*", lazy_map },
    { "select", "*", lazy_select },
    { "reject", "*", lazy_reject },
    { "selectattr", "*", lazy_selectattr },
    { "rejectattr", "*", lazy_rejectattr },
    { "sort", "reverse? case_sensitive? attribute?", run_sort },
    { "dictsort", "case_sensitive? by? reverse?", run_dictsort },
    { "unique", "case_sensitive? attribute?", lazy_unique },
    { "min", "case_sensitive? attribute?", run_min },
    { "max", "case_sensitive? attribute?", run_max },
    { "groupby", "attribute default? case_sensitive?", run_groupby },
    { 0 },
};
