// Loss over the trained tokens of a cache: held-out loss of a run, `skiff eval`, packed against unpacked.
#pragma once
#include "model/model.h"
#include "data/loader.h"

typedef struct eval_config {
    const char *model;              // a folder or .gguf, whose weights are loaded …
    engine *share;                  // … unless an engine has them: a cpu engine with the weights of `config`
    const model_config *config;     // NULL: read from `model`
    struct evaluator *like;         // another cache with the program and memory of this one, which must outlive it; or NULL
    const char *cache;              // folder of a token cache
    int64_t seq;                    // tokens of a row; 0: the longest conversation, up to 2048
    int64_t rows;                   // of a forward pass; 0: about 2048 tokens
    packing pack;
    truncate_how truncate;
    type compute;
    pool *pool;                     // may be NULL
    const char *isa;
    bool (*stopped)(void *self);    // asked between passes; true ends with ERR_INTERRUPTED; may be NULL
    void *self;
} eval_config;

typedef struct eval_result {
    double loss;                    // mean over the tokens
    int64_t tokens, rows;           // trained tokens; conversations
    double seconds;
} eval_result;

typedef struct eval_row { double nll; int64_t tokens; } eval_row;      // sum over its trained tokens; 0 tokens: left out

typedef struct evaluator evaluator;
evaluator *eval_open(const eval_config *c, err *e);     // the config's texts and engine must outlive it
void eval_close(evaluator *v);
const cache *eval_cache(const evaluator *v);
const pack_totals *eval_totals(const evaluator *v);     // what was cut and left out
int64_t eval_seq(const evaluator *v);
int64_t eval_rows(int64_t seq);                         // of a forward pass, unless told
// With the weights as they are now. `rows`: one for each conversation of the cache (cache_count), or NULL.
bool eval_run(evaluator *v, eval_result *out, eval_row *rows, err *e) MUST_CHECK;
