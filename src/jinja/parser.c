// Expressions: names, literals, lists, tuples and what can be assigned to.
#include "jinja/parser.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/util.h"

bool parse_fail(parser *p, const jtoken *at, const char *fmt, ...)
{
    char what[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return fail_at(p->e, (place){ .file = p->j->file, .line = at->line, .column = at->column }, "%s", what);
}

bool is_op(const jtoken *t, const char *op) { return t->kind == TK_OPERATOR && !strcmp(t->op, op); }
bool is_name(const jtoken *t, const char *name) { return t->kind == TK_NAME && str_is(t->text, name); }

bool skip_op(parser *p, const char *op)
{
    bool yes = is_op(p->t, op);
    p->t += yes;
    return yes;
}

bool skip_name(parser *p, const char *name)
{
    bool yes = is_name(p->t, name);
    p->t += yes;
    return yes;
}

void token_words(const jtoken *t, char out[64])
{
    static const char *const words[] = {
        [TK_DATA] = "text", [TK_BLOCK_BEGIN] = "'{%'", [TK_BLOCK_END] = "'%}'", [TK_VARIABLE_BEGIN] = "'{{'",
        [TK_VARIABLE_END] = "'}}'", [TK_STRING] = "a text", [TK_END] = "the end of the template",
    };
    if (t->kind == TK_OPERATOR)
        snprintf(out, 64, "'%s'", t->op);
    else if (t->kind == TK_NAME || t->kind == TK_INTEGER || t->kind == TK_FLOAT)
        snprintf(out, 64, "'%.*s'", (int)MIN(t->text.size, (size_t)40), t->text.at);
    else
        snprintf(out, 64, "%s", words[t->kind]);
}

bool parse_expected(parser *p, const char *what)
{
    char got[64];
    token_words(p->t, got);
    return parse_fail(p, p->t, "expected %s, got %s", what, got);
}

bool expect_op(parser *p, const char *op)
{
    char what[8];
    snprintf(what, sizeof what, "'%s'", op);
    return skip_op(p, op) || parse_expected(p, what);
}

bool expect_kind(parser *p, token_kind kind, str *word)
{
    if (p->t->kind != kind)
        return parse_expected(p, kind == TK_NAME ? "a name" : kind == TK_BLOCK_END ? "'%}'" : "'}}'");
    if (word)
        *word = p->t->text;
    p->t++;
    return true;
}

expr *expr_new(parser *p, expr_kind kind, const jtoken *at)
{
    expr *x = ARENA_NEW(&p->j->arena, expr);
    x->kind = kind;
    x->line = at->line;
    x->column = at->column;
    return x;
}

void expr_add(parser *p, expr *x, expr *item) { ARENA_PUSH(&p->j->arena, x->items, x->count, item); }

static expr *constant(parser *p, const jtoken *at, value v)
{
    expr *x = expr_new(p, EX_CONST, at);
    x->constant = v;
    return x;
}

static expr *text_constant(parser *p, const jtoken *at, str s)
{
    render r = { .arena = p->j->arena };                    // values of the tree live in the template's arena
    value v = text_value(&r, s, 0);
    text_chars(v);                                          // counted here: the tree is shared by threads
    p->j->arena = r.arena;
    return constant(p, at, v);
}

// A use of caller, kwargs or varargs makes every macro around it take them.
static void note_special(parser *p, int name)
{
    for (struct parser_macro *m = p->macros; m; m = m->outer) {
        m->g->takes_caller |= name == NAME_CALLER;
        m->g->takes_kwargs |= name == NAME_KWARGS;
        m->g->takes_varargs |= name == NAME_VARARGS;
    }
}

static expr *name_of(parser *p, const jtoken *t)
{
    if (is_name(t, "true") || is_name(t, "True") || is_name(t, "false") || is_name(t, "False"))
        return constant(p, t, value_bool((t->text.at[0] | 32) == 't'));
    if (is_name(t, "none") || is_name(t, "None"))
        return constant(p, t, value_none);
    expr *x = expr_new(p, EX_NAME, t);
    x->text = t->text;
    x->name = jinja_name(p->j, t->text);
    note_special(p, x->name);
    return x;
}

bool parse_number(parser *p, expr **out)
{
    const jtoken *t = p->t++;
    render r = { .arena = p->j->arena };
    value v = { .kind = V_FLOAT };
    bool ok = t->kind == TK_FLOAT ? number_parse_float(t->text, &v.number) : number_parse_int(t->text, 0, &v, &r);
    p->j->arena = r.arena;
    if (!ok)
        return parse_fail(p, t, "this number is too long");
    *out = constant(p, t, v);
    return true;
}

static bool parse_list(parser *p, expr **out)
{
    expr *x = expr_new(p, EX_LIST, p->t++);
    while (!is_op(p->t, "]")) {
        if (x->count)
            TRY(expect_op(p, ","));
        if (is_op(p->t, "]"))
            break;
        expr *item;
        TRY(parse_expression(p, true, &item));
        expr_add(p, x, item);
    }
    *out = x;
    return expect_op(p, "]");
}

static bool parse_dict(parser *p, expr **out)
{
    expr *x = expr_new(p, EX_DICT, p->t++);
    while (!is_op(p->t, "}")) {
        if (x->count)
            TRY(expect_op(p, ","));
        if (is_op(p->t, "}"))
            break;
        expr *key, *v;
        TRY(parse_expression(p, true, &key));
        TRY(expect_op(p, ":"));
        TRY(parse_expression(p, true, &v));
        expr_add(p, x, key);
        expr_add(p, x, v);
    }
    *out = x;
    return expect_op(p, "}");
}

bool parse_primary(parser *p, expr **out)
{
    const jtoken *t = p->t;
    if (t->kind == TK_NAME) {
        p->t++;
        *out = name_of(p, t);
        return true;
    }
    if (t->kind == TK_INTEGER || t->kind == TK_FLOAT)
        return parse_number(p, out);
    if (t->kind == TK_STRING) {
        text joined = {0};                                  // neighbouring texts are one
        for (; p->t->kind == TK_STRING; p->t++)
            text_str(&joined, p->t->text);
        str s = arena_str(&p->j->arena, text_view(&joined));
        bool ok = text_ok(&joined, p->e);
        text_close(&joined);
        *out = text_constant(p, t, s);
        return ok;
    }
    if (is_op(t, "(")) {
        p->t++;
        TRY(parse_tuple(p, true, NULL, true, out));
        return expect_op(p, ")");
    }
    if (is_op(t, "["))
        return parse_list(p, out);
    if (is_op(t, "{"))
        return parse_dict(p, out);
    return parse_expected(p, "an expression");
}

static bool tuple_ends(const parser *p, const char *end)
{
    return p->t->kind == TK_VARIABLE_END || p->t->kind == TK_BLOCK_END || is_op(p->t, ")") || (end && is_name(p->t, end));
}

static bool tuple_item(parser *p, bool target, bool with_namespace, bool with_if, expr **out)
{
    if (!target)
        return parse_expression(p, with_if, out);
    const jtoken *t = p->t;
    if (with_namespace && t->kind == TK_NAME && is_op(t + 1, ".")) {
        p->t += 2;
        expr *x = expr_new(p, EX_NAMESPACE_REF, t);
        x->name = jinja_name(p->j, t->text);
        *out = x;
        return expect_kind(p, TK_NAME, &x->text);
    }
    return parse_primary(p, out);
}

static bool tuple(parser *p, bool target, bool with_namespace, bool with_if, const char *end, bool in_parentheses, expr **out)
{
    expr *x = expr_new(p, EX_TUPLE, p->t);
    bool is_tuple = false;
    for (;;) {
        if (x->count)
            TRY(expect_op(p, ","));
        if (tuple_ends(p, end))
            break;
        expr *item;
        TRY(tuple_item(p, target, with_namespace, with_if, &item));
        expr_add(p, x, item);
        if (!is_op(p->t, ","))
            break;
        is_tuple = true;
    }
    if (!is_tuple && !x->count && !in_parentheses)
        return parse_expected(p, "an expression");
    *out = is_tuple || !x->count ? x : x->items[0];
    return true;
}

bool parse_tuple(parser *p, bool with_if, const char *end, bool in_parentheses, expr **out)
{
    return tuple(p, false, false, with_if, end, in_parentheses, out);
}

static bool can_assign(parser *p, const jtoken *at, const expr *x)
{
    if (x->kind == EX_TUPLE) {
        for (int i = 0; i < x->count; i++)
            TRY(can_assign(p, at, x->items[i]));
        return true;
    }
    if (x->kind == EX_NAME && x->name == NAME_LOOP && p->loops)
        return parse_fail(p, at, "'loop' belongs to the loop and cannot be set inside it");
    return x->kind == EX_NAME || x->kind == EX_NAMESPACE_REF || parse_fail(p, at, "only names can be assigned to");
}

bool parse_target(parser *p, const char *end, bool with_namespace, expr **out)
{
    const jtoken *at = p->t;
    return tuple(p, true, with_namespace, true, end, false, out) && can_assign(p, at, *out);
}
