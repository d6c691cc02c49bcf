// Filters that take a list as a whole, or one thing out of it.
#include "base/util.h"
#include "jinja/cut.h"

#define UNUSED (void)self, (void)a, (void)raw

bool filter_lazily(render *r, row_run *run, value *self, value *a, const call_args *raw, value *out)
{
    const int depth = r->depth;
    if (run(r, self, a, raw, out))
        return true;
    if (r->e->code != ERR_INPUT || !jinja_step(r, 0))       // limits hold whoever looks at the result
        return false;
    r->depth = depth;
    if (out->kind != V_ITERATOR)
        *out = value_iterator(r, NULL, 0, "generator");
    err *failure = ARENA_NEW(&r->arena, err);
    *failure = *r->e;
    out->iterator->failure = failure;
    return true;
}

static bool run_length(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    int64_t count;
    TRY(value_length(r, *self, &count));
    *out = value_int(count);
    return true;
}

static bool run_default(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    bool missing = self->kind == V_UNDEFINED || (value_truth(r, a[1]) && !value_truth(r, *self));
    *out = !missing ? *self : a[0].kind == V_MISSING ? text_value(r, STR(""), 0) : a[0];
    return true;
}

static bool run_list(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    value *items;
    int64_t count;
    TRY(value_items(r, *self, &items, &count));
    *out = value_list(r, items, count, V_LIST);
    return true;
}

static bool run_first(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    if (self->kind == V_ITERATOR) {
        jiterator *i = self->iterator;
        fork_note(r, i, sizeof *i);
        *out = i->next < i->count ? i->items[i->next++] : value_undefined(r, "first of an empty list");
        return out->kind != V_UNDEFINED || iterator_end(r, i);
    }
    value *items;
    int64_t count;
    TRY(value_items(r, *self, &items, &count));
    *out = count ? items[0] : value_undefined(r, "first of an empty list");
    return true;
}

static bool run_last(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    value *items;
    int64_t count;
    if (self->kind == V_ITERATOR)
        return jinja_fail(r, "last of a generator; make a list of it with |list first");
    if (self->kind == V_UNDEFINED) {
        *out = value_undefined(r, "last of an empty list");
        return true;
    }
    TRY(value_items(r, *self, &items, &count));
    *out = count ? items[count - 1] : value_undefined(r, "last of an empty list");
    return true;
}

static bool run_reverse(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    value *items;
    int64_t count;
    bool is_text = self->kind == V_TEXT;
    TRY(value_items(r, *self, &items, &count));
    value *back = ARENA_ARRAY(&r->arena, value, count);
    for (int64_t i = 0; i < count; i++)
        back[i] = items[count - 1 - i];
    *out = is_text || self->kind == V_ITERATOR ? value_list(r, back, count, V_LIST) : value_iterator(r, back, count, "reversed");
    return !is_text || text_join(r, text_value(r, STR(""), 0), *out, out);
}

static bool run_items(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    value view, *items = NULL;
    int64_t count = 0;
    if (self->kind == V_DICT) {
        TRY(call_row(r, "method", &methods_of_dict[2], self, &(call_args){0}, &view));
        TRY(value_items(r, view, &items, &count));
    } else if (self->kind != V_UNDEFINED) {
        return jinja_fail(r, "items takes a dict, got a %s", value_type(*self));
    }
    *out = value_iterator(r, items, count, "generator");
    return true;
}

// Rows of `count` each, the last filled up if there is something to fill it with.
static bool run_batch(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    value *items, *rows = NULL;
    int64_t count, size, n = 0;
    TRY(value_items(r, *self, &items, &count));
    TRY(want_int(r, a[0], "the size of a batch", 0, &size));
    if (size > r->limits.steps)
        return jinja_fail(r, "the size of a batch is at most %lld", (long long)r->limits.steps);
    if (size == 0 && count)                                 // as jinja2 has it: an empty row, and all in one
        ARENA_PUSH(&r->arena, rows, n, value_list(r, NULL, 0, V_LIST));
    size = size < 1 ? MAX(count, 1) : size;
    bool fill = a[1].kind != V_MISSING && a[1].kind != V_NONE;
    for (int64_t at = 0; at < count; at += size) {
        int64_t have = MIN(size, count - at), all = fill ? size : have;
        TRY(jinja_step(r, 1 + all));
        value *row = ARENA_ARRAY(&r->arena, value, all);
        for (int64_t i = 0; i < all; i++)
            row[i] = i < have ? items[at + i] : a[1];
        ARENA_PUSH(&r->arena, rows, n, value_list(r, row, all, V_LIST));
    }
    *out = value_iterator(r, rows, n, "generator");
    return true;
}

// `slices` columns of nearly equal length, the longer ones first.
static bool run_slice(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    value *items;
    int64_t count, slices, at = 0;
    TRY(value_items(r, *self, &items, &count));
    TRY(want_int(r, a[0], "the number of slices", 0, &slices));
    if (slices == 0 || slices > r->limits.steps)
        return jinja_fail(r, "the number of slices is at least 1");
    slices = MAX(slices, 0);
    TRY(jinja_step(r, slices));
    bool fill = a[1].kind != V_MISSING && a[1].kind != V_NONE;
    value *columns = ARENA_ARRAY(&r->arena, value, slices);
    for (int64_t i = 0; i < slices; i++) {
        bool longer = i < count % slices;
        int64_t have = count / slices + longer, all = have + (fill && !longer);
        value *column = ARENA_ARRAY(&r->arena, value, all);
        for (int64_t k = 0; k < all; k++)
            column[k] = k < have ? items[at + k] : a[1];
        columns[i] = value_list(r, column, all, V_LIST);
        at += have;
    }
    *out = value_iterator(r, columns, slices, "generator");
    return true;
}

static bool run_attr(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    TRY(want_text(r, a[0], "the name of an attribute"));
    if (self->kind == V_UNDEFINED)
        return undefined_fail(r, *self);
    if (self->kind == V_DICT) {                             // unlike the dot, never an element of the dict
        value empty = value_dict(r);
        *out = value_attribute(r, empty, a[0].text->s, 0);
        if (out->kind == V_METHOD)
            out->method->self = *self;
        return true;
    }
    *out = value_attribute(r, *self, a[0].text->s, 0);
    return true;
}

static bool run_sum(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    value *items, one;
    int64_t count;
    TRY(value_items(r, *self, &items, &count));
    *out = a[1].kind == V_MISSING ? value_int(0) : a[1];
    if (out->kind == V_TEXT)
        return jinja_fail(r, "sum does not join texts; use join");
    for (int64_t i = 0; i < count; i++) {
        TRY(attribute_path(r, items[i], a[0], &one));
        TRY(value_binary(r, 0, *out, one, out));
    }
    return true;
}

LAZY(items)
LAZY(batch)
LAZY(slice)

const function_row filters_of_lists[] = {
    { "length", "/", run_length },
    { "count", "/", run_length },
    { "default", "default_value? boolean?", run_default },
    { "d", "default_value? boolean?", run_default },
    { "list", "/", run_list },
    { "first", "/", run_first },
    { "last", "/", run_last },
    { "reverse", "/", run_reverse },
    { "items", "/", lazy_items },
    { "batch", "linecount fill_with?", lazy_batch },
    { "slice", "slices fill_with?", lazy_slice },
    { "attr", "name", run_attr },
    { "sum", "attribute? start?", run_sum },
    { 0 },
};
