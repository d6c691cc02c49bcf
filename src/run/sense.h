// Settings that are each allowed, and of this size or together hardly meant.
#pragma once
#include "config/option.h"
#include "train/trainer.h"

// Says in the name of `who` what is odd. What cannot be meant is an error; without `e`, where nobody could leave the check out, it is
// a warning, too.
bool sense_of_training(const char *who, const struct SimpleSFTConfig *o, const train_config *c, err *e);
bool sense_of_rows(const char *who, const struct skiff_adapter_options *o, err *e);     // how they are read
