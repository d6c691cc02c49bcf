// Arenas: blocks from the system, handed out from front to back.
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/large.h"
#include "base/util.h"

enum { ALIGN = 16, BLOCK = 16 << 10, LARGEST_BLOCK = 1 << 20 };

struct arena_block {
    arena_block *before;
    size_t size, used;
    _Alignas(ALIGN) char bytes[];
};

// Whole pages, so that what a large block does not need serves what comes next.
static arena_block *large_block(size_t *size)
{
    if (*size > SIZE_MAX / 2)
        return NULL;
    size_t all = (sizeof(arena_block) + *size + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    *size = all - sizeof(arena_block);
    return large_alloc(all);
}

// Blocks double as the arena grows, so that few are asked of the system.
static void add_block(arena *a, size_t size)
{
    size_t want = a->last ? MIN(2 * a->last->size, (size_t)LARGEST_BLOCK) : BLOCK;
    if (want < size)
        want = size;
    arena_block *b = want < LARGE_PAGE ? malloc(sizeof *b + want) : large_block(&want);
    if (!b) {
        fprintf(stderr, "skiff: no memory left (%zu bytes wanted, %zu in use by this part)\n", size, a->used);
        abort();
    }
    *b = (arena_block){ .before = a->last, .size = want };
    a->last = b;
    a->total += want;
}

void *arena_alloc(arena *a, size_t size)
{
    size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (!a->last || a->last->size - a->last->used < size)
        add_block(a, size);
    void *p = a->last->bytes + a->last->used;
    a->last->used += size;
    a->used += size;
    return memset(p, 0, size);
}

void *arena_grow(arena *a, void *old, size_t old_size, size_t size)
{
    void *p = arena_alloc(a, size);
    if (old_size)
        memcpy(p, old, MIN(old_size, size));
    return p;
}

char *arena_chars(arena *a, str s)
{
    char *p = arena_alloc(a, s.size + 1);
    if (s.size)
        memcpy(p, s.at, s.size);
    return p;
}

str arena_str(arena *a, str s) { return (str){ arena_chars(a, s), s.size }; }

char *arena_print(arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *p = arena_alloc(a, (size_t)MAX(n, 0) + 1);
    va_start(ap, fmt);
    vsnprintf(p, (size_t)MAX(n, 0) + 1, fmt, ap);
    va_end(ap);
    return p;
}

void arena_clear(arena *a)
{
    arena_block *last = a->last;
    if (!last || last->size > LARGEST_BLOCK) {
        arena_close(a);
        return;
    }
    a->last = last->before;
    arena_close(a);
    *last = (arena_block){ .size = last->size };
    *a = (arena){ .last = last, .total = last->size };
}

void arena_close(arena *a)
{
    for (arena_block *b = a->last; b;) {
        arena_block *before = b->before;
        free(b);
        b = before;
    }
    *a = (arena){0};
}
