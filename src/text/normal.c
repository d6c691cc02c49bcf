// NFC through utf8proc, a stretch at a time, so that every byte keeps the stretch it came from.
#include "text/normal.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "base/utf8.h"
#include "base/util.h"
#include "text/unicode.h"

static bool open_sequence(normalizer *n, const node *json, const char *file, err *e)
{
    const node *list = NULL;
    TRY(node_want(json, file, "normalizers", NODE_LIST, &list, e));
    for (int64_t i = 0; i < list->list.count; i++)
        TRY(normalizer_open(n, &list->list.items[i], file, e));     // NFC after NFC is NFC
    return true;
}

bool normalizer_open(normalizer *n, const node *json, const char *file, err *e)
{
    str type = {0};
    if (!json || json->kind == NODE_NULL)
        return true;
    TRY(node_want_text(json, file, "type", &type, e));
    if (str_is(type, "Sequence"))
        return open_sequence(n, json, file, e);
    if (str_is(type, "NFC")) {
        *n = NORMAL_NFC;
        return true;
    }
    (void)fail_at(e, node_place(json, file), "normalizer of type '%.*s' is not supported", STR_ARG(type));
    e->code = ERR_UNSUPPORTED;
    return false;
}

bool normal_already(normalizer n, str s)
{
    if (n == NORMAL_NONE)
        return true;
    for (size_t i = 0; i < s.size; i++)
        if ((uint8_t)s.at[i] >= 0xcc)                   // all below U+0300 are starters that stay as they are
            return false;
    return true;
}

// Marks that came after Unicode 9, with which `tokenizers` normalizes: to it they are letters that nothing moves.
static const char_range young[] = {
    { 0x7fd, 0x7fd }, { 0x898, 0x89f }, { 0x8ca, 0x8d3 }, { 0x9fe, 0x9fe }, { 0xc3c, 0xc3c }, { 0xd3b, 0xd3c },
    { 0xeba, 0xeba }, { 0x1715, 0x1715 }, { 0x1abf, 0x1ace }, { 0x1df6, 0x1dfa }, { 0xa82c, 0xa82c }, { 0x10d24, 0x10d27 },
    { 0x10eab, 0x10eac }, { 0x10efd, 0x10eff }, { 0x10f46, 0x10f50 }, { 0x10f82, 0x10f85 }, { 0x11070, 0x11070 },
    { 0x1133b, 0x1133b }, { 0x1145e, 0x1145e }, { 0x11839, 0x1183a }, { 0x11930, 0x11930 }, { 0x1193d, 0x1193e },
    { 0x11943, 0x11943 }, { 0x119e0, 0x119e0 }, { 0x11a34, 0x11a34 }, { 0x11a47, 0x11a47 }, { 0x11a99, 0x11a99 },
    { 0x11d42, 0x11d42 }, { 0x11d44, 0x11d45 }, { 0x11d97, 0x11d97 }, { 0x11f41, 0x11f42 }, { 0x16ff0, 0x16ff1 },
    { 0x1e08f, 0x1e08f }, { 0x1e130, 0x1e136 }, { 0x1e2ae, 0x1e2ae }, { 0x1e2ec, 0x1e2ef }, { 0x1e4ec, 0x1e4ef },
};

bool normal_is_young(uint32_t c) { return char_in(young, COUNT(young), c); }

// Does a new stretch begin at this character: can nothing before it change because of it? Second characters of
// canonical compositions are marks, and vowels and finals of Hangul.
static bool begins_stretch(uint32_t c)
{
    if (c < 0x300)
        return true;
    const utf8proc_property_t *p = utf8proc_get_property((utf8proc_int32_t)c);
    bool mark = p->category == UTF8PROC_CATEGORY_MC || p->category == UTF8PROC_CATEGORY_MN || p->category == UTF8PROC_CATEGORY_ME;
    return (p->combining_class == 0 && !mark && !normal_is_jamo(c)) || normal_is_young(c);
}

static bool stays(uint32_t c)
{
    return c < 0x300 || utf8proc_get_property((utf8proc_int32_t)c)->decomp_seqindex == UINT16_MAX;
}

static bool normal_text(str s, size_t begin, size_t end, str original, made *to)
{
    utf8proc_uint8_t *made_text = NULL;
    utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)s.at, (utf8proc_ssize_t)s.size, &made_text,
                                      UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    if (n < 0)
        return false;
    str normal = { (const char *)made_text, (size_t)n };
    if (str_equal(normal, original))
        made_copy(to, normal, begin);
    else
        made_add(to, normal, begin, end);
    free(made_text);
    return !to->failed;
}

static uint8_t rank_of_mark(uint32_t c) { return (uint8_t)utf8proc_get_property((utf8proc_int32_t)c)->combining_class; }

// Appends a run of marks in canonical order: by class, equal ones as they stood.
static void add_sorted(text *out, const uint32_t *marks, size_t count)
{
    size_t first[257] = {0};
    for (size_t i = 0; i < count; i++)
        first[rank_of_mark(marks[i]) + 1]++;
    for (int k = 1; k < 257; k++) {
        if (!first[k])
            continue;
        for (size_t i = 0; i < count; i++) {
            char four[4];
            if (rank_of_mark(marks[i]) == k - 1)
                text_bytes(out, four, (size_t)utf8_write(marks[i], four));
        }
    }
}

// utf8proc sorts marks by exchanging neighbours, which takes for ever over long runs: they are put in order first.
// Three Tibetan vowels are two marks each.
static bool sort_marks(str s, text *out)
{
    uint32_t *marks = malloc((2 * s.size + 2) * sizeof *marks);
    size_t count = 0;
    int length;
    for (size_t at = 0; marks && at < s.size; at += (size_t)length) {
        uint32_t c = char_read(s.at + at, &length);
        if (c == 0xf73 || c == 0xf75 || c == 0xf81) {
            marks[count++] = 0xf71;
            marks[count++] = c == 0xf73 ? 0xf72 : c == 0xf75 ? 0xf74 : 0xf80;
            continue;
        }
        if (rank_of_mark(c)) {
            marks[count++] = c;
            continue;
        }
        add_sorted(out, marks, count);
        count = 0;
        text_bytes(out, s.at + at, (size_t)length);
    }
    if (marks)
        add_sorted(out, marks, count);
    free(marks);
    return marks && !out->failed;
}

static bool normal_stretch(const char *chars, size_t begin, size_t end, made *to)
{
    str s = str_slice((str){ chars, end }, begin, end);
    if (s.size <= 256)
        return normal_text(s, begin, end, s, to);
    text sorted = {0};
    bool ok = sort_marks(s, &sorted) && normal_text(text_view(&sorted), begin, end, s, to);
    text_close(&sorted);
    return ok;
}

bool normal_make(normalizer n, const char *chars, size_t begin, size_t end, made *to)
{
    made_clear(to);
    (void)n;
    size_t plain = begin;                               // chars[plain, at) goes over as it is
    int length;
    for (size_t at = begin, next; at < end; at = next) {
        uint32_t c = char_read(chars + at, &length);
        bool alone = normal_is_young(c), changes = !alone && (!stays(c) || !begins_stretch(c));
        next = at + (size_t)length;
        while (!alone && next < end && !begins_stretch(char_read(chars + next, &length))) {
            next += (size_t)length;
            changes = true;
        }
        if (!changes)
            continue;
        made_copy(to, str_slice((str){ chars, end }, plain, at), plain);
        if (!normal_stretch(chars, at, next, to))
            return false;
        plain = next;
    }
    made_copy(to, str_slice((str){ chars, end }, plain, end), plain);
    return !to->failed;
}
