// The tensors of a checkpoint, whatever format it has: found by the table of weights, read as float32.
#pragma once
#include "base/map.h"
#include "format/gguf.h"
#include "format/safetensors.h"
#include "model/model.h"

typedef struct source {
    const char *path;
    bool is_gguf;
    gguf gguf;
    safetensors st;
    arena arena;
    map names;                      // of the GGUF's tensors
} source;

typedef struct source_tensor {
    const st_tensor *st;            // one of the two
    const gguf_tensor *gguf;
    str name;
    const char *file;
    int rank;
    const int64_t *dim;
} source_tensor;

bool source_open(source *s, const char *path, err *e) MUST_CHECK;
void source_close(source *s);
bool source_find(const source *s, const char *name, source_tensor *out);
int64_t source_count(const source *s);
source_tensor source_at(const source *s, int64_t i);
bool source_is_bf16(const source_tensor *t);
// A run of its numbers, whole rows. Whole-number types are errors.
bool source_read(const source *s, const source_tensor *t, int64_t from, int64_t count, float *to, err *e) MUST_CHECK;
// Has the system read such a run meanwhile; gives back the memory of one that was read, since peaks count it.
void source_expect(const source_tensor *t, int64_t from, int64_t count);
void source_forget(const source_tensor *t, int64_t from, int64_t count);
