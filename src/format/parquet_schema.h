// The schema of a Parquet file: leaves, which are columns, and the tree of fields that rows are put together by.
#pragma once
#include "base/arena.h"
#include "format/parquet_thrift.h"

enum { PQ_DEPTH = 100, PQ_PATH = 1000, PQ_COLUMNS = 1 << 16 };      // of the schema; of a column's path in bytes

typedef enum pq_type { PQ_BOOLEAN, PQ_INT32, PQ_INT64, PQ_INT96, PQ_FLOAT, PQ_DOUBLE, PQ_BYTES, PQ_FIXED, PQ_TYPES } pq_type;

// What the values of a leaf mean: a row of the table in parquet_convert.c.
typedef enum pq_kind {
    PQ_PLAIN,                       // as the type says
    PQ_NOTHING, PQ_UNSIGNED, PQ_TEXT, PQ_DECIMAL, PQ_DATE, PQ_TIME, PQ_TIMESTAMP, PQ_UUID, PQ_HALF, PQ_INTERVAL, PQ_KINDS,
} pq_kind;

typedef struct pq_leaf {
    char *path;                     // messages.list.element.role
    pq_type type;
    int32_t size;                   // bytes of a value; 0: each has its own
    int max_def, max_rep;
    pq_kind kind;
    int bits;                       // PQ_UNSIGNED
    int scale;                      // PQ_DECIMAL
    int digits;                     // PQ_TIME, PQ_TIMESTAMP: of a second's fraction, 3, 6 or 9
    bool utc;
} pq_leaf;

typedef enum pq_shape { PQ_LEAF, PQ_STRUCT, PQ_LIST, PQ_MAP } pq_shape;

typedef struct pq_field {
    pq_shape shape;
    str name;
    bool nullable;
    int def;                        // definition levels from this on: it is not null
    int rep;                        // PQ_LIST, PQ_MAP: the repetition level of a further element
    int64_t leaf, leaf_end;         // its leaves
    struct pq_field *fields;        // PQ_STRUCT: members; PQ_LIST: the element; PQ_MAP: key and value
    int64_t count;
} pq_field;

typedef struct pq_element {         // as it stands in the footer, in depth-first order
    str name;
    int type, repetition, converted, logical;       // -1: not given
    int32_t size, children, scale;
    int32_t old_scale;                              // as it stands beside the converted type
    int unit, bits;
    bool utc, is_unsigned;
} pq_element;

enum { PQ_REQUIRED, PQ_OPTIONAL, PQ_REPEATED };

typedef struct pq_schema {
    pq_field root;                  // a struct that is never null
    pq_leaf *leaves;
    int64_t leaf_count;
} pq_schema;

// Names go into errors, which are one line each.
static inline char pq_shown(char c) { return (unsigned char)c < ' ' || c == 127 ? '?' : c; }
static inline bool pq_one_line(err *e)
{
    for (char *c = e->text; *c; c++)
        *c = pq_shown(*c);
    return false;
}

bool pq_read_element(thrift *t, pq_element *out);      // false: no schema element, or one cut off
bool pq_schema_build(arena *a, const pq_element *elements, int64_t count, const char *file, pq_schema *out, err *e) MUST_CHECK;
// parquet_kind.c: what the annotations of an element make of its type.
bool pq_leaf_kind(const pq_element *x, const char *file, pq_leaf *leaf, err *e) MUST_CHECK;
