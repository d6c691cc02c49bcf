// Folders that are there whole or not at all: filled beside, synced, renamed; renamed away before they are removed. What a killed
// process leaves behind has names of its own (".x.writing", ".x.leaving") and is swept away by the next.
#pragma once
#include "base/arena.h"
#include "base/err.h"

// An empty folder to fill for `path`. Then one of the two:
bool whole_begin(arena *a, const char *path, const char **beside, err *e) MUST_CHECK;
bool whole_commit(arena *a, const char *path, err *e) MUST_CHECK;       // takes the place of an older folder at `path`
void whole_drop(arena *a, const char *path);
bool whole_remove(arena *a, const char *path, err *e) MUST_CHECK;       // fine if absent
bool whole_sweep(arena *a, const char *parent, err *e) MUST_CHECK;      // leftovers in `parent`; fine if absent
