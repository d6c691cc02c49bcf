// Which rows of the data a step was given.
#pragma once
#include "train/trainer.h"

typedef struct step_row {
    int64_t row, segment;           // of the batch, and of that row, from 0
    const char *dataset, *file;
    int64_t source_row;             // from 1
    int64_t tokens, trained;        // what was kept of it
    bool cut;
} step_row;

// The conversations of step k (from 1), row after row. Reads the data, not the run: a step not yet made can be asked for, too.
bool train_step_rows(const train_config *c, int64_t k, void (*row)(void *self, const step_row *), void *self, err *e) MUST_CHECK;
