// What the parts of skiff bench share.
#pragma once
#include "base/pool.h"
#include "model/model.h"

bool bench_weights_missing(const char *path);           // a folder without any .safetensors
bool bench_load_weights(const char *path, const model_config *c, const model_weights *w, engine *g, pool *threads, err *e) MUST_CHECK;
