// Filters that give text.
#include "base/util.h"
#include "base/utf8.h"
#include "jinja/cut.h"
#include "jinja/json.h"

#define UNUSED (void)self, (void)a, (void)raw

// Filters take anything and see its str().
static bool soft(render *r, value *self) { return value_to_text(r, *self, self); }

static bool run_trim(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    return soft(r, self) && text_strip(r, *self, a[0], true, true, out);
}

static bool run_upper(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    return soft(r, self) && text_change_case(r, *self, CASE_UPPER, out);
}

static bool run_lower(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    return soft(r, self) && text_change_case(r, *self, CASE_LOWER, out);
}

static bool run_capitalize(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    return soft(r, self) && text_change_case(r, *self, CASE_CAPITALIZE, out);
}

// Words begin at the start, after white space and after - ( { [ <.
static bool run_title(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    TRY(soft(r, self));
    sink s = { .r = r };
    str t = self->text->s;
    bool first = true;
    TRY(jinja_step(r, 1 + (int64_t)t.size / 8));
    for (size_t at = 0; at < t.size;) {
        int length;
        uint32_t c = utf8_read(t, at, &length);
        bool breaks = letter_is_space(c) || (c < 0x80 && strchr("-({[<", (int)c));
        TRY(sink_char_case(&s, t, at, length, first || breaks ? CASE_UPPER : CASE_LOWER, text_mark_at(*self, at)));
        first = breaks;
        at += (size_t)length;
    }
    *out = sink_text(&s);
    return true;
}

static bool run_replace(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    int64_t most;
    TRY(soft(r, self) && soft(r, &a[0]) && soft(r, &a[1]));
    TRY(want_int(r, a[2].kind == V_NONE ? (value){0} : a[2], "count", -1, &most));
    if (r->escape && (a[0].safe || (a[1].safe && !self->safe)))
        TRY(text_escape(r, *self, self));
    if (r->escape && self->safe)
        TRY(text_escape(r, a[1], &a[1]));
    TRY(text_replace(r, *self, a[0], a[1], most, out));
    out->safe = r->escape && self->safe;
    return true;
}

static bool run_string(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    return value_to_text(r, *self, out);
}

static bool run_safe(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    TRY(value_to_text(r, *self, out));
    out->safe = true;
    return true;
}

static bool escape(render *r, value *self, value *out)
{
    static const struct { char c; const char *to; } table[] = {
        { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&#34;" }, { '\'', "&#39;" },
    };
    TRY(soft(r, self));
    sink s = { .r = r };
    str t = self->text->s;
    TRY(jinja_step(r, 1 + (int64_t)t.size / 16));
    for (size_t at = 0; at < t.size; at++) {
        const char *to = NULL;
        for (size_t i = 0; i < COUNT(table); i++)
            to = table[i].c == t.at[at] ? table[i].to : to;
        TRY(to ? sink_bytes(&s, to, strlen(to), text_mark_at(*self, at)) : sink_part(&s, *self, at, at + 1, 0));
    }
    *out = sink_text(&s);
    out->safe = true;
    return true;
}

bool text_escape(render *r, value v, value *out)
{
    if (v.kind != V_TEXT || !v.safe)
        return escape(r, &v, out);
    *out = v;
    return true;
}

static bool run_escape(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    return text_escape(r, *self, out);
}

static bool run_forceescape(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    return escape(r, self, out);
}

static bool run_center(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    int64_t width;
    return soft(r, self) && want_int(r, a[0], "the width", 80, &width) && text_fill(r, *self, width, STR(" "), 2, out);
}

// Lines after the first begin with `width` blanks (or a text); blank ones only when asked.
static bool run_indent(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    int64_t width = 4, count;
    value by, lines, *items;
    TRY(want_text(r, *self, "what is indented"));
    if (a[0].kind == V_TEXT) {
        by = a[0];
    } else {
        TRY(want_int(r, a[0], "the width of an indent", 4, &width));
        TRY(text_fill(r, text_value(r, STR(""), 0), width, STR(" "), 0, &by));
    }
    bool first = value_truth(r, a[1]), blank = value_truth(r, a[2]);
    sink s = { .r = r };
    TRY(text_lines(r, *self, false, &lines));
    TRY(value_items(r, lines, &items, &count));
    str t = self->text->s;                                  // jinja2 adds a newline and splits: a last empty line stays
    bool ends = !t.size || t.at[t.size - 1] == '\n' || t.at[t.size - 1] == '\r';
    for (int64_t i = 0; i < count + ends; i++) {
        bool empty = i == count || !items[i].text->s.size;
        TRY(!i || sink_bytes(&s, "\n", 1, 0));
        if (i ? blank || !empty : first)
            TRY(sink_value(&s, by, 0));
        TRY(i == count || sink_value(&s, items[i], 0));
    }
    *out = sink_text(&s);
    out->safe = self->safe;
    return true;
}

static bool run_truncate(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    int64_t length, leeway;
    value end = a[2].kind == V_MISSING ? text_value(r, STR("..."), 0) : a[2];
    int64_t size, end_size;
    TRY(value_length(r, *self, &size) && value_length(r, end, &end_size));
    TRY(want_int(r, a[0], "length", 255, &length) && want_int(r, a[3].kind == V_NONE ? (value){0} : a[3], "leeway", 5, &leeway));
    if (length < end_size || leeway < 0)
        return jinja_fail(r, "truncate: the length is at least %lld, that of the end, the leeway at least 0", (long long)end_size);
    *out = *self;
    if (size <= length + leeway)
        return true;
    TRY(want_text(r, *self, "what is truncated") && want_text(r, end, "the end of what is truncated"));
    size_t cut = text_offset(*self, length - end_size);
    if (!value_truth(r, a[1])) {
        size_t space = str_find_last(str_slice(self->text->s, 0, cut), STR(" "));
        cut = space == SIZE_MAX ? cut : space;
    }
    sink s = { .r = r };
    TRY(sink_part(&s, *self, 0, cut, 0));
    TRY(sink_value(&s, end, 0));
    *out = sink_text(&s);
    return true;
}

static bool run_wordcount(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    TRY(soft(r, self));
    int64_t n = 0;
    bool inside = false;
    for (size_t at = 0; at < self->text->s.size;) {
        int length;
        uint32_t c = utf8_read(self->text->s, at, &length);
        bool word = c == '_' || letter_is_alpha(c) || letter_is_numeric(c);
        n += word && !inside;
        inside = word;
        at += (size_t)length;
    }
    *out = value_int(n);
    return true;
}

static bool quote(sink *s, value v, bool for_query)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t at = 0; at < v.text->s.size; at++) {
        unsigned char c = (unsigned char)v.text->s.at[at];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_.-~", c))
                     || (c == '/' && !for_query);
        char code[3] = { '%', hex[c >> 4], hex[c & 15] };
        const char *bytes = plain ? (const char *)&v.text->s.at[at] : c == ' ' && for_query ? "+" : code;
        TRY(sink_bytes(s, bytes, bytes == code ? 3 : 1, text_mark_at(v, at)));
    }
    return true;
}

static bool run_urlencode(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    sink s = { .r = r };
    if (self->kind == V_TEXT || !value_iterable(*self)) {
        TRY(soft(r, self) && quote(&s, *self, false));
        *out = sink_text(&s);
        return true;
    }
    value *items, *pair, word;
    int64_t count, two;
    if (self->kind == V_DICT)
        TRY(call_row(r, "method", &methods_of_dict[2], self, &(call_args){0}, self));
    TRY(value_items(r, *self, &items, &count));
    for (int64_t i = 0; i < count; i++) {
        TRY(value_items(r, items[i], &pair, &two));
        if (two != 2)
            return jinja_fail(r, "urlencode takes a text, a dict or pairs");
        TRY(!i || sink_bytes(&s, "&", 1, 0));
        TRY(value_to_text(r, pair[0], &word) && quote(&s, word, true));
        TRY(sink_bytes(&s, "=", 1, 0));
        TRY(value_to_text(r, pair[1], &word) && quote(&s, word, true));
    }
    *out = sink_text(&s);
    return true;
}

// Inside {% autoescape %}: if one of the texts is Markup, the others are escaped.
static bool join_markup(render *r, value by, value list, value *out)
{
    value *items, *parts;
    int64_t count;
    TRY(value_items(r, list, &items, &count));
    bool markup = by.safe;
    for (int64_t i = 0; i < count; i++)
        markup = markup || (items[i].kind == V_TEXT && items[i].safe);
    parts = ARENA_ARRAY(&r->arena, value, count);
    for (int64_t i = 0; i < count; i++)
        TRY(markup ? text_escape(r, items[i], &parts[i]) : value_to_text(r, items[i], &parts[i]));
    if (markup)
        TRY(text_escape(r, by, &by));
    TRY(text_join(r, by, value_list(r, parts, count, V_LIST), out));
    out->safe = markup;
    return true;
}

static bool run_join(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    value by = text_value(r, STR(""), 0), list = *self;
    if (a[0].kind != V_MISSING)
        TRY(value_to_text(r, a[0], &by));
    if (a[1].kind != V_MISSING && a[1].kind != V_NONE) {
        value *items;
        int64_t count;
        TRY(value_items(r, *self, &items, &count));
        value *parts = ARENA_ARRAY(&r->arena, value, count);
        for (int64_t i = 0; i < count; i++)
            TRY(attribute_path(r, items[i], a[1], &parts[i]));
        list = value_list(r, parts, count, V_LIST);
    }
    if (r->escape)
        return join_markup(r, by, list, out);
    TRY(text_join(r, by, list, out));
    out->safe = false;
    return true;
}

static bool run_format(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)a;
    TRY(soft(r, self));
    if (raw->count && raw->named_count)
        return jinja_fail(r, "format takes values by position or by name, not both");
    value args = value_list(r, raw->list, raw->count, V_TUPLE);
    if (raw->named_count) {
        args = value_dict(r);
        for (int i = 0; i < raw->named_count; i++)
            dict_put_name(r, args.dict, raw->named[i].name, raw->named[i].v);
    }
    return format_percent(r, *self, args, out);
}

static bool separators(render *r, value v, json_format *f)
{
    value *two;
    int64_t count;
    if (v.kind == V_MISSING || v.kind == V_NONE)
        return true;
    TRY(value_items(r, v, &two, &count));
    if (count != 2 || two[0].kind != V_TEXT || two[1].kind != V_TEXT)
        return jinja_fail(r, "tojson: separators are two texts");
    f->between = two[0];
    f->after_key = two[1];
    return true;
}

static bool run_tojson(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    json_format f = { .ascii = value_truth(r, a[0]), .sort_keys = value_truth(r, a[3]), .indent = value_none };
    int64_t width = 0;
    if (a[1].kind == V_TEXT)
        f.indent = a[1];
    else if (a[1].kind != V_MISSING && a[1].kind != V_NONE) {
        TRY(want_int(r, a[1], "tojson: indent", 0, &width));
        TRY(text_fill(r, text_value(r, STR(""), 0), width, STR(" "), 0, &f.indent));
    }
    f.between = text_value(r, f.indent.kind == V_NONE ? STR(", ") : STR(","), 0);
    f.after_key = text_value(r, STR(": "), 0);
    TRY(separators(r, a[2], &f));
    sink s = { .r = r };
    TRY(print_json(r, &s, *self, &f, 0));
    *out = sink_text(&s);
    return true;
}

const function_row filters_of_text[] = {
    { "trim", "chars?", run_trim },
    { "upper", "/", run_upper },
    { "lower", "/", run_lower },
    { "capitalize", "/", run_capitalize },
    { "title", "/", run_title },
    { "replace", "old new count?", run_replace },
    { "string", "/", run_string },
    { "safe", "/", run_safe },
    { "e", "/", run_escape },
    { "escape", "/", run_escape },
    { "forceescape", "/", run_forceescape },
    { "center", "width?", run_center },
    { "indent", "width? first? blank?", run_indent },
    { "truncate", "length? killwords? end? leeway?", run_truncate },
    { "wordcount", "/", run_wordcount },
    { "urlencode", "/", run_urlencode },
    { "join", "d? attribute?", run_join },
    { "format", "*", run_format },
    { "tojson", "ensure_ascii? indent? separators? sort_keys?", run_tojson },
    { 0 },
};
