// All kernels, for the instruction set that the including file names: NAME, and BF16_PRODUCTS 1 where bf16 is
// multiplied natively, AMX 1 where in tiles.
#include "engine/cpu/kernels.h"

#include <stdlib.h>

#include "base/random.h"
#include "base/util.h"
#include "engine/cpu/isa/vec.h"

#define PASTE_(a, b)   a##_##b
#define PASTE(a, b)    PASTE_(a, b)
#define SIZE(letter)   (t->c->dim[#letter[0] - 'a'])
#define INLINE         static inline __attribute__((always_inline))
// f(…, 1) for BF16, f(…, 0) for F32: the type is a constant inside.
#define BY_TYPE(bf16, f, ...) ((bf16) ? f(__VA_ARGS__, 1) : f(__VA_ARGS__, 0))
// The same for a factor of a product, which may be read rounded.
#define READ_AS(i)            (t->rounded[i] ? AS_ROUNDED : t->bf16[i] ? AS_BF16 : AS_F32)
#define BY_READ(as, f, ...)   ((as) == AS_ROUNDED ? f(__VA_ARGS__, AS_ROUNDED) : BY_TYPE(as, f, __VA_ARGS__))

#include "engine/cpu/ops/tiles.h"
#include "engine/cpu/ops/flat.h"
#include "engine/cpu/ops/rows.h"
#include "engine/cpu/ops/norm.h"
#include "engine/cpu/ops/loss.h"
#include "engine/cpu/ops/block_f32.h"
#if BF16_PRODUCTS
#include "engine/cpu/ops/block_bf16.h"
#endif
#include "engine/cpu/ops/gemv.h"
#include "engine/cpu/ops/matmul.h"
#include "engine/cpu/ops/attention.h"
#include "engine/cpu/ops/cached.h"
#include "engine/cpu/ops/peak.h"

const kernel PASTE(kernels, NAME)[OP_LOOP] = {
#define X(id, ...) [OP_##id] = k_##id,
    OPS(X)
#undef X
};
