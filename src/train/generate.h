// Answers: a forward program of one token (or a chunk of a prompt) with a cache of keys and values.
#pragma once
#include "model/model.h"
#include "base/random.h"

typedef struct generator generator;

// Takes its weights from `share` (a cpu engine whose program has them, e.g. the trainer's, which must outlive it) or, when NULL,
// loads `path`. max_tokens: prompt and answer together; 0: the model's max_positions.
generator *generator_open(const model_config *c, const char *path, engine *share, type compute, pool *pool,
                          int64_t max_tokens, err *e);
void generator_close(generator *g);

typedef struct generate_options {
    int64_t max_new;
    double temperature, top_p;      // temperature 0: greedy; top_p 0 or 1: all
    double min_p;                   // as share of the likeliest token's probability; 0: all
    int top_k;                      // 0: all
    uint64_t seed;
    const int32_t *stops;
    int stop_count;
    bool (*token)(void *self, int32_t id);      // called for each new token (stop token included); false stops; may be NULL
    void *self;
} generate_options;

// Writes the new tokens, the stop token included, to `out` (room for max_new). Ends at a stop token, after max_new tokens, when `token`
// says so, or when prompt and answer fill max_tokens. Of a prompt that begins as the last one went, with its answer, only the rest
// is read (with weights of its own, which nobody trains meanwhile); this changes no bit of any logit.
bool generate(generator *g, const int32_t *prompt, int64_t prompt_count, const generate_options *o,
              int32_t *out, int64_t *count, err *e) MUST_CHECK;

// Of the last call of `generate`: tokens of the prompt, and of these the ones that were read; passes for the answer; and seconds.
typedef struct generate_times { int64_t prompt_tokens, read, tokens; double prompt_seconds, seconds; } generate_times;
generate_times generator_times(const generator *g);

// The logits after the last token of `ids`, [vocab] float32 (checks of exports).
bool generator_logits(generator *g, const int32_t *ids, int64_t count, float *logits, err *e) MUST_CHECK;
