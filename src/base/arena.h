// Memory with one lifetime: allocate as you go, release all at once.
// Allocation never returns NULL: when the system has no memory left, the process ends with a
// message (blocks are small; large buffers are reserved elsewhere, with an ordinary error).
#pragma once
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

typedef struct arena_block arena_block;
typedef struct arena {
    arena_block *last;
    size_t used, total;             // bytes handed out; bytes taken from the system
} arena;                            // {0} is an empty arena

void *arena_alloc(arena *a, size_t size);               // zeroed, aligned to 16
void *arena_grow(arena *a, void *old, size_t old_size, size_t size);    // a copy in more room; old may be NULL
char *arena_chars(arena *a, str s);                     // a copy that ends with 0
str arena_str(arena *a, str s);                         // the same as str
char *arena_print(arena *a, const char *fmt, ...) PRINTF(2, 3);
void arena_clear(arena *a);                             // empty, keeping a block for what comes
void arena_close(arena *a);

#define ARENA_NEW(a, type)      ((type *)arena_alloc(a, sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_alloc(a, sizeof(type) * (size_t)(n)))

// Appends to an array in an arena: ARENA_PUSH(a, items, count, value); room doubles.
#define ARENA_PUSH(a, items, count, ...)                                                           \
    do {                                                                                           \
        if (((count) & ((count) - 1)) == 0)                                                        \
            (items) = arena_grow(a, items, (size_t)(count) * sizeof *(items),                      \
                                 ((count) ? 2 * (size_t)(count) : 1) * sizeof *(items));           \
        (items)[(count)++] = (__VA_ARGS__);                                                        \
    } while (0)
