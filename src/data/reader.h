// Rows of chat files, streamed: .jsonl, .json (an array), each also .gz or .zst, and .parquet; chosen by content and name.
#pragma once
#include "base/arena.h"
#include "base/node.h"

typedef struct reader reader;

// A file, a folder (all readable files below it) or a glob ("**/*.jsonl.gz"); in order of path. No match, or a file of another
// kind: ERR_INPUT.
bool data_expand(arena *a, const char *pattern, char ***paths, int64_t *count, err *e) MUST_CHECK;

reader *reader_open(const char *path, err *e);
// The next row, in `a` (the caller clears it as it likes; bytes of the row live until the next call). *row = NULL at the end.
// `at` gets file and row (from 1), and for .jsonl that is the line too. A malformed or cut-off file: ERR_INPUT with the place.
// A file without any row is ERR_INPUT too.
bool reader_next(reader *r, arena *a, const node **row, place *at, err *e) MUST_CHECK;
void reader_close(reader *r);

// The same in two halves, for those who parse on several threads: finding the row, and parsing its bytes, which need no reader.
typedef struct raw_row {
    str bytes;                      // lives until the next call; at == NULL at the end
    const struct row_format *format;
    place at;                       // file and row
    int32_t line, column;           // where its text begins in the file
    bool is_line;                   // a line of a .jsonl
} raw_row;
bool reader_next_raw(reader *r, raw_row *out, err *e) MUST_CHECK;
bool raw_row_parse(const raw_row *raw, arena *a, const node **row, err *e) MUST_CHECK;     // an object, or ERR_INPUT
int64_t reader_bytes(const reader *r);                  // taken from the file so far, compressed as they are
