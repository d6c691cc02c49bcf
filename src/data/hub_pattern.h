// Between hub_layout.c and the patterns by which files belong to splits (hub_pattern.c).
#pragma once
#include "data/hub_layout.h"

typedef struct hub_files { arena *arena; const char *folder; char **files; int64_t count; } hub_files;      // relative to the folder
typedef struct hub_splits { arena *arena; hub_split *items; int64_t count; } hub_splits;

// `data_files` of a config: a pattern, a list of patterns, a list of {split, path}, or {split: path}.
bool hub_splits_written(const hub_files *f, const node *data_files, const char *file, hub_splits *out, err *e) MUST_CHECK;
// By the names of files and folders.
bool hub_splits_by_name(const hub_files *f, hub_splits *out, err *e) MUST_CHECK;
// Leaves only files of one type, and makes paths of their names.
bool hub_splits_of_type(hub_splits *s, const char *file_type, err *e) MUST_CHECK;

char *hub_clean_path(arena *a, str path);               // without "./" before and "/" after
bool path_matches(const char *pattern, const char *path);       // ** stands for any number of folders
