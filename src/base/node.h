// A value read from JSON or YAML, with the place it stood at. Nodes live in an arena and are
// read-only once made. Objects keep the order of their keys; a key given twice is an error of the reader.
#pragma once
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

typedef enum node_kind { NODE_NULL, NODE_BOOL, NODE_INT, NODE_FLOAT, NODE_TEXT, NODE_LIST, NODE_OBJECT } node_kind;

typedef struct node {
    node_kind kind;
    int32_t line, column;           // from 1; 0 when made by program
    union {
        bool truth;
        int64_t integer;            // NODE_INT: whole numbers that fit int64
        double number;              // NODE_FLOAT: all other numbers
        str text;                   // NODE_TEXT: decoded UTF-8. For numbers see `raw`
        struct { struct node *items; int64_t count; } list;
        struct { struct member *members; int64_t count; } object;
    };
    str raw;                        // NODE_INT, NODE_FLOAT: the digits as written (exact); else empty
} node;

typedef struct member {
    str key;
    int32_t line, column;           // of the key
    node value;
} member;

// NULL when there is no such key, or `n` is NULL or no object.
const node *node_get(const node *n, const char *key);
const node *node_at(const node *n, int64_t index);      // element of a list, or NULL
static inline bool node_is(const node *n, node_kind k) { return n && n->kind == k; }
static inline place node_place(const node *n, const char *file)
{
    return (place){ .file = file, .line = n ? n->line : 0, .column = n ? n->column : 0 };
}
const char *node_kind_name(node_kind k);                // "null", "true or false", "a number", "text", "a list", "an object"
double node_number(const node *n);                      // INT or FLOAT as double

// Fetch a required member of a kind, with an error that names place, key, what was expected and what came:
// "config.json:3:5: hidden_size: expected a whole number, got text". Missing: "config.json: hidden_size: missing".
bool node_want_int(const node *object, const char *file, const char *key, int64_t *out, err *e) MUST_CHECK;
bool node_want_number(const node *object, const char *file, const char *key, double *out, err *e) MUST_CHECK;
bool node_want_text(const node *object, const char *file, const char *key, str *out, err *e) MUST_CHECK;
bool node_want(const node *object, const char *file, const char *key, node_kind kind, const node **out, err *e) MUST_CHECK;

// Building nodes by program (for template contexts, info files).
node node_text(str s);
node node_int(int64_t i);
node node_float(double d);
node node_bool(bool b);
node *node_object(arena *a);
node *node_list(arena *a);
node *node_put(arena *a, node *object, const char *key, node value);    // returns the stored value
node *node_add(arena *a, node *list, node value);

bool node_equal(const node *a, const node *b);
