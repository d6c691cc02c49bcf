// The kernels for avx512: the Makefile gives this file its flags.
#define NAME avx512
#define BF16_PRODUCTS 0
#define AMX 0
#include "engine/cpu/isa/body.h"
