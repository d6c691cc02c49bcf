// Scopes and statements.
#include "base/util.h"
#include "jinja/ast.h"

static bool run_body(render *r, const stmt *const *items, int count, bool is_plain, flow *f);

scope *scope_new(render *r, scope *parent)
{
    scope *s = ARENA_NEW(&r->arena, scope);
    s->parent = parent;
    return s;
}

void scope_set(render *r, int name, value v)
{
    scope *s = r->scope;
    for (int i = 0; i < s->count; i++)
        if (s->vars[i].name == name) {
            fork_note(r, &s->vars[i].v, sizeof v);
            s->vars[i].v = v;
            return;
        }
    fork_note(r, s, sizeof *s);
    if (s->count == s->room) {
        int room = s->room ? 2 * s->room : 4;
        s->vars = arena_grow(&r->arena, s->vars, (size_t)s->count * sizeof *s->vars, (size_t)room * sizeof *s->vars);
        s->room = room;
    }
    s->vars[s->count++] = (jbinding){ name, v };
}

// The innermost scope that has the name, then the context, then the functions of every template.
value scope_get(render *r, int name)
{
    for (const scope *s = r->scope; s; s = s->parent)
        for (int i = 0; i < s->count; i++)
            if (s->vars[i].name == name)
                return s->vars[i].v;
    value *v = &r->globals[name];
    if (v->kind != V_MISSING)
        return *v;
    if (name == NAME_SELF)
        return (value){ .kind = V_SELF };
    str word = r->j->names[name];
    const function_row *row = global_find(word);
    if (row)
        *v = (value){ .kind = V_FUNCTION, .function = row };
    for (int64_t i = 0; i < r->context->object.count; i++)
        if (str_equal(r->context->object.members[i].key, word))
            *v = value_from_node(r, &r->context->object.members[i].value, 0);
    if (v->kind == V_MISSING)
        *v = value_undefined_name(r, word);
    return *v;
}

static bool assign_namespace(render *r, const expr *target, value v)
{
    value ns = scope_get(r, target->name);
    if (ns.kind != V_NAMESPACE)
        return jinja_fail(r, "'%.*s' is not a namespace, so its '%.*s' cannot be set", STR_ARG(r->j->names[target->name]),
                          STR_ARG(target->text));
    if (str_begins(target->text, STR("_")))
        return jinja_fail(r, "names of a namespace do not begin with '_', got '%.*s'", STR_ARG(target->text));
    dict_put_name(r, ns.dict, target->text, v);
    return true;
}

bool exec_assign(render *r, const expr *target, value v)
{
    if (target->kind == EX_NAME) {
        scope_set(r, target->name, v);
        return true;
    }
    if (target->kind == EX_NAMESPACE_REF)
        return assign_namespace(r, target, v);
    value *items;
    int64_t count;
    TRY(value_items(r, v, &items, &count));
    if (count != target->count)
        return jinja_fail(r, "%d names for %lld values", target->count, (long long)count);
    for (int i = 0; i < target->count; i++)
        TRY(exec_assign(r, target->items[i], items[i]));
    return true;
}

bool is_escaping(const render *r, uint8_t escapes) { return escapes == ESCAPE_YES || (escapes == ESCAPE_ASK && r->escape); }

bool print_output(render *r, value v, uint8_t escapes)
{
    return (!is_escaping(r, escapes) || text_escape(r, v, &v)) && print_value(r, r->out, v);
}

// Runs a body into a text of its own, in a scope of its own.
bool exec_capture(render *r, const struct body *b, scope *own, flow *f, value *out)
{
    sink inner = { .r = r }, *before = r->out;
    scope *outer = r->scope;
    r->out = &inner;
    r->scope = own;
    bool ok = exec_body(r, (const stmt *const *)b->items, b->count, f);
    r->out = before;
    r->scope = outer;
    *out = sink_text(&inner);
    return ok;
}

static bool exec_with(render *r, const stmt *s, flow *f)
{
    scope *outer = r->scope, *own = scope_new(r, outer);
    bool ok = true;
    for (int i = 0; ok && i < s->count; i++) {
        value v;
        ok = eval(r, s->values[i], &v);
        r->scope = own;
        ok = ok && exec_assign(r, s->targets[i], v);
        r->scope = outer;
    }
    r->scope = own;
    ok = ok && exec_body(r, (const stmt *const *)s->body.items, s->body.count, f);
    r->scope = outer;
    return ok;
}

// The captured text through the filters of {% filter … %} or {% set x | … %}, which find it under NAME_BODY.
static bool filter_text(render *r, const stmt *s, value *made)
{
    if (!s->value)
        return true;
    scope *outer = r->scope;
    r->scope = scope_new(r, outer);
    scope_set(r, NAME_BODY, *made);
    bool ok = eval(r, s->value, made);
    r->scope = outer;
    return ok;
}

// What is printed as it comes, which jinja2 can do with text only.
static bool print_text(render *r, value v, const char *what)
{
    return v.kind == V_TEXT ? sink_value(r->out, v, 0) : jinja_fail(r, "%s gives a %s, not a text", what, value_type(v));
}

static bool exec_captured(render *r, const stmt *s, flow *f)
{
    value made;
    TRY(exec_capture(r, &s->body, scope_new(r, r->scope), f, &made));
    if (*f != FLOW_ON)
        return true;
    if (s->kind == ST_GENERATION)
        return sink_value(r->out, made, MARK_GENERATION);
    made.safe = s->value && is_escaping(r, s->escapes);
    TRY(filter_text(r, s, &made));
    if (s->kind == ST_FILTER)
        return print_text(r, made, "{% filter %}");
    if (r->escape) {
        TRY(value_to_text(r, made, &made));
        made.safe = true;
    }
    return exec_assign(r, s->target, made);
}

static bool exec_if(render *r, const stmt *s, flow *f)
{
    value v;
    TRY(eval_kept(r, s->test, &v));
    if (r->fork)
        fork_see_truth(r, v);
    const body *b = value_truth(r, v) ? &s->body : &s->otherwise;
    return run_body(r, (const stmt *const *)b->items, b->count, !r->body || r->body->is_plain, f);
}

static bool exec_for(render *r, const stmt *s, flow *f)
{
    value v;
    return eval_kept(r, s->value, &v) && exec_loop(r, s, r->scope, v, 0, f);
}

static bool exec_set(render *r, const stmt *s)
{
    value v;
    TRY(s->target->kind == EX_NAME ? eval_kept(r, s->value, &v) : eval(r, s->value, &v));
    return exec_assign(r, s->target, v);
}

static bool exec_inside(render *r, const stmt *s, flow *f)
{
    value v;
    switch (s->kind) {
    case ST_DATA: return sink_str(r->out, s->text, 0);
    case ST_OUTPUT: return eval(r, s->value, &v) && print_output(r, v, s->escapes);
    case ST_IF: return exec_if(r, s, f);
    case ST_FOR: return exec_for(r, s, f);
    case ST_SET: return exec_set(r, s);
    case ST_WITH: return exec_with(r, s, f);
    case ST_SET_BLOCK: case ST_FILTER: case ST_GENERATION: return exec_captured(r, s, f);
    case ST_MACRO: scope_set(r, s->name, macro_value(r, s, s->text)); return true;
    case ST_CALL: return exec_call(r, s);
    case ST_AUTOESCAPE: return exec_autoescape(r, s, f);
    case ST_BLOCK: return exec_block_here(r, s);
    case ST_LOAD: return exec_load(r, s);
    case ST_BREAK: *f = FLOW_BREAK; return true;
    case ST_CONTINUE: *f = FLOW_CONTINUE; return true;
    }
    return true;
}

bool exec_rest(render *r, body_frame *b, flow *f)
{
    bool ok = true;
    for (; ok && b->at < b->count && *f == FLOW_ON; b->at++) {
        const stmt *s = b->items[b->at];
        r->line = s->line;
        r->column = s->column;
        ok = exec_inside(r, s, f);
        if (r->watch && r->out == r->root && r->out->size > r->watch && !r->watch_line)
            r->watch_line = s->line;
    }
    return ok;
}

static bool run_body(render *r, const stmt *const *items, int count, bool is_plain, flow *f)
{
    body_frame b = { r->body, items, count, 0, is_plain };
    TRY(jinja_enter(r));
    r->body = &b;
    bool ok = exec_rest(r, &b, f);
    r->body = b.before;
    r->depth--;
    return ok;
}

bool exec_body(render *r, const stmt *const *items, int count, flow *f) { return run_body(r, items, count, false, f); }
bool exec_root(render *r, const body *b, flow *f) { return run_body(r, (const stmt *const *)b->items, b->count, true, f); }
