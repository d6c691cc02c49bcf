// Which files of a dataset's repository belong to which subset and split, as `datasets` finds them: the `configs` in the front
// matter of README.md, else the names of files and folders.
#pragma once
#include "base/arena.h"
#include "base/node.h"

typedef struct hub_split { const char *name; char **files; int64_t count; } hub_split;      // files: paths, in order

typedef struct hub_layout {
    arena *arena;
    const char *folder;             // of the files; errors name it
    const char *card;               // README.md on this machine; NULL: there is none
    char **files;                   // of the repository, relative, sorted; hidden ones are left out
    int64_t file_count;
    const node *configs;            // a list of {config_name, data_files, data_dir}; NULL: none are written down
    const char **subsets;           // their names; "default" where nothing is written down
    int64_t subset_count;
} hub_layout;

bool hub_layout_open(arena *a, const char *folder, hub_layout *out, err *e) MUST_CHECK;
// Of a repository whose files are known by name only, but for its card. Paths begin with `name`, and need not be there.
bool hub_layout_of(arena *a, const char *name, const char *card, const char *const *files, int64_t count, hub_layout *out,
                   err *e) MUST_CHECK;

// The splits of a subset with their files of `file_type` ("parquet", "json", "jsonl"; NULL: the type that most of its files have).
// A subset that is not written down is a folder of that name. A subset that is neither, and one without files, are ERR_INPUT.
bool hub_layout_splits(const hub_layout *l, const char *subset, const char *file_type, hub_split **out, int64_t *count, err *e) MUST_CHECK;
const hub_split *hub_split_find(const hub_split *splits, int64_t count, const char *name);     // NULL: there is none

// Names as errors list them, twenty at most.
char *hub_subset_names(const hub_layout *l);
char *hub_split_names(arena *a, const hub_split *splits, int64_t count);
