// Options of the table to what the modules below want.
#pragma once
#include "train/trainer.h"
#include "config/option.h"
#include "store/store.h"

// A tokenizer, model or dataset (as `name` says) as it is written: a path, a URI, or org/name on the hub. Is it there, and ours to
// read? Fetches nothing.
bool need_local(const char *name, const char *path, err *e) MUST_CHECK;
// The same on this machine, fetched where it is not here yet.
bool bring_found(arena *a, const char *name, const char *path, store_found *out, err *e) MUST_CHECK;
bool bring_local(arena *a, const char *name, const char **path, err *e) MUST_CHECK;
// Of a model, what says its sizes and its tokenizer, without the weights: for plans and checks.
bool bring_sizes(arena *a, const char *name, const char **path, err *e) MUST_CHECK;

// Lists are copied into `a`.
adapter_options adapter_options_of(arena *a, const struct skiff_adapter_options *o);

// `chat_template` may name a file, which is read into `a`.
bool cache_options_fill(arena *a, const struct skiff_tokenize_options *t, const struct ChatLmDatasetFormat *f, cache_options *out,
                        err *e) MUST_CHECK;
// Everything but output, caches and eval_cache. `format_pack`: the pack of the dataset's format, used when o->pack is unset; -1.
bool train_config_fill(const struct SimpleSFTConfig *o, int format_pack, train_config *c, err *e) MUST_CHECK;

// Several datasets of skiff train; one without a weight is held out.
typedef struct train_mixture {
    const char **paths, **names;                // token caches, or chats
    double *weights;
    bool *given;
    int64_t count;                              // 0: `data` is a single dataset
    mixture_stage stage;
} train_mixture;
bool train_mixture_read(arena *a, const char *file, const node *data, const node *weights, train_mixture *out, err *e) MUST_CHECK;

// skiff train CONFIG.yaml: the options of a training step alone, then `flags` ("name=value" …, NULL at the end; may be NULL).
// `yaml` may be NULL: flags alone. `where` is a line for people on what the run is.
typedef struct train_settings {
    struct skiff_train_options run;             // data, validation, output
    train_mixture mixture;                      // instead of run.data
    struct SimpleSFTConfig sft;
    struct LlamaConfig model_config;
    struct ChatLmDatasetFormat format;          // when `data` is chats
    bool has_format;                            // something of `format` was given
} train_settings;
bool train_settings_read(arena *a, const char *yaml, const char *const *flags, train_settings *out, err *e) MUST_CHECK;
void train_settings_dump(arena *a, const train_settings *s, node *into);       // resolved, as JSON

// The type that products are computed in: as `precision` says; auto is what the instruction set (NULL: the best) multiplies.
type precision_type(const char *precision, const char *isa);

// The model's own config.json must agree with what the experiment says it is.
bool model_config_agrees(const struct LlamaConfig *said, const char *path, err *e) MUST_CHECK;
