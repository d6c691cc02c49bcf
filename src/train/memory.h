// How much memory a run takes, and how much there is.
#pragma once
#include "train/step.h"
#include "train/trainer.h"

// Bytes this process may still take: MemAvailable, and the limits of its control groups. 0: not known.
int64_t memory_available(void);

typedef struct memory_needs {
    int64_t weights, gradients, moments;        // gradients: of the weights
    int64_t activations;            // what forward leaves for backward, their gradients, and what the head needs
    memory_tensor largest[MEMORY_LARGEST];      // of the scratch, the largest first; bytes 0: no more
    int64_t copies;                 // of weights, in bf16
    int64_t work;                   // of the total: what lives within a step, and the working room of kernels
    int64_t other, total;           // other: copies of weights in bf16, working room of kernels, inputs, outputs, evaluation
} memory_needs;
// Records the step of `c` with `rows` in a micro-batch, and gives what the engine reserves for it with so many threads (0: all).
bool memory_of_step(const step_config *c, type compute, const char *isa, int threads, memory_needs *out, err *e) MUST_CHECK;
// Rows of a micro-batch when none is asked for: enough tokens to keep the products busy, a divisor of the batch.
int64_t memory_micro_batch(int64_t batch, int64_t seq);
int64_t memory_of_process(void);    // resident now: the program, its libraries, the tokenizer, what is mapped. 0: not known
int64_t memory_peak(void);          // the most that was resident in this process so far
