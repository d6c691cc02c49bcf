// Shorthand in which the plain operations are written.
#pragma once
#include "engine/cpu/ref.h"

#define OP(name)     void ref_##name(__attribute__((unused)) const call *c, __attribute__((unused)) void *const *at)
#define SIZE(letter) c->dim[#letter[0] - 'a']
#define REAL(i)      ((double *)at[i])
#define INT(i)       ((const int32_t *)at[i])

#define X(id, ...) ref_op ref_##id;
OPS(X)
#undef X
