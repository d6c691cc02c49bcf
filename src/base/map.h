// A hash map from text to a number. Keys are not copied.
#pragma once
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

typedef struct map_slot { str key; uint64_t hash; int64_t value; } map_slot;
typedef struct map {
    map_slot *slots;                // size is a power of two; key.at == NULL is empty
    int64_t room, count;
    arena *arena;
} map;

void map_open(map *m, arena *a, int64_t expected);
void map_put(map *m, str key, int64_t value);           // replaces an older value
int64_t map_get(const map *m, str key, int64_t none);   // `none` when there is no such key
uint64_t hash_bytes(const void *bytes, size_t size, uint64_t seed);     // fast, not for digests
