// str() of lists, dicts, texts and numbers, byte for byte as Python prints them.
#include "data/python_repr.h"

#include <stdio.h>

#include "base/utf8.h"
#include "base/util.h"
#include "jinja/value.h"

// Characters that Unicode 15 to 18 added: Python 3.11 does not know them, whatever the system's tables do.
static const uint32_t later[][2] = {
    { 0x558, 0x558 }, { 0x58B, 0x58C }, { 0x5C8, 0x5C9 }, { 0x88F, 0x88F }, { 0x897, 0x897 }, { 0xB53, 0xB54 }, { 0xC5C, 0xC5C },
    { 0xCDC, 0xCDC }, { 0xCF3, 0xCF3 }, { 0xECE, 0xECE }, { 0x1ACF, 0x1AF0 }, { 0x1B4E, 0x1B4F }, { 0x1B7F, 0x1B7F }, { 0x1C89, 0x1C8A },
    { 0x208F, 0x208F }, { 0x209D, 0x209F }, { 0x20C1, 0x20C4 }, { 0x2427, 0x2429 }, { 0x2B96, 0x2B96 }, { 0x2E60, 0x2E63 },
    { 0x2FFC, 0x2FFF }, { 0x31E4, 0x31E5 }, { 0x31EF, 0x31EF }, { 0xA7CB, 0xA7CF }, { 0xA7D2, 0xA7D2 }, { 0xA7D4, 0xA7D4 },
    { 0xA7DA, 0xA7DD }, { 0xA7E2, 0xA7E2 }, { 0xA7F1, 0xA7F1 }, { 0xAB6C, 0xAB6D }, { 0xFBC3, 0xFBD2 }, { 0xFD90, 0xFD91 },
    { 0xFDC8, 0xFDCE }, { 0x105C0, 0x105F3 }, { 0x107BB, 0x107BF }, { 0x10940, 0x10959 }, { 0x10D40, 0x10D65 }, { 0x10D69, 0x10D85 },
    { 0x10D8E, 0x10D8F }, { 0x10EC2, 0x10EC7 }, { 0x10EC9, 0x10EEE }, { 0x10EF0, 0x10EFF }, { 0x1123F, 0x11241 }, { 0x11380, 0x11389 },
    { 0x1138B, 0x1138B }, { 0x1138E, 0x1138E }, { 0x11390, 0x113B5 }, { 0x113B7, 0x113C0 }, { 0x113C2, 0x113C2 }, { 0x113C5, 0x113C5 },
    { 0x113C7, 0x113CA }, { 0x113CC, 0x113D5 }, { 0x113D7, 0x113D8 }, { 0x113E1, 0x113E2 }, { 0x116D0, 0x116E3 }, { 0x11B00, 0x11B0A },
    { 0x11B60, 0x11B67 }, { 0x11BC0, 0x11BE1 }, { 0x11BF0, 0x11BF9 }, { 0x11DB0, 0x11DDB }, { 0x11DE0, 0x11DE9 }, { 0x11DF0, 0x11DF1 },
    { 0x11F00, 0x11F10 }, { 0x11F12, 0x11F3A }, { 0x11F3E, 0x11F5A }, { 0x1246F, 0x1246F }, { 0x12475, 0x1247F }, { 0x12550, 0x12686 },
    { 0x1342F, 0x1342F }, { 0x13439, 0x13455 }, { 0x13460, 0x143FA }, { 0x16100, 0x16139 }, { 0x16D40, 0x16D79 }, { 0x16EA0, 0x16EB8 },
    { 0x16EBB, 0x16ED3 }, { 0x16FF2, 0x16FF6 }, { 0x187F8, 0x187FF }, { 0x18CD6, 0x18CDA }, { 0x18CFF, 0x18CFF }, { 0x18D09, 0x18D20 },
    { 0x18D80, 0x18DF2 }, { 0x18E00, 0x19191 }, { 0x191A0, 0x191D2 }, { 0x1B123, 0x1B128 }, { 0x1B132, 0x1B132 }, { 0x1B155, 0x1B155 },
    { 0x1B168, 0x1B168 }, { 0x1CC00, 0x1CCFC }, { 0x1CD00, 0x1CEB3 }, { 0x1CEBA, 0x1CED0 }, { 0x1CED2, 0x1CED4 }, { 0x1CEDD, 0x1CEFD },
    { 0x1D127, 0x1D128 }, { 0x1D1EB, 0x1D1FF }, { 0x1D250, 0x1D281 }, { 0x1D2C0, 0x1D2D3 }, { 0x1D6A6, 0x1D6A6 }, { 0x1DB00, 0x1DB1C },
    { 0x1DF1F, 0x1DF81 }, { 0x1DF90, 0x1DF96 }, { 0x1DFCD, 0x1DFFF }, { 0x1E030, 0x1E06D }, { 0x1E08F, 0x1E08F }, { 0x1E4D0, 0x1E4F9 },
    { 0x1E5D0, 0x1E5FA }, { 0x1E5FF, 0x1E5FF }, { 0x1E6C0, 0x1E6DE }, { 0x1E6E0, 0x1E6F5 }, { 0x1E6FE, 0x1E6FF }, { 0x1F1AE, 0x1F1AE },
    { 0x1F6D8, 0x1F6D9 }, { 0x1F6DC, 0x1F6DC }, { 0x1F774, 0x1F77F }, { 0x1F7D9, 0x1F7DB }, { 0x1F7F1, 0x1F7FF }, { 0x1F8B2, 0x1F8BB },
    { 0x1F8C0, 0x1F8C1 }, { 0x1F8D0, 0x1F8D8 }, { 0x1FA54, 0x1FA57 }, { 0x1FA75, 0x1FA77 }, { 0x1FA87, 0x1FA8F }, { 0x1FAAD, 0x1FAAF },
    { 0x1FABB, 0x1FABF }, { 0x1FAC6, 0x1FAC6 }, { 0x1FAC8, 0x1FAC8 }, { 0x1FACC, 0x1FACF }, { 0x1FADA, 0x1FADD }, { 0x1FADF, 0x1FADF },
    { 0x1FAE8, 0x1FAEB }, { 0x1FAEF, 0x1FAEF }, { 0x1FAF7, 0x1FAFA }, { 0x1FBCB, 0x1FBEF }, { 0x1FBFA, 0x1FBFA }, { 0x2B739, 0x2B73F },
    { 0x2B81E, 0x2B81E }, { 0x2CEA2, 0x2CEAD }, { 0x2EBF0, 0x2EE5D }, { 0x31350, 0x33479 }, { 0x3D000, 0x3FC3F },
};

static bool came_later(uint32_t c)
{
    size_t low = 0, high = COUNT(later);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c > later[middle][1])
            low = middle + 1;
        else
            high = middle;
    }
    return low < COUNT(later) && c >= later[low][0];
}

static void repr_char(text *out, str s, size_t at, int length, char quote)
{
    int ignored;
    uint32_t c = utf8_read(s, at, &ignored);
    if (c == (uint32_t)quote || c == '\\')
        text_add(out, "\\%c", (char)c);
    else if (c == '\n' || c == '\r' || c == '\t')
        text_add(out, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
    else if (letter_is_printable(c) && !came_later(c))
        text_bytes(out, s.at + at, (size_t)length);
    else
        text_add(out, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
}

// Double quotes only where the text holds single ones and no double ones.
static void repr_text(text *out, str s)
{
    bool single = s.size && memchr(s.at, '\'', s.size), twofold = s.size && memchr(s.at, '"', s.size);
    const char quote = single && !twofold ? '"' : '\'';
    text_char(out, quote);
    for (size_t at = 0; at < s.size;) {
        size_t plain = at;
        while (plain < s.size && s.at[plain] >= 32 && s.at[plain] < 127 && s.at[plain] != quote && s.at[plain] != '\\')
            plain++;
        text_bytes(out, s.at + at, plain - at);
        at = plain;
        if (at < s.size) {
            int length;
            utf8_read(s, at, &length);
            repr_char(out, s, at, length, quote);
            at += (size_t)length;
        }
    }
    text_char(out, quote);
}

// Whole numbers of any size are written as they came; "-0" is 0.
static void repr_number(text *out, const node *n)
{
    char digits[40];
    const str raw = n->raw;
    bool whole = raw.size && !memchr(raw.at, '.', raw.size) && !memchr(raw.at, 'e', raw.size) && !memchr(raw.at, 'E', raw.size);
    if (n->kind == NODE_INT) {
        text_add(out, "%lld", (long long)n->integer);
    } else if (whole) {
        text_str(out, raw);
    } else {
        print_float(n->number, digits);
        text_add(out, "%s", digits);
    }
}

void python_repr(text *out, const node *n)
{
    switch (n->kind) {
    case NODE_NULL: text_str(out, STR("None")); break;
    case NODE_BOOL: text_str(out, n->truth ? STR("True") : STR("False")); break;
    case NODE_INT:
    case NODE_FLOAT: repr_number(out, n); break;
    case NODE_TEXT: repr_text(out, n->text); break;
    case NODE_LIST:
        text_char(out, '[');
        for (int64_t i = 0; i < n->list.count; i++) {
            text_str(out, i ? STR(", ") : STR(""));
            python_repr(out, &n->list.items[i]);
        }
        text_char(out, ']');
        break;
    case NODE_OBJECT:
        text_char(out, '{');
        for (int64_t i = 0; i < n->object.count; i++) {
            text_str(out, i ? STR(", ") : STR(""));
            repr_text(out, n->object.members[i].key);
            text_str(out, STR(": "));
            python_repr(out, &n->object.members[i].value);
        }
        text_char(out, '}');
        break;
    }
}
