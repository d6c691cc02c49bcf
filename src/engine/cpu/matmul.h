// Matrix products that a library computes (oneDNN): one primitive for each shape, made when the engine opens.
#pragma once
#include "engine/cpu/kernels.h"

typedef struct matmul matmul;

// Prepares the products of a program for which the library serves better than our own kernels. `forced`: the caller
// named the instruction set, so the library is kept to it too.
bool matmul_open(matmul **out, const program *p, const isa *set, bool forced, int threads, err *e) MUST_CHECK;
void matmul_close(matmul *m);
int64_t matmul_room(const matmul *m);                   // bytes of working memory
bool matmul_has(const matmul *m, int call_index);
// False: not prepared, use the kernel. `good`: the library did it.
bool matmul_run(matmul *m, int64_t call_index, const task *t, bool *good);
