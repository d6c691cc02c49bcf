// THE TABLE of known datasets: what a name means on the hub, and how its rows become messages.
#pragma once
#include "base/text.h"
#include "data/adapter.h"

enum { KNOWN_LIST = 28 };

typedef struct known_dataset {
    const char *name;                       // what get_instruction_dataset calls it
    const char *repo;                       // on the hub; NULL: its name
    const char *revision, *file_type;
    const char *subsets[3];                 // none: all there are
    const char *metadata[8];                // columns that are kept
    adapter_options adapter;
    const char *splits[KNOWN_LIST];         // none: train
    bool by_split;                          // name/split names one of its splits alone
} known_dataset;

// NULL: not in the table. *split is the one that the name names, or NULL.
const known_dataset *known_find(const char *name, const char **split);
void known_near(const char *name, char *out, size_t room);      // the nearest names: "'a' or 'b'"; may be empty
const char *known_repo(const known_dataset *d);
void known_markdown(text *out);             // docs/datasets.md
node *known_list(arena *a);                 // the same as a list of objects
