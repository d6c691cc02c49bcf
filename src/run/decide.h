// What is to be done with each step, decided before anything runs. Internal to the executor.
#pragma once
#include "run/record.h"

typedef enum action { ACTION_NONE, ACTION_SKIP, ACTION_RUN, ACTION_FRESH, ACTION_BLOCKED } action;

typedef enum outcome { OUTCOME_OPEN, OUTCOME_RUNNING, OUTCOME_DONE, OUTCOME_FAILED, OUTCOME_DEP_FAILED, OUTCOME_INTERRUPTED } outcome;

typedef struct job {
    const exec_step *step;
    int index, same_as;
    bool wanted;                    // asked for by run_only, or needed by one that is
    action action;                  // FRESH: what lies in the output is moved aside first
    const char *reason;             // "never run", "FAILED before", "chats.jsonl has changed", …
    inputs inputs;                  // with its content: a digest of version, inputs and the contents of dependencies
    bool inputs_known;              // false: an input could not be read; `error` says why
    err error;
    // While running:
    outcome outcome;
    lock *lock;
    bool waits;                     // another run of it is at work; looked at again RETRY_SECONDS after `tried`
    double tried;
    bool killed;                    // its process, by SIGKILL: nothing is known against going on
    int lost;                       // times that its lock was taken over
    int cores;
    int64_t memory;
    long pid;
    int pipe, line;                 // line: of progress
    char *heard;                    // of the pipe, not whole yet
    size_t heard_size;
    double started, seconds;
    const char *message;
    node *forecast;                 // of a dry run; NULL
} job;

typedef struct jobs {
    arena *arena;
    exec_step *steps;
    job *items;
    int count;
    int *order;                     // dependencies first
    const executor_options *options;
    digests digests;
    int passed_on;                  // the signal that was passed on to children
    int cores;
    int64_t memory;
} jobs;

bool jobs_decide(jobs *j, err *e) MUST_CHECK;
// The decision for one step again, now that its lock is held; `content` of its dependencies is known.
void job_decide(jobs *j, job *b);

// checks.c: what can be left out by name of what is looked at before anything runs.
bool checks_are_known(const executor_options *o, err *e) MUST_CHECK;
bool checks_pass(const jobs *j, const exec_step *s, err *e) MUST_CHECK;

// budget.c: may it start beside what runs?
void budget_open(jobs *j);
bool budget_allows(const jobs *j, job *b);

// children.c: a step in a process of its own; `settle` is called in this one when it has ended.
bool child_start(jobs *j, job *b, bool (*perform)(job *, err *), err *e) MUST_CHECK;
void children_wait(jobs *j, int milliseconds, void (*settle)(jobs *, job *, bool ok, const err *));

// summary.c
const char *job_action(const job *b);                   // "skip", "run", "run afresh", …
void jobs_summarize(jobs *j, const char *info, double seconds, text *out);      // out may be NULL
