// What the CPU engine and its kernels agree on. A kernel is compiled once for each instruction set.
#pragma once
#include "base/pool.h"
#include "engine/cpu/features.h"
#include "engine/engine.h"
#include "engine/program.h"

// So few rows of a, and y = a b^T reads b once, unpacked (ops/gemv.h): FEW_ROWS where BF16 is multiplied natively.
enum { FEW_ROWS = 16, SOME_ROWS = ROWS_ALIKE };

typedef struct task {
    const call *c;                  // sizes by letter, constants
    void *at[MAX_ARGS];             // where each argument lies; NULL: not wanted. Weights of products: their BF16 copy
    bool bf16[MAX_ARGS];            // is it BF16?
    bool rounded[MAX_ARGS];         // products: an F32 weight that counts as BF16 and has no copy: rounded where it is read
    uint16_t *copy;                 // adamw: the engine's BF16 copy of w, or NULL
    pool *pool;
    char *room;                     // working memory, as much as the kernel's row asked for, on a cache line
} task;

typedef struct kernel {
    void (*run)(const task *t);
    int64_t (*room)(const call *c, int threads);    // bytes; NULL: none
} kernel;

// THE TABLE of instruction sets (isa.c), best first.
typedef struct isa {
    const char *name;
    const char *needs;              // what a CPU must have, for messages
    bool (*usable)(const features *f);
    bool bf16;                      // multiplies bf16 natively
    bool library;                   // oneDNN makes products in float32 …
    int dnnl;                       // … kept to the same limit, in its numbers
    const kernel *kernels;          // by op
    // multiply-adds from registers, `rounds` times; returns how many floating point operations that were
    double (*peak)(int64_t rounds, bool bf16);
} isa;

// NULL and `e` when there is no such set or this CPU lacks it. name NULL: the best one.
const isa *isa_find(const char *name, err *e);

// The best one for a CPU that says this of itself, whether its kernels are in this build or not.
const isa *isa_for(const features *f);

// Those in this build, best first: each CPU that has one has those after it. The Makefile has the same list.
#if defined(__x86_64__)
#define ISAS(X) X(amx) X(avx512bf16) X(avx512) X(avx2) X(generic)
#elif defined(__aarch64__)
#define ISAS(X) X(neon) X(generic)
#else
#define ISAS(X) X(generic)
#endif
#define X(name) extern const kernel kernels_##name[OP_LOOP]; double peak_##name(int64_t rounds, bool bf16);
ISAS(X)
#undef X
