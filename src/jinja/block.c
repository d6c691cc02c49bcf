// Blocks, autoescape, and the tags that would load another template.
#include "base/util.h"
#include "jinja/ast.h"

bool exec_autoescape(render *r, const stmt *s, flow *f)
{
    scope *outer = r->scope;
    const bool before = r->escape;
    value v;
    TRY(eval(r, s->value, &v));
    r->escape = value_truth(r, v);
    r->scope = scope_new(r, outer);
    TRY(exec_body(r, (const stmt *const *)s->body.items, s->body.count, f));
    r->scope = outer;
    if (*f == FLOW_ON)                                      // jinja2, too, stays in it after break and continue
        r->escape = before;
    return true;
}

// A block sees what is set at the top level of the template (or, if scoped, where it stands); what it sets is its own.
bool exec_block(render *r, const stmt *s)
{
    scope *outer = r->scope, *base = r->base;
    flow f = FLOW_ON;
    if (r->calls >= r->limits.depth)
        return jinja_fail(r, "blocks call each other more than %d deep", r->limits.depth);
    r->base = s->scoped ? outer : base;
    r->scope = scope_new(r, r->base);
    r->calls++;
    const bool ok = exec_body(r, (const stmt *const *)s->body.items, s->body.count, &f);
    r->calls--;
    r->scope = outer;
    r->base = base;
    return ok;
}

bool exec_block_here(render *r, const stmt *s)
{
    if (s->required)
        return jinja_fail(r, "the required block '%.*s' is written by a template that extends this one, and none does", STR_ARG(s->text));
    return exec_block(r, s);
}

// self.name
value block_value(render *r, str name)
{
    for (int i = 0; i < r->j->block_count; i++)
        if (str_equal(r->j->blocks[i]->text, name))
            return (value){ .kind = V_BLOCK, .block = r->j->blocks[i] };
    return (value){0};
}

// self.name(): always from the top level.
bool block_call(render *r, value block, const call_args *c, value *out)
{
    sink inner = { .r = r }, *before = r->out;
    scope *outer = r->scope;
    if (c->count || c->named_count)
        return jinja_fail(r, "a block takes no arguments");
    r->out = &inner;
    r->scope = r->base;
    const bool ok = exec_block(r, block.block);
    r->out = before;
    r->scope = outer;
    *out = sink_text(&inner);
    out->safe = r->escape;
    return ok;
}

// As jinja2 without a loader: an error when it is reached. Only of an empty list of templates nothing may be missing.
bool exec_load(render *r, const stmt *s)
{
    value v;
    TRY(eval(r, s->value, &v));
    const bool nothing = !value_truth(r, v) && v.kind != V_TEXT && v.kind != V_UNDEFINED;
    return (nothing && s->ignore_missing)
           || jinja_fail(r, "{%% %.*s %%} finds no other template: a chat template stands alone", STR_ARG(s->text));
}
