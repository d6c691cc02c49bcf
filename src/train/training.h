// A run in progress: what trainer.c and the files beside it share.
#pragma once
#include "base/arena.h"
#include "train/checkpoint.h"
#include "train/eval.h"
#include "text/tokenizer.h"
#include "track/track.h"
#include "train/memory.h"
#include "train/trainer.h"

typedef struct dataset {            // one that is trained on
    const char *name, *folder, *metric;
    cache *cache;
    packs *packs;
    int64_t at;                     // its place in the configuration
} dataset;

typedef struct held_out {           // one that is not
    const char *name, *metric;      // NULL: the only one
    evaluator *evaluator;
} held_out;

typedef struct training {
    const train_config *c;
    arena arena;
    int lock;                       // of the output folder; -1: none
    model_config model;
    tokenizer *tokenizer;
    dataset *datasets;
    int64_t dataset_count;
    cache *cache;                   // of the first; tokenizer and template are the same in all
    mixture *mixture;               // NULL: a single dataset
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
    held_out *held_out;
    int64_t held_out_count;
    float *nll;                     // of each token of a batch, where there are several datasets
    track_value *values;            // a row of metrics on its way
    size_t value_count;
    const node *unlogged;           // the row of the step gone on from, whose evaluation was stopped; NULL
    bool stopped_within;            // now: an evaluation was stopped, so the row is kept in the checkpoint
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
bool training_open_data(training *t, err *e) MUST_CHECK;                // model config, tokenizer, caches, packs, steps
bool training_choose(training *t, memory_needs *needs, err *e) MUST_CHECK;     // the micro-batch
bool training_add_held_out(const training *t, int64_t seq, memory_needs *needs, err *e) MUST_CHECK;    // an evaluation's own memory
bool training_open_engine(training *t, err *e) MUST_CHECK;
void training_close(training *t);

// fit.c: settings with which t->how would fit, "recompute=block (1.20 GB), or …". False: none of those that are tried.
bool training_say_fit(const training *t, int64_t available, text *out);

// datasets.c: which caches are trained on, and which are held out.
const char *training_dataset_name(const train_config *c, int64_t i);
bool training_is_trained(const train_config *c, int64_t i);
bool training_check_mixture(const train_config *c, err *e) MUST_CHECK;
bool training_check_tokenizer(const training *t, const cache *c, const char *folder, err *e) MUST_CHECK;
bool training_open_datasets(training *t, err *e) MUST_CHECK;            // caches, packs, mixture, loader, and the steps of the run
void training_close_datasets(training *t);
// The loss of each dataset's tokens in the step just done, added to t->values.
bool training_losses(training *t, const batch *b, err *e) MUST_CHECK;

// held_out.c: what is evaluated.
int64_t training_count_held_out(const train_config *c);
bool training_open_held_out(training *t, err *e) MUST_CHECK;
void training_close_held_out(training *t);
// With the weights as they are: t->eval_last, and values at out[*count …].
bool training_evaluate(training *t, track_value *out, size_t *count, err *e) MUST_CHECK;

// tokens.c: what the options say of single tokens, and the export's template. The datasets are open.
bool training_find_tokens(training *t, err *e) MUST_CHECK;

// identity.c: an object of everything that decides the run's weights, named like the options.
const node *identity_of(arena *a, const training *t, err *e);
// "learning_rate was 1e-05, is 2e-05; seed was 0, is 1". Empty when nothing differs.
void identity_differences(const node *was, const node *is, text *out);

// estimate.c
train_share training_share_of(const training *t, int64_t i);
void training_say_plan(const training *t, const memory_needs *n);

// trainer.c: did train_stop ask for an end? `t` is a training.
bool training_stopped(void *t);
