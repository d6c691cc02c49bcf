// A lease on a step, for folders that several machines share and where flock may not reach: a file whose holder renews it.
#pragma once
#include <pthread.h>

#include "base/arena.h"
#include "base/err.h"

enum { LEASE_SIZE = 512 };              // of the file: written whole, in place

// Nothing was heard for so many seconds, up to the last look.
typedef struct silence { double looked_at, seconds; } silence;

typedef struct lease {
    const char *path, *name;            // <folder>/.<name>-<hash>.lease; the step, for messages
    char token[33];                     // who we are: another one each time
    bool held;
    int file;
    int64_t beats;
    long executor;                      // the process that took it; the one that works may be another
    long long executor_start;
    // What a waiting one saw of the holder, for how long by its own clock: two clocks are never compared.
    char seen[LEASE_SIZE], seen_token[33];
    silence silent;
    int claims;
    silence claim_silent;
    // The thread that renews it.
    bool keeping, closing;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
} lease;

typedef enum lock_answer { LOCK_FAILED, LOCK_BUSY, LOCK_TAKEN } lock_answer;

lock_answer lease_try(lease *l, err *e);
bool lease_is_ours(const lease *l);                     // nobody took it over
// Renews it from a thread until lease_rest. When it was lost, SIGTERM is sent to this process.
bool lease_keep(lease *l, err *e) MUST_CHECK;
void lease_rest(lease *l);
void lease_give_back(lease *l);
