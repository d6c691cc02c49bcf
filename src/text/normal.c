// NFC through utf8proc, a stretch at a time, so that every byte keeps the stretch it came from.
#include "text/normal.h"

#include <stdlib.h>
#include <utf8proc.h>

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

// Does a new stretch begin at this character: can nothing before it change because of it? Second characters of
// canonical compositions are marks, and vowels and finals of Hangul.
static bool begins_stretch(uint32_t c)
{
    if (c < 0x300)
        return true;
    const utf8proc_property_t *p = utf8proc_get_property((utf8proc_int32_t)c);
    bool mark = p->category == UTF8PROC_CATEGORY_MC || p->category == UTF8PROC_CATEGORY_MN || p->category == UTF8PROC_CATEGORY_ME;
    return p->combining_class == 0 && !mark && !(c >= 0x1160 && c <= 0x11ff);
}

static bool stays(uint32_t c)
{
    return c < 0x300 || utf8proc_get_property((utf8proc_int32_t)c)->decomp_seqindex == UINT16_MAX;
}

static bool normal_stretch(const char *chars, size_t begin, size_t end, made *to)
{
    str s = str_slice((str){ chars, end }, begin, end);
    utf8proc_uint8_t *made_text = NULL;
    utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)s.at, (utf8proc_ssize_t)s.size, &made_text,
                                      UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    if (n < 0)
        return false;
    str normal = { (const char *)made_text, (size_t)n };
    if (str_equal(normal, s))
        made_copy(to, s, begin);
    else
        made_add(to, normal, begin, end);
    free(made_text);
    return !to->failed;
}

bool normal_make(normalizer n, const char *chars, size_t begin, size_t end, made *to)
{
    made_clear(to);
    (void)n;
    size_t plain = begin;                               // chars[plain, at) goes over as it is
    int length;
    for (size_t at = begin, next; at < end; at = next) {
        uint32_t c = char_read(chars + at, &length);
        bool changes = !stays(c) || (at == begin && !begins_stretch(c));
        next = at + (size_t)length;
        while (next < end && !begins_stretch(char_read(chars + next, &length))) {
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
