// What makes a run look healthy whose model is wrong, said before its first step.
#pragma once
#include "train/training.h"

// Of the data: BOS, stop tokens, answers that the template left out, and whether the export's template and tokenizer write what was
// trained.
void warn_of_data(const training *t, const char *cache_folder, const cache *c);
// Of the base model: special tokens of the data that it never saw.
bool warn_of_weights(training *t, const cache *c, err *e) MUST_CHECK;
