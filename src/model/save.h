// The parts of an export (save.c puts them together).
#pragma once
#include "model/model.h"

enum { SAVE_FILES = 4096 };         // shards and the rest: an export of more is refused

// Files written so far, to be taken back when a later one fails.
typedef struct saved_files {
    arena arena;
    const char **paths;
    int64_t count;
} saved_files;

// Writes `name` in the folder whole, and remembers it.
bool save_file(saved_files *f, const char *folder, const char *name, str bytes, err *e) MUST_CHECK;

bool save_weights(saved_files *f, const char *folder, const model_config *c, const model_weights *w, engine *g,
                  const save_options *o, err *e) MUST_CHECK;
bool save_configs(saved_files *f, const char *folder, const model_config *c, const save_options *o, err *e) MUST_CHECK;
bool save_card(saved_files *f, const char *folder, const model_config *c, const save_options *o, err *e) MUST_CHECK;
