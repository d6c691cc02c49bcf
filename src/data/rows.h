// Rows of files as JSON, made by all threads and told in order.
#pragma once
#include <stddef.h>

#include "base/err.h"

// `row` gets each row of the files, in order, on the caller's thread; its text ends with 0 and lives as long as the call. It
// returns false to stop, which is no mistake. `limit`: at most so many rows, 0: all. A row or file that is wrong: the rows
// before it are told, then it fails.
bool data_rows(char *const *paths, int64_t count, int64_t limit, bool (*row)(void *self, const char *json, size_t size), void *self,
               err *e) MUST_CHECK;
