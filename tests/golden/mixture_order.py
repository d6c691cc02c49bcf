"""Blocks of a mixture in the order of jax.random.permutation, for tests/golden/mixture_order.h (jax 0.10):
python tests/golden/mixture_order.py > tests/golden/mixture_order.h

Levanter's MixtureDataset: block b is permutation(fold_in(key, b), codes), a code being dataset << 16 | row within the block; the key is the first of
split(PRNGKey(seed))."""
import jax
import jax.numpy as jnp

jax.config.update("jax_threefry_partitionable", True)

cases = [(0, 0, (16, 0, 0)), (0, 0, (5, 4, 3)), (0, 1, (5, 4, 3)), (42, 7, (1000, 600, 448)), (123456789, 4000000000, (30000, 1, 35534)), (3, 5, (1, 1, 1))]
print("// Blocks of mixtures in the order of jax, made by tests/golden/mixture_order.py; at most the first 32 codes.")
print("#pragma once")
print("static const struct mixture_order { uint64_t seed; int64_t block, counts[3], size; uint32_t codes[32]; } mixture_orders[] = {")
for seed, block, counts in cases:
    codes = jnp.array([d << 16 | j for d, n in enumerate(counts) for j in range(n)], dtype=jnp.int32)
    if sum(n > 0 for n in counts) > 1:
        codes = jax.random.permutation(jax.random.fold_in(jax.random.split(jax.random.PRNGKey(seed))[0], block), codes)
    first = codes.tolist()[:32]
    print("    { %d, %d, { %d, %d, %d }, %d, {" % (seed, block, *counts, len(codes)))
    for i in range(0, len(first), 16):
        print("        " + " ".join("%d," % x for x in first[i:i + 16]))
    print("    } },")
print("};")
