// Batches: the data of step k is a function of the seed and k alone.
#pragma once
#include "base/random.h"
#include "data/batch.h"
#include "data/cache.h"
#include "data/mixture.h"

typedef enum truncate { TRUNCATE_TURNS, TRUNCATE_RIGHT, TRUNCATE_DROP } truncate_how;
typedef enum packing { PACK_BEST_FIT, PACK_SEQUENTIAL, PACK_OFF } packing;

typedef struct pack_totals {
    int64_t packs, conversations, cut, dropped_long, dropped_untrained;     // dropped: longer than seq; all trained tokens cut away
    int64_t tokens, trained;                                                // within the packs
} pack_totals;

typedef struct packs packs;         // one cache packed at one length
packs *packs_open(const cache *c, int64_t seq, packing how, truncate_how cut, int64_t max_segments, err *e);     // max_segments 0: 64
void packs_close(packs *p);
const pack_totals *packs_totals(const packs *p);
// Which conversations lie in a pack, in order; how many.
int64_t packs_at(const packs *p, int64_t pack, const int64_t **conversations);

typedef enum permutation { PERMUTE_NONE, PERMUTE_FEISTEL, PERMUTE_LINEAR } permutation;
int64_t permute(permutation how, key k, int64_t length, int64_t i);        // marin.md 5.2, with its vectors

typedef struct loader loader;
// One dataset. `rows` per batch; dataset name and seed key the permutation of each epoch.
loader *loader_open(const packs *p, const char *name, uint64_t seed, permutation how, int64_t rows, err *e);
void loader_close(loader *l);
int64_t loader_epoch_steps(const loader *l);            // ceil(packs / rows)
// Several datasets: `m` says whose pack stands where. The packs, the mixture and the names must outlive the loader.
typedef struct loader_part { const char *name; const packs *packs; } loader_part;
loader *loader_open_mixture(const loader_part *parts, int64_t count, mixture *m, uint64_t seed, permutation how, int64_t rows, err *e);
// Batch k (from 0): packs k*rows … of the endless sequence of permuted epochs, or of the mixture of such sequences. The batch's memory
// is the loader's, until the next call.
bool loader_batch(loader *l, int64_t k, batch *out, err *e) MUST_CHECK;
// Fills one row of a batch from a pack (the very code of the loader; for `data show` and evaluation).
void packs_fill(const packs *p, int64_t pack, batch *out, int64_t row);
// Where a row of a batch comes from: "part.jsonl: row 17, row 203 and 4 more".
void packs_describe(const packs *p, int64_t pack, char *out, size_t room);
batch *batch_open(int64_t rows, int64_t seq, err *e);
void batch_close(batch *b);
