// What the two readers of configurations share: the table of sizes, the table of families, the last checks.
#pragma once
#include "format/gguf.h"
#include "model/model.h"

typedef struct config_size {
    const char *hf, *gguf;          // keys of config.json and of a GGUF (after "llama.")
    size_t at;                      // in model_config
    int64_t most;                   // so that no product of sizes overflows
    bool wanted;                    // there is nothing to take in its place
} config_size;

extern const config_size config_sizes[];
enum { CONFIG_SIZES = 8 };

// THE TABLE of families: config.json's model_type and architectures, GGUF's general.architecture.
typedef struct family { const char *name, *architecture, *gguf; } family;
extern const family families[];
enum { FAMILIES = 1 };

bool config_read_gguf(model_config *c, const gguf *g, err *e) MUST_CHECK;
// Sizes against their bounds and each other; counts the parameters. `hf`: names in errors are config.json's.
bool config_check(model_config *c, const char *file, bool hf, err *e) MUST_CHECK;
// "'qwen2' is not supported; did you mean …" for an architecture that came.
bool config_unknown(err *e, place at, const char *key, str came, const char *(*name)(int)) MUST_CHECK;
