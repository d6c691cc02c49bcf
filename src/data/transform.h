// A dataset as it lies on the hub, to chats of one form: [<subset>/]<split>/shard_00000.jsonl.gz (docs/data.md). Shards that are
// finished survive kill -9; a run that goes on writes the same bytes.
#pragma once
#include "data/adapter.h"

enum { TRANSFORM_ROWS = 5000 };             // of the source per shard; rows left out make shards smaller

typedef struct transform_options {
    const char *source;                     // what rows say they come from: org/name
    adapter_options adapter;
    const char *const *subsets, *const *splits, *const *metadata;   // NULL at the end; empty: all, all, none
    const char *file_type;                  // NULL: the commonest
    int threads;                            // 0: all
} transform_options;

typedef struct transform_totals {
    int64_t rows, kept;
    struct { int64_t rows; char first[256]; } drops[DROP_REASONS];  // by drop_reason, with the place of the first
} transform_totals;

// `raw` is a folder like the dataset's repository. A dataset of which no row is kept is ERR_INPUT. Progress is shown as `name`.
bool transform_build(const char *output, const char *name, const char *raw, const transform_options *o, transform_totals *out,
                     err *e) MUST_CHECK;
void transform_say_totals(const char *name, const transform_totals *t);
