// Experiments: what <skiff/experiment.h> and YAML files describe, as a graph for the executor.
#pragma once
#include <skiff/experiment.h>

#include "config/option.h"
#include "run/executor.h"

// Runs an experiment file, .c (compiled, kept by content, executed in this process's place) or .yaml, with the flags of
// `skiff run` (argv without program and path; step.option=value among them). The summary is printed on stdout with --json.
// *exit_code is what the program should end with; false only when nothing could be started (and then *exit_code is set, too).
bool run_experiment(const char *path, int argc, char **argv, int *exit_code, err *e) MUST_CHECK;

// ---- inside -----------------------------------------------------------------------------------------------------------

typedef enum step_what { WHAT_TOKENIZE, WHAT_DATASET, WHAT_MIXTURE, WHAT_SFT } step_what;

struct ExecutorStep {
    step_what what;
    place at;                       // file (with its line, "x.c:12"), no column
    skiff_tokenize_args tokenize;   // one of these, by `what`
    skiff_dataset_args dataset;
    skiff_mixture_args mixture;
    skiff_sft_args sft;
    const char *pinned;
    const char *known_as;           // name before overrides, with prefix: what step.option=value and messages call it
    int index;                      // in the graph; -1: not part of it
};

typedef struct reference { const char *text; ExecutorStep *step; const char *path; } reference;

// The process-wide arena of steps: the guide's functions take no context.
typedef struct experiment {
    arena arena;
    ExecutorStep **steps;
    int step_count;
    reference *references;
    int reference_count;
    err *mistakes;
    int mistake_count;
} experiment;
experiment *experiment_current(void);
void experiment_forget(void);                           // begins anew; for tests and libraries

void experiment_mistake(const err *e);
const reference *experiment_reference(const char *chars);       // by address; NULL: an ordinary text
const char *step_name(arena *a, const ExecutorStep *s); // "tokenized/x", "checkpoints/x_seed0", "documents/x"

// Steps of a YAML file; *description may stay NULL. The steps are experiment_current()'s.
bool experiment_read_yaml(const char *path, skiff_main_args *out, err *e) MUST_CHECK;

// name=value texts whose name is step.option; each is applied to the step it names.
bool experiment_override(const char *const *overrides, err *e) MUST_CHECK;

// The listed steps and all they depend on, in the order in which they were made. Mistakes go to experiment_mistake.
void experiment_graph(const skiff_main_args *args, bool local, arena *a, exec_step **steps, int *count);

// The flags of `skiff run` into `flags`; what holds a '=' and is no flag goes to *overrides (NULL at the end).
bool executor_flags(int argc, char **argv, arena *a, struct skiff_executor_options *flags, const char ***overrides, err *e) MUST_CHECK;

// Compiles a .c experiment, or finds it compiled; the path of the program.
bool experiment_compile(const char *source, arena *a, const char **program, err *e) MUST_CHECK;
