// Statements: what stands between {% and %}.
#include "base/near.h"
#include "base/util.h"
#include "base/utf8.h"
#include "jinja/parser.h"

enum { DEEPEST = 100 };

stmt *stmt_new(parser *p, stmt_kind kind, const jtoken *at)
{
    stmt *s = ARENA_NEW(&p->j->arena, stmt);
    s->kind = kind;
    s->line = at->line;
    s->column = at->column;
    s->escapes = (uint8_t)p->escapes;
    return s;
}

static void add_stmt(parser *p, body *b, stmt *s) { ARENA_PUSH(&p->j->arena, b->items, b->count, s); }

static bool block_end(parser *p) { return expect_kind(p, TK_BLOCK_END, NULL); }

// After a tag's head: "%}", the body, and the name of the tag that ends it.
static bool body_until(parser *p, const char *const *ends, int count, body *out)
{
    skip_op(p, ":");
    TRY(block_end(p));
    return parse_body(p, ends, count, out);
}

// The same for a tag with one end, past its "%}" (left to the caller of the statement).
bool body_to(parser *p, const char *end, body *out)
{
    TRY(body_until(p, &end, 1, out));
    p->t++;
    return true;
}

static bool parse_if(parser *p, const jtoken *at, stmt **out)
{
    static const char *const ends[] = { "elif", "else", "endif" };
    bool soft = p->soft;
    p->soft = true;
    stmt *s = stmt_new(p, ST_IF, at);
    *out = s;
    for (;;) {
        TRY(parse_tuple(p, false, NULL, false, &s->test));
        TRY(body_until(p, ends, 3, &s->body));
        const jtoken *t = p->t++;
        if (is_name(t, "elif")) {
            stmt *next = stmt_new(p, ST_IF, t);
            add_stmt(p, &s->otherwise, next);
            s = next;
            continue;
        }
        if (is_name(t, "else"))
            TRY(body_to(p, "endif", &s->otherwise));
        p->soft = soft;
        return true;
    }
}

static bool parse_for(parser *p, const jtoken *at, stmt **out)
{
    static const char *const ends[] = { "else", "endfor" };
    stmt *s = *out = stmt_new(p, ST_FOR, at);
    bool soft = p->soft;
    p->loops++;
    TRY(parse_target(p, "in", false, &s->target));
    p->loops--;
    if (!skip_name(p, "in")) {
        char got[64];
        token_words(p->t, got);
        return parse_fail(p, p->t, "expected 'in', got %s", got);
    }
    TRY(parse_tuple(p, false, "recursive", false, &s->value));
    p->soft = false;
    if (skip_name(p, "if"))
        TRY(parse_expression(p, true, &s->test));
    s->recursive = skip_name(p, "recursive");
    p->loops++;
    TRY(body_until(p, ends, 2, &s->body));
    p->loops--;
    if (is_name(p->t++, "else"))
        TRY(body_to(p, "endfor", &s->otherwise));
    p->soft = soft;
    return true;
}

static bool parse_signature(parser *p, signature *g)
{
    TRY(expect_op(p, "("));
    while (!is_op(p->t, ")")) {
        if (g->count)
            TRY(expect_op(p, ","));
        const jtoken *at = p->t;
        parameter one = {0};
        TRY(expect_kind(p, TK_NAME, &one.text));
        one.name = jinja_name(p->j, one.text);
        if (skip_op(p, "="))
            TRY(parse_expression(p, true, &one.otherwise));
        else if (g->count && g->list[g->count - 1].otherwise)
            return parse_fail(p, at, "an argument without default stands after one with a default");
        ARENA_PUSH(&p->j->arena, g->list, g->count, one);
    }
    return expect_op(p, ")");
}

// The body of a macro or call block: a function of its own, so break and continue do not reach out of it.
static bool macro_body(parser *p, stmt *s, const char *end)
{
    struct parser_macro own = { &s->signature, p->macros };
    bool soft = p->soft;
    int loops = p->loops;
    p->macros = &own;
    p->soft = false;
    p->loops = 0;
    bool ok = body_to(p, end, &s->body);
    for (int i = 0; i < s->signature.count; i++) {
        s->signature.takes_kwargs &= s->signature.list[i].name != NAME_KWARGS;
        s->signature.takes_varargs &= s->signature.list[i].name != NAME_VARARGS;
    }
    p->macros = own.outer;
    p->soft = soft;
    p->loops = loops;
    return ok;
}

static bool parse_macro(parser *p, const jtoken *at, stmt **out)
{
    stmt *s = *out = stmt_new(p, ST_MACRO, at);
    TRY(expect_kind(p, TK_NAME, &s->text));
    s->name = jinja_name(p->j, s->text);
    TRY(parse_signature(p, &s->signature));
    return macro_body(p, s, "endmacro");
}

static bool parse_call_block(parser *p, const jtoken *at, stmt **out)
{
    stmt *s = *out = stmt_new(p, ST_CALL, at);
    if (is_op(p->t, "("))
        TRY(parse_signature(p, &s->signature));
    const jtoken *call = p->t;
    TRY(parse_expression(p, true, &s->value));
    if (s->value->kind != EX_CALL)
        return parse_fail(p, call, "{%% call %%} is followed by the call of a macro");
    return macro_body(p, s, "endcall");
}

static bool parse_generation(parser *p, const jtoken *at, stmt **out)
{
    stmt *s = *out = stmt_new(p, ST_GENERATION, at);
    p->j->has_generation = true;
    return macro_body(p, s, "endgeneration");
}

// An expression that stands for the text a tag captured.
static expr *captured(parser *p)
{
    expr *x = expr_new(p, EX_NAME, p->t);
    x->name = NAME_BODY;
    return x;
}

static bool captured_body(parser *p, stmt *s, const char *end)
{
    bool soft = p->soft;
    p->soft = false;
    bool ok = body_to(p, end, &s->body);
    p->soft = soft;
    return ok;
}

static bool parse_filter_block(parser *p, const jtoken *at, stmt **out)
{
    stmt *s = *out = stmt_new(p, ST_FILTER, at);
    const bool soft = p->soft;
    s->value = captured(p);
    p->soft = false;
    TRY(parse_filter_from(p, &s->value));
    TRY(parse_filters(p, &s->value));
    p->soft = soft;
    return captured_body(p, s, "endfilter");
}

static bool parse_set(parser *p, const jtoken *at, stmt **out)
{
    stmt *s = *out = stmt_new(p, ST_SET, at);
    TRY(parse_target(p, NULL, true, &s->target));
    if (skip_op(p, "="))
        return parse_tuple(p, true, NULL, false, &s->value);
    s->kind = ST_SET_BLOCK;
    if (is_op(p->t, "|")) {
        const bool soft = p->soft;
        s->value = captured(p);
        p->soft = false;
        TRY(parse_filters(p, &s->value));
        p->soft = soft;
    }
    return captured_body(p, s, "endset");
}

static bool parse_with(parser *p, const jtoken *at, stmt **out)
{
    stmt *s = *out = stmt_new(p, ST_WITH, at);
    int count = 0;
    while (p->t->kind != TK_BLOCK_END) {
        if (s->count)
            TRY(expect_op(p, ","));
        expr *target, *v;
        TRY(parse_target(p, NULL, false, &target));
        TRY(expect_op(p, "="));
        TRY(parse_expression(p, true, &v));
        ARENA_PUSH(&p->j->arena, s->targets, s->count, target);
        ARENA_PUSH(&p->j->arena, s->values, count, v);
    }
    return captured_body(p, s, "endwith");
}

static bool parse_print(parser *p, const jtoken *at, stmt **out)
{
    stmt *s = *out = stmt_new(p, ST_IF, at);                // a branch that is always taken
    s->test = expr_new(p, EX_CONST, at);
    s->test->constant = value_bool(true);
    while (p->t->kind != TK_BLOCK_END) {
        if (s->body.count)
            TRY(expect_op(p, ","));
        stmt *one = stmt_new(p, ST_OUTPUT, p->t);
        TRY(parse_expression(p, true, &one->value));
        add_stmt(p, &s->body, one);
    }
    return true;
}

static bool parse_jump(parser *p, const jtoken *at, stmt **out)
{
    *out = stmt_new(p, is_name(at, "break") ? ST_BREAK : ST_CONTINUE, at);
    return p->loops || parse_fail(p, at, "'%.*s' stands outside a loop", STR_ARG(at->text));
}

static const struct { const char *tag; bool (*parse)(parser *p, const jtoken *at, stmt **out); } tags[] = {
    { "if", parse_if }, { "for", parse_for }, { "set", parse_set }, { "macro", parse_macro }, { "call", parse_call_block },
    { "filter", parse_filter_block }, { "with", parse_with }, { "generation", parse_generation }, { "print", parse_print },
    { "break", parse_jump }, { "continue", parse_jump }, { "autoescape", parse_autoescape }, { "block", parse_block },
    { "include", parse_load }, { "extends", parse_load }, { "import", parse_load }, { "from", parse_load },
};

static bool unknown_tag(parser *p, const char *const *ends, int end_count)
{
    const char *names[COUNT(tags) + 4];
    size_t count = 0;
    char near[160], got[64], *word = arena_chars(&p->j->arena, p->t->text);
    for (size_t i = 0; i < COUNT(tags); i++)
        names[count++] = tags[i].tag;
    for (int i = 0; i < end_count; i++)
        names[count++] = ends[i];
    near_names(word, names, count, near, sizeof near);
    token_words(p->t, got);
    if (p->t->kind != TK_NAME)
        return parse_fail(p, p->t, "expected the name of a tag, got %s", got);
    if (near[0])
        return parse_fail(p, p->t, "there is no tag %s here; did you mean %s?", got, near);
    return end_count ? parse_fail(p, p->t, "there is no tag %s here; the open tag wants '%s'", got, ends[end_count - 1])
                     : parse_fail(p, p->t, "there is no tag %s here", got);
}

static bool parse_statement(parser *p, const char *const *ends, int end_count, body *out)
{
    for (size_t i = 0; i < COUNT(tags); i++) {
        if (!is_name(p->t, tags[i].tag))
            continue;
        stmt *s;
        const jtoken *at = p->t++, *outer = p->open;
        p->open = at;
        p->inside += tags[i].parse != parse_if;
        TRY(tags[i].parse(p, at, &s));
        p->inside -= tags[i].parse != parse_if;
        p->open = outer;
        add_stmt(p, out, s);
        return block_end(p);
    }
    return unknown_tag(p, ends, end_count);
}

static bool is_end(const parser *p, const char *const *ends, int end_count)
{
    for (int i = 0; i < end_count; i++)
        if (is_name(p->t, ends[i]))
            return true;
    return false;
}

// Up to one of the end tags, which is left as the current token; without end tags, to the end of the template.
bool parse_body(parser *p, const char *const *ends, int end_count, body *out)
{
    if (++p->depth > DEEPEST)
        return parse_fail(p, p->t, "more than %d tags inside each other", DEEPEST);
    for (;;) {
        const jtoken *t = p->t++;
        if (t->kind == TK_DATA) {
            stmt *s = stmt_new(p, ST_DATA, t);
            s->text = t->text;
            add_stmt(p, out, s);
        } else if (t->kind == TK_VARIABLE_BEGIN) {
            stmt *s = stmt_new(p, ST_OUTPUT, t);
            TRY(parse_tuple(p, true, NULL, false, &s->value));
            TRY(expect_kind(p, TK_VARIABLE_END, NULL));
            add_stmt(p, out, s);
        } else if (t->kind == TK_BLOCK_BEGIN) {
            if (is_end(p, ends, end_count))
                break;
            TRY(parse_statement(p, ends, end_count, out));
        } else {
            p->t = t;
            if (end_count)
                return parse_fail(p, p->open, "'%.*s' has no {%% %s %%}", STR_ARG(p->open->text), ends[end_count - 1]);
            break;
        }
    }
    p->depth--;
    return true;
}

int jinja_name(jinja *j, str name)
{
    int64_t known = map_get(&j->name_map, name, -1);
    if (known >= 0)
        return (int)known;
    map_put(&j->name_map, name, j->name_count);
    ARENA_PUSH(&j->arena, j->names, j->name_count, name);
    return j->name_count - 1;
}

bool jinja_parse(jinja *j, err *e)
{
    lexer x = { .j = j, .e = e, .s = j->source };
    TRY(jinja_lex(&x));
    parser p = { .j = j, .e = e, .t = x.tokens };
    TRY(parse_body(&p, NULL, 0, &j->body));
    return !p.unknown || parse_unknown(&p);
}
