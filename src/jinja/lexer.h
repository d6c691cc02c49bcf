// Template source to tokens, with jinja2's rules for white space around tags (trim_blocks, lstrip_blocks).
#pragma once
#include "jinja/ast.h"

typedef enum token_kind {
    TK_DATA, TK_BLOCK_BEGIN, TK_BLOCK_END, TK_VARIABLE_BEGIN, TK_VARIABLE_END,
    TK_NAME, TK_STRING, TK_INTEGER, TK_FLOAT, TK_OPERATOR, TK_END,
} token_kind;

typedef struct jtoken {
    token_kind kind;
    char op[3];                     // TK_OPERATOR
    int32_t line, column;
    str text;                       // data, name, unescaped string, digits without '_'
} jtoken;

typedef struct lexer {
    jinja *j;
    err *e;
    str s;
    size_t at;
    size_t counted;                 // place of line and column
    int32_t line, column;
    jtoken *tokens;
    int64_t count;
    char open[256];                 // brackets not closed yet
    int depth;
} lexer;

bool jinja_lex(lexer *x);
bool lexer_fail(lexer *x, size_t at, const char *fmt, ...) PRINTF(3, 4);
bool lexer_string(lexer *x, str inside, size_t at, str *out);   // string.c: escapes
