// Data behind a name that is remote. Of a dataset on the hub its card says which files are rows: the `configs` of README.md.
#pragma once
#include "store/store.h"

// Where the card names subsets, `[hf://datasets/]org/name[@revision][/SUBSET[/SPLIT]]` is that subset and split; without their names
// the only subset, or the default one, and of it `train`, or the only split. A path that the repository has is that path. For all else
// the rules of the store hold.
bool data_fetch(arena *a, const char *name, store_found *out, err *e) MUST_CHECK;
bool data_is_there(const char *name, err *e) MUST_CHECK;   // are they there, and ours to read? Downloads nothing but the card
