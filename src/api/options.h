// The options of a command, parsed.
#pragma once
#include "base/json.h"
#include "config/option.h"
#include "engine/engine.h"

typedef struct api_options {
    struct SimpleSFTConfig sft;
    struct ChatLmDatasetFormat format;
    struct skiff_tokenize_options tokenize;
    struct skiff_train_options train;
    type compute;                   // as precision= and this machine say
} api_options;

// Flags ("name=value" …, NULL at the end; may be NULL) of a command; any that the command does not take is an error.
bool api_options_read(const char *command, const char *const *flags, arena *a, api_options *out, err *e) MUST_CHECK;
bool api_option_given(const char *const *flags, const char *name);      // does "name=…" stand among them?
