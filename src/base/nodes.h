// Memory of a machine with several nodes (NUMA): which of them a process should spread over.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct number_set { uint64_t word[64]; } number_set;           // of numbers below 4096: CPUs, or nodes
static inline bool set_has(const number_set *s, int i) { return s->word[i / 64] >> i % 64 & 1; }

// Those nodes below `root` (/sys/devices/system/node) that have memory and a CPU of `cpus`. Returns how many.
int nodes_of(const char *root, const number_set *cpus, number_set *nodes);

// Before memory is touched: page by page in turn on the nodes where this process may run, so that no node has to give it all.
// Nothing happens where there is one node, or where whoever started the process chose nodes for it (numactl).
void nodes_interleave(void *at, size_t size);
