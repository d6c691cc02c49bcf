// A hash map with open addressing.
#include "base/map.h"

// FNV-1a over 8 bytes at a time with a strong finish (the mixer of splitmix64).
static uint64_t mix(uint64_t h)
{
    h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9u;
    h = (h ^ h >> 27) * 0x94d049bb133111ebu;
    return h ^ h >> 31;
}

uint64_t hash_bytes(const void *bytes, size_t size, uint64_t seed)
{
    const unsigned char *p = bytes;
    uint64_t h = seed ^ (size * 0x9e3779b97f4a7c15u), word;
    for (; size >= 8; p += 8, size -= 8) {
        memcpy(&word, p, 8);
        h = mix(h ^ word);
    }
    word = 0;
    if (size)
        memcpy(&word, p, size);
    return mix(h ^ word);
}

static void make_slots(map *m, int64_t room)
{
    m->room = room;
    m->slots = ARENA_ARRAY(m->arena, map_slot, room);
}

void map_open(map *m, arena *a, int64_t expected)
{
    int64_t room = 16;
    while (room < 2 * expected)
        room *= 2;
    *m = (map){ .arena = a };
    make_slots(m, room);
}

static map_slot *find(const map *m, str key, uint64_t hash)
{
    for (uint64_t i = hash;; i++) {
        map_slot *s = &m->slots[i & (uint64_t)(m->room - 1)];
        if (!s->key.at || (s->hash == hash && str_equal(s->key, key)))
            return s;
    }
}

static void grow(map *m)
{
    map old = *m;
    make_slots(m, 2 * old.room);
    for (int64_t i = 0; i < old.room; i++)
        if (old.slots[i].key.at)
            *find(m, old.slots[i].key, old.slots[i].hash) = old.slots[i];
}

void map_put(map *m, str key, int64_t value)
{
    if (!key.at)
        key.at = "";
    if (2 * (m->count + 1) > m->room)
        grow(m);
    uint64_t hash = hash_bytes(key.at, key.size, 0);
    map_slot *s = find(m, key, hash);
    m->count += !s->key.at;
    *s = (map_slot){ key, hash, value };
}

int64_t map_get(const map *m, str key, int64_t none)
{
    if (!m->room)
        return none;
    const map_slot *s = find(m, key, hash_bytes(key.at, key.size, 0));
    return s->key.at ? s->value : none;
}
