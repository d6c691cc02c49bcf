// Reading a precompiled charsmap, and what tokenizers and SentencePiece do with it. Both walk the same double array, but
// SentencePiece takes the longest text at each place, `tokenizers` the shortest at each grapheme.
#include "text/charsmap.h"

#include <utf8proc.h>

#include "base/base64.h"
#include "base/util.h"
#include "text/normalize.h"
#include "text/trie.h"
#include "text/unicode.h"

static uint32_t little(const char *p)
{
    const uint8_t *b = (const uint8_t *)p;
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

bool charsmap_open(charsmap *m, arena *a, str blob, place at, err *e)
{
    uint32_t size = blob.size > 4 ? little(blob.at) : 0;
    if (blob.size <= 4 || size >= blob.size - 4 || size % 4 || size < 4)
        return fail_at(e, at, "precompiled_charsmap: %zu bytes, which do not hold the %u bytes of its index; is the file whole?",
                       blob.size, size);
    uint32_t *units = ARENA_ARRAY(a, uint32_t, size / 4);
    for (size_t i = 0; i < size / 4; i++)
        units[i] = little(blob.at + 4 + 4 * i);
    *m = (charsmap){ .units = units, .count = size / 4, .texts = str_from(blob, 4 + size), .blob = blob };
    return true;
}

bool charsmap_open_text(charsmap *m, arena *a, str base64, place at, err *e)
{
    str blob = {0};
    if (!base64_read(a, base64, &blob))
        return fail_at(e, at, "precompiled_charsmap: is not base64");
    return charsmap_open(m, a, blob, at, e);
}

static uint32_t offset_of(uint32_t unit) { return (unit >> 10) << ((unit & 1u << 9) >> 6); }

bool charsmap_find(const charsmap *m, const char *chars, size_t at, size_t end, bool longest, size_t *size, str *becomes)
{
    uint32_t here = m->count ? offset_of(m->units[0]) : 0;
    bool found = false;
    for (size_t i = at; i < end; i++) {
        uint8_t c = (uint8_t)chars[i];
        here ^= c;
        if (here >= m->count || (m->units[here] & (1u << 31 | 0xff)) != c)
            break;
        uint32_t unit = m->units[here];
        here ^= offset_of(unit);
        if (!(unit >> 8 & 1) || here >= m->count)
            continue;
        uint32_t value = m->units[here] & ~(1u << 31);
        if (value >= m->texts.size)
            continue;
        str rest = str_from(m->texts, value);
        const char *zero = memchr(rest.at, 0, rest.size);
        *becomes = (str){ rest.at, zero ? (size_t)(zero - rest.at) : rest.size };
        *size = i + 1 - at;
        found = true;
        if (!longest)
            break;
    }
    return found;
}

// What is dropped before the first character that stays counts as part of that: `tokenizers` takes the text for one that
// still begins at its beginning.
static void add_part(made *to, str becomes, size_t begin, size_t end)
{
    made_add(to, becomes, to->text.size ? begin : 0, end);
}

// Marks that came with Unicode 16 and 17, which `tokenizers` knows when it looks for graphemes, and utf8proc 2.8 does not: they
// belong to what is before them, as U+0301 does.
static uint32_t known_mark(uint32_t c)
{
    static const char_range list[] = {
        { 0x897, 0x897 }, { 0x1acf, 0x1add }, { 0x1ae0, 0x1aeb }, { 0x10d69, 0x10d6d }, { 0x10efa, 0x10efc }, { 0x113b8, 0x113c0 },
        { 0x113c2, 0x113c2 }, { 0x113c5, 0x113c5 }, { 0x113c7, 0x113ca }, { 0x113cc, 0x113d0 }, { 0x113d2, 0x113d2 },
        { 0x113e1, 0x113e2 }, { 0x11b60, 0x11b67 }, { 0x11f5a, 0x11f5a }, { 0x1611e, 0x1612f }, { 0x1e5ee, 0x1e5ef },
        { 0x1e6e3, 0x1e6e3 }, { 0x1e6e6, 0x1e6e6 }, { 0x1e6ee, 0x1e6ef }, { 0x1e6f5, 0x1e6f5 },
    };
    return char_in(list, COUNT(list), c) ? 0x301 : c;
}

// Where the grapheme that begins at `at` ends.
static size_t grapheme_end(str in, size_t at)
{
    utf8proc_int32_t state = 0;
    int length;
    uint32_t c = known_mark(char_read(in.at + at, &length));
    for (at += (size_t)length; at < in.size; at += (size_t)length) {
        uint32_t next = known_mark(char_read(in.at + at, &length));
        if (utf8proc_grapheme_break_stateful((utf8proc_int32_t)c, (utf8proc_int32_t)next, &state))
            break;
        c = next;
    }
    return at;
}

bool change_charsmap(const normal_step *n, scratch *s, str in, made *to, err *e)
{
    int length;
    size_t size;
    str becomes;
    (void)s, (void)e;
    for (size_t at = 0, end; at < in.size; at = end) {
        end = grapheme_end(in, at);
        if (end - at < 6 && charsmap_find(&n->map, in.at, at, end, false, &size, &becomes)) {
            add_part(to, becomes, at, end);
            continue;
        }
        for (size_t i = at; i < end; i += (size_t)length) {
            (void)char_read(in.at + i, &length);
            if (charsmap_find(&n->map, in.at, i, i + (size_t)length, false, &size, &becomes))
                add_part(to, becomes, i, i + (size_t)length);
            else if (!to->text.size)
                add_part(to, str_slice(in, i, i + (size_t)length), i, i + (size_t)length);
            else
                made_copy(to, str_slice(in, i, i + (size_t)length), i);
        }
    }
    return true;
}

// SentencePiece's normalizer. What becomes of the text at `at`, and how much of the text that is.
static str prefix(const normal_step *n, str in, size_t at, size_t *size)
{
    str becomes;
    int length;
    if (n->own && trie_longest(n->own, in.at, at, in.size, size) >= 0)
        return str_slice(in, at, at + *size);
    if (charsmap_find(&n->map, in.at, at, in.size, true, size, &becomes))
        return becomes;
    (void)char_read(in.at + at, &length);
    *size = (size_t)length;
    return str_slice(in, at, at + *size);
}

static const str wide_space = { "\xe2\x96\x81", 3 };

static void add_space(const normal_step *n, made *to, size_t begin, size_t end)
{
    made_add(to, n->escape ? wide_space : STR(" "), begin, end);
}

// What became of in[at, next). Unchanged text keeps the place of each byte.
static void add_changed(const normal_step *n, str in, str sp, size_t at, size_t next, made *to)
{
    bool same = sp.at >= in.at && sp.at < in.at + in.size;
    for (size_t i = 0; i < sp.size; i++) {
        size_t from = same ? (size_t)(sp.at + i - in.at) : at, until = same ? from + 1 : next;
        if (sp.at[i] == ' ')
            add_space(n, to, from, until);
        else
            made_add(to, (str){ sp.at + i, 1 }, from, until);
    }
}

static void drop_last(made *to, size_t size)
{
    to->text.size -= size;
    to->text.chars[to->text.size] = 0;
}

bool change_sentencepiece(const normal_step *n, scratch *s, str in, made *to, err *e)
{
    size_t at = 0, size = 0;
    bool after_space = n->extra;
    (void)s, (void)e;
    while (n->extra && at < in.size && str_is(prefix(n, in, at, &size), " "))
        at += size;
    if (at == in.size)
        return true;
    if (n->dummy && !n->suffix)
        add_space(n, to, at, at + 1);
    for (; at < in.size && !to->failed; at += size) {
        str sp = prefix(n, in, at, &size);
        while (after_space && str_begins(sp, STR(" ")))
            sp = str_from(sp, 1);
        add_changed(n, in, sp, at, at + size, to);
        if (sp.size)
            after_space = str_ends(sp, STR(" "));
        after_space &= n->extra;
    }
    str space = n->escape ? wide_space : STR(" ");
    while (n->extra && !to->failed && str_ends(text_view(&to->text), space))
        drop_last(to, space.size);
    if (n->dummy && n->suffix)
        add_space(n, to, in.size - 1, in.size);
    return true;
}
