// Filters for HTML: xmlattr, striptags, urlize.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

#include "base/util.h"
#include "base/utf8.h"
#include "jinja/cut.h"
#include "jinja/entity_table.h"

#define UNUSED (void)self, (void)a, (void)raw

static bool put(sink *s, const char *word) { return sink_bytes(s, word, strlen(word), 0); }

// ---- xmlattr ----

static bool put_attribute(render *r, sink *s, const jpair *p)
{
    value key, v;
    if (p->key.kind != V_TEXT)
        return jinja_fail(r, "xmlattr: names of attributes are text, got a %s", value_type(p->key));
    str name = p->key.text->s;
    for (size_t i = 0; i < name.size; i++)
        if (strchr(" \t\n\r\f\v/>=", name.at[i]))           // a zero byte is one, too, but no text has it here
            return jinja_fail(r, "xmlattr: '%.*s' cannot be the name of an attribute", STR_ARG(name));
    TRY(text_escape(r, p->key, &key) && text_escape(r, p->value, &v));
    return sink_value(s, key, 0) && put(s, "=\"") && sink_value(s, v, 0) && put(s, "\"");
}

static bool run_xmlattr(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    sink s = { .r = r };
    bool space = a[0].kind == V_MISSING || value_truth(r, a[0]);
    if (self->kind != V_DICT)
        return self->kind == V_UNDEFINED ? undefined_fail(r, *self) : jinja_fail(r, "xmlattr takes a dict, got a %s", value_type(*self));
    dict_fill(r, self->dict);
    for (int64_t i = 0; i < self->dict->count; i++) {
        const jpair *p = &self->dict->pairs[i];
        if (p->value.kind == V_NONE || p->value.kind == V_UNDEFINED)
            continue;
        TRY(!space || put(&s, " "));
        TRY(put_attribute(r, &s, p));
        space = true;
    }
    *out = sink_text(&s);
    out->safe = r->escape;
    return true;
}

// ---- striptags ----

static const struct entity *find_entity(str name)
{
    size_t low = 0, high = COUNT(entities);
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_compare(str_of(entities[middle].name), name);
        if (!order)
            return &entities[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

// What a number stands for: 0 for nothing. Those of the controls of Windows-1252 are read as that code page has them.
static uint32_t numbered(uint64_t n)
{
    static const uint16_t windows[32] = {
        0x20AC, 0x81, 0x201A, 0x192, 0x201E, 0x2026, 0x2020, 0x2021, 0x2C6, 0x2030, 0x160, 0x2039, 0x152, 0x8D, 0x17D, 0x8F,
        0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x2DC, 0x2122, 0x161, 0x203A, 0x153, 0x9D, 0x17E, 0x178,
    };
    if (n >= 0x80 && n <= 0x9F)
        return windows[n - 0x80];
    if (!n || (n >= 0xD800 && n <= 0xDFFF) || n > 0x10FFFF)
        return 0xFFFD;
    const bool nothing = (n < 0x20 && n != '\t' && n != '\n' && n != '\f' && n != '\r') || n == 0x7F || (n >= 0xFDD0 && n <= 0xFDEF)
                         || (n & 0xFFFE) == 0xFFFE;
    return nothing ? 0 : (uint32_t)n;
}

// "#10;", "#x1F;" from the '#': its size, or 0.
static size_t read_number(str s, uint64_t *n)
{
    const bool hex = s.size > 1 && (s.at[1] | 32) == 'x';
    size_t at = hex ? 2 : 1;
    const size_t first = at;
    for (*n = 0; at < s.size; at++) {
        const char c = s.at[at];
        const int digit = c >= '0' && c <= '9' ? c - '0' : hex && (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
        if (digit < 0)
            break;
        *n = MIN(*n * (hex ? 16 : 10) + (uint64_t)digit, (uint64_t)1 << 40);
    }
    return at == first ? 0 : at + (at < s.size && s.at[at] == ';');
}

// A reference behind '&': its size, or 0 where none stands; `to`: its characters.
static size_t reference(str s, uint32_t to[2])
{
    size_t end = 0;
    uint64_t n;
    to[0] = to[1] = 0;
    if (s.size && s.at[0] == '#') {
        end = read_number(s, &n);
        to[0] = end ? numbered(n) : 0;
        return end;
    }
    for (int chars = 0, length; end < s.size && chars < 32 && !strchr("\t\n\f <&#;", s.at[end]); chars++, end += (size_t)length)
        utf8_read(s, end, &length);
    const struct entity *found = end < s.size && s.at[end] == ';' ? find_entity(str_slice(s, 0, end)) : NULL;
    if (found) {
        end++;
    } else {                                                // the longest beginning that needs no semicolon
        for (; end >= 2; end--)
            if ((found = find_entity(str_slice(s, 0, end))) && found->bare)
                break;
        if (end < 2)
            return 0;
    }
    memcpy(to, found->to, sizeof found->to);
    return end;
}

static bool unescape(render *r, value v, value *out)
{
    sink s = { .r = r };
    str t = v.text->s;
    for (size_t at = 0; at < t.size;) {
        size_t end = str_find(t, STR("&"), at);
        uint32_t to[2];
        TRY(jinja_step(r, 1));
        TRY(sink_part(&s, v, at, end, 0));
        if (end >= t.size)
            break;
        size_t size = reference(str_from(t, end + 1), to);
        for (int i = 0; i < 2 && size && to[i]; i++) {
            char bytes[4];
            TRY(sink_bytes(&s, bytes, (size_t)utf8_write(to[i], bytes), text_mark_at(v, end)));
        }
        TRY(size || sink_part(&s, v, end, end + 1, 0));
        at = end + 1 + size;
    }
    *out = sink_text(&s);
    return true;
}

static bool without_tags(render *r, value v, value *out)
{
    sink s = { .r = r };
    str t = v.text->s;
    size_t at = 0;
    for (size_t begin; (begin = str_find(t, STR("<"), at)) < t.size;) {
        const bool comment = str_begins(str_from(t, begin), STR("<!--"));
        const size_t end = comment ? str_find(t, STR("-->"), begin + 4) : str_find(t, STR(">"), begin);
        if (end >= t.size)
            break;
        TRY(jinja_step(r, 1));
        TRY(sink_part(&s, v, at, begin, 0));
        at = end + (comment ? 3 : 1);
    }
    TRY(sink_part(&s, v, at, t.size, 0));
    *out = sink_text(&s);
    return true;
}

// Goes from `at` over white space, or over what is none. True: white space.
static bool run_of_space(str t, size_t *at)
{
    int length;
    const bool space = letter_is_space(utf8_read(t, *at, &length));
    while (*at < t.size && letter_is_space(utf8_read(t, *at, &length)) == space)
        *at += (size_t)length;
    return space;
}

// Words with one space between them, each space from where the white space was.
static bool with_single_spaces(render *r, value v, value *out)
{
    sink s = { .r = r };
    str t = v.text->s;
    for (size_t at = 0, begin = 0; at < t.size; begin = at) {
        const bool space = run_of_space(t, &at);
        TRY(jinja_step(r, 1));
        if (!space)
            TRY(sink_part(&s, v, begin, at, 0));
        else if (begin && at < t.size)
            TRY(sink_bytes(&s, " ", 1, text_mark_at(v, begin)));
    }
    *out = sink_text(&s);
    return true;
}

static bool run_striptags(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    value v;
    return value_to_text(r, *self, &v) && without_tags(r, v, &v) && with_single_spaces(r, v, &v) && unescape(r, v, out);
}

// ---- urlize ----

typedef struct links {
    render *r;
    pcre2_code *http, *mail;
    pcre2_match_data *match;
    value limit, rel, target, *schemes;
    int64_t scheme_count;
} links;

static const char http_pattern[] =
    "^(?:(?:https?://|www\\.)(?:(?:[\\w%-]+\\.)+)?(?:[a-z]{2,63}|xn--[\\w%]{2,59})"
    "|(?:[\\w%-]{2,63}\\.)+(?:com|net|int|edu|gov|org|info|mil)"
    "|https?://(?:\\d{1,3}(?:\\.\\d{1,3}){3}|\\[(?:[\\da-f]{0,4}:){2}(?:[\\da-f]{0,4}:?){1,6}\\]))"
    "(?::\\d{1,5})?(?:[/?#]\\S*)?$";
static const char mail_pattern[] = "^\\S+@\\w[\\w.-]*\\.\\w+$";

static pcre2_code *compile(const char *pattern, uint32_t options)
{
    int code;
    PCRE2_SIZE at;
    return pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP | options, &code, &at, NULL);
}

static bool matches(links *l, const pcre2_code *c, str s, bool *yes)
{
    TRY(jinja_step(l->r, 1 + (int64_t)s.size));
    const int found = pcre2_match(c, (PCRE2_SPTR)s.at, s.size, 0, PCRE2_NO_UTF_CHECK, l->match, NULL);
    *yes = found >= 0;
    return *yes || found == PCRE2_ERROR_NOMATCH || jinja_fail(l->r, "urlize: a word of %zu bytes is too hard", s.size);
}

static bool put_link(links *l, sink *s, value word, size_t begin, size_t end, const char *scheme, value label, bool attributes)
{
    TRY(put(s, "<a href=\"") && put(s, scheme) && sink_part(s, word, begin, end, 0) && put(s, "\""));
    if (attributes && l->rel.text->s.size)
        TRY(put(s, " rel=\"") && sink_value(s, l->rel, 0) && put(s, "\""));
    if (attributes && l->target.text->s.size)
        TRY(put(s, " target=\"") && sink_value(s, l->target, 0) && put(s, "\""));
    return put(s, ">") && sink_value(s, label, 0) && put(s, "</a>");
}

static bool trimmed(links *l, value v, value *out)
{
    int64_t most;
    *out = v;
    if (l->limit.kind == V_MISSING || l->limit.kind == V_NONE)
        return true;
    TRY(want_int(l->r, l->limit, "trim_url_limit", 0, &most));
    if (text_chars(v) <= most)
        return true;
    sink s = { .r = l->r };
    TRY(value_slice(l->r, v, (value){0}, l->limit, (value){0}, &v));
    TRY(sink_value(&s, v, 0) && put(&s, "..."));
    *out = sink_text(&s);
    return true;
}

static bool put_middle(links *l, sink *s, value word, size_t begin, size_t end)
{
    str m = str_slice(word.text->s, begin, end);
    const bool mailto = str_begins(m, STR("mailto:")), at_sign = memchr(m.at, '@', m.size) != NULL;
    value label = text_part(l->r, word, begin, end);
    bool yes;
    TRY(matches(l, l->http, m, &yes));
    if (yes) {
        const bool whole = str_begins(m, STR("https://")) || str_begins(m, STR("http://"));
        return trimmed(l, label, &label) && put_link(l, s, word, begin, end, whole ? "" : "https://", label, true);
    }
    if (mailto) {
        TRY(matches(l, l->mail, str_from(m, 7), &yes));
        if (yes)
            return put_link(l, s, word, begin, end, "", text_part(l->r, word, begin + 7, end), false);
    }
    if (at_sign && !str_begins(m, STR("www.")) && m.at[0] != '@' && !memchr(m.at, ':', m.size)) {
        TRY(matches(l, l->mail, m, &yes));
        if (yes)
            return put_link(l, s, word, begin, end, "mailto:", label, false);
    }
    for (int64_t i = 0; i < l->scheme_count; i++) {
        str scheme = l->schemes[i].text->s;
        if (m.size > scheme.size && str_begins(m, scheme))
            return put_link(l, s, word, begin, end, "", label, true);
    }
    return sink_part(s, word, begin, end, 0);
}

static int count_of(str s, str part)
{
    int n = 0;
    for (size_t at = 0; (at = str_find(s, part, at)) < s.size; at += part.size)
        n++;
    return n;
}

static size_t ends_with(str s, const char *const *endings)
{
    for (; *endings; endings++)
        if (str_ends(s, str_of(*endings)))
            return strlen(*endings);
    return 0;
}

// Brackets before the address and stops behind it are left outside, unless brackets inside it would then be open.
static bool put_word(links *l, sink *s, value word)
{
    static const char *const stops[] = { ")", ">", ".", ",", "&gt;", NULL };
    static const char *const pairs[][2] = { { "(", ")" }, { "<", ">" }, { "&lt;", "&gt;" } };
    str t = word.text->s;
    size_t begin = 0, end = t.size;
    for (;;) {
        str rest = str_from(t, begin);
        size_t more = str_begins(rest, STR("&lt;")) ? 4 : rest.size && (rest.at[0] == '(' || rest.at[0] == '<');
        if (!more)
            break;
        begin += more;
    }
    for (size_t stop; (stop = ends_with(str_slice(t, begin, end), stops)) > 0;)
        end -= stop;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        const str open = str_of(pairs[i][0]), close = str_of(pairs[i][1]), middle = str_slice(t, begin, end);
        const int opened = count_of(middle, open);
        int moves = MIN(opened, count_of(str_from(t, end), close));
        if (opened <= count_of(middle, close))
            continue;
        while (moves-- > 0)
            end = str_find(t, close, end) + close.size;
    }
    return sink_part(s, word, 0, begin, 0) && put_middle(l, s, word, begin, end) && sink_part(s, word, end, t.size, 0);
}

static bool put_words(links *l, sink *s, value v)
{
    str t = v.text->s;
    for (size_t at = 0, begin = 0; at < t.size; begin = at) {
        const bool space = run_of_space(t, &at);
        TRY(space ? sink_part(s, v, begin, at, 0) : put_word(l, s, text_part(l->r, v, begin, at)));
    }
    return true;
}

// "ftp:", "git+ssh://": two or more letters, digits, dots and signs, a colon, up to two slashes.
static bool check_schemes(render *r, const value *schemes, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        TRY(want_text(r, schemes[i], "a scheme of urlize"));
        str s = schemes[i].text->s;
        size_t at = 0, letters = 0;
        for (int length; at < s.size; letters++, at += (size_t)length) {
            uint32_t c = utf8_read(s, at, &length);
            if (!letter_is_alpha(c) && !letter_is_numeric(c) && !(c < 0x80 && strchr("_.+-", (int)c)))
                break;
        }
        str rest = str_from(s, at);
        if (letters < 2 || !(str_is(rest, ":") || str_is(rest, ":/") || str_is(rest, "://")))
            return jinja_fail(r, "urlize: '%.*s' is no scheme", STR_ARG(s));
    }
    return true;
}

// The words of `rel` and those that always stand there, each once, in order.
static bool rel_of(render *r, value given, bool nofollow, value *out)
{
    value words = value_list(r, NULL, 0, V_LIST), *items, *all;
    int64_t count, n = 0;
    if (value_truth(r, given)) {
        TRY(want_text(r, given, "rel"));
        TRY(call_row(r, "method", method_find(given, STR("split"), &(bool){ false }), &given, &(call_args){0}, &words));
    }
    TRY(value_items(r, words, &items, &count));
    all = ARENA_ARRAY(&r->arena, value, count + 2);
    for (int64_t i = 0; i < count; i++)
        all[n++] = items[i];
    all[n++] = text_value(r, STR("noopener"), 0);
    if (nofollow)
        all[n++] = text_value(r, STR("nofollow"), 0);
    int64_t *order = ARENA_ARRAY(&r->arena, int64_t, n);
    TRY(value_sort(r, all, order, n, false));
    sink s = { .r = r };
    for (int64_t i = 0; i < n; i++) {
        if (i && str_equal(all[order[i]].text->s, all[order[i - 1]].text->s))
            continue;
        TRY(!i || put(&s, " "));
        TRY(sink_value(&s, all[order[i]], 0));
    }
    *out = sink_text(&s);
    return text_escape(r, *out, out);
}

static bool run_urlize(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    links l = { .r = r, .limit = a[0], .target = text_value(r, STR(""), 0) };
    sink s = { .r = r };
    value v;
    TRY(rel_of(r, a[3], value_truth(r, a[1]), &l.rel));
    if (a[4].kind != V_MISSING && a[4].kind != V_NONE)
        TRY(value_items(r, a[4], &l.schemes, &l.scheme_count) && check_schemes(r, l.schemes, l.scheme_count));
    if (value_truth(r, a[2]))
        TRY(text_escape(r, a[2], &l.target));
    TRY(text_escape(r, *self, &v));
    l.http = compile(http_pattern, PCRE2_CASELESS);
    l.mail = compile(mail_pattern, 0);
    l.match = pcre2_match_data_create(1, NULL);
    bool ok = (l.http && l.mail && l.match) || jinja_stop(r, ERR_MEMORY, "no memory left for urlize");
    ok = ok && put_words(&l, &s, v);
    pcre2_match_data_free(l.match);
    pcre2_code_free(l.http);
    pcre2_code_free(l.mail);
    *out = sink_text(&s);
    out->safe = r->escape;
    return ok;
}

const function_row filters_of_html[] = {
    { "xmlattr", "autospace?", run_xmlattr },
    { "striptags", "/", run_striptags },
    { "urlize", "trim_url_limit? nofollow? target? rel? extra_schemes?", run_urlize },
    { 0 },
};
