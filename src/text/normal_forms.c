// Unicode's other normal forms NFD, NFKD and NFKC: characters fall apart, marks are put in order, and, for NFKC, join again.
// A stretch at a time, so that every byte keeps the stretch it came from.
#include <stdlib.h>
#include <utf8proc.h>

#include "base/utf8.h"
#include "base/util.h"
#include "text/normalize.h"
#include "text/unicode.h"

typedef struct form {
    utf8proc_option_t options;
    uint32_t *chars;                // of one stretch
    size_t count, room;
    bool failed;
} form;

// Characters that came after Unicode 9, with which `tokenizers` normalizes, and fall apart today: to it they do not.
static bool is_whole(uint32_t c)
{
    static const char_range list[] = {
        { 0x32ff, 0x32ff }, { 0xa7f2, 0xa7f4 }, { 0xab69, 0xab69 }, { 0x10781, 0x107ba }, { 0x11938, 0x11938 }, { 0x1e030, 0x1e06d },
        { 0x1f16c, 0x1f16c }, { 0x1fbf0, 0x1fbf9 },
    };
    return char_in(list, COUNT(list), c);
}

static bool stands_alone(uint32_t c) { return is_whole(c) || normal_is_young(c); }

static void put(form *f, uint32_t c)
{
    utf8proc_int32_t parts[64];
    int boundary = 0, n = 1;
    parts[0] = (utf8proc_int32_t)c;
    if (!stands_alone(c))
        n = (int)utf8proc_decompose_char((utf8proc_int32_t)c, parts, (utf8proc_ssize_t)COUNT(parts), f->options, &boundary);
    if (f->count + COUNT(parts) > f->room) {
        size_t room = 2 * f->room + 4 * COUNT(parts);
        uint32_t *grown = realloc(f->chars, room * sizeof *grown);
        f->failed |= !grown;
        if (!grown)
            return;
        f->chars = grown;
        f->room = room;
    }
    for (int i = 0; i < n && i < (int)COUNT(parts); i++)
        f->chars[f->count++] = (uint32_t)parts[i];
}

static int rank_of(uint32_t c)
{
    return c < 0x300 || normal_is_young(c) ? 0 : (int)utf8proc_get_property((utf8proc_int32_t)c)->combining_class;
}

static int by_rank(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

// Marks by class, equal ones as they stood: sorted as class, place, character.
static bool sort_marks(uint32_t *marks, size_t count)
{
    uint64_t few[32], *keys = count <= COUNT(few) ? few : malloc(count * sizeof *keys);
    if (!keys)
        return false;
    for (size_t i = 0; i < count; i++)
        keys[i] = (uint64_t)rank_of(marks[i]) << 56 | (uint64_t)i << 24 | marks[i];
    qsort(keys, count, sizeof *keys, by_rank);
    for (size_t i = 0; i < count; i++)
        marks[i] = (uint32_t)keys[i] & 0xffffff;
    if (keys != few)
        free(keys);
    return true;
}

static void put_in_order(form *f)
{
    for (size_t i = 0, end; i < f->count; i = end) {
        end = i + 1;
        if (!rank_of(f->chars[i]))
            continue;
        while (end < f->count && rank_of(f->chars[end]))
            end++;
        f->failed |= !sort_marks(f->chars + i, end - i);
    }
}

// Can nothing before this character change because of it?
static bool begins_stretch(const form *f, uint32_t c)
{
    utf8proc_int32_t parts[64];
    int boundary = 0;
    if (c < 0x300 || stands_alone(c))
        return true;
    if (utf8proc_decompose_char((utf8proc_int32_t)c, parts, (utf8proc_ssize_t)COUNT(parts), f->options, &boundary) > 0)
        c = (uint32_t)parts[0];
    const utf8proc_property_t *p = utf8proc_get_property((utf8proc_int32_t)c);
    bool mark = p->category == UTF8PROC_CATEGORY_MC || p->category == UTF8PROC_CATEGORY_MN || p->category == UTF8PROC_CATEGORY_ME;
    return p->combining_class == 0 && !mark && !normal_is_jamo(c);
}

static void finish(form *f, str in, size_t begin, size_t end, made *to)
{
    text out = {0};
    put_in_order(f);
    if (f->options & UTF8PROC_COMPOSE && f->count && !stands_alone(f->chars[0]))
        f->count = (size_t)utf8proc_normalize_utf32((utf8proc_int32_t *)f->chars, (utf8proc_ssize_t)f->count, f->options);
    for (size_t i = 0; i < f->count; i++) {
        char four[4];
        text_bytes(&out, four, (size_t)utf8_write(f->chars[i], four));
    }
    if (str_equal(text_view(&out), str_slice(in, begin, end)))
        made_copy(to, text_view(&out), begin);
    else
        made_add(to, text_view(&out), begin, end);
    f->failed |= out.failed;
    f->count = 0;
    text_close(&out);
}

static bool change(utf8proc_option_t options, str in, made *to, err *e)
{
    form f = { .options = options | UTF8PROC_STABLE };
    int length;
    for (size_t at = 0, next; at < in.size && !f.failed; at = next) {
        uint32_t c = char_read(in.at + at, &length);
        bool alone = stands_alone(c);
        next = at + (size_t)length;
        if (c < 0x80 && (next == in.size || (uint8_t)in.at[next] < 0x80)) {
            made_copy(to, str_slice(in, at, next), at);
            continue;
        }
        put(&f, c);
        while (!alone && next < in.size && !begins_stretch(&f, c = char_read(in.at + next, &length))) {
            put(&f, c);
            next += (size_t)length;
        }
        if (!f.failed)
            finish(&f, in, at, next, to);
    }
    free(f.chars);
    return !f.failed || fail(e, ERR_MEMORY, "no memory to encode a text");
}

bool change_nfc(const normal_step *n, scratch *s, str in, made *to, err *e)
{
    (void)n, (void)s;
    return normal_make(NORMAL_NFC, in.at, 0, in.size, to) || fail(e, ERR_MEMORY, "no memory to encode a text");
}

bool change_nfd(const normal_step *n, scratch *s, str in, made *to, err *e)
{
    (void)n, (void)s;
    return change(UTF8PROC_DECOMPOSE, in, to, e);
}

bool change_nfkd(const normal_step *n, scratch *s, str in, made *to, err *e)
{
    (void)n, (void)s;
    return change(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, in, to, e);
}

bool change_nfkc(const normal_step *n, scratch *s, str in, made *to, err *e)
{
    (void)n, (void)s;
    return change(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE, in, to, e);
}
