// Parquet files (https://parquet.apache.org/docs/file-format), read a row at a time in bounded memory: of each column one page is held.
#pragma once
#include "base/node.h"

typedef struct parquet parquet;

parquet *parquet_open(const char *path, err *e);
parquet *parquet_open_bytes(str bytes, const char *path, err *e);      // a file in the caller's memory, which outlives the reader
void parquet_close(parquet *p);

// The next row, in a form of its own that needs neither reader nor file, so that rows can be unpacked on several threads. It lives until
// the next call. row->at == NULL after the last.
bool parquet_next(parquet *p, str *row, err *e) MUST_CHECK;
const char *parquet_binary(const parquet *p);           // the first column of bytes that are not said to be text; NULL: there is none
int64_t parquet_bytes(const parquet *p);                // of the file that the rows given so far take, about

// Text of the node points into `row`. `at` names file and row in errors.
bool parquet_unpack(str row, arena *a, place at, const node **out, err *e) MUST_CHECK;
