// Calls: arguments bound to the parameters of a table row, macros, recursive loops.
#include "base/near.h"
#include "base/util.h"
#include "jinja/ast.h"

// The next word of a list of parameters; `*optional`: it had a "?" behind it.
static str next_parameter(const char **p, bool *optional)
{
    while (**p == ' ')
        (*p)++;
    const char *begin = *p;
    while (**p && **p != ' ' && **p != '?')
        (*p)++;
    str word = { begin, (size_t)(*p - begin) };
    *optional = **p == '?';
    *p += *optional;
    return word;
}

static value *take_named(const call_args *c, str name)
{
    for (int i = 0; i < c->named_count; i++)
        if (!c->named[i].used && str_equal(c->named[i].name, name)) {
            c->named[i].used = true;
            return &c->named[i].v;
        }
    return NULL;
}

bool bind_args(render *r, const char *what, const function_row *row, const call_args *c, value *a)
{
    const char *p = row->params;
    bool by_position = *p == '/';
    p += by_position;
    int n = 0;
    for (int i = 0; i < c->named_count; i++)
        c->named[i].used = false;
    for (bool optional;;) {
        str name = next_parameter(&p, &optional);
        if (!name.size)
            break;
        value *named = by_position ? NULL : take_named(c, name);
        if (named && n < c->count)
            return jinja_fail(r, "%s '%s': '%.*s' is given twice", what, row->name, STR_ARG(name));
        a[n] = named ? *named : n < c->count ? c->list[n] : (value){0};
        if (a[n].kind == V_MISSING && !optional)
            return jinja_fail(r, "%s '%s': argument '%.*s' is missing", what, row->name, STR_ARG(name));
        n++;
    }
    if (c->count > n)
        return jinja_fail(r, "%s '%s' takes %d argument%s, got %d", what, row->name, n, n == 1 ? "" : "s", c->count);
    for (int i = 0; i < c->named_count; i++)
        if (!c->named[i].used)
            return jinja_fail(r, "%s '%s' takes no argument called '%.*s'", what, row->name, STR_ARG(c->named[i].name));
    return true;
}

bool call_row(render *r, const char *what, const function_row *row, value *self, const call_args *c, value *out)
{
    value a[MOST_PARAMETERS + 1] = {0};
    value object = self ? *self : (value){0};       // `out` may be `self`
    if (row->params[0] != '*')
        TRY(bind_args(r, what, row, c, a));
    TRY(jinja_step(r, 1));
    *out = value_none;
    return row->run(r, &object, a, c, out);
}

static bool recurse(render *r, value f, const call_args *c, value *out)
{
    if (!f.loop->node->recursive)
        return jinja_fail(r, "only a loop marked 'recursive' can be called");
    if (c->count != 1 || c->named_count)
        return jinja_fail(r, "a loop is called with one list");
    sink inner = { .r = r }, *before = r->out;
    flow ignored = FLOW_ON;
    r->out = &inner;
    bool ok = jinja_enter(r) && exec_loop(r, f.loop->node, f.loop->scope, c->list[0], f.loop->depth + 1, &ignored);
    r->depth--;
    r->out = before;
    *out = sink_text(&inner);
    out->safe = is_escaping(r, f.loop->node->escapes);
    return ok;
}

bool call_value(render *r, value f, const call_args *c, value *out)
{
    if (f.kind == V_UNDEFINED)
        return undefined_fail(r, f);
    if (f.kind == V_FUNCTION)
        return call_row(r, "function", f.function, NULL, c, out);
    if (f.kind == V_METHOD)
        return call_row(r, "method", f.method->row, &f.method->self, c, out);
    if (f.kind == V_MACRO)
        return exec_macro(r, f.macro, c, out);
    if (f.kind == V_LOOP)
        return recurse(r, f, c, out);
    if (f.kind == V_BLOCK)
        return block_call(r, f, c, out);
    if (f.kind == V_JOINER) {
        *out = f.cycler->used ? f.cycler->separator : text_value(r, STR(""), 0);
        fork_note(r, f.cycler, sizeof *f.cycler);
        f.cycler->used = true;
        return true;
    }
    return jinja_fail(r, "a %s cannot be called", value_type(f));
}
