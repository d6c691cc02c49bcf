// Random numbers that are functions of a key: threefry2x32 (Salmon et al. 2011), as JAX uses it with
// jax_threefry_partitionable=True, so that its test vectors apply.
#pragma once
#include <stdint.h>

typedef struct key { uint32_t hi, lo; } key;

key key_from_seed(uint64_t seed);                       // jax.random.PRNGKey
key key_fold_in(key k, uint32_t data);                  // jax.random.fold_in
void key_split(key k, int n, key *out);                 // jax.random.split
uint32_t key_bits(key k, uint64_t index);               // 32 bits at a place of the stream
uint32_t key_randint30(key k);                          // randint(key, (), 0, 2**30)
void threefry2x32(uint32_t k0, uint32_t k1, uint32_t x0, uint32_t x1, uint32_t out[2]);
