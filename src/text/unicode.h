// Classes of characters as the pre-tokenizers' patterns mean them: Unicode 16, as `tokenizers` has it, where the
// system's utf8proc and PCRE2 are older.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

typedef enum char_class { CHAR_OTHER, CHAR_LETTER, CHAR_NUMBER, CHAR_SPACE } char_class;

char_class char_class_of(uint32_t c);                   // \p{L}, \p{N}, \s: they have no character in common
bool char_is_space(uint32_t c);                         // White_Space
bool char_is_number(uint32_t c);                        // \p{N}
bool char_is_word(uint32_t c);                          // \w: Alphabetic, marks, decimal digits, connectors, joiners
bool char_is_punctuation(uint32_t c);                   // \p{P} or a sign of ASCII

// Characters of a general category ('L', 'M', 'N', 'P', 'D' for Nd) that PCRE2 may not know yet, as members of a bracket class.
void char_additions(char category, text *out);

// Is the character in one of the ranges, which are in ascending order?
typedef struct char_range { uint32_t first, last; } char_range;
static inline bool char_in(const char_range *ranges, size_t count, uint32_t c)
{
    size_t i = 0;
    while (i < count && ranges[i].last < c)
        i++;
    return i < count && ranges[i].first <= c;
}

// The character at `at` of valid UTF-8, and its length.
static inline uint32_t char_read(const char *at, int *length)
{
    const uint8_t *p = (const uint8_t *)at;
    if (p[0] < 0x80) {
        *length = 1;
        return p[0];
    }
    if (p[0] < 0xe0) {
        *length = 2;
        return (uint32_t)(p[0] & 31) << 6 | (p[1] & 63u);
    }
    if (p[0] < 0xf0) {
        *length = 3;
        return (uint32_t)(p[0] & 15) << 12 | (uint32_t)(p[1] & 63) << 6 | (p[2] & 63u);
    }
    *length = 4;
    return (uint32_t)(p[0] & 7) << 18 | (uint32_t)(p[1] & 63) << 12 | (uint32_t)(p[2] & 63) << 6 | (p[3] & 63u);
}

// Where the character before `at` begins; at > begin.
static inline size_t char_before(const char *chars, size_t at)
{
    do
        at--;
    while (((uint8_t)chars[at] & 0xc0) == 0x80);
    return at;
}
