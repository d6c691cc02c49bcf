// Between reader.c and the formats of rows it knows: one function each that finds the next row in a stream.
#pragma once
#include "data/reader.h"
#include "data/stream.h"

struct reader {
    stream s;
    char *path;
    const struct row_format *format;
    int64_t row;                    // the number of the row last given
    int32_t line;                   // at the beginning of the window
    size_t line_start;              // bytes of that line that were taken already
    bool begun, in_array, done;
};

typedef struct row_format {
    const char *name;
    bool (*next)(reader *r, raw_row *out, err *e);
} row_format;

bool lines_next(reader *r, raw_row *out, err *e) MUST_CHECK;       // reader_lines.c
bool values_next(reader *r, raw_row *out, err *e) MUST_CHECK;      // reader_values.c
void reader_take(reader *r, size_t count);              // moves on by bytes of the window, counting lines
