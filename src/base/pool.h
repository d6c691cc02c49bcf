// One pool of threads that run tiles. Which thread runs which tile never changes a result: tiles are
// cut by the size of the work, not by the number of threads, and write to places of their own.
#pragma once
#include <stdint.h>

#include "base/err.h"

typedef struct pool pool;

// `threads` 0: as many as this process may use (affinity mask and cgroup quota). The caller is one of them.
pool *pool_open(int threads, err *e);
void pool_close(pool *p);
int pool_threads(const pool *p);

// Calls tile(self, i, thread) once for every i in [0, tiles); returns when all are done. `thread` is in
// [0, threads). Not to be nested. `p` may be NULL: everything runs here, in order.
void pool_run(pool *p, int64_t tiles, void (*tile)(void *self, int64_t i, int thread), void *self);

// The share of their time since pool_time in which threads waited within calls of pool_run: for their begin, for a tile when
// none was left, for a core. No other way to cut the work could save more.
void pool_time(pool *p);
double pool_idle(const pool *p);
