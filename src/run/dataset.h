// What get_instruction_dataset asks for, with the table of known datasets behind it.
#pragma once
#include <skiff/options.h>

#include "base/arena.h"
#include "base/err.h"

typedef struct dataset_plan {
    const char *repo;                       // on the hub
    struct skiff_dataset_options options;   // with what the table says where nothing was given
    const char *const *splits, *const *subsets, *const *metadata;   // of the options, or of the table where they are longer than a list
    const char *raw, *documents;            // output paths of the two steps, below the prefix
} dataset_plan;

// Unknown without revision and adapter: ERR_INPUT with the nearest names.
bool dataset_resolve(arena *a, const struct skiff_dataset_options *given, dataset_plan *out, err *e) MUST_CHECK;
char *dataset_folder(arena *a, const char *name);       // "org--name": '/' and '.' as they stand in folders' names
