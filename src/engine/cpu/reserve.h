// One piece of memory for an engine: reserved at once, on huge pages where the system has them, touched once.
#pragma once
#include <stddef.h>

#include "base/pool.h"

typedef struct touching touching;
typedef struct reserve { char *at; size_t size; void *mapping; size_t mapped; touching *touching; } reserve;

// Zeroed, and to be used from now on. Its pages are touched meanwhile, by as many threads as `threads` has.
bool reserve_open(reserve *r, size_t size, const pool *threads, err *e) MUST_CHECK;
void reserve_wait(reserve *r);      // until all are
void reserve_close(reserve *r);
