// Methods of dicts, lists and the rest, and the search for a method by name.
#include "base/util.h"
#include "jinja/cut.h"

#define UNUSED (void)self, (void)a, (void)raw

static value view_of(render *r, value dict, view_part part)
{
    jview *v = ARENA_NEW(&r->arena, jview);
    *v = (jview){ dict, part };
    return (value){ .kind = V_VIEW, .view = v };
}

static bool run_keys(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    *out = view_of(r, *self, VIEW_KEYS);
    return true;
}

static bool run_values(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    *out = view_of(r, *self, VIEW_VALUES);
    return true;
}

static bool run_items(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    *out = view_of(r, *self, VIEW_ITEMS);
    return true;
}

static bool run_get(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    if (!value_hashable(r, a[0]))
        return jinja_fail(r, "a %s cannot be the key of a dict", value_type(a[0]));
    value *found = dict_find(r, self->dict, a[0]);
    *out = found ? *found : a[1].kind == V_MISSING ? value_none : a[1];
    return true;
}

static bool run_copy(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    (void)r;
    *out = *self;                                           // nothing changes a dict or list once made
    return true;
}

static bool run_list_index(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)raw;
    value *items;
    int64_t count, begin, end;
    TRY(value_items(r, *self, &items, &count));
    TRY(want_int(r, a[1], "start", 0, &begin));
    TRY(want_int(r, a[2], "stop", count, &end));
    begin = begin < 0 ? MAX(begin + count, 0) : begin;
    end = end < 0 ? end + count : MIN(end, count);
    for (int64_t i = begin; i < end; i++) {
        bool same;
        TRY(value_equal(r, items[i], a[0], &same));
        if (same) {
            *out = value_int(i);
            return true;
        }
    }
    return jinja_fail(r, "index: the value does not stand in the list");
}

static bool run_list_count(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)raw;
    value *items;
    int64_t count, n = 0;
    TRY(value_items(r, *self, &items, &count));
    for (int64_t i = 0; i < count; i++) {
        bool same;
        TRY(value_equal(r, items[i], a[0], &same));
        n += same;
    }
    *out = value_int(n);
    return true;
}

static bool run_next(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    jcycler *c = self->cycler;
    *out = c->items[c->next];
    fork_note(r, c, sizeof *c);
    c->next = (c->next + 1) % c->count;
    return true;
}

static bool run_reset(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    fork_note(r, self->cycler, sizeof *self->cycler);
    self->cycler->next = 0;
    *out = value_none;
    return true;
}

static bool run_cycle(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)a;
    if (!raw->count || raw->named_count)
        return jinja_fail(r, "loop.cycle takes one or more values");
    *out = raw->list[self->loop->index % raw->count];
    return true;
}

static bool run_changed(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)a;
    value now = value_list(r, raw->list, raw->count, V_TUPLE);
    bool same;
    TRY(value_equal(r, self->loop->last_changed, now, &same));
    fork_note(r, &self->loop->last_changed, sizeof now);
    self->loop->last_changed = now;
    *out = value_bool(!same);
    return true;
}

const function_row methods_of_dict[] = {
    { "keys", "/", run_keys }, { "values", "/", run_values }, { "items", "/", run_items },
    { "get", "/key default?", run_get }, { "copy", "/", run_copy }, { 0 },
};
const function_row methods_of_list[] = {
    { "index", "/value start? stop?", run_list_index }, { "count", "/value", run_list_count }, { "copy", "/", run_copy }, { 0 },
};
const function_row methods_of_cycler[] = { { "next", "/", run_next }, { "reset", "/", run_reset }, { 0 } };
const function_row methods_of_loop[] = { { "cycle", "*", run_cycle }, { "changed", "*", run_changed }, { 0 } };

static const function_row *find_in(const function_row *rows, str name)
{
    for (; rows->name; rows++)
        if (str_is(name, rows->name))
            return rows;
    return NULL;
}

// What would change a list or dict is closed to templates, as in jinja2's immutable sandbox.
static bool would_change(value v, str name)
{
    static const char *const of_lists[] = { "append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove" };
    static const char *const of_dicts[] = { "clear", "pop", "popitem", "setdefault", "update" };
    const char *const *names = v.kind == V_LIST ? of_lists : of_dicts;
    size_t count = v.kind == V_LIST ? COUNT(of_lists) : v.kind == V_DICT ? COUNT(of_dicts) : 0;
    for (size_t i = 0; i < count; i++)
        if (str_is(name, names[i]))
            return true;
    return false;
}

const function_row *method_find(value v, str name, bool *changes)
{
    const function_row *row;
    *changes = would_change(v, name);
    switch ((value_kind)v.kind) {
    case V_TEXT:
        row = find_in(methods_of_text, name);
        return row ? row : find_in(methods_of_text_case, name);
    case V_DICT: return find_in(methods_of_dict, name);
    case V_LIST: return find_in(methods_of_list, name);
    case V_TUPLE: row = find_in(methods_of_list, name); return row && !str_is(name, "copy") ? row : NULL;
    case V_RANGE: row = find_in(methods_of_list, name); return row && !str_is(name, "copy") ? row : NULL;
    case V_CYCLER: return find_in(methods_of_cycler, name);
    case V_LOOP: return find_in(methods_of_loop, name);
    case V_FLOAT: return find_in(methods_of_float, name);
    case V_INT: case V_BOOL: return find_in(methods_of_int, name);
    default: return NULL;
    }
}
