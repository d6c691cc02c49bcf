// The kernels for avx2: the Makefile gives this file its flags.
#define NAME avx2
#define BF16_PRODUCTS 0
#define AMX 0
#include "engine/cpu/isa/body.h"
