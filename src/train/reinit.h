// Tokens that the base model never saw, and drawing their rows of the embedding and of the head anew.
#pragma once
#include "model/model.h"
#include "text/tokenizer.h"

enum { MOST_REINIT = 16 };

// Ids of the tokens named (NULL at the end); "true" alone stands for Llama 3's five that base models leave untrained. Each must be one
// token exactly: else ERR_INPUT names it.
bool reinit_find(const tokenizer *t, const char *const *names, int32_t ids[MOST_REINIT], int *count, err *e) MUST_CHECK;

// Rows become mean + deviation * z, per dimension over the whole vocabulary as it was, z normal within [-3, 3]. The embedding and
// the head draw different numbers; a tied head is the embedding. The caller then calls `prepare`.
bool reinit_rows(engine *g, const model_config *c, const model_weights *w, const int32_t *ids, int count, uint64_t seed, err *e) MUST_CHECK;

// Of `ids`, those whose row of the embedding looks as if nothing had ever been learned there: far smaller than others, or equal to
// another row. `out` has room for `count`; the median norm of all rows in *median.
bool reinit_unseen(engine *g, const model_config *c, const model_weights *w, const int32_t *ids, int64_t count, int32_t *out,
                   int64_t *found, double *median, err *e) MUST_CHECK;
