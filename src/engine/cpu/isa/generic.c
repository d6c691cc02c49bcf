// The kernels for generic: the Makefile gives this file its flags.
#define NAME generic
#define BF16_PRODUCTS 0
#define AMX 0
#include "engine/cpu/isa/body.h"
