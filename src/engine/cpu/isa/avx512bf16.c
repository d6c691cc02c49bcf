// The kernels for avx512bf16: the Makefile gives this file its flags.
#define NAME avx512bf16
#define BF16_PRODUCTS 1
#define AMX 0
#include "engine/cpu/isa/body.h"
