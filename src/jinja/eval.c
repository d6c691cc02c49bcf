// Expressions.
#include "base/util.h"
#include "jinja/ast.h"

static bool eval_all(render *r, expr *const *items, int count, value **out)
{
    *out = ARENA_ARRAY(&r->arena, value, count);
    for (int i = 0; i < count; i++)
        TRY(eval(r, items[i], &(*out)[i]));
    return true;
}

static bool add_star(render *r, const expr *star, call_args *c)
{
    value v, *items;
    int64_t count;
    TRY(eval(r, star, &v));
    TRY(value_items(r, v, &items, &count));
    if (count > 1000)
        return jinja_fail(r, "a call with %lld arguments", (long long)count);
    value *all = ARENA_ARRAY(&r->arena, value, c->count + count);
    for (int64_t i = 0; i < c->count + count; i++)
        all[i] = i < c->count ? c->list[i] : items[i - c->count];
    c->list = all;
    c->count += (int)count;
    return true;
}

static bool add_star_star(render *r, const expr *star, call_args *c)
{
    value v;
    TRY(eval(r, star, &v));
    if (v.kind != V_DICT)
        return jinja_fail(r, "** takes a dict, got a %s", value_type(v));
    dict_fill(r, v.dict);
    if (v.dict->count > 1000)
        return jinja_fail(r, "a call with %lld arguments", (long long)v.dict->count);
    named_value *all = ARENA_ARRAY(&r->arena, named_value, c->named_count + v.dict->count);
    for (int i = 0; i < c->named_count; i++)
        all[i] = c->named[i];
    for (int64_t i = 0; i < v.dict->count; i++) {
        if (v.dict->pairs[i].key.kind != V_TEXT)
            return jinja_fail(r, "names of arguments are text, got a %s", value_type(v.dict->pairs[i].key));
        all[c->named_count++] = (named_value){ v.dict->pairs[i].key.text->s, v.dict->pairs[i].value, false };
    }
    c->named = all;
    return true;
}

bool eval_args(render *r, const arguments *a, call_args *c)
{
    *c = (call_args){ .count = a->count, .named_count = a->named_count };
    TRY(eval_all(r, a->list, a->count, &c->list));
    c->named = ARENA_ARRAY(&r->arena, named_value, a->named_count);
    for (int i = 0; i < a->named_count; i++) {
        c->named[i].name = a->named[i].name;
        TRY(eval(r, a->named[i].value, &c->named[i].v));
    }
    TRY(!a->star || add_star(r, a->star, c));
    return !a->star_star || add_star_star(r, a->star_star, c);
}

static void here(render *r, const expr *x)
{
    r->line = x->line;
    r->column = x->column;
}

static bool compare(render *r, operation op, value a, value b, bool *yes)
{
    int order = 0;
    switch (op) {
    case OP_EQ: return value_equal(r, a, b, yes);
    case OP_NE: TRY(value_equal(r, a, b, yes)); *yes = !*yes; return true;
    case OP_IN: return value_contains(r, b, a, yes);
    case OP_NOT_IN: TRY(value_contains(r, b, a, yes)); *yes = !*yes; return true;
    default: break;
    }
    static const char *const names[] = { [OP_LT] = "<", [OP_LE] = "<=", [OP_GT] = ">", [OP_GE] = ">=" };
    TRY(value_order(r, a, b, &order, names[op]));
    *yes = order != 2 && (op == OP_LT ? order < 0 : op == OP_LE ? order <= 0 : op == OP_GT ? order > 0 : order >= 0);
    return true;
}

// a < b <= c: every neighbouring pair, each operand computed once.
static bool eval_compare(render *r, const expr *x, value *out)
{
    value left, right;
    bool yes = true;
    TRY(eval(r, x->items[0], &left));
    for (int i = 0; yes && i + 1 < x->count; i++) {
        TRY(eval(r, x->items[i + 1], &right));
        here(r, x);
        TRY(compare(r, x->ops[i], left, right, &yes));
        left = right;
    }
    *out = value_bool(yes);
    return true;
}

static bool eval_dict(render *r, const expr *x, value *out)
{
    *out = value_dict(r);
    for (int i = 0; i + 1 < x->count; i += 2) {
        value key, v;
        TRY(eval(r, x->items[i], &key));
        TRY(eval(r, x->items[i + 1], &v));
        here(r, x);
        TRY(dict_put(r, out->dict, key, v));
    }
    return true;
}

static bool eval_concat(render *r, const expr *x, value *out)
{
    sink s = { .r = r };
    value *parts;
    bool markup = false;
    TRY(eval_all(r, x->items, x->count, &parts));
    here(r, x);
    for (int i = 0; i < x->count; i++)
        markup = markup || (x->escapes == ESCAPE_YES && parts[i].kind == V_TEXT && parts[i].safe);
    for (int i = 0; i < x->count; i++) {
        TRY(!markup || text_escape(r, parts[i], &parts[i]));
        TRY(print_value(r, &s, parts[i]));
    }
    *out = sink_text(&s);
    out->safe = markup;
    return true;
}

static bool eval_slice(render *r, const expr *x, value object, value *out)
{
    value bounds[3] = {0};
    const expr *parts[3] = { x->a, x->b, x->c };
    for (int i = 0; i < 3; i++)
        if (parts[i])
            TRY(eval(r, parts[i], &bounds[i]));
    here(r, x);
    TRY(value_slice(r, object, bounds[0], bounds[1], bounds[2], out));
    if (r->fork)
        fork_see_slice(r, object, bounds, *out);
    return true;
}

static bool eval_item(render *r, const expr *x, value *out)
{
    value object, key;
    TRY(eval_kept(r, x->a, &object));
    if (x->kind == EX_ATTRIBUTE) {
        here(r, x);
        if (r->fork)
            fork_see_attribute(r, object, x->text);
        if (object.kind == V_UNDEFINED && !(str_begins(x->text, STR("__")) && str_ends(x->text, STR("__"))))
            return undefined_fail(r, object);
        *out = value_attribute(r, object, x->text, 0);
        return true;
    }
    if (x->b->kind == EX_SLICE)
        return eval_slice(r, x->b, object, out);
    TRY(eval(r, x->b, &key));
    here(r, x);
    if (r->fork)
        fork_see_item(r, object, key);
    return value_item(r, object, key, out);
}

static bool eval_call(render *r, const expr *x, value *out)
{
    value f;
    call_args c;
    TRY(eval(r, x->a, &f));
    if (f.kind == V_UNDEFINED) {
        here(r, x);
        return undefined_fail(r, f);
    }
    TRY(eval_args(r, &x->args, &c));
    here(r, x);
    return call_value(r, f, &c, out);
}

// What a filter or a test looks at. Whether a name is defined tells nothing of its value.
static bool eval_subject(render *r, const expr *x, value *v)
{
    if (!r->fork || x->kind != EX_TEST || x->a->kind != EX_NAME || !str_is(x->text, "defined"))
        return eval(r, x->a, v);
    TRY(jinja_enter(r));
    *v = scope_get(r, x->a->name);
    r->depth--;
    return true;
}

// Filters and tests. Those unknown stop the template when it is read, or here if they stood in a branch.
static bool eval_filter(render *r, const expr *x, value *out)
{
    value v;
    call_args c;
    const char *what = x->kind == EX_FILTER ? "filter" : "test";
    TRY(eval_subject(r, x, &v));
    TRY(eval_args(r, &x->args, &c));
    here(r, x);
    if (!x->row)
        return jinja_fail(r, "there is no %s called '%.*s'", what, STR_ARG(x->text));
    return call_row(r, what, x->row, &v, &c, out);
}

static bool eval_logic(render *r, const expr *x, value *out)
{
    if (x->kind == EX_OR)
        TRY(eval(r, x->a, out));
    else
        TRY(eval_kept(r, x->a, out));
    const bool yes = value_truth(r, *out);
    if (r->fork && x->kind != EX_OR)
        fork_see_truth(r, *out);
    if (x->kind == EX_NOT)
        *out = value_bool(!yes);
    else if (yes == (x->kind == EX_AND))
        return eval(r, x->b, out);
    else if (r->fork)
        fork_see(r, *out);
    return true;
}

static bool eval_if(render *r, const expr *x, value *out)
{
    value condition;
    TRY(eval(r, x->a, &condition));
    if (value_truth(r, condition))
        return eval(r, x->b, out);
    if (x->c)
        return eval(r, x->c, out);
    *out = value_undefined(r, "the inline 'if' was false and has no 'else'");
    return true;
}

static bool eval_inside(render *r, const expr *x, value *out)
{
    value a, b, *items;
    switch (x->kind) {
    case EX_CONST: *out = x->constant; return true;
    case EX_NAME:
        *out = scope_get(r, x->name);
        if (r->fork)
            fork_see_name(r, x->name);
        return true;
    case EX_LIST: case EX_TUPLE:
        TRY(eval_all(r, x->items, x->count, &items));
        *out = value_list(r, items, x->count, x->kind == EX_LIST ? V_LIST : V_TUPLE);
        return true;
    case EX_DICT: return eval_dict(r, x, out);
    case EX_ATTRIBUTE: case EX_ITEM: return eval_item(r, x, out);
    case EX_CALL: return eval_call(r, x, out);
    case EX_FILTER: case EX_TEST: return eval_filter(r, x, out);
    case EX_AND: case EX_OR: case EX_NOT: return eval_logic(r, x, out);
    case EX_COMPARE: return eval_compare(r, x, out);
    case EX_CONCAT: return eval_concat(r, x, out);
    case EX_IF: return eval_if(r, x, out);
    case EX_NEGATE: case EX_PLUS:
        TRY(eval(r, x->a, &a));
        here(r, x);
        TRY(value_negate(r, a, out));
        return x->kind == EX_NEGATE || value_negate(r, *out, out);
    case EX_BINARY:
        TRY(eval(r, x->a, &a));
        TRY(eval(r, x->b, &b));
        here(r, x);
        return value_binary(r, (int)x->op, a, b, out);
    default: return jinja_fail(r, "this cannot be computed");
    }
}

bool eval_kept(render *r, const expr *x, value *out)
{
    TRY(jinja_enter(r));
    bool ok = eval_inside(r, x, out);
    r->depth--;
    return ok;
}

bool eval(render *r, const expr *x, value *out)
{
    TRY(eval_kept(r, x, out));
    if (r->fork)
        fork_see(r, *out);
    return true;
}
