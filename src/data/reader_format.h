// Between reader.c and the formats of rows it knows: one function each that finds the next row in a stream.
#pragma once
#include "data/reader.h"
#include "data/stream.h"

struct reader {
    stream s;
    char *path;
    const struct row_format *format;
    struct parquet *parquet;        // its own reader; the stream is closed then
    int64_t row;                    // the number of the row last given
    int32_t line;                   // at the beginning of the window
    size_t line_start;              // bytes of that line that were taken already
    bool begun, in_array, done;
};

typedef struct row_format {
    const char *name;
    const char *rows;               // what a file without any was expected to hold
    bool (*next)(reader *r, raw_row *out, err *e);
    bool (*parse)(const raw_row *raw, arena *a, const node **row, err *e);
} row_format;

bool lines_next(reader *r, raw_row *out, err *e) MUST_CHECK;       // reader_lines.c
bool values_next(reader *r, raw_row *out, err *e) MUST_CHECK;      // reader_values.c
bool parquet_rows_open(reader *r, err *e) MUST_CHECK;              // reader_parquet.c
bool parquet_rows_next(reader *r, raw_row *out, err *e) MUST_CHECK;
bool parquet_rows_parse(const raw_row *raw, arena *a, const node **row, err *e) MUST_CHECK;
void reader_take(reader *r, size_t count);              // moves on by bytes of the window, counting lines
