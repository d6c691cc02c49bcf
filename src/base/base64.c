// Base64, three bytes in four characters.
#include "base/base64.h"

#include <stdint.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit(char c)
{
    const char *p = c ? strchr(letters, c) : NULL;
    return p ? (int)(p - letters) : -1;
}

bool base64_read(arena *a, str s, str *out)
{
    size_t padding = s.size && s.at[s.size - 1] == '=' ? 1 + (s.size > 1 && s.at[s.size - 2] == '=') : 0, count = 0;
    if (s.size % 4)
        return false;
    char *to = arena_alloc(a, s.size / 4 * 3 + 1);
    for (size_t i = 0; i < s.size; i += 4) {
        uint32_t bits = 0;
        for (size_t j = 0; j < 4; j++) {
            int d = i + j >= s.size - padding ? 0 : digit(s.at[i + j]);
            if (d < 0)
                return false;
            bits = bits << 6 | (uint32_t)d;
        }
        to[count++] = (char)(bits >> 16);
        to[count++] = (char)(bits >> 8);
        to[count++] = (char)bits;
    }
    *out = (str){ to, count - padding };
    return true;
}

void base64_write(text *out, str bytes)
{
    for (size_t i = 0; i < bytes.size; i += 3) {
        uint32_t bits = 0;
        for (size_t j = 0; j < 3; j++)
            bits = bits << 8 | (i + j < bytes.size ? (uint8_t)bytes.at[i + j] : 0);
        for (size_t j = 0; j < 4; j++)
            text_char(out, i + j > bytes.size ? '=' : letters[bits >> (18 - 6 * j) & 63]);
    }
}
