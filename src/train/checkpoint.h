// Checkpoints: the weights and moments of a run at a step, whole or not there at all (docs: ../docs/checkpoints.md).
// <output>/checkpoints/step-<k>/{weights.safetensors, moments.safetensors, metadata.json}
#pragma once
#include "base/arena.h"
#include "base/node.h"
#include "engine/engine.h"

typedef struct checkpoint {
    int64_t step;                   // updates done
    bool temporary;                 // goes when the next one is whole
    const char *folder;
    const node *config;             // what decides the run: an object, as given to checkpoint_save
    const node *state;              // what the run remembers besides, likewise
} checkpoint;

// Writes all WEIGHT and MOMENT tensors of the engine's program. Then earlier temporary checkpoints are removed. After a failure
// the earlier checkpoints stand as they were and nothing half-written is left.
bool checkpoint_save(const char *output, const checkpoint *c, engine *g, err *e) MUST_CHECK;

// The checkpoints whose metadata and file sizes are right, newest first; one that is damaged is left out, with a warning.
// What an interrupted run left behind is removed.
bool checkpoint_list(arena *a, const char *output, checkpoint **out, int64_t *count, err *e) MUST_CHECK;
// Compares the files with their digests. What does not hold is ERR_INPUT naming the file.
bool checkpoint_verify(const checkpoint *c, err *e) MUST_CHECK;
// The newest that is whole, digests checked, damaged ones passed over with a warning; *found = false when there is none.
bool checkpoint_newest(arena *a, const char *output, checkpoint *out, bool *found, err *e) MUST_CHECK;

// Fills the engine's tensors (the caller then calls `prepare`). Names, types and shapes must be those of the program.
typedef enum checkpoint_part { CHECKPOINT_WEIGHTS, CHECKPOINT_ALL } checkpoint_part;
bool checkpoint_load(const checkpoint *c, engine *g, checkpoint_part part, err *e) MUST_CHECK;
// One from a folder of its own (of another run): `folder` is a step-<k>, or an output folder (its newest whole one).
bool checkpoint_open(arena *a, const char *folder, checkpoint *out, err *e) MUST_CHECK;
