// One optimizer step as a program: micro-batches, loss, gradients, clipping, AdamW.
#pragma once
#include "model/model.h"

typedef struct step_config {
    model model;                    // rows of a micro-batch, seq, recompute
    adamw adamw;                    // decay applies to weights that decay (weight_decays)
    type moments;                   // F32, or BF16 with random rounding
    int64_t micro;                  // micro-batches of a step
    unsigned frozen;                // bit i: weight i is not trained
    bool show_gradients;            // gradients are OUTPUTs; for tests
    bool loss_only;                 // evaluation: forward and loss, nothing is changed; nll is made
    bool keep_nll;                  // nll is made in training too
} step_config;

typedef struct step {               // what the trainer reads and writes between steps; leading axis: micro-batch
    model_inputs in;
    tensor weight, rate, c1, c2, limit;         // scalars: 1 / trained tokens, learning rate, bias corrections, clip (0: off)
    tensor key;                                 // I32 [2]: of the rounding of moments in BF16; {0} for others
    tensor loss, sumsq, scale, finite;          // scalars, results
    tensor nll;                                 // [micro, chunks, head_chunk]; {0} unless loss_only or keep_nll
    model_weights w, dw, m, v;
    const float *cos, *sin;                     // tables of rope for the positions of a row, in the arena
} step;

// The arena must outlive the program: names of tensors are in it.
step step_record(program *p, const step_config *c, arena *a);

// Puts the step's numbers and one batch into the engine. ids, position, start and target are [micro * rows * seq] as
// data/batch.h has them (target -1: not trained). `number` is the step from 1 (for the bias corrections; with `seed` for the
// rounding of moments). `trained` are the targets that the loss is a mean of, all of the step's on all hosts; with 0 the loss
// and every gradient are 0. Ids, positions, starts and targets out of their ranges are ERR_INPUT.
typedef struct step_numbers { double rate, clip; int64_t number, trained; uint64_t seed; } step_numbers;
bool step_write(engine *g, const step *s, const step_config *c, const int32_t *ids, const int32_t *position,
                const int32_t *start, const int32_t *target, const step_numbers *n, err *e) MUST_CHECK;
// After a step that makes it: nll of every position, 0 where not trained: [micro * rows * seq].
bool step_read_nll(engine *g, const step *s, const step_config *c, float *nll, err *e) MUST_CHECK;
