// A text that grows. Running out of memory is remembered: `text_ok` says so once, at the end.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

typedef struct text {
    char *chars;                    // always ends with 0 when not NULL
    size_t size, room;
    bool failed;
} text;

void text_add(text *t, const char *fmt, ...) PRINTF(2, 3);
void text_bytes(text *t, const void *bytes, size_t size);
static inline void text_str(text *t, str s) { text_bytes(t, s.at, s.size); }
static inline void text_char(text *t, char c) { text_bytes(t, &c, 1); }
void text_clear(text *t);                               // empty, keeping its memory
static inline str text_view(const text *t) { return (str){ t->chars ? t->chars : "", t->size }; }
bool text_ok(const text *t, err *e) MUST_CHECK;
void text_close(text *t);
