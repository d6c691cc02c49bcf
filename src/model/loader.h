// A model being loaded: what load.c has checked, and fill.c reads.
#pragma once
#include "model/source.h"

typedef struct loader {
    const char *path;
    const model_config *c;
    const model_weights *w;
    engine *g;
    source source;
    weight_part parts[16];
    int part_count;
    err *e;
} loader;

// A part's tensor in the file. A tied head may stand there alone, in place of the embedding.
bool loader_find(const loader *l, const weight_part *p, int64_t layer, source_tensor *t);
static inline int64_t loader_layers(const loader *l, const weight_part *p) { return p->per_layer ? l->c->layers : 1; }

// fill.c: all numbers, by all threads of the engine. The error is that of the first tensor that has one.
bool loader_fill(const loader *l) MUST_CHECK;
// Are the numbers of two tensors of one shape the same?
bool loader_compare(const loader *l, const source_tensor *a, const source_tensor *b, bool *same) MUST_CHECK;
