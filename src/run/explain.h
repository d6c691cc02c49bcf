// Why each step of an experiment would run or be skipped.
#pragma once
#include "run/executor.h"

// {"prefix", "steps": [{"name", "kind", "output_path", "status", "action", "reason", "compared_with", "changed": [{"field", "was", "is"}],
// "inputs": [{"path", "change", …}], "cache": …}]}. With `step` above 0 each training step whose tokens are there also has "step":
// its rows and its metrics.
bool experiment_explain(arena *a, exec_step *steps, int count, const executor_options *o, int64_t step, text *out, err *e) MUST_CHECK;

// explain_version.c: fields in which two versions (JSON texts) differ, into a list of {"field", "was", "is"}.
bool explain_versions(arena *a, const exec_step *steps, const exec_step *s, const char *was, node *list, err *e) MUST_CHECK;
// The newest other output of a step of this name: its folder and the version it has; NULL when there is none.
const char *explain_last(arena *a, const exec_step *s, const executor_options *o, const char **version);

// In words, for a step that was never run: "against '<output>': learning_rate: was 1e-05, is 2e-05". NULL: nothing to compare with.
const char *explain_changes(arena *a, const exec_step *steps, const exec_step *s, const executor_options *o);

// explain_step.c: {"number", "metrics", "rows": […]} of a training step.
bool explain_rows(arena *a, const exec_step *s, int64_t step, node *out, err *e) MUST_CHECK;
