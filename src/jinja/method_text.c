// Methods of text: cutting, splitting, finding, joining.
#include "base/util.h"
#include "base/utf8.h"
#include "jinja/cut.h"

#define UNUSED (void)self, (void)a, (void)raw

bool want_text(render *r, value v, const char *what)
{
    if (v.kind == V_UNDEFINED)
        return undefined_fail(r, v);
    return v.kind == V_TEXT || jinja_fail(r, "%s is a text, got a %s", what, value_type(v));
}

bool want_int(render *r, value v, const char *what, int64_t otherwise, int64_t *out)
{
    *out = otherwise;
    if (v.kind == V_UNDEFINED)
        return undefined_fail(r, v);
    return v.kind == V_MISSING || value_as_int(v, out) || jinja_fail(r, "%s is a whole number, got a %s", what, value_type(v));
}

static bool in_set(str set, uint32_t c)
{
    for (size_t at = 0; at < set.size;) {
        int length;
        if (utf8_read(set, at, &length) == c)
            return true;
        at += (size_t)length;
    }
    return false;
}

bool text_strip(render *r, value v, value chars, bool left, bool right, value *out)
{
    bool given = chars.kind != V_MISSING && chars.kind != V_NONE;
    TRY(!given || want_text(r, chars, "what is stripped"));
    str s = v.text->s;
    size_t begin = 0, end = s.size;
    int length;
    TRY(jinja_step(r, 1 + (int64_t)(given ? chars.text->s.size : 0) / 4));
    while (left && begin < end) {
        uint32_t c = utf8_read(s, begin, &length);
        if (!(given ? in_set(chars.text->s, c) : letter_is_space(c)))
            break;
        begin += (size_t)length;
    }
    while (right && end > begin) {
        size_t at = end - 1;
        while (at > begin && ((unsigned char)s.at[at] & 0xC0) == 0x80)
            at--;
        uint32_t c = utf8_read(s, at, &length);
        if (!(given ? in_set(chars.text->s, c) : letter_is_space(c)))
            break;
        end = at;
    }
    *out = text_part(r, v, begin, end);
    return true;
}

static bool run_strip(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    return text_strip(r, *self, a[0], true, true, out);
}

static bool run_lstrip(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    return text_strip(r, *self, a[0], true, false, out);
}

static bool run_rstrip(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    return text_strip(r, *self, a[0], false, true, out);
}

size_t str_find_last(str s, str part)
{
    if (part.size > s.size)
        return SIZE_MAX;
    for (size_t at = s.size - part.size + 1; at-- > 0;)
        if (!part.size || !memcmp(s.at + at, part.at, part.size))
            return at;
    return SIZE_MAX;
}

typedef struct pieces { value *items; int64_t count; } pieces;
static void add_piece(render *r, pieces *p, value v) { ARENA_PUSH(&r->arena, p->items, p->count, v); }

static void reverse(pieces *p)
{
    for (int64_t i = 0; i < p->count / 2; i++) {
        value v = p->items[i];
        p->items[i] = p->items[p->count - 1 - i];
        p->items[p->count - 1 - i] = v;
    }
}

static void split_spaces(render *r, value v, int64_t most, pieces *p)
{
    str s = v.text->s;
    for (size_t at = 0; at < s.size;) {
        int length;
        while (at < s.size && letter_is_space(utf8_read(s, at, &length)))
            at += (size_t)length;
        if (at >= s.size)
            break;
        size_t begin = at;
        if (most >= 0 && p->count >= most) {
            add_piece(r, p, text_part(r, v, begin, s.size));
            break;
        }
        while (at < s.size && !letter_is_space(utf8_read(s, at, &length)))
            at += (size_t)length;
        add_piece(r, p, text_part(r, v, begin, at));
    }
}

static bool rsplit_spaces(render *r, value v, int64_t most, pieces *p)
{
    str s = v.text->s;
    size_t end = s.size;
    while (end > 0) {
        value rest, word;
        TRY(text_strip(r, text_part(r, v, 0, end), (value){0}, false, true, &rest));
        end = rest.text->s.size;
        if (!end)
            break;
        if (most >= 0 && p->count >= most) {
            add_piece(r, p, rest);
            break;
        }
        size_t begin = end;
        while (begin > 0) {
            size_t at = begin - 1;
            int length;
            while (at > 0 && ((unsigned char)s.at[at] & 0xC0) == 0x80)
                at--;
            if (letter_is_space(utf8_read(s, at, &length)))
                break;
            begin = at;
        }
        word = text_part(r, v, begin, end);
        add_piece(r, p, word);
        end = begin;
    }
    reverse(p);
    return true;
}

static bool split_by(render *r, value v, str by, int64_t most, bool from_right, pieces *p)
{
    str s = v.text->s;
    if (from_right) {
        size_t end = s.size;
        for (size_t at; (most < 0 || p->count < most) && (at = str_find_last(str_slice(s, 0, end), by)) != SIZE_MAX; end = at) {
            add_piece(r, p, text_part(r, v, at + by.size, end));
            TRY(jinja_step(r, 1));
        }
        add_piece(r, p, text_part(r, v, 0, end));
        reverse(p);
        return true;
    }
    size_t begin = 0;
    for (size_t at; (most < 0 || p->count < most) && (at = str_find(s, by, begin)) < s.size; begin = at + by.size) {
        add_piece(r, p, text_part(r, v, begin, at));
        TRY(jinja_step(r, 1));
    }
    add_piece(r, p, text_part(r, v, begin, s.size));
    return true;
}

static bool split(render *r, value v, value by, value most, bool from_right, value *out)
{
    pieces p = {0};
    int64_t limit;
    TRY(want_int(r, most, "maxsplit", -1, &limit));
    TRY(jinja_step(r, 1 + (int64_t)v.text->s.size / 16));
    if (by.kind == V_MISSING || by.kind == V_NONE) {
        if (from_right)
            TRY(rsplit_spaces(r, v, limit, &p));
        else
            split_spaces(r, v, limit, &p);
    } else {
        TRY(want_text(r, by, "the separator"));
        if (!by.text->s.size)
            return jinja_fail(r, "split by an empty text");
        TRY(split_by(r, v, by.text->s, limit, from_right, &p));
    }
    *out = value_list(r, p.items, p.count, V_LIST);
    return true;
}

static bool run_split(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    return split(r, *self, a[0], a[1], false, out);
}

static bool run_rsplit(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    return split(r, *self, a[0], a[1], true, out);
}

static bool is_line_end(uint32_t c)
{
    return (c >= 10 && c <= 13) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

bool text_lines(render *r, value v, bool keep_ends, value *out)
{
    str s = v.text->s;
    pieces p = {0};
    size_t begin = 0;
    TRY(jinja_step(r, 1 + (int64_t)s.size / 16));
    for (size_t at = 0; at < s.size;) {
        int length;
        uint32_t c = utf8_read(s, at, &length);
        size_t next = at + (size_t)length;
        if (is_line_end(c)) {
            next += c == '\r' && next < s.size && s.at[next] == '\n';
            add_piece(r, &p, text_part(r, v, begin, keep_ends ? next : at));
            begin = next;
        }
        at = next;
    }
    if (begin < s.size)
        add_piece(r, &p, text_part(r, v, begin, s.size));
    *out = value_list(r, p.items, p.count, V_LIST);
    return true;
}

static bool run_splitlines(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    return text_lines(r, *self, value_truth(r, a[0]), out);
}

// The bytes between the characters start and end, as slices count them. False: start lies beyond the end.
static bool window(render *r, value v, value start, value end, size_t *from, size_t *to, bool *inside, bool *ok)
{
    int64_t count = text_chars(v), b, e;
    *ok = want_int(r, start.kind == V_NONE ? (value){0} : start, "start", 0, &b)
          && want_int(r, end.kind == V_NONE ? (value){0} : end, "end", count, &e);
    if (!*ok)
        return false;
    b = b < 0 ? MAX(b + count, 0) : b;
    e = e < 0 ? MAX(e + count, 0) : MIN(e, count);
    *inside = b <= e;
    *from = text_offset(v, MIN(b, count));
    *to = text_offset(v, e);
    return *inside;
}

static int64_t chars_before(value v, size_t at)
{
    int64_t n = 0;
    for (size_t i = 0; i < at; i++)
        n += ((unsigned char)v.text->s.at[i] & 0xC0) != 0x80;
    return n;
}

static bool find(render *r, value *self, value *a, bool last, int64_t *at)
{
    size_t from = 0, to = 0;
    bool inside = false, ok;
    TRY(want_text(r, a[0], "what is looked for"));
    *at = -1;
    if (!window(r, *self, a[1], a[2], &from, &to, &inside, &ok))
        return ok;
    TRY(jinja_step(r, 1 + (int64_t)(to - from) / 16));
    str s = str_slice(self->text->s, from, to), part = a[0].text->s;
    size_t found = last ? str_find_last(s, part) : part.size ? str_find(s, part, 0) : 0;
    if (found != SIZE_MAX && (found < s.size || !part.size))
        *at = chars_before(*self, from + found);
    return true;
}

static bool run_find(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)raw;
    int64_t at;
    TRY(find(r, self, a, false, &at));
    *out = value_int(at);
    return true;
}

static bool run_rfind(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)raw;
    int64_t at;
    TRY(find(r, self, a, true, &at));
    *out = value_int(at);
    return true;
}

static bool run_index(render *r, value *self, value *a, const call_args *raw, value *out)
{
    TRY(run_find(r, self, a, raw, out));
    return out->integer >= 0 || jinja_fail(r, "'%.*s' does not stand in the text", STR_ARG(a[0].text->s));
}

static bool run_rindex(render *r, value *self, value *a, const call_args *raw, value *out)
{
    TRY(run_rfind(r, self, a, raw, out));
    return out->integer >= 0 || jinja_fail(r, "'%.*s' does not stand in the text", STR_ARG(a[0].text->s));
}

static bool run_count(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)raw;
    size_t from = 0, to = 0;
    bool inside = false, ok;
    int64_t n = 0;
    TRY(want_text(r, a[0], "what is counted"));
    *out = value_int(0);
    if (!window(r, *self, a[1], a[2], &from, &to, &inside, &ok))
        return ok;
    TRY(jinja_step(r, 1 + (int64_t)(to - from) / 16));
    str s = str_slice(self->text->s, from, to), part = a[0].text->s;
    if (!part.size)
        n = chars_before(*self, to) - chars_before(*self, from) + 1;
    for (size_t at = part.size ? str_find(s, part, 0) : s.size; at < s.size; at = str_find(s, part, at + part.size))
        n++;
    *out = value_int(n);
    return true;
}

static bool affix(render *r, value *self, value *a, bool end, value *out)
{
    size_t from = 0, to = 0;
    bool inside = false, ok, yes = false;
    value *options = &a[0];
    int64_t count = 1;
    if (a[0].kind == V_TUPLE)
        TRY(value_items(r, a[0], &options, &count));
    for (int64_t i = 0; i < count; i++)
        TRY(want_text(r, options[i], end ? "what a text ends with" : "what a text begins with"));
    if (!window(r, *self, a[1], a[2], &from, &to, &inside, &ok) && !ok)
        return false;
    str s = inside ? str_slice(self->text->s, from, to) : (str){0};
    for (int64_t i = 0; i < count && inside; i++)
        yes = yes || (end ? str_ends(s, options[i].text->s) : str_begins(s, options[i].text->s));
    *out = value_bool(yes);
    return true;
}

static bool run_startswith(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)raw;
    return affix(r, self, a, false, out);
}

static bool run_endswith(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)raw;
    return affix(r, self, a, true, out);
}

static bool run_removeprefix(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)raw;
    TRY(want_text(r, a[0], "the prefix"));
    str s = self->text->s, part = a[0].text->s;
    *out = text_part(r, *self, str_begins(s, part) ? part.size : 0, s.size);
    return true;
}

static bool run_removesuffix(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)raw;
    TRY(want_text(r, a[0], "the suffix"));
    str s = self->text->s, part = a[0].text->s;
    *out = text_part(r, *self, 0, s.size - (str_ends(s, part) ? part.size : 0));
    return true;
}

static bool partition(render *r, value *self, value *a, bool last, value *out)
{
    TRY(want_text(r, a[0], "the separator"));
    str s = self->text->s, part = a[0].text->s;
    if (!part.size)
        return jinja_fail(r, "partition by an empty text");
    size_t at = last ? str_find_last(s, part) : str_find(s, part, 0);
    bool found = at < s.size;
    value *three = ARENA_ARRAY(&r->arena, value, 3);
    if (!found)
        at = last ? 0 : s.size;
    three[0] = text_part(r, *self, 0, at);
    three[1] = text_part(r, *self, at, found ? at + part.size : at);
    three[2] = text_part(r, *self, found ? at + part.size : at, s.size);
    for (int i = 0; i < 3; i++)
        three[i].safe = self->safe;
    *out = value_list(r, three, 3, V_TUPLE);
    return true;
}

static bool run_partition(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)raw;
    return partition(r, self, a, false, out);
}

static bool run_rpartition(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)raw;
    return partition(r, self, a, true, out);
}

bool text_replace(render *r, value v, value old, value by, int64_t most, value *out)
{
    sink s = { .r = r };
    str t = v.text->s, part = old.text->s;
    size_t at = 0;
    TRY(jinja_step(r, 1 + (int64_t)t.size / 16));
    for (int64_t n = 0; most < 0 || n < most; n++) {
        size_t found = part.size ? str_find(t, part, at) : n ? text_offset(text_part(r, v, at, t.size), 1) + at : 0;
        if (part.size ? found >= t.size : n && at >= t.size)
            break;
        TRY(sink_part(&s, v, at, found, 0));
        TRY(sink_value(&s, by, 0));
        TRY(jinja_step(r, 1));
        at = found + part.size;
    }
    TRY(sink_part(&s, v, at, t.size, 0));
    *out = sink_text(&s);
    out->safe = v.safe;
    return true;
}

static bool run_replace(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)raw;
    int64_t most;
    TRY(want_text(r, a[0], "what is replaced"));
    TRY(want_text(r, a[1], "the replacement"));
    TRY(want_int(r, a[2], "count", -1, &most));
    if (self->safe && !a[1].safe)
        TRY(call_row(r, "filter", filter_find(STR("escape")), &a[1], &(call_args){0}, &a[1]));
    return text_replace(r, *self, a[0], a[1], most, out);
}

bool text_join(render *r, value by, value list, value *out)
{
    value *items;
    int64_t count;
    TRY(value_items(r, list, &items, &count));
    sink s = { .r = r };
    for (int64_t i = 0; i < count; i++) {
        TRY(!i || sink_value(&s, by, 0));
        TRY(print_value(r, &s, items[i]));
    }
    *out = sink_text(&s);
    return true;
}

static bool run_join(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)raw;
    value *items;
    int64_t count;
    if (a[0].kind == V_ITERATOR)
        a[0] = value_list(r, a[0].iterator->items ? a[0].iterator->items + a[0].iterator->next : NULL,
                          a[0].iterator->count - a[0].iterator->next, V_LIST);
    TRY(value_items(r, a[0], &items, &count));
    if (self->safe) {                                       // Markup takes anything, escaped
        value *parts = ARENA_ARRAY(&r->arena, value, count);
        for (int64_t i = 0; i < count; i++)
            TRY(text_escape(r, items[i], &parts[i]));
        TRY(text_join(r, *self, value_list(r, parts, count, V_LIST), out));
        out->safe = true;
        return true;
    }
    for (int64_t i = 0; i < count; i++)
        if (items[i].kind != V_TEXT)
            return jinja_fail(r, "join: element %lld is a %s, not a text", (long long)i, value_type(items[i]));
    return text_join(r, *self, a[0], out);
}

const function_row methods_of_text[] = {
    { "strip", "/chars?", run_strip },
    { "lstrip", "/chars?", run_lstrip },
    { "rstrip", "/chars?", run_rstrip },
    { "split", "sep? maxsplit?", run_split },
    { "rsplit", "sep? maxsplit?", run_rsplit },
    { "splitlines", "keepends?", run_splitlines },
    { "find", "/sub start? end?", run_find },
    { "rfind", "/sub start? end?", run_rfind },
    { "index", "/sub start? end?", run_index },
    { "rindex", "/sub start? end?", run_rindex },
    { "count", "/sub start? end?", run_count },
    { "startswith", "/prefix start? end?", run_startswith },
    { "endswith", "/suffix start? end?", run_endswith },
    { "removeprefix", "/prefix", run_removeprefix },
    { "removesuffix", "/suffix", run_removesuffix },
    { "partition", "/sep", run_partition },
    { "rpartition", "/sep", run_rpartition },
    { "replace", "/old new count?", run_replace },
    { "join", "/iterable", run_join },
    { "maketrans", "/x y? z?", run_maketrans },
    { "translate", "/table", run_translate },
    { "format", "*", format_braces },
    { "format_map", "/mapping", format_map },
    { 0 },
};
