// GGUF v2 and v3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): metadata, tensors, quantised blocks.
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/file.h"

typedef enum gguf_kind {
    GGUF_U8, GGUF_I8, GGUF_U16, GGUF_I16, GGUF_U32, GGUF_I32, GGUF_F32, GGUF_BOOL, GGUF_TEXT, GGUF_LIST, GGUF_U64, GGUF_I64, GGUF_F64,
} gguf_kind;

typedef struct gguf_value {
    str key;
    gguf_kind kind;
    union { uint64_t u; int64_t i; double f; bool b; str text; };
    gguf_kind item;                 // GGUF_LIST: the kind of its items (lists of lists are refused)
    int64_t count;
    const void *items;              // numbers as in the file (unaligned); for GGUF_TEXT an array of str
} gguf_value;

typedef struct gguf_tensor {
    str name;
    int type;                       // ggml's number: 0 F32, 1 F16, 2 Q4_0, 3 Q4_1, 8 Q8_0, 12 Q4_K, 13 Q5_K, 14 Q6_K, 30 BF16 …
    int rank;
    int64_t dim[4];                 // as Hugging Face orders them: outermost first (reversed from the file)
    const void *bytes;
    int64_t size, count;            // bytes; elements
} gguf_tensor;

typedef struct gguf {
    arena arena;
    mapped file;
    const char *path;
    gguf_value *values;
    int64_t value_count;
    gguf_tensor *tensors;
    int64_t tensor_count;
} gguf;

bool gguf_open(gguf *g, const char *path, err *e) MUST_CHECK;          // everything is checked against the file's size
bool gguf_open_bytes(gguf *g, str bytes, const char *path, err *e) MUST_CHECK;  // the same over memory of the caller (fuzzing)
void gguf_close(gguf *g);
const gguf_value *gguf_find(const gguf *g, const char *key);
const gguf_tensor *gguf_find_tensor(const gguf *g, const char *name);
bool gguf_want_int(const gguf *g, const char *key, int64_t *out, err *e) MUST_CHECK;
bool gguf_want_number(const gguf *g, const char *key, double *out, err *e) MUST_CHECK;
bool gguf_want_text(const gguf *g, const char *key, str *out, err *e) MUST_CHECK;

enum { GGUF_TYPE_BF16 = 30 };

// All numbers of a tensor as float32. ERR_UNSUPPORTED names the type when it is not one of F32, F16, BF16, Q8_0, Q4_0,
// Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K.
bool gguf_to_f32(const gguf *g, const gguf_tensor *t, float *to, err *e) MUST_CHECK;
// A run of them: `from` and `count` are multiples of the type's block (a whole number of rows always is).
bool gguf_part_to_f32(const gguf *g, const gguf_tensor *t, int64_t from, int64_t count, float *to, err *e) MUST_CHECK;

// THE TABLE of ggml's types (gguf_quant.c): so many elements lie in a block of so many bytes.
typedef struct gguf_block {
    int type;
    const char *name;
    int elements, bytes;
    void (*to_f32)(const uint8_t *from, float *to, int64_t blocks);     // NULL: known, but not read by us
} gguf_block;

const gguf_block *gguf_block_of(int type);                             // NULL for a number that ggml does not have
const char *gguf_kind_name(gguf_kind k);                                // "a whole number", "text", "a list", …
