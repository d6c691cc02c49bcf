// UTF-8: checking, reading, writing. Surrogates and values over U+10FFFF are not UTF-8.
#pragma once
#include <stdint.h>

#include "base/str.h"

// The index of the first byte that is not part of valid UTF-8; s.size when all is.
size_t utf8_check(str s);

// The character at `at`, and its length in bytes. Broken: 0xFFFD, and the length of the longest part that could
// have begun a character (at least 1), as Python and the Unicode standard replace it.
uint32_t utf8_read(str s, size_t at, int *length);

int utf8_write(uint32_t c, char *to);                   // 1 to 4 bytes, without a 0 at the end
