// Searching and comparing pieces of text.
#include "base/str.h"

size_t str_find(str s, str part, size_t from)
{
    if (from > s.size)
        return s.size;
    if (!part.size)
        return from;
    const char *at = memmem(s.at + from, s.size - from, part.at, part.size);
    return at ? (size_t)(at - s.at) : s.size;
}

int str_compare(str a, str b)
{
    size_t n = a.size < b.size ? a.size : b.size;
    int order = n ? memcmp(a.at, b.at, n) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}
