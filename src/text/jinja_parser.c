// Expressions.
#include "text/jinja_parser.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/near.h"
#include "base/util.h"

enum { DEEPEST = 200 };

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

static bool expected(parser *p, const char *what)
{
    char got[64];
    token_words(p->t, got);
    return parse_fail(p, p->t, "expected %s, got %s", what, got);
}

bool expect_op(parser *p, const char *op)
{
    char what[8];
    snprintf(what, sizeof what, "'%s'", op);
    return skip_op(p, op) || expected(p, what);
}

bool expect_kind(parser *p, token_kind kind, str *word)
{
    if (p->t->kind != kind)
        return expected(p, kind == TK_NAME ? "a name" : kind == TK_BLOCK_END ? "'%}'" : "'}}'");
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

static void add_item(parser *p, expr *x, expr *item) { ARENA_PUSH(&p->j->arena, x->items, x->count, item); }

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

static bool number(parser *p, expr **out)
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
        add_item(p, x, item);
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
        add_item(p, x, key);
        add_item(p, x, v);
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
        return number(p, out);
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
    return expected(p, "an expression");
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
        add_item(p, x, item);
        if (!is_op(p->t, ","))
            break;
        is_tuple = true;
    }
    if (!is_tuple && !x->count && !in_parentheses)
        return expected(p, "an expression");
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
        return x->a || expected(p, "an expression");
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
            return number(p, &y->b);
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
        add_item(p, items, item);
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
        add_item(p, x, item);
        while (skip_op(p, "~")) {
            TRY(parse_binary(p, level + 1, &item));
            add_item(p, x, item);
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
            add_item(p, x, *out);
        }
        TRY(parse_binary(p, 0, &item));
        ARENA_PUSH(&p->j->arena, x->ops, ops, op);
        add_item(p, x, item);
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
