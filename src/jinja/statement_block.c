// Statements of templates that are made of several: blocks, which stand where they are written, the tags that load another
// template, which a chat template has none of, and autoescape.
#include "base/util.h"
#include "jinja/parser.h"

bool parse_autoescape(parser *p, const jtoken *at, stmt **out)
{
    stmt *s = *out = stmt_new(p, ST_AUTOESCAPE, at);
    const escaping outer = p->escapes;
    const bool soft = p->soft;
    TRY(parse_expression(p, true, &s->value));
    const bool constant = s->value->kind == EX_CONST && outer != ESCAPE_ASK;
    p->escapes = !constant ? ESCAPE_ASK : value_truth(NULL, s->value->constant) ? ESCAPE_YES : ESCAPE_NO;
    p->soft = false;
    TRY(body_to(p, "endautoescape", &s->body));
    p->soft = soft;
    p->escapes = outer;
    return true;
}

static bool is_blank(const body *b)
{
    for (int i = 0; i < b->count; i++) {
        if (b->items[i]->kind != ST_DATA)
            return false;
        str s = b->items[i]->text;
        for (size_t k = 0; k < s.size; k++)
            if (!letter_is_space((unsigned char)s.at[k]))
                return false;
    }
    return true;
}

// A block's body is a function of its own: break and continue do not reach out of it, nor does autoescape reach in.
bool parse_block(parser *p, const jtoken *at, stmt **out)
{
    stmt *s = *out = stmt_new(p, ST_BLOCK, at);
    const parser outer = *p;
    TRY(expect_kind(p, TK_NAME, &s->text));
    s->scoped = skip_name(p, "scoped");
    s->required = skip_name(p, "required");
    for (int i = 0; i < p->j->block_count; i++)
        if (str_equal(p->j->blocks[i]->text, s->text))
            return parse_fail(p, at, "there are two blocks called '%.*s'", STR_ARG(s->text));
    ARENA_PUSH(&p->j->arena, p->j->blocks, p->j->block_count, s);
    p->soft = false;
    p->loops = 0;
    p->escapes = ESCAPE_NO;
    TRY(body_to(p, "endblock", &s->body));
    p->soft = outer.soft;
    p->loops = outer.loops;
    p->escapes = outer.escapes;
    if (p->t->kind == TK_NAME && str_equal(p->t->text, s->text))
        p->t++;
    return !s->required || is_blank(&s->body) || parse_fail(p, at, "a required block holds white space and comments only");
}

static bool with_context(parser *p)
{
    const bool yes = (is_name(p->t, "with") || is_name(p->t, "without")) && is_name(p->t + 1, "context");
    p->t += yes ? 2 : 0;
    return yes;
}

static bool imported_names(parser *p)
{
    for (bool more = false; !with_context(p); more = true) {
        str name;
        if (more)
            TRY(expect_op(p, ","));
        if (more && with_context(p))
            break;
        const jtoken *at = p->t;
        TRY(expect_kind(p, TK_NAME, &name));
        if (name.at[0] == '_')
            return parse_fail(p, at, "names that begin with '_' cannot be imported");
        if (skip_name(p, "as"))
            TRY(expect_kind(p, TK_NAME, NULL));
        if (with_context(p) || !is_op(p->t, ","))
            break;
    }
    return true;
}

bool parse_load(parser *p, const jtoken *at, stmt **out)
{
    stmt *s = *out = stmt_new(p, ST_LOAD, at);
    s->text = at->text;
    TRY(parse_expression(p, true, &s->value));
    if (is_name(at, "extends"))
        return p->inside == 1 || parse_fail(p, at, "{%% extends %%} stands at the top level of a template");
    if (is_name(at, "include")) {
        s->ignore_missing = is_name(p->t, "ignore") && is_name(p->t + 1, "missing");
        p->t += s->ignore_missing ? 2 : 0;
        with_context(p);
        return true;
    }
    const bool from = is_name(at, "from");
    const char *next = from ? "import" : "as";
    if (!skip_name(p, next))
        return parse_expected(p, from ? "'import'" : "'as'");
    if (from)
        return imported_names(p);
    TRY(expect_kind(p, TK_NAME, NULL));
    with_context(p);
    return true;
}
