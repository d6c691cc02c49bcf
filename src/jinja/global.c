// The functions every template has: range, dict, namespace, cycler, joiner, raise_exception, strftime_now.
#include <stdio.h>

#include "base/util.h"
#include "jinja/ast.h"

enum { LONGEST_RANGE = 100000, LARGEST_TIME = 4096 };
#define UNUSED (void)self, (void)a, (void)raw

static bool run_range(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    int64_t g[3] = { 0, 0, 1 };
    int given = a[2].kind != V_MISSING ? 3 : a[1].kind != V_MISSING ? 2 : 1;
    for (int i = 0; i < given; i++)
        if (a[i].kind == V_UNDEFINED)
            return undefined_fail(r, a[i]);
        else if (!value_as_int(a[i], &g[given == 1 ? 1 : i]))
            return jinja_fail(r, "range takes whole numbers, got a %s", value_type(a[i]));
    for (int i = 0; i < 3; i++)
        if (g[i] > (int64_t)1 << 40 || g[i] < -((int64_t)1 << 40))
            return jinja_fail(r, "range takes numbers up to 2**40");
    if (g[2] == 0)
        return jinja_fail(r, "the step of range cannot be 0");
    int64_t count = g[2] > 0 ? (g[1] - g[0] + g[2] - 1) / g[2] : (g[0] - g[1] - g[2] - 1) / -g[2];
    if ((g[2] > 0) != (g[1] > g[0]) || g[1] == g[0])
        count = 0;
    if (count > LONGEST_RANGE)
        return jinja_fail(r, "range of %lld numbers; templates may have %d", (long long)count, LONGEST_RANGE);
    jrange *range = ARENA_NEW(&r->arena, jrange);
    *range = (jrange){ g[0], g[1], g[2], count };
    *out = (value){ .kind = V_RANGE, .range = range };
    return true;
}

static bool put_pair(render *r, jdict *d, value pair)
{
    value *both;
    int64_t count;
    TRY(value_items(r, pair, &both, &count));
    if (count != 2)
        return jinja_fail(r, "dict takes pairs, got %lld elements", (long long)count);
    return dict_put(r, d, both[0], both[1]);
}

// dict(mapping or pairs, name=value …)
static bool make_dict(render *r, const char *what, const call_args *raw, value *out)
{
    *out = value_dict(r);
    if (raw->count > 1)
        return jinja_fail(r, "%s takes one argument and names, got %d", what, raw->count);
    if (raw->count && raw->list[0].kind == V_UNDEFINED)
        return undefined_fail(r, raw->list[0]);
    if (raw->count && (raw->list[0].kind == V_DICT)) {
        jdict *from = raw->list[0].dict;
        dict_fill(r, from);
        TRY(jinja_step(r, 1 + from->count));
        for (int64_t i = 0; i < from->count; i++)
            TRY(dict_put(r, out->dict, from->pairs[i].key, from->pairs[i].value));
    } else if (raw->count) {
        value *items;
        int64_t count;
        TRY(value_items(r, raw->list[0], &items, &count));
        for (int64_t i = 0; i < count; i++)
            TRY(put_pair(r, out->dict, items[i]));
    }
    for (int i = 0; i < raw->named_count; i++)
        dict_put_name(r, out->dict, raw->named[i].name, raw->named[i].v);
    return true;
}

static bool run_dict(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    return make_dict(r, "dict", raw, out);
}

static bool run_fromkeys(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    value *keys;
    int64_t count;
    TRY(value_items(r, a[0], &keys, &count));
    *out = value_dict(r);
    for (int64_t i = 0; i < count; i++)
        TRY(dict_put(r, out->dict, keys[i], a[1].kind == V_MISSING ? value_none : a[1]));
    return true;
}

const function_row dict_fromkeys = { "dict.fromkeys", "/iterable value?", run_fromkeys };

static bool run_namespace(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    TRY(make_dict(r, "namespace", raw, out));
    out->kind = V_NAMESPACE;
    for (int64_t i = 0; i < out->dict->count; i++) {
        value key = out->dict->pairs[i].key;
        if (key.kind == V_TEXT && str_begins(key.text->s, STR("_")))
            return jinja_fail(r, "names of a namespace do not begin with '_', got '%.*s'", STR_ARG(key.text->s));
    }
    return true;
}

static bool run_cycler(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    if (!raw->count || raw->named_count)
        return jinja_fail(r, "cycler takes one or more values");
    jcycler *c = ARENA_NEW(&r->arena, jcycler);
    *c = (jcycler){ .items = raw->list, .count = raw->count };
    *out = (value){ .kind = V_CYCLER, .cycler = c };
    return true;
}

static bool run_joiner(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    jcycler *c = ARENA_NEW(&r->arena, jcycler);
    c->separator = a[0].kind == V_MISSING ? text_value(r, STR(", "), 0) : a[0];
    *out = (value){ .kind = V_JOINER, .cycler = c };
    return true;
}

static bool run_raise(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    value message;
    TRY(value_to_text(r, a[0], &message));
    *out = value_none;
    return jinja_fail(r, "the template refuses this conversation: %.*s", STR_ARG(message.text->s));
}

static bool run_strftime(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    if (a[0].kind != V_TEXT)
        return jinja_fail(r, "strftime_now takes a format, got a %s", value_type(a[0]));
    struct tm local;
    localtime_r(&r->now.tv_sec, &local);
    text format = {0};
    for (size_t i = 0; i < a[0].text->s.size; i++) {        // %f is Python's: microseconds
        str rest = str_from(a[0].text->s, i);
        if (str_begins(rest, STR("%f"))) {
            text_add(&format, "%06ld", r->now.tv_nsec / 1000);
            i++;
        } else if (str_begins(rest, STR("%z")) || str_begins(rest, STR("%Z"))) {
            i++;                                            // a time without zone prints none
        } else if (rest.at[0] == '%' && rest.size > 1) {
            text_bytes(&format, rest.at, 2);
            i++;
        } else {
            text_char(&format, rest.at[0]);
        }
    }
    text_char(&format, ' ');                                // so that an empty result differs from one that is too long
    char *buffer = arena_alloc(&r->arena, LARGEST_TIME);
    size_t size = format.failed ? 0 : strftime(buffer, LARGEST_TIME, format.chars, &local);
    text_close(&format);
    if (!size)
        return jinja_fail(r, "the result of strftime_now is too long");
    *out = text_value(r, (str){ buffer, size - 1 }, 0);
    return true;
}

static const function_row globals[] = {
    { "range", "/start stop? step?", run_range },
    { "dict", "*", run_dict },
    { "namespace", "*", run_namespace },
    { "cycler", "*", run_cycler },
    { "joiner", "sep?", run_joiner },
    { "raise_exception", "message", run_raise },
    { "strftime_now", "format", run_strftime },
};

const function_row *global_find(str name)
{
    for (size_t i = 0; i < COUNT(globals); i++)
        if (str_is(name, globals[i].name))
            return &globals[i];
    return str_is(name, lipsum_row.name) ? &lipsum_row : NULL;
}
