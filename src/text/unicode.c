// Classes of characters, through utf8proc and a table of what is newer.
#include "text/unicode.h"

#include <utf8proc.h>

#include "base/util.h"

// Assigned after Unicode 14, up to 16 (DerivedGeneralCategory.txt): first, last, general category ('D': digits, Nd).
static const struct { uint32_t first, last; char category; } added[] = {
    { 0x897, 0x897, 'M' }, { 0xcf3, 0xcf3, 'M' }, { 0xece, 0xece, 'M' }, { 0x1b4e, 0x1b4f, 'P' },
    { 0x1b7f, 0x1b7f, 'P' }, { 0x1c89, 0x1c8a, 'L' }, { 0xa7cb, 0xa7cd, 'L' }, { 0xa7da, 0xa7dc, 'L' },
    { 0x105c0, 0x105f3, 'L' }, { 0x10d40, 0x10d49, 'D' }, { 0x10d4a, 0x10d65, 'L' }, { 0x10d69, 0x10d6d, 'M' },
    { 0x10d6e, 0x10d6e, 'P' }, { 0x10d6f, 0x10d85, 'L' }, { 0x10ec2, 0x10ec4, 'L' }, { 0x10efc, 0x10eff, 'M' },
    { 0x1123f, 0x11240, 'L' }, { 0x11241, 0x11241, 'M' }, { 0x11380, 0x11389, 'L' }, { 0x1138b, 0x1138b, 'L' },
    { 0x1138e, 0x1138e, 'L' }, { 0x11390, 0x113b5, 'L' }, { 0x113b7, 0x113b7, 'L' }, { 0x113b8, 0x113c0, 'M' },
    { 0x113c2, 0x113c2, 'M' }, { 0x113c5, 0x113c5, 'M' }, { 0x113c7, 0x113ca, 'M' }, { 0x113cc, 0x113d0, 'M' },
    { 0x113d1, 0x113d1, 'L' }, { 0x113d2, 0x113d2, 'M' }, { 0x113d3, 0x113d3, 'L' }, { 0x113d4, 0x113d5, 'P' },
    { 0x113d7, 0x113d8, 'P' }, { 0x113e1, 0x113e2, 'M' }, { 0x116d0, 0x116e3, 'D' }, { 0x11b00, 0x11b09, 'P' },
    { 0x11bc0, 0x11be0, 'L' }, { 0x11be1, 0x11be1, 'P' }, { 0x11bf0, 0x11bf9, 'D' }, { 0x11f00, 0x11f01, 'M' },
    { 0x11f02, 0x11f02, 'L' }, { 0x11f03, 0x11f03, 'M' }, { 0x11f04, 0x11f10, 'L' }, { 0x11f12, 0x11f33, 'L' },
    { 0x11f34, 0x11f3a, 'M' }, { 0x11f3e, 0x11f42, 'M' }, { 0x11f43, 0x11f4f, 'P' }, { 0x11f50, 0x11f59, 'D' },
    { 0x11f5a, 0x11f5a, 'M' }, { 0x1342f, 0x1342f, 'L' }, { 0x13440, 0x13440, 'M' }, { 0x13441, 0x13446, 'L' },
    { 0x13447, 0x13455, 'M' }, { 0x13460, 0x143fa, 'L' }, { 0x16100, 0x1611d, 'L' }, { 0x1611e, 0x1612f, 'M' },
    { 0x16130, 0x16139, 'D' }, { 0x16d40, 0x16d6c, 'L' }, { 0x16d6d, 0x16d6f, 'P' }, { 0x16d70, 0x16d79, 'D' },
    { 0x18cff, 0x18cff, 'L' }, { 0x1b132, 0x1b132, 'L' }, { 0x1b155, 0x1b155, 'L' }, { 0x1ccf0, 0x1ccf9, 'D' },
    { 0x1d2c0, 0x1d2d3, 'N' }, { 0x1df25, 0x1df2a, 'L' }, { 0x1e030, 0x1e06d, 'L' }, { 0x1e08f, 0x1e08f, 'M' },
    { 0x1e4d0, 0x1e4eb, 'L' }, { 0x1e4ec, 0x1e4ef, 'M' }, { 0x1e4f0, 0x1e4f9, 'D' }, { 0x1e5d0, 0x1e5ed, 'L' },
    { 0x1e5ee, 0x1e5ef, 'M' }, { 0x1e5f0, 0x1e5f0, 'L' }, { 0x1e5f1, 0x1e5fa, 'D' }, { 0x1e5ff, 0x1e5ff, 'P' },
    { 0x2b739, 0x2b739, 'L' }, { 0x2ebf0, 0x2ee5d, 'L' }, { 0x31350, 0x323af, 'L' },
};

static char added_category(uint32_t c)
{
    size_t low = 0, high = COUNT(added);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (added[middle].last < c)
            low = middle + 1;
        else
            high = middle;
    }
    return low < COUNT(added) && added[low].first <= c ? added[low].category : 0;
}

// The first letter of the general category; 0 for other than letters, marks, numbers, punctuation and separators.
static char category(uint32_t c)
{
    static const char letters[] = {
        [UTF8PROC_CATEGORY_LU] = 'L', [UTF8PROC_CATEGORY_LL] = 'L', [UTF8PROC_CATEGORY_LT] = 'L', [UTF8PROC_CATEGORY_LM] = 'L',
        [UTF8PROC_CATEGORY_LO] = 'L', [UTF8PROC_CATEGORY_MN] = 'M', [UTF8PROC_CATEGORY_MC] = 'M', [UTF8PROC_CATEGORY_ME] = 'M',
        [UTF8PROC_CATEGORY_ND] = 'N', [UTF8PROC_CATEGORY_NL] = 'N', [UTF8PROC_CATEGORY_NO] = 'N', [UTF8PROC_CATEGORY_PC] = 'P',
        [UTF8PROC_CATEGORY_PD] = 'P', [UTF8PROC_CATEGORY_PS] = 'P', [UTF8PROC_CATEGORY_PE] = 'P', [UTF8PROC_CATEGORY_PI] = 'P',
        [UTF8PROC_CATEGORY_PF] = 'P', [UTF8PROC_CATEGORY_PO] = 'P', [UTF8PROC_CATEGORY_ZS] = 'Z', [UTF8PROC_CATEGORY_ZL] = 'Z',
        [UTF8PROC_CATEGORY_ZP] = 'Z', [UTF8PROC_CATEGORY_CO] = 0,
    };
    utf8proc_category_t k = utf8proc_category((utf8proc_int32_t)c);
    if (k != UTF8PROC_CATEGORY_CN)
        return letters[k];
    char newer = added_category(c);
    return newer == 'D' ? 'N' : newer;
}

char_class char_class_of(uint32_t c)
{
    if (c >= 0x4e00 && c <= 0x9fff)                     // the unified ideographs, for speed
        return CHAR_LETTER;
    switch (category(c)) {
    case 'L': return CHAR_LETTER;
    case 'N': return CHAR_NUMBER;
    case 'Z': return CHAR_SPACE;
    default:  return char_is_space(c) ? CHAR_SPACE : CHAR_OTHER;
    }
}

bool char_is_space(uint32_t c)
{
    return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a)
        || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

// With the numbers of Unicode 17, which `tokenizers` has here but not in patterns.
bool char_is_number(uint32_t c) { return category(c) == 'N' || (c >= 0x11de0 && c <= 0x11de9) || (c >= 0x16ff4 && c <= 0x16ff6); }

bool char_is_word(uint32_t c)
{
    utf8proc_category_t k = utf8proc_category((utf8proc_int32_t)c);
    if (k == UTF8PROC_CATEGORY_NO || (k >= UTF8PROC_CATEGORY_PC && k <= UTF8PROC_CATEGORY_PO))
        return k == UTF8PROC_CATEGORY_PC;
    char letter = category(c);
    bool circled = (c >= 0x24b6 && c <= 0x24e9) || (c >= 0x1f130 && c <= 0x1f149) || (c >= 0x1f150 && c <= 0x1f169)
        || (c >= 0x1f170 && c <= 0x1f189);              // Other_Alphabetic among the symbols
    return letter == 'L' || letter == 'M' || letter == 'N' || circled || c == 0x200c || c == 0x200d;
}

// Punctuation that `tokenizers` does not know as such: its table for this is of Unicode 8.
static const char_range late_punctuation[] = {
    { 0x61d, 0x61d }, { 0x9fd, 0x9fd }, { 0xa76, 0xa76 }, { 0xc77, 0xc77 }, { 0xc84, 0xc84 }, { 0x1b4e, 0x1b4f },
    { 0x1b7d, 0x1b7f }, { 0x2e43, 0x2e4f }, { 0x2e52, 0x2e5d }, { 0x10d6e, 0x10d6e }, { 0x10ead, 0x10ead },
    { 0x10f55, 0x10f59 }, { 0x10f86, 0x10f89 }, { 0x113d4, 0x113d5 }, { 0x113d7, 0x113d8 }, { 0x1144b, 0x1144f },
    { 0x1145a, 0x1145b }, { 0x1145d, 0x1145d }, { 0x11660, 0x1166c }, { 0x116b9, 0x116b9 }, { 0x1183b, 0x1183b },
    { 0x11944, 0x11946 }, { 0x119e2, 0x119e2 }, { 0x11a3f, 0x11a46 }, { 0x11a9a, 0x11a9c }, { 0x11a9e, 0x11aa2 },
    { 0x11b00, 0x11b09 }, { 0x11be1, 0x11be1 }, { 0x11c41, 0x11c45 }, { 0x11c70, 0x11c71 }, { 0x11ef7, 0x11ef8 },
    { 0x11f43, 0x11f4f }, { 0x11fff, 0x11fff }, { 0x12ff1, 0x12ff2 }, { 0x16d6d, 0x16d6f }, { 0x16e97, 0x16e9a },
    { 0x16fe2, 0x16fe2 }, { 0x1e5ff, 0x1e5ff }, { 0x1e95e, 0x1e95f },
};

bool char_is_punctuation(uint32_t c)
{
    bool ascii = (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
    if (ascii || c == 0x166d || c == 0x111c9)           // the last two were punctuation in those days
        return true;
    return !char_in(late_punctuation, COUNT(late_punctuation), c) && category(c) == 'P';
}

void char_additions(char category_letter, text *out)
{
    for (size_t i = 0; i < COUNT(added); i++)
        if (added[i].category == category_letter || (category_letter == 'N' && added[i].category == 'D'))
            text_add(out, "\\x{%x}-\\x{%x}", added[i].first, added[i].last);
}
