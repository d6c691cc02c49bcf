// A text that grows.
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static bool make_room(text *t, size_t more)
{
    if (t->size + more < t->room)
        return true;
    size_t room = 2 * (t->size + more) + 256;
    char *chars = realloc(t->chars, room);
    if (!chars)
        return !(t->failed = true);
    t->chars = chars;
    t->room = room;
    return true;
}

void text_add(text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0 || !make_room(t, (size_t)n + 1))
        return;
    va_start(ap, fmt);
    vsnprintf(t->chars + t->size, t->room - t->size, fmt, ap);
    va_end(ap);
    t->size += (size_t)n;
}

void text_bytes(text *t, const void *bytes, size_t size)
{
    if (!make_room(t, size + 1))
        return;
    if (size)
        memcpy(t->chars + t->size, bytes, size);
    t->size += size;
    t->chars[t->size] = 0;
}

void text_clear(text *t)
{
    t->size = 0;
    t->failed = false;
    if (t->chars)
        t->chars[0] = 0;
}

bool text_ok(const text *t, err *e)
{
    return !t->failed || fail(e, ERR_MEMORY, "no memory for a text of %zu bytes", t->room);
}

void text_close(text *t)
{
    free(t->chars);
    *t = (text){0};
}
