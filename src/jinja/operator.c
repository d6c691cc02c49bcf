// Expressions: calls, subscripts, filters, tests and operators, from those that bind most to those that bind least.
#include <stdio.h>

#include "base/near.h"
#include "base/util.h"
#include "jinja/parser.h"

enum { DEEPEST = 200 };

bool parse_call_args(parser *p, arguments *a)
{
    const jtoken *open = p->t;
    TRY(expect_op(p, "("));
    for (bool comma = false; !is_op(p->t, ")"); comma = true) {
        if (comma)
            TRY(expect_op(p, ","));
        if (comma && is_op(p->t, ")"))
            break;
        expr *x;
        bool late = a->star || a->star_star;
        if (skip_op(p, "*")) {
            if (late)
                return parse_fail(p, open, "these arguments are in no order");
            TRY(parse_expression(p, true, &a->star));
        } else if (skip_op(p, "**")) {
            if (a->star_star)
                return parse_fail(p, open, "these arguments are in no order");
            TRY(parse_expression(p, true, &a->star_star));
        } else if (p->t->kind == TK_NAME && is_op(p->t + 1, "=")) {
            named_expr named = { .name = p->t->text };
            p->t += 2;
            if (a->star_star)
                return parse_fail(p, open, "these arguments are in no order");
            TRY(parse_expression(p, true, &named.value));
            ARENA_PUSH(&p->j->arena, a->named, a->named_count, named);
        } else {
            if (late || a->named_count)
                return parse_fail(p, open, "arguments by position come before those by name");
            TRY(parse_expression(p, true, &x));
            ARENA_PUSH(&p->j->arena, a->list, a->count, x);
        }
    }
    return expect_op(p, ")");
}

static bool bound(parser *p, expr **out)
{
    *out = NULL;
    return is_op(p->t, ":") || is_op(p->t, "]") || is_op(p->t, ",") || parse_expression(p, true, out);
}

static bool subscript(parser *p, expr **out)
{
    expr *x = expr_new(p, EX_SLICE, p->t);
    TRY(bound(p, &x->a));
    if (!skip_op(p, ":")) {
        *out = x->a;
        return x->a || parse_expected(p, "an expression");
    }
    TRY(bound(p, &x->b));
    if (skip_op(p, ":"))
        TRY(bound(p, &x->c));
    *out = x;
    return true;
}

static bool parse_subscript(parser *p, expr **x)
{
    const jtoken *at = p->t++;
    expr *y = expr_new(p, EX_ITEM, at);
    y->a = *x;
    *x = y;
    if (is_op(at, ".")) {
        if (p->t->kind == TK_INTEGER)
            return parse_number(p, &y->b);
        y->kind = EX_ATTRIBUTE;
        y->line = p->t->line;
        y->column = p->t->column;
        return expect_kind(p, TK_NAME, &y->text);
    }
    expr *items = expr_new(p, EX_TUPLE, at);
    while (!is_op(p->t, "]")) {
        if (items->count)
            TRY(expect_op(p, ","));
        expr *item;
        TRY(subscript(p, &item));
        if (item->kind == EX_SLICE && (items->count || is_op(p->t, ",")))
            return parse_fail(p, at, "a slice stands alone between brackets");
        expr_add(p, items, item);
    }
    y->b = items->count == 1 ? items->items[0] : items;
    return expect_op(p, "]");
}

static bool parse_call(parser *p, expr **x)
{
    expr *y = expr_new(p, EX_CALL, p->t);
    y->a = *x;
    *x = y;
    return parse_call_args(p, &y->args);
}

bool parse_postfix(parser *p, expr **x)
{
    for (;;) {
        if (is_op(p->t, ".") || is_op(p->t, "["))
            TRY(parse_subscript(p, x));
        else if (is_op(p->t, "("))
            TRY(parse_call(p, x));
        else
            return true;
    }
}

static void find_row(parser *p, expr *x)
{
    x->row = x->kind == EX_FILTER ? filter_find(x->text) : test_find(x->text);
    if (!x->row && !p->soft && !p->unknown)
        p->unknown = x;
}

bool parse_unknown(parser *p)
{
    const expr *x = p->unknown;
    bool filter = x->kind == EX_FILTER;
    const char *names[TABLE_NAMES];
    size_t count;
    char near[160], *word = arena_chars(&p->j->arena, x->text);
    (filter ? filter_names : test_names)(names, &count);
    near_names(word, names, count, near, sizeof near);
    return fail_at(p->e, (place){ .file = p->j->file, .line = x->line, .column = x->column }, "there is no %s called '%.*s'%s%s%s",
                   filter ? "filter" : "test", (int)MIN(x->text.size, (size_t)60), x->text.at, near[0] ? "; did you mean " : "", near,
                   near[0] ? "?" : "");
}

static bool dotted_name(parser *p, str *name)
{
    TRY(expect_kind(p, TK_NAME, name));
    while (skip_op(p, ".")) {
        str more = {0};
        TRY(expect_kind(p, TK_NAME, &more));
        *name = str_of(arena_print(&p->j->arena, "%.*s.%.*s", STR_ARG(*name), STR_ARG(more)));
    }
    return true;
}

bool parse_filter_from(parser *p, expr **x)
{
    const jtoken *at = p->t;
    expr *y = expr_new(p, EX_FILTER, at);
    y->a = *x;
    *x = y;
    TRY(dotted_name(p, &y->text));
    if (is_op(p->t, "("))
        TRY(parse_call_args(p, &y->args));
    find_row(p, y);
    return true;
}

bool parse_filters(parser *p, expr **x)
{
    while (skip_op(p, "|"))
        TRY(parse_filter_from(p, x));
    return true;
}

static bool begins_argument(const jtoken *t)
{
    return t->kind == TK_STRING || t->kind == TK_INTEGER || t->kind == TK_FLOAT || is_op(t, "[") || is_op(t, "{")
           || (t->kind == TK_NAME && !is_name(t, "else") && !is_name(t, "or") && !is_name(t, "and"));
}

static bool parse_test(parser *p, expr **x)
{
    const jtoken *at = p->t++;
    bool negated = skip_name(p, "not");
    expr *y = expr_new(p, EX_TEST, at);
    y->a = *x;
    TRY(dotted_name(p, &y->text));
    if (is_op(p->t, "(")) {
        TRY(parse_call_args(p, &y->args));
    } else if (begins_argument(p->t)) {
        if (is_name(p->t, "is"))
            return parse_fail(p, p->t, "tests with 'is' cannot be chained");
        expr *argument;
        TRY(parse_primary(p, &argument));
        TRY(parse_postfix(p, &argument));
        ARENA_PUSH(&p->j->arena, y->args.list, y->args.count, argument);
    }
    *x = y;
    if (negated) {
        *x = expr_new(p, EX_NOT, at);
        (*x)->a = y;
    }
    find_row(p, y);
    return true;
}

static bool parse_unary(parser *p, bool with_filter, expr **out)
{
    const jtoken *t = p->t;
    if (++p->depth > DEEPEST)
        return parse_fail(p, t, "more than %d expressions inside each other", DEEPEST);
    if (is_op(t, "-") || is_op(t, "+")) {
        p->t++;
        expr *x = expr_new(p, is_op(t, "-") ? EX_NEGATE : EX_PLUS, t);
        TRY(parse_unary(p, false, &x->a));
        *out = x;
    } else {
        TRY(parse_primary(p, out));
    }
    p->depth--;
    TRY(parse_postfix(p, out));
    while (with_filter) {
        if (is_op(p->t, "|"))
            TRY(parse_filters(p, out));
        else if (is_name(p->t, "is"))
            TRY(parse_test(p, out));
        else if (is_op(p->t, "("))
            TRY(parse_call(p, out));
        else
            break;
    }
    return true;
}

// Binary operators, weakest first: + and -, then ~, then * / // %, then **. All group from the left.
static bool parse_binary(parser *p, int level, expr **out)
{
    static const struct { int level; const char *sign; operation op; } table[] = {
        { 0, "+", OP_ADD }, { 0, "-", OP_SUB }, { 2, "*", OP_MUL }, { 2, "/", OP_DIV }, { 2, "//", OP_FLOORDIV },
        { 2, "%", OP_MOD }, { 3, "**", OP_POW },
    };
    if (level == 4)
        return parse_unary(p, true, out);
    TRY(parse_binary(p, level + 1, out));
    if (level == 1 && is_op(p->t, "~")) {
        expr *x = expr_new(p, EX_CONCAT, p->t), *item = *out;
        x->escapes = (uint8_t)p->escapes;
        expr_add(p, x, item);
        while (skip_op(p, "~")) {
            TRY(parse_binary(p, level + 1, &item));
            expr_add(p, x, item);
        }
        *out = x;
    }
    for (size_t i = 0; i < COUNT(table); i++) {
        if (table[i].level != level || !is_op(p->t, table[i].sign))
            continue;
        expr *x = expr_new(p, EX_BINARY, p->t++);
        x->op = table[i].op;
        x->a = *out;
        *out = x;
        TRY(parse_binary(p, level + 1, &x->b));
        i = (size_t)-1;                                     // from the left again, as long as one follows
    }
    return true;
}

static bool comparison(parser *p, operation *op)
{
    static const struct { const char *sign; operation op; } table[] = {
        { "==", OP_EQ }, { "!=", OP_NE }, { "<", OP_LT }, { "<=", OP_LE }, { ">", OP_GT }, { ">=", OP_GE },
    };
    for (size_t i = 0; i < COUNT(table); i++)
        if (skip_op(p, table[i].sign)) {
            *op = table[i].op;
            return true;
        }
    *op = OP_IN;
    if (skip_name(p, "in"))
        return true;
    if (!is_name(p->t, "not") || !is_name(p->t + 1, "in"))
        return false;
    p->t += 2;
    *op = OP_NOT_IN;
    return true;
}

static bool parse_compare(parser *p, expr **out)
{
    const jtoken *at = p->t;
    TRY(parse_binary(p, 0, out));
    expr *x = NULL, *item;
    int ops = 0;
    for (operation op; comparison(p, &op);) {
        if (!x) {
            x = expr_new(p, EX_COMPARE, at);
            expr_add(p, x, *out);
        }
        TRY(parse_binary(p, 0, &item));
        ARENA_PUSH(&p->j->arena, x->ops, ops, op);
        expr_add(p, x, item);
    }
    *out = x ? x : *out;
    return true;
}

static bool parse_not(parser *p, expr **out)
{
    if (!is_name(p->t, "not"))
        return parse_compare(p, out);
    expr *x = expr_new(p, EX_NOT, p->t++);
    *out = x;
    if (++p->depth > DEEPEST)
        return parse_fail(p, p->t, "more than %d expressions inside each other", DEEPEST);
    TRY(parse_not(p, &x->a));
    p->depth--;
    return true;
}

static bool parse_logic(parser *p, bool is_or, expr **out)
{
    TRY(is_or ? parse_logic(p, false, out) : parse_not(p, out));
    while (is_name(p->t, is_or ? "or" : "and")) {
        expr *x = expr_new(p, is_or ? EX_OR : EX_AND, p->t++);
        x->a = *out;
        *out = x;
        TRY(is_or ? parse_logic(p, false, &x->b) : parse_not(p, &x->b));
    }
    return true;
}

static bool parse_inline_if(parser *p, expr **out)
{
    const jtoken *begin = p->t;
    const expr *unknown = p->unknown;
    TRY(parse_logic(p, true, out));
    if (!is_name(p->t, "if"))
        return true;
    while (skip_name(p, "if")) {
        expr *x = expr_new(p, EX_IF, begin);
        x->b = *out;
        *out = x;
        TRY(parse_logic(p, true, &x->a));
        if (skip_name(p, "else"))
            TRY(parse_expression(p, true, &x->c));
    }
    p->unknown = unknown;                                   // in a branch a filter is missed only when it runs
    return true;
}

bool parse_expression(parser *p, bool with_if, expr **out)
{
    if (++p->depth > DEEPEST)
        return parse_fail(p, p->t, "more than %d expressions inside each other", DEEPEST);
    TRY(with_if ? parse_inline_if(p, out) : parse_logic(p, true, out));
    p->depth--;
    return true;
}
