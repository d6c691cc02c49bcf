// The kernels for amx: the Makefile gives this file its flags.
#define NAME amx
#define BF16_PRODUCTS 1
#define AMX 1
#include "engine/cpu/isa/body.h"
