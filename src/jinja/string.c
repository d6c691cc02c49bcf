// Escapes of text literals, as Python's unicode-escape reads them.
#include <ctype.h>

#include "base/utf8.h"
#include "jinja/lexer.h"

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

// \xHH, \uHHHH, \UHHHHHHHH. Returns the number of bytes taken after the letter, or -1.
static int read_hex(str s, size_t at, int digits, uint32_t *c)
{
    *c = 0;
    for (int i = 0; i < digits; i++) {
        int h = at + (size_t)i < s.size ? hex(s.at[at + (size_t)i]) : -1;
        if (h < 0)
            return -1;
        *c = *c << 4 | (uint32_t)h;
    }
    return digits;
}

static int read_octal(str s, size_t at, uint32_t *c)
{
    int n = 0;
    for (*c = 0; n < 3 && at + (size_t)n < s.size && s.at[at + (size_t)n] >= '0' && s.at[at + (size_t)n] <= '7'; n++)
        *c = *c << 3 | (uint32_t)(s.at[at + (size_t)n] - '0');
    return n;
}

static const char *const simple = "\\\\''\"\"a\ab\bf\fn\nr\rt\tv\v";

bool lexer_string(lexer *x, str s, size_t place_at, str *out)
{
    if (!memchr(s.at, '\\', s.size)) {
        *out = s;
        return true;
    }
    char *to = arena_alloc(&x->j->arena, s.size + 8);
    size_t n = 0;
    for (size_t i = 0; i < s.size;) {
        if (s.at[i] != '\\' || i + 1 >= s.size) {
            to[n++] = s.at[i++];
            continue;
        }
        char c = s.at[i + 1];
        uint32_t code = 0;
        int taken = 0;
        const char *known = NULL;
        for (const char *k = simple; *k && !known; k += 2)
            known = *k == c ? k + 1 : NULL;
        if (known) {
            to[n++] = *known;
            i += 2;
            continue;
        }
        if (c == '\n') {
            i += 2;
            continue;
        }
        if (c == 'x' || c == 'u' || c == 'U') {
            taken = read_hex(s, i + 2, c == 'x' ? 2 : c == 'u' ? 4 : 8, &code);
            if (taken < 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
                return lexer_fail(x, place_at + i, "the escape \\%c needs %d hexadecimal digits of a character", c,
                                  c == 'x' ? 2 : c == 'u' ? 4 : 8);
            i += 2 + (size_t)taken;
        } else if (c >= '0' && c <= '7') {
            i += 1 + (size_t)read_octal(s, i + 1, &code);
        } else if (c == 'N') {
            return lexer_fail(x, place_at + i, "\\N{…} is not supported; write the character or \\uXXXX");
        } else {
            to[n++] = s.at[i++];                    // an unknown escape stays as it is
            continue;
        }
        n += (size_t)utf8_write(code, to + n);
    }
    *out = (str){ to, n };
    return true;
}
