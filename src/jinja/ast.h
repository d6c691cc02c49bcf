// A parsed template: expressions and statements, each with its place. Read-only once parsed.
#pragma once
#include "base/map.h"
#include "jinja/jinja.h"
#include "jinja/value.h"

typedef enum expr_kind {
    EX_CONST, EX_NAME, EX_LIST, EX_TUPLE, EX_DICT, EX_ATTRIBUTE, EX_ITEM, EX_SLICE, EX_CALL, EX_FILTER, EX_TEST,
    EX_NEGATE, EX_PLUS, EX_NOT, EX_AND, EX_OR, EX_COMPARE, EX_BINARY, EX_CONCAT, EX_IF, EX_NAMESPACE_REF,
} expr_kind;

typedef enum operation {
    OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_FLOORDIV, OP_MOD, OP_POW,
    OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_IN, OP_NOT_IN,
} operation;

typedef struct expr expr;

typedef struct named_expr { str name; expr *value; } named_expr;
typedef struct arguments {
    expr **list;
    named_expr *named;
    expr *star, *star_star;
    int count, named_count;
} arguments;

struct expr {
    expr_kind kind;
    operation op;
    int32_t line, column;
    int name;                       // EX_NAME, EX_NAMESPACE_REF: number of the name
    str text;                       // name, attribute, filter, test
    value constant;
    expr *a, *b, *c;                // operands; slice: start, stop, step; if: condition, then, else
    uint8_t escapes;                // EX_CONCAT
    expr **items;                   // list, tuple, concat, comparison operands; dict: key, value, key, value …
    operation *ops;                 // comparison
    int count;
    arguments args;
    const void *row;                // EX_FILTER, EX_TEST: its table row, NULL when there is none (an error at run time)
};

typedef enum stmt_kind {
    ST_DATA, ST_OUTPUT, ST_FOR, ST_IF, ST_SET, ST_SET_BLOCK, ST_MACRO, ST_CALL, ST_FILTER, ST_WITH, ST_GENERATION,
    ST_BREAK, ST_CONTINUE, ST_AUTOESCAPE, ST_BLOCK, ST_LOAD,
} stmt_kind;

// Whether output is escaped where a statement stands: inside {% autoescape … %} of a constant, or as it turns out when it runs.
typedef enum escaping { ESCAPE_NO, ESCAPE_YES, ESCAPE_ASK } escaping;

typedef struct stmt stmt;
typedef struct body {
    stmt **items;
    int count;
} body;

typedef struct parameter { int name; str text; expr *otherwise; } parameter;     // of a macro; otherwise: its default
typedef struct signature {
    parameter *list;
    int count;
    bool takes_caller, takes_kwargs, takes_varargs;     // the body uses these names
} signature;

struct stmt {
    stmt_kind kind;
    int32_t line, column;
    uint8_t escapes;                // an escaping
    str text;                       // ST_DATA; ST_MACRO, ST_BLOCK: its name; ST_LOAD: its tag
    int name;                       // ST_MACRO
    expr *target, *value, *test;    // set: target, value or filter; for: target, value, test; if: test
    expr **targets, **values;       // with
    int count;
    body body, otherwise;           // else branch
    signature signature;            // macro, call
    bool recursive;                 // for
    bool scoped, required;          // block
    bool ignore_missing;            // include
};

struct jinja {
    arena arena;
    char *file;
    str source;                     // newlines made \n
    body body;
    str *names;                     // by number
    int name_count;
    map name_map;
    bool has_generation;
    stmt **blocks;
    int block_count;
};

bool jinja_parse(jinja *j, err *e);                     // statement.c
int jinja_name(jinja *j, str name);                     // the number of a name, made if new

// Names that the evaluator itself looks up; jinja_open numbers them in this order.
enum { NAME_LOOP, NAME_CALLER, NAME_KWARGS, NAME_VARARGS, NAME_BODY, NAME_SELF };   // BODY: what {% filter %} works on
