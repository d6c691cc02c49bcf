// A progress line on stderr: redrawn in place on a terminal, a plain line every ten seconds elsewhere,
// nothing when SKIFF_PROGRESS=0. Log lines go above it. One at a time per process.
#pragma once
#include <stdint.h>

#include "base/err.h"

void progress_open(const char *what, int64_t total);    // total 0: unknown
void progress_set(int64_t done, const char *fmt, ...) PRINTF(2, 3);     // extra words: "loss 2.31, 1,024 tokens/s"
void progress_close(void);                              // leaves the last line standing
