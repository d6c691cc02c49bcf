// Rows of chat files, streamed: .jsonl, .json (an array), each also .gz; chosen by content and name.
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
bool reader_next(reader *r, arena *a, const node **row, place *at, err *e) MUST_CHECK;
void reader_close(reader *r);
