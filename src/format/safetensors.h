// safetensors (https://github.com/huggingface/safetensors#format): 8 bytes of header size, a JSON header,
// the data. One file, or a folder's `model.safetensors.index.json` with its shards.
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/file.h"

typedef enum st_type { ST_F32, ST_F16, ST_BF16, ST_F64, ST_I64, ST_I32, ST_I16, ST_I8, ST_U8, ST_BOOL, ST_TYPES } st_type;

typedef struct st_tensor {
    str name;
    st_type type;
    int rank;
    int64_t dim[8];
    const void *bytes;              // in the mapped file; aligned as the file has it
    int64_t size;                   // bytes
    const char *file;
} st_tensor;

typedef struct safetensors {
    arena arena;
    mapped *files;
    int64_t file_count;
    st_tensor *tensors;             // sorted by name
    int64_t count;
} safetensors;

// `path`: a .safetensors file, or a folder with model.safetensors or model.safetensors.index.json. Everything
// is checked: header size within the file, offsets in range, not overlapping and without holes, size = shape x type,
// the index's files and names.
bool safetensors_open(safetensors *s, const char *path, err *e) MUST_CHECK;
bool safetensors_open_bytes(safetensors *s, str bytes, const char *path, err *e) MUST_CHECK;   // one file in the caller's memory
const st_tensor *safetensors_find(const safetensors *s, const char *name);     // NULL when absent
void safetensors_close(safetensors *s);

const char *st_type_name(st_type t);                    // "BF16"
int64_t st_type_size(st_type t);                        // bytes of a number
// Reads one file's tensors into the list, unsorted: a step of opening a folder (safetensors_folder.c).
bool safetensors_add(safetensors *s, str bytes, const char *path, err *e) MUST_CHECK;
bool safetensors_sort(safetensors *s, err *e) MUST_CHECK;              // by name; the same name twice is an error

// Writing one file: names and shapes first, then the bytes in the same order.
typedef struct st_row { const char *name; st_type type; int rank; int64_t dim[8]; } st_row;
bool safetensors_begin(writer *w, const st_row *rows, int64_t count, const char *const metadata[][2], int64_t metadata_count,
                       err *e) MUST_CHECK;      // w is open; then writer_put the data of each row, then writer_commit

// Numbers of any floating type as float32, and float32 as others (to nearest, ties to even).
bool st_to_f32(st_type t, const void *from, float *to, int64_t count);         // false for whole-number types
void f32_to_bf16(const float *from, uint16_t *to, int64_t count);
void bf16_to_f32(const uint16_t *from, float *to, int64_t count);
void f16_to_f32(const uint16_t *from, float *to, int64_t count);
