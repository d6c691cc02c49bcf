// A piece of text that someone else owns: bytes and a length, UTF-8 unless said, may hold zeros.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct str {
    const char *at;
    size_t size;
} str;

#define STR(literal) ((str){ "" literal, sizeof(literal) - 1 })
#define STR_ARG(s)   (int)(s).size, (s).at              // for "%.*s"

static inline str str_of(const char *chars) { return (str){ chars, chars ? strlen(chars) : 0 }; }
static inline bool str_equal(str a, str b) { return a.size == b.size && (!a.size || !memcmp(a.at, b.at, a.size)); }
static inline bool str_is(str a, const char *b) { return str_equal(a, str_of(b)); }
static inline str str_from(str s, size_t begin) { return (str){ s.at + begin, s.size - begin }; }
static inline str str_slice(str s, size_t begin, size_t end) { return (str){ s.at + begin, end - begin }; }

static inline bool str_begins(str s, str with)
{
    return s.size >= with.size && (!with.size || !memcmp(s.at, with.at, with.size));
}

static inline bool str_ends(str s, str with)
{
    return s.size >= with.size && (!with.size || !memcmp(s.at + s.size - with.size, with.at, with.size));
}

// Where `part` first stands in `s` at or after `from`; s.size when nowhere.
size_t str_find(str s, str part, size_t from);
int str_compare(str a, str b);                          // by bytes
