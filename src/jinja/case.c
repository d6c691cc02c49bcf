// Letters as Python's str sees them: kinds of characters, upper and lower case.
#include <utf8proc.h>

#include "base/util.h"
#include "base/utf8.h"
#include "jinja/case_table.h"
#include "jinja/value.h"

bool letter_is_space(uint32_t c)
{
    return (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680
           || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

static utf8proc_category_t category(uint32_t c) { return utf8proc_category((utf8proc_int32_t)c); }

bool letter_is_alpha(uint32_t c)
{
    utf8proc_category_t k = category(c);
    return k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO;
}

bool letter_is_decimal(uint32_t c) { return category(c) == UTF8PROC_CATEGORY_ND; }

// Superscripts, circled digits and their like count as digits, not as decimals.
bool letter_is_digit(uint32_t c)
{
    static const uint16_t ranges[][2] = {
        { 0xB2, 0xB3 }, { 0xB9, 0xB9 }, { 0x1369, 0x1371 }, { 0x19DA, 0x19DA }, { 0x2070, 0x2070 }, { 0x2074, 0x2079 },
        { 0x2080, 0x2089 }, { 0x2460, 0x2468 }, { 0x2474, 0x247C }, { 0x2488, 0x2490 }, { 0x24EA, 0x24EA },
        { 0x24F5, 0x24FD }, { 0x24FF, 0x24FF }, { 0x2776, 0x277E }, { 0x2780, 0x2788 }, { 0x278A, 0x2792 },
    };
    for (size_t i = 0; i < COUNT(ranges); i++)
        if (c >= ranges[i][0] && c <= ranges[i][1])
            return true;
    return letter_is_decimal(c) || (c >= 0x10A40 && c <= 0x10A43) || (c >= 0x10E60 && c <= 0x10E68)
           || (c >= 0x11052 && c <= 0x1105A) || (c >= 0x1F100 && c <= 0x1F10A);
}

bool letter_is_numeric(uint32_t c)
{
    utf8proc_category_t k = category(c);
    return k == UTF8PROC_CATEGORY_ND || k == UTF8PROC_CATEGORY_NL || k == UTF8PROC_CATEGORY_NO;
}

bool letter_is_printable(uint32_t c)
{
    if (c < 0x7F)
        return c >= 0x20;
    utf8proc_category_t k = category(c);
    return k != UTF8PROC_CATEGORY_CC && k != UTF8PROC_CATEGORY_CF && k != UTF8PROC_CATEGORY_CS && k != UTF8PROC_CATEGORY_CO
           && k != UTF8PROC_CATEGORY_CN && k != UTF8PROC_CATEGORY_ZL && k != UTF8PROC_CATEGORY_ZP && k != UTF8PROC_CATEGORY_ZS;
}

// Letters that have case without being of category Lu or Ll: modifier letters, Roman numerals, circled letters.
bool letter_is_upper(uint32_t c)
{
    return category(c) == UTF8PROC_CATEGORY_LU || (c >= 0x2160 && c <= 0x216F) || (c >= 0x24B6 && c <= 0x24CF)
           || (c >= 0x1F130 && c <= 0x1F149) || (c >= 0x1F150 && c <= 0x1F169) || (c >= 0x1F170 && c <= 0x1F189);
}

bool letter_is_lower(uint32_t c)
{
    return category(c) == UTF8PROC_CATEGORY_LL || c == 0xAA || c == 0xBA || (c >= 0x2B0 && c <= 0x2B8) || c == 0x2C0 || c == 0x2C1
           || (c >= 0x2E0 && c <= 0x2E4) || c == 0x345 || c == 0x37A || (c >= 0x1D2C && c <= 0x1D6A) || c == 0x1D78
           || (c >= 0x1D9B && c <= 0x1DBF) || c == 0x2071 || c == 0x207F || (c >= 0x2090 && c <= 0x209C)
           || (c >= 0x2170 && c <= 0x217F) || (c >= 0x24D0 && c <= 0x24E9);
}

static bool put_char(sink *s, uint32_t c, int32_t mark)
{
    char bytes[4];
    return sink_bytes(s, bytes, (size_t)utf8_write(c, bytes), mark);
}

static bool is_cased(uint32_t c) { return letter_is_upper(c) || letter_is_lower(c) || category(c) == UTF8PROC_CATEGORY_LT; }

static bool is_case_ignorable(uint32_t c)
{
    utf8proc_category_t k = category(c);
    return k == UTF8PROC_CATEGORY_MN || k == UTF8PROC_CATEGORY_ME || k == UTF8PROC_CATEGORY_CF || k == UTF8PROC_CATEGORY_LM
           || k == UTF8PROC_CATEGORY_SK || c == '\'' || c == '.' || c == ':' || c == 0xB7 || c == 0x2019;
}

// A sigma ends a word: a cased letter stands before it, none after it.
static bool final_sigma(str t, size_t at, int length)
{
    bool before = false;
    for (size_t i = at; i > 0;) {
        int n;
        do
            i--;
        while (i > 0 && ((unsigned char)t.at[i] & 0xC0) == 0x80);
        uint32_t c = utf8_read(t, i, &n);
        if (!is_case_ignorable(c)) {
            before = is_cased(c);
            break;
        }
    }
    for (size_t i = at + (size_t)length; before && i < t.size;) {
        int n;
        uint32_t c = utf8_read(t, i, &n);
        if (!is_case_ignorable(c))
            return !is_cased(c);
        i += (size_t)n;
    }
    return before;
}

bool sink_char_case(sink *s, str in, size_t at, int length, text_case how, int32_t mark)
{
    int n;
    uint32_t c = utf8_read(in, at, &n);
    if (c < 0x80) {
        bool up = how != CASE_LOWER && c >= 'a' && c <= 'z', down = how == CASE_LOWER && c >= 'A' && c <= 'Z';
        return put_char(s, up ? c - 32 : down ? c + 32 : c, mark);
    }
    if (how == CASE_LOWER) {
        if (c == 0x130)
            return put_char(s, 'i', mark) && put_char(s, 0x307, mark);
        if (c == 0x3A3 && final_sigma(in, at, length))
            return put_char(s, 0x3C2, mark);
        return put_char(s, (uint32_t)utf8proc_tolower((utf8proc_int32_t)c), mark);
    }
    for (size_t i = 0; i < COUNT(special_cases); i++) {
        if (special_cases[i].from != c)
            continue;
        const uint16_t *to = how == CASE_TITLE ? special_cases[i].title : special_cases[i].upper;
        for (int k = 0; k < 3 && to[k]; k++)
            TRY(put_char(s, to[k], mark));
        return true;
    }
    utf8proc_int32_t to = how == CASE_TITLE ? utf8proc_totitle((utf8proc_int32_t)c) : utf8proc_toupper((utf8proc_int32_t)c);
    return put_char(s, (uint32_t)to, mark);
}

static bool put_folded(sink *s, uint32_t c, int32_t mark)
{
    utf8proc_int32_t to[4];
    utf8proc_ssize_t n = utf8proc_decompose_char((utf8proc_int32_t)c, to, 4, UTF8PROC_CASEFOLD, NULL);
    for (utf8proc_ssize_t i = 0; i < n && i < 4; i++)
        TRY(put_char(s, (uint32_t)to[i], mark));
    return true;
}

bool text_change_case(render *r, value v, text_case how, value *out)
{
    sink s = { .r = r };
    str t = v.text->s;
    bool inside = false;                                    // after a cased letter, for title()
    TRY(jinja_step(r, 1 + (int64_t)t.size / 8));
    for (size_t at = 0; at < t.size;) {
        int length;
        uint32_t c = utf8_read(t, at, &length);
        text_case one = how;
        if (how == CASE_CAPITALIZE)
            one = at ? CASE_LOWER : CASE_TITLE;
        else if (how == CASE_TITLE)
            one = inside ? CASE_LOWER : CASE_TITLE;
        else if (how == CASE_SWAP)
            one = letter_is_upper(c) ? CASE_LOWER : CASE_UPPER;
        inside = is_cased(c);
        if (how == CASE_FOLD)
            TRY(put_folded(&s, c, text_mark_at(v, at)));
        else
            TRY(sink_char_case(&s, t, at, length, one, text_mark_at(v, at)));
        at += (size_t)length;
    }
    *out = sink_text(&s);
    out->safe = v.safe;
    return true;
}
