// Macros and {% call %}: their arguments, their own scope, their text.
#include "base/util.h"
#include "jinja/ast.h"

static bool default_of(render *r, const parameter *p, value *out)
{
    if (p->otherwise)
        return eval(r, p->otherwise, out);
    const char *hint = arena_print(&r->arena, "argument '%.*s' was not given", STR_ARG(p->text));
    *out = value_undefined(r, hint);
    return true;
}

// Arguments by position, then by name, then defaults; what is left over goes to varargs and kwargs if the body names them.
static bool bind_macro(render *r, const jmacro *m, const call_args *c)
{
    const signature *g = &m->node->signature;
    bool has_caller = false;
    for (int i = 0; i < c->named_count; i++)
        c->named[i].used = false;
    for (int i = 0; i < g->count; i++) {
        value v = i < c->count ? c->list[i] : (value){0};
        for (int k = 0; k < c->named_count && i >= c->count; k++)
            if (str_equal(c->named[k].name, g->list[i].text)) {
                v = c->named[k].v;
                c->named[k].used = true;
            }
        has_caller = has_caller || g->list[i].name == NAME_CALLER;
        if (v.kind == V_MISSING)
            TRY(default_of(r, &g->list[i], &v));
        scope_set(r, g->list[i].name, v);
    }
    value kwargs = value_dict(r), caller = value_undefined(r, "no caller is given: this macro wants {% call %}");
    for (int i = 0; i < c->named_count; i++) {
        if (c->named[i].used)
            continue;
        if (g->takes_caller && !has_caller && str_is(c->named[i].name, "caller"))
            caller = c->named[i].v;
        else if (g->takes_kwargs)
            dict_put_name(r, kwargs.dict, c->named[i].name, c->named[i].v);
        else
            return jinja_fail(r, "macro '%.*s' takes no argument called '%.*s'", STR_ARG(m->name), STR_ARG(c->named[i].name));
    }
    if (c->count > g->count && !g->takes_varargs)
        return jinja_fail(r, "macro '%.*s' takes %d argument%s, got %d", STR_ARG(m->name), g->count, g->count == 1 ? "" : "s", c->count);
    if (g->takes_caller && !has_caller)
        scope_set(r, NAME_CALLER, caller);
    if (g->takes_kwargs)
        scope_set(r, NAME_KWARGS, kwargs);
    if (g->takes_varargs) {
        int more = MAX(c->count - g->count, 0);
        scope_set(r, NAME_VARARGS, value_list(r, more ? c->list + g->count : NULL, more, V_TUPLE));
    }
    return true;
}

value macro_arguments(render *r, const jmacro *m)
{
    const signature *g = &m->node->signature;
    value *names = ARENA_ARRAY(&r->arena, value, g->count);
    for (int i = 0; i < g->count; i++)
        names[i] = text_value(r, g->list[i].text, 0);
    return value_list(r, names, g->count, V_TUPLE);
}

bool exec_macro(render *r, jmacro *m, const call_args *c, value *out)
{
    if (r->calls >= r->limits.depth)
        return jinja_fail(r, "macros call each other more than %d deep", r->limits.depth);
    call_frame frame = { "macro", m->name, r->line, r->column, r->frame };
    scope *outer = r->scope;
    r->scope = scope_new(r, m->scope);
    r->calls++;
    flow f = FLOW_ON;
    bool ok = bind_macro(r, m, c);
    if (ok) {
        r->frame = &frame;
        ok = exec_capture(r, &m->node->body, r->scope, &f, out);
        r->frame = frame.before;
        out->safe = r->escape;
    }
    r->calls--;
    r->scope = outer;
    return ok;
}

value macro_value(render *r, const stmt *s, str name)
{
    jmacro *m = ARENA_NEW(&r->arena, jmacro);
    *m = (jmacro){ s, r->scope, name };
    for (scope *k = r->scope; k; k = k->parent) {
        fork_note(r, k, sizeof *k);
        k->kept = true;
    }
    return (value){ .kind = V_MACRO, .macro = m };
}

bool exec_call(render *r, const stmt *s)
{
    value f, printed;
    call_args c;
    const expr *x = s->value;
    TRY(eval(r, x->a, &f));
    TRY(eval_args(r, &x->args, &c));
    named_value *named = ARENA_ARRAY(&r->arena, named_value, c.named_count + 1);
    for (int i = 0; i < c.named_count; i++)
        named[i] = c.named[i];
    named[c.named_count++] = (named_value){ STR("caller"), macro_value(r, s, STR("caller")), false };
    c.named = named;
    r->line = x->line;
    r->column = x->column;
    TRY(call_value(r, f, &c, &printed));
    return print_value(r, r->out, printed);
}
