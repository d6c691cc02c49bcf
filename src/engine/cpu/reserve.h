// One piece of memory for an engine: reserved at once, on huge pages where the system has them, touched once.
#pragma once
#include <stddef.h>

#include "base/pool.h"

typedef struct reserve { char *at; size_t size; void *mapping; size_t mapped; } reserve;

bool reserve_open(reserve *r, size_t size, pool *threads, err *e) MUST_CHECK;      // zeroed
void reserve_close(reserve *r);
