"""Numbers of jax and of Levanter's MixtureDataset for tests/golden/mixture_order.h:   python tests/golden/mixture_order.py > tests/golden/mixture_order.h
Made with jax 0.10 and `pip install --no-deps marin-levanter==0.2.20.dev202606180959 jaxtyping wadler-lindig`; what mixture.py imports besides, and does not need
for the order, is left empty.

Block b is permutation(fold_in(key, b), codes), a code being dataset << 16 | row within the block; the key is the first of split(PRNGKey(seed))."""
import contextlib
import importlib.util
import sys
import types

import jax
import jax.numpy as jnp

jax.config.update("jax_threefry_partitionable", True)


def mixture_class():
    def module(name, **members):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__dict__.update(members)

    class Index(list):
        pass

    class Anything:
        def __class_getitem__(cls, item):
            return cls

    folder = importlib.util.find_spec("levanter").submodule_search_locations[0]
    module("levanter")
    module("haliax")
    module("haliax.util", StringHolderEnum=type("StringHolderEnum", (type,), {"__contains__": lambda cls, x: x in vars(cls).values()}))
    module("levanter.utils")
    module("levanter.utils.jax_utils", local_cpu_mesh=contextlib.nullcontext)
    module("levanter.utils.index", Index=Index)
    module("levanter.utils.thread_utils", blocking_wait=None, future_from_value=None)
    module("levanter.data", AsyncDataset=Anything)
    module("levanter.schedule", BatchSchedule=Anything)
    spec = importlib.util.spec_from_file_location("mixture", folder + "/data/mixture.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded.MixtureDataset


def blocks_key(seed):
    return jax.random.split(jax.random.PRNGKey(seed))[0]


def print_numbers(numbers, width):
    for i in range(0, len(numbers), width):
        print("        " + " ".join("%d," % x for x in numbers[i:i + width]))


cases = [(0, 0, (16, 0, 0)), (0, 0, (5, 4, 3)), (0, 1, (5, 4, 3)), (42, 7, (1000, 600, 448)), (123456789, 4000000000, (30000, 1, 35534)), (3, 5, (1, 1, 1))]
print("// Blocks of mixtures in the order of jax, at most the first 32 codes; made by tests/golden/mixture_order.py.")
print("#pragma once")
print("static const struct mixture_order { uint64_t seed; int64_t block, counts[3], size; uint32_t codes[32]; } mixture_orders[] = {")
for seed, block, counts in cases:
    codes = jnp.array([d << 16 | j for d, n in enumerate(counts) for j in range(n)], dtype=jnp.int32)
    if sum(n > 0 for n in counts) > 1:
        codes = jax.random.permutation(jax.random.fold_in(blocks_key(seed), block), codes)
    print("    { %d, %d, { %d, %d, %d }, %d, {" % (seed, block, *counts, len(codes)))
    print_numbers(codes.tolist()[:32], 16)
    print("    } },")
print("};")

STAGES = [(0, {"a": 1, "b": 1.5}), (24, {"b": 1, "c": 5}), (60, {"a": 1, "b": 3, "c": 2})]
mixture = mixture_class()({name: object() for name in "abc"}, STAGES, 12, key=blocks_key(11))
places = []
for i in range(96):
    dataset, row = mixture._index_into_dataset_for_id(int(mixture._get_block(i // 12)[i % 12]), i // 12)
    places += [dataset, row]
print("// Places of Levanter's MixtureDataset: dataset and row. Weights a 1, b 1.5; from 24 on b 1, c 5; from 60 on a 1, b 3, c 2; block 12, seed 11.")
print("static const int mixture_places[96][2] = {")
for i in range(0, len(places), 24):
    print("    " + " ".join("{ %d, %d }," % tuple(places[k:k + 2]) for k in range(i, i + 24, 2)))
print("};")
