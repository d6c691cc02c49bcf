// a.b, a[b] and a[i:k]: an attribute first for a dot, an element first for brackets, undefined when there is neither.
#include "base/util.h"
#include "jinja/value.h"

static value part_of_loop(render *r, const jloop *l, str name)
{
    static const struct { const char *name; int index, from_end; } counts[] = {
        { "index", 1, 0 }, { "index0", 0, 0 }, { "revindex", 0, 1 }, { "revindex0", -1, 1 },
    };
    for (size_t i = 0; i < COUNT(counts); i++)
        if (str_is(name, counts[i].name))
            return value_int(counts[i].from_end ? l->count - l->index + counts[i].index : l->index + counts[i].index);
    if (str_is(name, "first"))
        return value_bool(l->index == 0);
    if (str_is(name, "last"))
        return value_bool(l->index + 1 >= l->count);
    if (str_is(name, "length"))
        return value_int(l->count);
    if (str_is(name, "depth") || str_is(name, "depth0"))
        return value_int(l->depth + (name.size == 5));
    if (str_is(name, "previtem"))
        return l->index > 0 ? l->items[l->index - 1] : value_undefined(r, "there is no previous item");
    if (str_is(name, "nextitem"))
        return l->index + 1 < l->count ? l->items[l->index + 1] : value_undefined(r, "there is no next item");
    return (value){0};
}

// What Python's getattr would find; V_MISSING when nothing.
static value attribute(render *r, value v, str name)
{
    bool changes = false;
    const function_row *row = method_find(v, name, &changes);
    if (changes)
        return value_unsafe(r, v, name);
    if (row) {
        jmethod *m = ARENA_NEW(&r->arena, jmethod);
        *m = (jmethod){ v, row };
        return (value){ .kind = V_METHOD, .method = m };
    }
    if (v.kind == V_NAMESPACE) {
        value *found = dict_find_name(r, v.dict, name);
        return found ? *found : (value){0};
    }
    if (v.kind == V_SELF)
        return block_value(r, name);
    if (v.kind == V_LOOP)
        return part_of_loop(r, v.loop, name);
    if (v.kind == V_CYCLER && str_is(name, "current"))
        return v.cycler->items[v.cycler->next];
    if (v.kind == V_MACRO && str_is(name, "name"))
        return text_value(r, v.macro->name, 0);
    if (v.kind == V_MACRO && str_is(name, "arguments"))
        return macro_arguments(r, v.macro);
    if (v.kind == V_TUPLE && v.safe && (str_is(name, "grouper") || str_is(name, "list")))     // of |groupby
        return v.list->items[name.at[0] == 'l'];
    if (v.kind == V_FUNCTION && str_is(name, "fromkeys") && !strcmp(v.function->name, "dict"))
        return (value){ .kind = V_FUNCTION, .function = &dict_fromkeys };
    if (v.kind == V_INT || v.kind == V_BOOL || v.kind == V_FLOAT || v.kind == V_BIG) {
        value part = number_part(v, name);
        if (part.kind != V_MISSING)
            return part;
    }
    if (v.kind == V_RANGE && (str_is(name, "start") || str_is(name, "stop") || str_is(name, "step")))
        return value_int(name.size == 5 ? v.range->start : str_is(name, "stop") ? v.range->stop : v.range->step);
    if (name.size > 4 && str_begins(name, STR("__")) && str_ends(name, STR("__")))
        return value_unsafe(r, v, name);
    return (value){0};
}

static value element(render *r, value v, value key)
{
    int64_t i;
    if (v.kind == V_DICT) {
        value *found = value_hashable(r, key) ? dict_find(r, v.dict, key) : NULL;
        return found ? *found : (value){0};
    }
    if (!value_as_int(key, &i))
        return (value){0};
    int64_t count = v.kind == V_TEXT ? text_chars(v) : v.kind == V_LIST || v.kind == V_TUPLE ? v.list->count
                    : v.kind == V_RANGE ? v.range->count : 0;
    if (i < 0)
        i += count;
    if (i < 0 || i >= count)
        return (value){0};
    if (v.kind == V_RANGE)
        return value_int(v.range->start + i * v.range->step);
    if (v.kind == V_TEXT)
        return text_part(r, v, text_offset(v, i), text_offset(v, i + 1));
    list_fill(r, v.list);
    return v.list->items[i];
}

value value_attribute(render *r, value v, str name, int32_t mark)
{
    (void)mark;
    value found = attribute(r, v, name);
    if (found.kind == V_MISSING && v.kind == V_DICT) {
        value *item = dict_find_name(r, v.dict, name);
        if (item)
            return *item;
    }
    return found.kind == V_MISSING ? value_undefined_of(r, v, name) : found;
}

bool value_item(render *r, value v, value key, value *out)
{
    if (v.kind == V_UNDEFINED)
        return undefined_fail(r, v);
    *out = element(r, v, key);
    if (out->kind == V_MISSING && key.kind == V_TEXT)
        *out = attribute(r, v, key.text->s);
    if (out->kind == V_MISSING) {
        value name;
        if (key.kind == V_ITERATOR || key.kind == V_METHOD || key.kind == V_FUNCTION)
            name = text_value(r, str_of(value_type(key)), 0);
        else
            TRY(value_to_text(r, key, &name));
        *out = value_undefined_of(r, v, name.text->s);
    }
    return true;
}

static bool slice_bound(render *r, value v, int64_t otherwise, int64_t count, int64_t low, int64_t high, int64_t *out)
{
    if (v.kind == V_MISSING || v.kind == V_NONE) {
        *out = otherwise;
        return true;
    }
    if (!value_as_int(v, out))
        return jinja_fail(r, "the bounds of a slice are whole numbers, got a %s", value_type(v));
    if (*out < 0)
        *out = *out < -count ? low : *out + count;
    *out = *out < low ? low : *out > high ? high : *out;
    return true;
}

// Text with a step other than 1, character by character.
static bool text_steps(render *r, value v, int64_t start, int64_t count, int64_t step, value *out)
{
    value *chars;
    int64_t all;
    TRY(value_items(r, v, &chars, &all));
    sink s = { .r = r };
    for (int64_t i = 0; i < count; i++)
        TRY(sink_value(&s, chars[start + i * step], 0));
    *out = sink_text(&s);
    return true;
}

bool value_slice(render *r, value v, value start, value stop, value step, value *out)
{
    if (v.kind == V_UNDEFINED)
        return undefined_fail(r, v);
    if (v.kind != V_TEXT && v.kind != V_LIST && v.kind != V_TUPLE && v.kind != V_RANGE)
        return jinja_fail(r, "a %s cannot be sliced", value_type(v));
    int64_t by = 1, count, from, to;
    if (step.kind != V_MISSING && step.kind != V_NONE && !value_as_int(step, &by))
        return jinja_fail(r, "the step of a slice is a whole number, got a %s", value_type(step));
    if (by == 0)
        return jinja_fail(r, "the step of a slice cannot be 0");
    TRY(value_length(r, v, &count));
    by = by > count + 1 ? count + 1 : by < -count - 1 ? -count - 1 : by;
    int64_t low = by < 0 ? -1 : 0, high = by < 0 ? count - 1 : count;
    TRY(slice_bound(r, start, by < 0 ? high : low, count, low, high, &from));
    TRY(slice_bound(r, stop, by < 0 ? low : high, count, low, high, &to));
    int64_t n = by > 0 ? (to - from + by - 1) / by : (from - to - by - 1) / -by;
    n = (by > 0 ? to > from : to < from) ? n : 0;
    TRY(jinja_step(r, 1 + n / 8));
    if (v.kind == V_TEXT) {
        if (by != 1)
            return text_steps(r, v, from, n, by, out);
        *out = text_part(r, v, text_offset(v, from), text_offset(v, from + n));
        return true;
    }
    if (v.kind == V_RANGE) {
        jrange *g = ARENA_NEW(&r->arena, jrange);
        *g = (jrange){ v.range->start + from * v.range->step, v.range->start + to * v.range->step, v.range->step * by, n };
        *out = (value){ .kind = V_RANGE, .range = g };
        return true;
    }
    list_fill(r, v.list);
    value *items = n ? v.list->items + from : NULL;
    if (by != 1) {
        items = ARENA_ARRAY(&r->arena, value, n);
        for (int64_t i = 0; i < n; i++)
            items[i] = v.list->items[from + i * by];
    }
    *out = value_list(r, items, n, v.kind);
    return true;
}

// What is undefined at any part of the path becomes `otherwise`.
bool attribute_path_or(render *r, value item, value path, const value *otherwise, value *out)
{
    const bool given = otherwise && otherwise->kind != V_NONE;
    *out = item;
    if (path.kind == V_NONE || path.kind == V_MISSING)
        return true;
    if (path.kind != V_TEXT) {
        TRY(value_item(r, item, path, out));
        *out = given && out->kind == V_UNDEFINED ? *otherwise : *out;
        return true;
    }
    str s = path.text->s;
    for (size_t at = 0; at <= s.size;) {
        size_t end = str_find(s, STR("."), at);
        value key = text_value(r, str_slice(s, at, end), 0), number;
        bool digits = end > at;
        for (size_t i = at; i < end; i++)
            digits = digits && s.at[i] >= '0' && s.at[i] <= '9';
        if (digits && number_parse_int(key.text->s, 10, &number, r))
            key = number;
        TRY(value_item(r, *out, key, out));
        *out = given && out->kind == V_UNDEFINED ? *otherwise : *out;
        at = end + 1;
    }
    return true;
}

bool attribute_path(render *r, value item, value path, value *out) { return attribute_path_or(r, item, path, NULL, out); }
