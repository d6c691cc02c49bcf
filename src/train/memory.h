// How much memory a run takes, and how much there is.
#pragma once
#include "train/step.h"

// Bytes this process may still take: MemAvailable, and the limits of its control groups. 0: not known.
int64_t memory_available(void);

typedef struct memory_needs {
    int64_t weights, gradients, moments, activations, other, total;
} memory_needs;
// Of a finished program with its engine's copies.
memory_needs memory_of(const program *p);
// Records the step of `c` with `rows` in a micro-batch, and gives what it takes.
bool memory_of_step(const step_config *c, type compute, memory_needs *out, err *e) MUST_CHECK;
