// The executor: a graph of steps, each named by the hash of what it depends on; what is done is skipped.
#pragma once
#include "base/arena.h"
#include "base/node.h"
#include "base/text.h"

// THE TABLE of kinds of steps (steps.c): a name, a code version, what runs it.
typedef struct step_kind {
    const char *name;               // "tokenize", "train", …
    int version;                    // raised when the code changes what it makes
    bool (*run)(const struct exec_step *s, err *e);
} step_kind;

typedef struct exec_step {
    const char *name;               // "tokenized/quickstart"
    const step_kind *kind;
    const node *config;             // an object; what decides the output. Paths of dependencies stand in it as {"step": i, "path": "…"}
    const node *settings;           // an object; what does not (threads, logging); not hashed
    const char *pinned;             // output path given by the user, or NULL
    place at;                       // where the step was written
    int *deps;
    int dep_count;
    // Made by executor_plan:
    char hash[7];
    const char *version;            // the JSON text that is hashed
    const char *output;             // <prefix>/<name>-<hash>
    const node *resolved;           // config with dependencies replaced by their paths
} exec_step;

typedef struct executor_options {
    const char *prefix;             // NULL: SKIFF_PREFIX, MARIN_PREFIX, ./out
    const char *info_base;          // NULL: <prefix>/experiments
    const char *script;             // the experiment's file, for the info file's name
    bool dry_run, force_run_failed, json;
    const char *const *force_run;   // step names, with or without hash, or "all"; NULL at the end
    const char *const *run_only;    // regular expressions; NULL at the end
    int max_concurrent;
} executor_options;

typedef enum step_status { STEP_WAITING, STEP_RUNNING, STEP_SUCCESS, STEP_FAILED, STEP_DEP_FAILED, STEP_CANCELLED } step_status;

bool executor_plan(arena *a, exec_step *steps, int count, const executor_options *o, err *e) MUST_CHECK;
// Runs what is not done. False when a step failed (e tells the first); statuses are on disk and in the summary.
bool executor_run(arena *a, exec_step *steps, int count, const executor_options *o, text *summary_json, err *e) MUST_CHECK;
