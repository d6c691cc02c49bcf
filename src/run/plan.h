// Plans of training steps.
#pragma once
#include "run/settings.h"
#include "run/record.h"

// {"parameters", "steps", "tokens_per_step", "tokens", "micro_batches", "micro_batch", "memory_bytes": {…}, "data": {…},
// "seconds_estimated"}. Measures the machine's peak for a fifth of a second.
node *train_plan_node(arena *a, const train_config *c, const train_plan *p);

// {"steps": [{"name", "output_path", and the above} …]} of an experiment's training steps, whose tokens must have been made.
bool experiment_plan(arena *a, const exec_step *steps, int count, text *out, err *e) MUST_CHECK;

// What it takes with micro-batches of one row, where none is given. False: nothing can be said.
bool train_least_memory(const train_config *c, const model_config *m, int64_t *bytes);

// What a training step will be given (steps.c). Lives in `a`.
bool step_train_config(arena *a, const exec_step *s, train_config *out, err *e) MUST_CHECK;
// The same with the options that it comes from.
bool step_train_options(arena *a, const exec_step *s, struct SimpleSFTConfig *options, train_config *out, err *e) MUST_CHECK;
bool step_tokenize_options(arena *a, const exec_step *s, struct skiff_tokenize_options *options, struct ChatLmDatasetFormat *format,
                           err *e) MUST_CHECK;

// {"steps", "tokens_per_step", "tokens", "devices", "device_kind", "parameters", "memory_per_device_bytes", "summary"}; null where it
// is not known yet. `said`: what the experiment says of the model.
bool train_forecast(arena *a, const struct SimpleSFTConfig *o, const struct LlamaConfig *said, const train_config *c, node *out,
                    err *e) MUST_CHECK;
