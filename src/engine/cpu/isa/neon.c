// The kernels for neon: every 64-bit ARM has it.
#define NAME neon
#define BF16_PRODUCTS 0
#define AMX 0
#define NEON 1
#include "engine/cpu/isa/body.h"
