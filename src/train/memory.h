// How much memory a run takes, and how much there is.
#pragma once
#include "train/step.h"

// Bytes this process may still take: MemAvailable, and the limits of its control groups. 0: not known.
int64_t memory_available(void);

typedef struct memory_needs {
    int64_t weights, gradients, moments;        // gradients: of the weights
    int64_t activations;            // what forward leaves for backward, their gradients, and what the head needs
    int64_t other, total;           // other: the engine's copies of weights in bf16, inputs, outputs, evaluation
} memory_needs;
// Records the step of `c` with `rows` in a micro-batch, and gives what it takes.
bool memory_of_step(const step_config *c, type compute, memory_needs *out, err *e) MUST_CHECK;
