// A model that others load: Hugging Face's folder, whole or not there at all.
#pragma once
#include "model/model.h"
#include "text/tokenizer.h"

typedef struct export_config {
    const char *folder;             // becomes the export; an older one of that name is replaced
    const model_config *model;
    const char *base_path;          // config.json, licence and so on are carried over from here (folder or .gguf)
    const char *base_name;          // for the model card; NULL: base_path
    bool f32;                       // else bfloat16
    const tokenizer *tokenizer;
    str chat_template;              // the one trained with; empty: the tokenizer's own
    const int32_t *stops;           // stop tokens really trained; none: the tokenizer's end-of-text token
    int stop_count;
    bool stops_only;                // generation_config.json stops at these alone, whatever the base's says
    int64_t pad_to;                 // unused tokens are added to the tokenizer until it has so many; 0: none
} export_config;

// The tokenizer's files alone, as an export has them.
bool export_tokenizer(const tokenizer *t, const char *folder, str chat_template, int32_t eos, int64_t pad_to, err *e) MUST_CHECK;

// Weights (read back and compared), config, tokenizer, template and generation_config, in a folder beside that is renamed when all
// is well. After a failure nothing is left of it.
bool export_hf(const export_config *c, const model_weights *w, engine *g, err *e) MUST_CHECK;
