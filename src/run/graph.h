// Between graph.c, which makes steps for the executor, and graph_mixture.c, which describes the mixtures among their data.
#pragma once
#include "run/experiment.h"

typedef struct builder {
    arena *arena;
    exec_step *steps;
    int count;
    bool local;
} builder;

// Remembered with the place of the step.
void graph_mistake(const ExecutorStep *s, const char *fmt, ...) PRINTF(2, 3);
node graph_reference(arena *a, const ExecutorStep *to, const char *path);
int graph_place(builder *b, ExecutorStep *s);           // after the steps it depends on
void graph_check_format(const ExecutorStep *s, const ExecutorStep *tokenized);     // what both say must agree

// The mixture of a training step: "mixture", a list of {name, cache, weights} with a weight for each of "mixture_starts" (none: [0]).
// Tokenizers of other names, which the step's check compares, go to `settings`.
void graph_put_mixture(builder *b, ExecutorStep *s, node *config, node *settings);
// What the mixture and its datasets decide of the options, where these leave it open.
void graph_mixture_options(const ExecutorStep *s, struct SimpleSFTConfig *o);
