// What a step reports, under Levanter's names, and the work it did: FLOP, MFU.
#pragma once
#include "data/batch.h"
#include "model/model.h"
#include "track/track.h"

// Forward pass of one token in a row of `seq`, counted as Levanter does: the whole attention matrix, logits everywhere.
double flops_per_token(const model_config *c, int64_t seq);
double flops_per_example(const model_config *c, int64_t seq);          // forward and backward of a row
// Forward and backward as they have to be: `pairs` of a token and one it sees, logits at `logits` positions only.
double flops_needed(const model_config *c, int64_t tokens, int64_t pairs, int64_t logits);
int64_t batch_pairs(const batch *b);                    // causal, within segments; padding sees itself

typedef struct step_report {        // one step, as it went
    int64_t step, steps;            // updates done with this one; of the whole run
    double loss, grad_norm, rate;
    double duration, loading, hooks;        // seconds of the step; of its data; of evaluations and saving since the step before
    int64_t rows, seq, real, trained, pairs;
    const model_config *model;
    double peak_gflops;             // of the machine, in the type computed in; 0: not known
} step_report;

enum { METRICS_ROOM = 40 };
// Fills `out` and returns how many values there are. A place for evaluation's is left to the caller.
size_t metrics_of_step(const step_report *r, track_value out[METRICS_ROOM]);
