// The executor: a graph of steps, each named by the hash of what it depends on; what is done is skipped.
#pragma once
#include "base/arena.h"
#include "base/node.h"
#include "base/text.h"

typedef struct exec_step exec_step;

enum { CORES_ALL = -1 };

typedef struct paths { char **items; int64_t count; } paths;

// Looked at before anything runs, unless left out by name (--skip_checks). Lists of them end with a row without name.
typedef struct step_check {
    const char *name;
    bool (*run)(const exec_step *steps, const exec_step *s, err *e);
    bool dry;                       // opens no file: a dry run has it, too
} step_check;

// THE TABLE of kinds of steps (steps.c).
typedef struct step_kind {
    const char *name;               // "tokenize", "train", …
    int version;                    // raised when the code, or the default of an option, changes what it makes
    bool (*run)(const exec_step *s, err *e);
    // What must hold before anything runs: ERR_INPUT and ERR_UNSUPPORTED are found here. May be NULL.
    bool (*check)(const exec_step *s, err *e);
    const step_check *checks;       // more of it, that can be left out. May be NULL
    // Files outside other steps' outputs whose content decides the result. May be NULL.
    bool (*inputs)(const exec_step *s, arena *a, paths *out, err *e);
    // What is known of it before anything ran, for dry runs: members of `out`, with a line for people as `summary`. May be NULL.
    bool (*forecast)(const exec_step *s, arena *a, node *out, err *e);
    int cores;                      // that it keeps busy: 0, a slot of 1, or CORES_ALL
    int64_t (*memory)(const exec_step *s);  // bytes, once what it depends on is done; 0 where that is not known. May be NULL
    bool mends_itself;              // begins anew by itself where its inputs changed: old parts may stay
    void (*stop)(void);             // async-signal-safe: save and return ERR_INTERRUPTED soon; NULL: killed, resumed next time
} step_kind;

const step_kind *step_kind_find(const char *name);

struct exec_step {
    const char *name;               // "tokenized/quickstart"
    const step_kind *kind;
    const char *description;        // may be NULL
    const node *config;             // an object; what decides the output. Another step's files stand in it as {"step": i, "path": "…"}
    const node *declared;           // what of config enters the version: values that are not the default; NULL: all of config
    const node *settings;           // an object; what does not decide it (threads, logging); not hashed
    const char *pinned;             // output path given by the user, or NULL
    place at;                       // where the step was written
    // Made by executor_plan:
    int *deps;                      // steps that stand in config, each once
    int dep_count;
    int same_as;                    // an earlier step of the same version and name, else -1
    char hash[7];
    const char *version;            // the JSON text that is hashed
    const char *output;             // <prefix>/<name>-<hash>
    const node *resolved;           // config with other steps' files as paths
};

typedef struct executor_options {
    const char *prefix;             // NULL: SKIFF_PREFIX, MARIN_PREFIX, ./out
    const char *info_base;          // NULL: <prefix>/experiments
    const char *script;             // the experiment's file, for the info file's name
    const char *description;
    bool dry_run, force_run_failed;
    const char *const *force_run;   // step names, with or without hash, or "all"; NULL at the end
    const char *const *skip_checks; // names; NULL at the end
    const char *const *run_only;    // regular expressions; NULL at the end
    int max_concurrent;             // steps at once, each in a process of its own, as far as the machine has room; 0 or 1: one after
                                    // another, in this process
} executor_options;

typedef enum step_status { STEP_NONE, STEP_WAITING, STEP_RUNNING, STEP_SUCCESS, STEP_FAILED, STEP_DEP_FAILED, STEP_CANCELLED } step_status;
const char *step_status_name(step_status s);            // "SUCCESS"; STEP_NONE: "NONE"

const char *executor_prefix(const executor_options *o);

// Dependencies, versions, hashes and output paths; touches no file.
bool executor_plan(arena *a, exec_step *steps, int count, const executor_options *o, err *e) MUST_CHECK;

// Runs what is not done. False when something was wrong before anything ran, or when a step failed: `e` is then the first one's
// (ERR_INPUT where the step's data or options are at fault: exit code 2). The summary is {"prefix", "experiment", "dry_run",
// "steps": [{"name", "kind", "output_path", "status", "action", "reason", "seconds", "message"}], "seconds"}; statuses are on disk too.
bool executor_run(arena *a, exec_step *steps, int count, const executor_options *o, text *summary_json, err *e) MUST_CHECK;
