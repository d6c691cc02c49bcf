// What the executor keeps on disk beside a step's output.
//   <output>/.executor_status   JSON lines {"date", "status", "message"}; the last one counts
//   <output>/.executor_info     JSON: what the step is, its version, digests of its inputs
//   <folder>/.<name>.lock       locked (flock) while someone runs the step: RUNNING without a lock is a run that was killed
//   <folder>/.<name>.lease      the same for folders that several machines share (lease.h)
#pragma once
#include "run/executor.h"
#include "run/lease.h"

step_status status_read(const char *output);
bool status_append(const char *output, step_status s, const char *message, err *e) MUST_CHECK;

// One run of a step at a time, also where several machines share the folder (lock.c).
typedef struct lock lock;
lock *lock_open(const char *output, const char *name, err *e);          // nothing is taken yet; NULL on failure
lock_answer lock_try(lock *l, err *e);
bool lock_is_ours(const lock *l);                       // nobody took it over, as a silent holder's is
// In the process that does the work, while it does: shows others that it lives. SIGTERM comes when it was taken over.
bool lock_keep(lock *l, err *e) MUST_CHECK;
void lock_rest(lock *l);
void lock_close(lock *l);                               // gives it back, if it was taken
void lock_forget(lock *l);                              // in a copy of the process that holds it: only closes

// An input file as it was last seen.
typedef struct input {
    const char *path;
    int64_t size, mtime, inode;     // mtime in nanoseconds
    const char *digest;             // SHA-256, hex
} input;
typedef struct inputs { input *items; int64_t count; const char *content; } inputs;

// Digests of `files`; those of `before` are reused where size, time and inode are the same. The same for all steps of a run.
typedef struct digests { arena *arena; input *known; int64_t count; } digests;
bool digests_of(digests *d, const paths *files, inputs *out, err *e) MUST_CHECK;

// The info file of the last run: its inputs (into d->known, too) and its content; false when there is none or it is broken.
bool info_read(const char *output, digests *d, inputs *out);
bool info_write(const exec_step *steps, int index, const inputs *in, err *e) MUST_CHECK;
node info_node(arena *a, const exec_step *steps, int index, const inputs *in);
// Adds to the info file of `output` that `option` was taken from the hub: {"option", "repo", "revision", "commit"} in "hub".
bool info_add_hub(const char *output, const char *option, const char *repo, const char *revision, const char *commit, err *e) MUST_CHECK;
// <base>/<script>-<hash6>.json over all steps. The path is returned in `path`.
bool experiment_info_write(arena *a, const exec_step *steps, int count, const executor_options *o, const char **path, err *e) MUST_CHECK;
