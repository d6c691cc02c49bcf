// UTF-8, byte by byte.
#include "base/utf8.h"

// Table 3-7 of the Unicode standard: what may follow each first byte.
uint32_t utf8_read(str s, size_t at, int *length)
{
    const unsigned char *p = (const unsigned char *)s.at + at;
    size_t left = s.size - at;
    unsigned char c = p[0];
    *length = 1;
    if (c < 0x80)
        return c;
    int more = c >= 0xc2 && c <= 0xdf ? 1 : c >= 0xe0 && c <= 0xef ? 2 : c >= 0xf0 && c <= 0xf4 ? 3 : 0;
    if (!more)
        return 0xfffd;
    unsigned low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80, high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    uint32_t value = c & (0x3fu >> more);
    for (int i = 1; i <= more; i++) {
        if ((size_t)i >= left || p[i] < low || p[i] > high) {
            *length = i;
            return 0xfffd;
        }
        value = value << 6 | (p[i] & 0x3f);
        low = 0x80;
        high = 0xbf;
    }
    *length = more + 1;
    return value;
}

size_t utf8_check(str s)
{
    size_t at = 0;
    while (at < s.size) {
        uint64_t eight;
        if (at + 8 <= s.size && (memcpy(&eight, s.at + at, 8), !(eight & 0x8080808080808080u))) {
            at += 8;
            continue;
        }
        int length;
        if (utf8_read(s, at, &length) == 0xfffd && !(length == 3 && !memcmp(s.at + at, "\xef\xbf\xbd", 3)))
            return at;
        at += (size_t)length;
    }
    return s.size;
}

int utf8_write(uint32_t c, char *to)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char first[] = { 0, 0xc0, 0xe0, 0xf0 };
    to[0] = (char)(first[more] | c >> (6 * more));
    for (int i = 1; i <= more; i++)
        to[i] = (char)(0x80 | (c >> (6 * (more - i)) & 0x3f));
    return more + 1;
}
