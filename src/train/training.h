// A run in progress: what trainer.c, setup.c and identity.c share.
#pragma once
#include "base/arena.h"
#include "train/checkpoint.h"
#include "train/eval.h"
#include "text/tokenizer.h"
#include "track/track.h"
#include "train/memory.h"
#include "train/trainer.h"

typedef struct training {
    const train_config *c;
    arena arena;
    int lock;                       // of the output folder; -1: none
    model_config model;
    tokenizer *tokenizer;
    cache *cache;
    packs *packs;
    loader *loader;
    int64_t steps;                  // of the whole run
    const node *config;             // what decides the run (identity.c)
    const char *export_template;    // the chat template of exports
    int32_t reinit[16], stops[16];  // tokens drawn anew; stop tokens given for exports
    int reinit_count, stop_count;
    // Open while training:
    pool *pool;
    program program;
    step_config how;
    step step;
    engine *engine;
    evaluator *held_out;
    trackers trackers;
    double peak_gflops;
    // The run so far:
    int64_t at, resumed;            // updates done; when this process began
    int64_t saved;                  // step of the newest checkpoint, -1: none
    int64_t kept_micro_batch;       // of the run that made the checkpoint; 0: none
    double first_loss, loss, eval_before, eval_last;
    double seconds, step_seconds, flops;    // of this process: all; in steps; work done in them
} training;

// setup.c. Closing is one function for whatever is open.
bool training_check(const train_config *c, err *e) MUST_CHECK;          // the options alone
const char *training_trackers(const train_config *c);
bool training_open_output(training *t, err *e) MUST_CHECK;              // made, writable, locked
bool training_open_data(training *t, err *e) MUST_CHECK;                // model config, tokenizer, cache, packs, steps
bool training_choose(training *t, memory_needs *needs, err *e) MUST_CHECK;     // the micro-batch
bool training_open_engine(training *t, err *e) MUST_CHECK;
void training_close(training *t);

// tokens.c: what the options say of single tokens, and the export's template.
bool training_find_tokens(training *t, const char *cache_folder, const cache *c, err *e) MUST_CHECK;

// identity.c: an object of everything that decides the run's weights, named like the options.
const node *identity_of(arena *a, const training *t, err *e);
// "learning_rate was 1e-05, is 2e-05; seed was 0, is 1". Empty when nothing differs.
void identity_differences(const node *was, const node *is, text *out);

// estimate.c
void training_say_plan(const training *t, const memory_needs *n);

// trainer.c: did train_stop ask for an end? `t` is a training.
bool training_stopped(void *t);
