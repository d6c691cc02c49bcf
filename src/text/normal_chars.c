// Steps of a normalizer that change a text character by character, with the classes of characters that `tokenizers` has:
// those of several versions of Unicode.
#include <utf8proc.h>

#include "base/utf8.h"
#include "base/util.h"
#include "text/normalize.h"
#include "text/unicode.h"
#include "text/vocab.h"

typedef struct range { uint32_t first, last; } range;

static bool within(const range *list, size_t count, uint32_t c)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (list[middle].last < c)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && list[low].first <= c;
}

// Marks of today that are none to StripAccents, whose table is of Unicode 9.
static const range late_marks[] = {
    { 0x7fd, 0x7fd }, { 0x897, 0x89f }, { 0x8ca, 0x8d3 }, { 0x9fe, 0x9fe }, { 0xafa, 0xaff }, { 0xb55, 0xb55 }, { 0xc04, 0xc04 },
    { 0xc3c, 0xc3c }, { 0xcf3, 0xcf3 }, { 0xd00, 0xd00 }, { 0xd3b, 0xd3c }, { 0xd81, 0xd81 }, { 0xeba, 0xeba }, { 0xece, 0xece },
    { 0x1715, 0x1715 }, { 0x180f, 0x180f }, { 0x1abf, 0x1ace }, { 0x1cf7, 0x1cf7 }, { 0x1df6, 0x1dfa }, { 0xa82c, 0xa82c },
    { 0xa8ff, 0xa8ff }, { 0x10d24, 0x10d27 }, { 0x10eab, 0x10eac }, { 0x10efc, 0x10eff }, { 0x10f46, 0x10f50 }, { 0x10f82, 0x10f85 },
    { 0x11070, 0x11070 }, { 0x11073, 0x11074 }, { 0x110c2, 0x110c2 }, { 0x11145, 0x11146 }, { 0x111c9, 0x111c9 }, { 0x111ce, 0x111cf },
    { 0x11241, 0x11241 }, { 0x1133b, 0x1133b }, { 0x1145e, 0x1145e }, { 0x1182c, 0x1183a }, { 0x11930, 0x11935 }, { 0x11937, 0x11938 },
    { 0x1193b, 0x1193e }, { 0x11940, 0x11940 }, { 0x11942, 0x11943 }, { 0x119d1, 0x119d7 }, { 0x119da, 0x119e0 }, { 0x119e4, 0x119e4 },
    { 0x11a01, 0x11a0a }, { 0x11a33, 0x11a39 }, { 0x11a3b, 0x11a3e }, { 0x11a47, 0x11a47 }, { 0x11a51, 0x11a5b }, { 0x11a8a, 0x11a99 },
    { 0x11d31, 0x11d36 }, { 0x11d3a, 0x11d3a }, { 0x11d3c, 0x11d3d }, { 0x11d3f, 0x11d45 }, { 0x11d47, 0x11d47 }, { 0x11d8a, 0x11d8e },
    { 0x11d90, 0x11d91 }, { 0x11d93, 0x11d97 }, { 0x11ef3, 0x11ef6 }, { 0x11f00, 0x11f5a }, { 0x13440, 0x13455 }, { 0x16f4f, 0x16f4f },
    { 0x16f7f, 0x16f87 }, { 0x16fe4, 0x16fe4 }, { 0x16ff0, 0x16ff1 }, { 0x1cf00, 0x1cf2d }, { 0x1cf30, 0x1cf46 }, { 0x1e08f, 0x1e08f },
    { 0x1e130, 0x1e136 }, { 0x1e2ae, 0x1e2ae }, { 0x1e2ec, 0x1e2ef }, { 0x1e4ec, 0x1e4ef },
};

static utf8proc_category_t category(uint32_t c) { return utf8proc_category((utf8proc_int32_t)c); }

static bool is_mark(uint32_t c)
{
    utf8proc_category_t k = category(c);
    bool mark = k == UTF8PROC_CATEGORY_MN || k == UTF8PROC_CATEGORY_MC || k == UTF8PROC_CATEGORY_ME;
    return (mark || c == 0x1cf2 || c == 0x1cf3) && !within(late_marks, COUNT(late_marks), c);
}

// Marks without width of today that are none to BertNormalizer, whose table is of Unicode 8.
static const range late_accents[] = {
    { 0x7fd, 0x7fd }, { 0x897, 0x8e1 }, { 0x9fe, 0x9fe }, { 0xafa, 0xaff }, { 0xb55, 0xb55 }, { 0xc04, 0xc04 }, { 0xc3c, 0xc3c },
    { 0xd00, 0xd00 }, { 0xd3b, 0xd3c }, { 0xd81, 0xd81 }, { 0xeba, 0xeba }, { 0xece, 0xece }, { 0x180f, 0x180f }, { 0x1885, 0x1886 },
    { 0x1abf, 0x1ace }, { 0x1df6, 0x1dfb }, { 0xa82c, 0xa82c }, { 0xa8c5, 0xa8c5 }, { 0xa8ff, 0xa8ff }, { 0xa9bd, 0xa9bd },
    { 0x10d24, 0x10d27 }, { 0x10eab, 0x10eac }, { 0x10efc, 0x10eff }, { 0x10f46, 0x10f50 }, { 0x10f82, 0x10f85 }, { 0x11070, 0x11070 },
    { 0x11073, 0x11074 }, { 0x110c2, 0x110c2 }, { 0x111c9, 0x111c9 }, { 0x111cf, 0x111cf }, { 0x1123e, 0x1123e }, { 0x11241, 0x11241 },
    { 0x1133b, 0x1133b }, { 0x11438, 0x1143f }, { 0x11442, 0x11444 }, { 0x11446, 0x11446 }, { 0x1145e, 0x1145e }, { 0x1182f, 0x11837 },
    { 0x11839, 0x1183a }, { 0x1193b, 0x1193c }, { 0x1193e, 0x1193e }, { 0x11943, 0x11943 }, { 0x119d4, 0x119d7 }, { 0x119da, 0x119db },
    { 0x119e0, 0x119e0 }, { 0x11a01, 0x11a0a }, { 0x11a33, 0x11a38 }, { 0x11a3b, 0x11a3e }, { 0x11a47, 0x11a47 }, { 0x11a51, 0x11a56 },
    { 0x11a59, 0x11a5b }, { 0x11a8a, 0x11a96 }, { 0x11a98, 0x11a99 }, { 0x11c30, 0x11c36 }, { 0x11c38, 0x11c3d }, { 0x11c3f, 0x11c3f },
    { 0x11c92, 0x11ca7 }, { 0x11caa, 0x11cb0 }, { 0x11cb2, 0x11cb3 }, { 0x11cb5, 0x11cb6 }, { 0x11d31, 0x11d36 }, { 0x11d3a, 0x11d3a },
    { 0x11d3c, 0x11d3d }, { 0x11d3f, 0x11d45 }, { 0x11d47, 0x11d47 }, { 0x11d90, 0x11d91 }, { 0x11d95, 0x11d95 }, { 0x11d97, 0x11d97 },
    { 0x11ef3, 0x11ef4 }, { 0x11f00, 0x11f5a }, { 0x13440, 0x13455 }, { 0x16f4f, 0x16f4f }, { 0x16fe4, 0x16fe4 }, { 0x1cf00, 0x1cf2d },
    { 0x1cf30, 0x1cf46 }, { 0x1e000, 0x1e02a }, { 0x1e08f, 0x1e08f }, { 0x1e130, 0x1e136 }, { 0x1e2ae, 0x1e2ae }, { 0x1e2ec, 0x1e2ef },
    { 0x1e4ec, 0x1e4ef }, { 0x1e944, 0x1e94a },
};

// U+1734 was one in those days.
static bool is_accent(uint32_t c)
{
    return (category(c) == UTF8PROC_CATEGORY_MN || c == 0x1734) && !within(late_accents, COUNT(late_accents), c);
}

// Controls, formats, private ones and surrogates; some formats came after BertNormalizer's table.
static bool is_control(uint32_t c)
{
    static const range late[] = { { 0x890, 0x891 }, { 0x8e2, 0x8e2 }, { 0x110cd, 0x110cd }, { 0x13430, 0x1343f } };
    utf8proc_category_t k = category(c);
    if (c == '\t' || c == '\n' || c == '\r')
        return false;
    return (k == UTF8PROC_CATEGORY_CC || k == UTF8PROC_CATEGORY_CF || k == UTF8PROC_CATEGORY_CO) && !within(late, COUNT(late), c);
}

static bool is_chinese(uint32_t c)
{
    static const range list[] = { { 0x3400, 0x4dbf }, { 0x4e00, 0x9fff }, { 0xf900, 0xfaff }, { 0x20000, 0x2a6df },
                                  { 0x2a700, 0x2b73f }, { 0x2b740, 0x2b81f }, { 0x2b920, 0x2ceaf }, { 0x2f800, 0x2fa1f } };
    return within(list, COUNT(list), c);
}

// Small letters that the system's utf8proc may not know yet: so many from `first` on, `by` further.
static uint32_t small_letter(uint32_t c)
{
    static const struct { uint32_t first, last; int32_t by; } late[] = {
        { 0x1c89, 0x1c89, 1 }, { 0xa7cb, 0xa7cb, 0x264 - 0xa7cb }, { 0xa7cc, 0xa7cc, 1 }, { 0xa7ce, 0xa7ce, 1 }, { 0xa7d2, 0xa7d2, 1 },
        { 0xa7d4, 0xa7d4, 1 }, { 0xa7da, 0xa7da, 1 }, { 0xa7dc, 0xa7dc, 0x19b - 0xa7dc }, { 0x10d50, 0x10d65, 0x20 },
        { 0x16ea0, 0x16eb8, 0x1b },
    };
    for (size_t i = 0; c >= 0x1c89 && i < COUNT(late); i++)
        if (c >= late[i].first && c <= late[i].last)
            return (uint32_t)((int32_t)c + late[i].by);
    return (uint32_t)utf8proc_tolower((utf8proc_int32_t)c);
}

static void put_char(made *to, uint32_t c, size_t begin, size_t end)
{
    char four[4];
    made_add(to, (str){ four, (size_t)utf8_write(c, four) }, begin, end);
}

bool change_lower(const normal_step *n, scratch *s, str in, made *to, err *e)
{
    int length;
    (void)n, (void)s, (void)e;
    for (size_t at = 0; at < in.size; at += (size_t)length) {
        uint32_t c = char_read(in.at + at, &length), small = small_letter(c);
        if (c == 0x130)                                 // the only one that becomes two: i and a dot above
            made_add(to, STR("i\xcc\x87"), at, at + (size_t)length);
        else if (small == c)
            made_copy(to, str_slice(in, at, at + (size_t)length), at);
        else
            put_char(to, small, at, at + (size_t)length);
    }
    return true;
}

// What is left of a text when some characters go.
static void drop(str in, made *to, bool (*gone)(uint32_t c))
{
    int length;
    for (size_t at = 0; at < in.size; at += (size_t)length)
        if (!gone(char_read(in.at + at, &length)))
            made_copy(to, str_slice(in, at, at + (size_t)length), at);
}

bool change_accents(const normal_step *n, scratch *s, str in, made *to, err *e)
{
    (void)n, (void)s, (void)e;
    drop(in, to, is_mark);
    return true;
}

bool change_bytes(const normal_step *n, scratch *s, str in, made *to, err *e)
{
    (void)n, (void)s, (void)e;
    for (size_t i = 0; i < in.size; i++) {
        char two[2];
        int size = byte_to_utf8((uint8_t)in.at[i], two);
        made_add(to, (str){ two, (size_t)size }, i, i + 1);
    }
    return true;
}

bool change_nmt(const normal_step *n, scratch *s, str in, made *to, err *e)
{
    static const range gone[] = { { 1, 8 }, { 0xb, 0xb }, { 0xe, 0x1f }, { 0x7f, 0x7f }, { 0x8f, 0x8f }, { 0x9f, 0x9f } };
    static const range spaces[] = { { 9, 0xa }, { 0xc, 0xd }, { 0x1680, 0x1680 }, { 0x200b, 0x200f }, { 0x2028, 0x2029 },
                                    { 0x2581, 0x2581 }, { 0xfeff, 0xfeff }, { 0xfffd, 0xfffd } };
    int length;
    (void)n, (void)s, (void)e;
    for (size_t at = 0; at < in.size; at += (size_t)length) {
        uint32_t c = char_read(in.at + at, &length);
        if (within(spaces, COUNT(spaces), c))
            made_add(to, STR(" "), at, at + (size_t)length);
        else if (!within(gone, COUNT(gone), c))
            made_copy(to, str_slice(in, at, at + (size_t)length), at);
    }
    return true;
}

// Controls go, white space becomes a space, Chinese characters get a space on both sides.
static void clean(const normal_step *n, str in, made *to)
{
    int length;
    for (size_t at = 0; at < in.size; at += (size_t)length) {
        uint32_t c = char_read(in.at + at, &length);
        size_t end = at + (size_t)length;
        bool chinese = n->chinese && is_chinese(c);
        if (n->clean && (c == 0 || c == 0xfffd || is_control(c)))
            continue;
        if (chinese)
            made_add(to, STR(" "), at, at);
        if (n->clean && char_is_space(c))
            made_add(to, STR(" "), at, end);
        else
            made_copy(to, str_slice(in, at, end), at);
        if (chinese)
            made_add(to, STR(" "), end, end);
    }
}

// One change after another within a step: through the second buffer and back.
static bool then(normal_change *change, const normal_step *n, scratch *s, made *to, err *e)
{
    made *half = &s->work[0];
    made_clear(half);
    for (size_t i = 0; i < to->text.size; i++)
        made_add(half, (str){ to->text.chars + i, 1 }, to->from[i], to->to[i]);
    made_clear(to);
    TRY(!half->text.size || change(n, s, text_view(&half->text), to, e));
    for (size_t i = 0; i < to->text.size; i++) {
        uint32_t from = to->from[i], until = to->to[i];
        to->from[i] = made_from(half, from);
        to->to[i] = until > from ? half->to[until - 1] : to->from[i];
    }
    to->failed |= half->failed;
    return true;
}

static bool drop_accents(const normal_step *n, scratch *s, str in, made *to, err *e)
{
    (void)n, (void)s, (void)e;
    drop(in, to, is_accent);
    return true;
}

bool change_bert(const normal_step *n, scratch *s, str in, made *to, err *e)
{
    clean(n, in, to);
    if (n->accents)
        TRY(then(change_nfd, n, s, to, e) && then(drop_accents, n, s, to, e));
    return !n->lower || then(change_lower, n, s, to, e);
}
