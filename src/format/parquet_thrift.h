// Thrift's compact protocol, as much of it as Parquet's headers use. Reading beyond the end, or another type than the one asked for,
// sets `bad` and gives zeros; whoever reads a header looks at `bad` once, at its end.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

typedef enum thrift_type {
    THRIFT_STOP, THRIFT_TRUE, THRIFT_FALSE, THRIFT_BYTE, THRIFT_I16, THRIFT_I32, THRIFT_I64, THRIFT_DOUBLE, THRIFT_BINARY, THRIFT_LIST,
    THRIFT_SET, THRIFT_MAP, THRIFT_STRUCT, THRIFT_UUID,
} thrift_type;

typedef struct thrift {
    const uint8_t *at, *end;
    int depth;
    bool bad;
    bool ended;                     // bad because the bytes end: with more of them it might be right
} thrift;

typedef struct thrift_field { int id; thrift_type type; } thrift_field;     // {0} before the first field of a struct

// The next field of a struct; false at the end of the struct, or when bad. Its value must be read or skipped.
bool thrift_next(thrift *t, thrift_field *f);
bool thrift_bool(thrift *t, const thrift_field *f);
int64_t thrift_int(thrift *t, const thrift_field *f);   // of any width
int32_t thrift_int32(thrift *t, const thrift_field *f); // bad when it does not fit
str thrift_binary(thrift *t, const thrift_field *f);
bool thrift_struct(thrift *t, const thrift_field *f);   // a struct begins: read its fields with thrift_next, then thrift_up
void thrift_up(thrift *t);
int64_t thrift_list(thrift *t, const thrift_field *f, thrift_field *element);   // its count, which the bytes left can hold
void thrift_skip(thrift *t, const thrift_field *f);
