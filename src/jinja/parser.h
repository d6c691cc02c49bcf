// Tokens to a tree, by recursive descent, with jinja2's grammar.
#pragma once
#include "jinja/lexer.h"

typedef struct parser {
    jinja *j;
    err *e;
    const jtoken *t;                // the current token; the last is TK_END
    const jtoken *open;             // the tag being read
    int depth, loops;
    int inside;                     // tags around the current one that are not branches
    escaping escapes;
    bool soft;                      // inside a branch: unknown filters fail only when they run
    const expr *unknown;            // the first filter or test outside branches that does not exist
    struct parser_macro { signature *g; struct parser_macro *outer; } *macros;
} parser;

bool parse_fail(parser *p, const jtoken *at, const char *fmt, ...) PRINTF(3, 4);
bool is_op(const jtoken *t, const char *op);
bool is_name(const jtoken *t, const char *name);
bool skip_op(parser *p, const char *op);
bool skip_name(parser *p, const char *name);
bool expect_op(parser *p, const char *op);
bool expect_kind(parser *p, token_kind kind, str *text);
void token_words(const jtoken *t, char out[64]);        // for errors
bool parse_expected(parser *p, const char *what);        // the error
bool parse_number(parser *p, expr **out);
void expr_add(parser *p, expr *x, expr *item);
expr *expr_new(parser *p, expr_kind kind, const jtoken *at);

// What ends a tuple besides the usual: a name ("in", "recursive") or NULL.
bool parse_expression(parser *p, bool with_if, expr **out);
bool parse_tuple(parser *p, bool with_if, const char *end, bool in_parentheses, expr **out);
bool parse_target(parser *p, const char *end, bool with_namespace, expr **out);
bool parse_filters(parser *p, expr **x);                // "| f | g …", or from the name of the first one
bool parse_filter_from(parser *p, expr **x);
bool parse_call_args(parser *p, arguments *a);
stmt *stmt_new(parser *p, stmt_kind kind, const jtoken *at);
bool body_to(parser *p, const char *end, body *out);    // after a tag's head: past the name of the tag that ends it
bool parse_body(parser *p, const char *const *ends, int end_count, body *out);
bool parse_unknown(parser *p);                         // the error of p->unknown
bool parse_primary(parser *p, expr **out);
bool parse_postfix(parser *p, expr **x);

// statement_block.c
bool parse_autoescape(parser *p, const jtoken *at, stmt **out);
bool parse_block(parser *p, const jtoken *at, stmt **out);
bool parse_load(parser *p, const jtoken *at, stmt **out);      // include, extends, import, from
