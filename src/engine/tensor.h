// A tensor is a handle: a number in the tables of the program that made it. Its shape, type, kind
// and name are kept there; its bytes are an engine's affair.
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { MAX_RANK = 4 };

typedef enum type { F32, BF16, I32, TYPES } type;       // F64 stands in for F32 and BF16 in the ref engine

static inline int64_t type_size(type t) { return t == BF16 ? 2 : 4; }

const char *type_name(type t);                          // "F32", "BF16", "I32"

// {0} is no tensor, say the gradient of a frozen weight: an op leaves out what would go there.
typedef struct tensor { int32_t id; } tensor;

typedef struct shape {
    int rank;
    int64_t dim[MAX_RANK];
} shape;

#define SCALAR     ((shape){0})
#define SHAPE(...) ((shape){ sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t), { __VA_ARGS__ } })

static inline int64_t shape_count(shape s)
{
    int64_t n = 1;
    for (int i = 0; i < s.rank; i++)
        n *= s.dim[i];
    return n;
}

// The shape of one element of a stack: [layers, rows, hidden] -> [rows, hidden].
static inline shape shape_inner(shape s)
{
    shape in = { .rank = s.rank - 1 };
    for (int i = 0; i < in.rank; i++)
        in.dim[i] = s.dim[i + 1];
    return in;
}

// [rows, hidden] -> [layers, rows, hidden]
static inline shape shape_stack(int64_t n, shape s)
{
    shape out = { .rank = s.rank + 1, .dim = { n } };
    for (int i = 0; i < s.rank; i++)
        out.dim[i + 1] = s.dim[i];
    return out;
}
