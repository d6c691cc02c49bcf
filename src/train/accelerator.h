// THE TABLE of accelerators: what a `tpu_type` is made of, for plans and MFU. Sources: the makers' data sheets.
#pragma once
#include "base/err.h"

typedef struct accelerator {
    const char *name;               // "v4": what stands before the last '-' of a tpu_type
    int cores;                      // that the number behind it counts, per chip
    double memory;                  // bytes of a chip
    double peak;                    // operations per second of a chip, bfloat16
} accelerator;

typedef struct devices { const accelerator *kind; int64_t count; } devices;

// "v4-128": 64 chips of v4. Unknown: ERR_INPUT with the nearest names.
bool devices_read(const char *tpu_type, devices *out, err *e) MUST_CHECK;
