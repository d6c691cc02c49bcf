// Between the table of kinds of steps (steps.c) and the kinds: a step_<kind>.c each, whose row is a constant.
#pragma once
#include "run/executor.h"

extern const step_kind step_tokenize, step_train, step_download, step_transform;

extern const step_check train_checks[], tokenize_checks[], transform_checks[];
bool check_template(const exec_step *steps, const exec_step *s, err *e) MUST_CHECK;      // template_check.c
bool step_can_write(const char *folder, err *e) MUST_CHECK;             // what is to be made there, with its parents

// Is this member of the configuration another step's output (which is checked and digested there)?
bool step_is_reference(const exec_step *s, const char *name);
char *step_text(arena *a, const node *object, const char *name);        // a member that is text, else NULL
void step_add_path(arena *a, paths *out, char *path);
// What a step needs of the hub, on this machine, as *path; what is local or another step's stays as it is. A dataset becomes its name at
// the commit. Repository, revision and commit are noted in the step's info file.
bool step_bring(arena *a, const exec_step *s, const char *name, const char **path, err *e) MUST_CHECK;
// Files of a tokenizer: those that exist of a folder, or the file itself.
void step_add_tokenizer_files(arena *a, const char *path, paths *out);
