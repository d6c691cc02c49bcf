// Mixtures: which dataset stands at each place of a run's data, and which of its rows, as a function of the seed and the place alone.
// Places come in blocks; within one every dataset has its exact count, in an order of the block's own. After Levanter's MixtureDataset.
#pragma once
#include "base/err.h"
#include "base/random.h"

typedef enum mixture_stop { STOP_RESTART, STOP_FIRST, STOP_ALL } mixture_stop;     // restart, first_exhausted, all_exhausted

enum { MIXTURE_BLOCK = 2048, MIXTURE_MOST_BLOCK = 65535, MIXTURE_MOST_DATASETS = 64 };

// The weights of the datasets (0 or more, of any sum) from a step on.
typedef struct mixture_stage { int64_t start; const double *weights; } mixture_stage;

typedef struct mixture_config {
    const char *const *names;       // of the datasets, each once
    int64_t datasets;
    const mixture_stage *stages;    // the first starts at step 0
    int64_t stage_count;
    int64_t block, batch;           // places of a block; of a step
    uint64_t seed;
} mixture_config;

typedef struct mixture mixture;
mixture *mixture_open(const mixture_config *c, err *e);     // NULL: what is wrong, and the block size that would do
void mixture_close(mixture *m);

// The row's index counts on when a dataset begins again: at length it is the first row of the second pass.
typedef struct mixture_place { int64_t dataset, index; } mixture_place;
mixture_place mixture_at(mixture *m, int64_t i);
int64_t mixture_block(const mixture *m);
int64_t mixture_count(const mixture *m, int64_t stage, int64_t dataset);        // rows in a block
int64_t mixture_share(mixture *m, int64_t dataset, int64_t places);             // its rows among the first `places`
// Places until the mixture stops: before the first row that would be a repetition; after the row that makes all complete.
// INT64_MAX: never. `lengths` are the datasets' rows; *decides is the dataset of that row, or the one that is never complete.
int64_t mixture_end(mixture *m, const int64_t *lengths, mixture_stop how, int64_t *decides);
