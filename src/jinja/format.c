// "…" % values and "…".format(values).
#include "jinja/format.h"

#include <stdlib.h>

#include "base/util.h"
#include "base/utf8.h"
#include "jinja/cut.h"

static bool number_at(str s, size_t *at, int64_t *out)
{
    bool any = false;
    for (*out = 0; *at < s.size && s.at[*at] >= '0' && s.at[*at] <= '9'; (*at)++, any = true)
        if (*out < 1000000000)
            *out = *out * 10 + (s.at[*at] - '0');
    return any;
}

// Cut to so many characters.
static value first_chars(render *r, value v, int64_t precision)
{
    return precision < 0 ? v : text_part(r, v, 0, text_offset(v, precision));
}

// The argument of a field: by name from a dict, else the next one.
typedef struct arguments_left { value *list; int64_t count, next; value args; bool used_name; } arguments_left;

static bool next_argument(render *r, arguments_left *a, value *out)
{
    if (a->next >= a->count)
        return jinja_fail(r, "%%: not enough values for the format");
    *out = a->list[a->next++];
    return true;
}

static bool named_argument(render *r, arguments_left *a, str s, size_t *at, value *out)
{
    size_t end = str_find(s, STR(")"), *at);
    str name = str_slice(s, *at, end);
    if (end >= s.size)
        return jinja_fail(r, "%%: a name without ')'");
    if (a->args.kind != V_DICT)
        return jinja_fail(r, "%%(%.*s) needs a dict, got a %s", STR_ARG(name), value_type(a->args));
    value *found = dict_find_name(r, a->args.dict, name);
    if (!found)
        return jinja_fail(r, "%%: the dict has no '%.*s'", STR_ARG(name));
    *out = *found;
    a->used_name = true;
    *at = end + 1;
    return true;
}

static bool star_or_number(render *r, arguments_left *a, str s, size_t *at, int64_t *out)
{
    value v;
    if (*at >= s.size || s.at[*at] != '*') {
        number_at(s, at, out);
        return true;
    }
    (*at)++;
    return next_argument(r, a, &v) && want_int(r, v, "a width", 0, out);
}

static bool percent_value(render *r, sink *s, value v, field *f)
{
    value words;
    if (f->type == 's' || f->type == 'r' || f->type == 'a') {
        sink own = { .r = r };
        TRY(f->type == 's' ? print_value(r, &own, v) : print_repr(r, &own, v));
        words = sink_text(&own);
        f->align = f->align == '<' ? '<' : 0;
        f->fill = (str){0};
        return field_put(s, first_chars(r, words, f->precision), f, '>');
    }
    if (f->type == 'c') {
        int64_t i;
        char bytes[4];
        if (v.kind == V_TEXT && text_chars(v) == 1)
            return field_put(s, v, f, '>');
        if (!value_as_int(v, &i) || i < 0 || i > 0x10FFFF)
            return jinja_fail(r, "%%c takes a character or its number");
        return field_put(s, text_copy(r, (str){ bytes, (size_t)utf8_write((uint32_t)i, bytes) }, 0), f, '>');
    }
    if (v.kind == V_UNDEFINED)
        return undefined_fail(r, v);
    return field_number(r, s, v, f);
}

static bool percent_field(render *r, sink *s, str t, size_t *at, arguments_left *a)
{
    field f = { .precision = -1, .percent = true };
    value v = {0};
    if (*at < t.size && t.at[*at] == '%') {
        (*at)++;
        return sink_bytes(s, "%", 1, 0);
    }
    if (*at < t.size && t.at[*at] == '(') {
        (*at)++;
        TRY(named_argument(r, a, str_slice(t, 0, t.size), at, &v));
    }
    for (; *at < t.size && t.at[*at] && strchr("#0- +", t.at[*at]); (*at)++) {
        char c = t.at[*at];
        f.alternate |= c == '#';
        if (c == '0' && f.align != '<')
            f.align = '=', f.fill = STR("0");
        if (c == '-')
            f.align = '<', f.fill = (str){0};
        if (c == '+' || (c == ' ' && !f.sign))
            f.sign = c;
    }
    TRY(star_or_number(r, a, t, at, &f.width));
    if (f.width < 0)
        f.align = '<', f.width = -f.width;
    if (*at < t.size && t.at[*at] == '.') {
        (*at)++;
        f.precision = 0;
        TRY(star_or_number(r, a, t, at, &f.precision));
    }
    if (*at >= t.size)
        return jinja_fail(r, "%%: the format ends in the middle of a field");
    f.type = t.at[(*at)++];
    if (!strchr("diuoxXeEfFgGcrsa", f.type))
        return jinja_fail(r, "%%: there is no format '%c'", f.type);
    if (v.kind == V_MISSING)
        TRY(next_argument(r, a, &v));
    return percent_value(r, s, v, &f);
}

bool format_percent(render *r, value format, value args, value *out)
{
    arguments_left a = { .list = &args, .count = 1, .args = args };
    sink s = { .r = r };
    str t = format.text->s;
    if (args.kind == V_TUPLE) {
        a.list = args.list->items;
        a.count = args.list->count;
    }
    for (size_t at = 0; at < t.size;) {
        size_t end = str_find(t, STR("%"), at);
        TRY(sink_part(&s, format, at, end, 0));
        at = end + 1;
        if (end < t.size)
            TRY(percent_field(r, &s, t, &at, &a));
    }
    const bool has_items = args.kind == V_DICT || args.kind == V_LIST || args.kind == V_RANGE || args.kind == V_UNDEFINED;
    if (a.next < a.count && !a.used_name && !has_items)
        return jinja_fail(r, "%%: not all values are used by the format");
    *out = sink_text(&s);
    out->safe = format.safe;
    return true;
}

// {…}: name or number, then .attribute and [element], then !conversion, then :specification.
static bool lookup(render *r, str name, const call_args *c, int64_t *automatic, value *out)
{
    size_t at = 0, end = 0;
    int64_t i;
    while (end < name.size && name.at[end] != '.' && name.at[end] != '[')
        end++;
    str first = str_slice(name, 0, end);
    bool numbered = number_at(first, &at, &i) && at == first.size;
    if (!first.size || numbered) {
        if (!first.size ? *automatic < 0 : *automatic > 0)
            return jinja_fail(r, "format: fields are either all numbered or none is");
        if (numbered)
            *automatic = -1;
        else
            i = (*automatic)++;
        if (i >= c->count)
            return jinja_fail(r, "format: there is no value number %lld", (long long)i);
        *out = c->list[i];
    } else {
        const value *found = NULL;
        for (int k = 0; k < c->named_count; k++)
            if (str_equal(c->named[k].name, first))
                found = &c->named[k].v;
        if (!found)
            return jinja_fail(r, "format: there is no value '%.*s'", STR_ARG(first));
        *out = *found;
    }
    for (at = end; at < name.size;) {
        bool element = name.at[at++] == '[';
        end = at;
        while (end < name.size && (element ? name.at[end] != ']' : name.at[end] != '.' && name.at[end] != '['))
            end++;
        value key = text_value(r, str_slice(name, at, end), 0), number;
        if (!element) {
            if (out->kind == V_UNDEFINED)
                return undefined_fail(r, *out);
            *out = value_attribute(r, *out, key.text->s, 0);
        } else {
            TRY(value_item(r, *out, number_parse_int(key.text->s, 10, &number, r) ? number : key, out));
        }
        at = end + element;
    }
    return true;
}

static bool parse_spec(render *r, str s, field *f)
{
    size_t at = 0;
    int length = 1;
    *f = (field){ .precision = -1 };
    if (s.size)
        utf8_read(s, 0, &length);
    if (s.size > (size_t)length && strchr("<>=^", s.at[length]) && s.at[length]) {
        f->fill = str_slice(s, 0, (size_t)length);
        f->align = s.at[length];
        at = (size_t)length + 1;
    } else if (s.size && s.at[0] && strchr("<>=^", s.at[0])) {
        f->align = s.at[at++];
    }
    if (at < s.size && s.at[at] && strchr("+- ", s.at[at]))
        f->sign = s.at[at++];
    if (at < s.size && s.at[at] == '#')
        f->alternate = true, at++;
    if (at < s.size && s.at[at] == '0') {
        if (!f->align)
            f->align = '=', f->fill = STR("0");
        at++;
    }
    number_at(s, &at, &f->width);
    if (at < s.size && (s.at[at] == ',' || s.at[at] == '_'))
        f->group = s.at[at++];
    if (at < s.size && s.at[at] == '.') {
        at++;
        if (!number_at(s, &at, &f->precision))
            return jinja_fail(r, "format: a '.' without a precision");
    }
    if (at < s.size)
        f->type = s.at[at++];
    return at == s.size || jinja_fail(r, "format: cannot read the specification '%.*s'", STR_ARG(s));
}

static bool braces_value(render *r, sink *s, value v, char conversion, str spec)
{
    field f;
    value words;
    TRY(parse_spec(r, spec, &f));
    if (conversion) {
        sink own = { .r = r };
        if (!strchr("sra", conversion))
            return jinja_fail(r, "format: there is no conversion '!%c'", conversion);
        TRY(conversion == 's' ? print_value(r, &own, v) : print_repr(r, &own, v));
        v = sink_text(&own);
    }
    if ((v.kind == V_INT || v.kind == V_BIG || v.kind == V_FLOAT || v.kind == V_BOOL) && spec.size && f.type != 's') {
        f.type = f.type == 'n' ? 'd' : f.type;
        return field_number(r, s, v, &f);
    }
    if (spec.size && v.kind != V_TEXT)
        return jinja_fail(r, "format: a %s takes no specification", value_type(v));
    if (f.type && f.type != 's')
        return jinja_fail(r, "format: a %s cannot be written with the format '%c'", value_type(v), f.type);
    TRY(value_to_text(r, v, &words));
    return field_put(s, first_chars(r, words, f.precision), &f, '<');
}

static bool braces(render *r, value format, const call_args *raw, int64_t *automatic, bool inner, value *out);

static bool braces_field(render *r, sink *s, str inside, const call_args *c, int64_t *automatic, bool inner)
{
    size_t end = 0;
    while (end < inside.size && inside.at[end] != '!' && inside.at[end] != ':') {
        if (inside.at[end] == '[')
            while (end < inside.size && inside.at[end] != ']')
                end++;
        end += end < inside.size;
    }
    str name = str_slice(inside, 0, end), spec = str_from(inside, end);
    char conversion = 0;
    value v;
    if (spec.size && spec.at[0] == '!') {
        if (spec.size < 2)
            return jinja_fail(r, "format: '!' without a conversion");
        conversion = spec.at[1];
        spec = str_from(spec, 2);
    }
    if (spec.size && spec.at[0] != ':')
        return jinja_fail(r, "format: expected ':' after the conversion");
    spec = spec.size ? str_from(spec, 1) : spec;
    TRY(lookup(r, name, c, automatic, &v));
    if (memchr(spec.at, '{', spec.size)) {                  // fields inside the specification
        value made = text_value(r, spec, 0);
        if (inner)
            return jinja_fail(r, "format: fields stand inside each other more than once");
        TRY(braces(r, made, c, automatic, true, &made));
        spec = made.text->s;
    }
    return braces_value(r, s, v, conversion, spec);
}

static bool braces(render *r, value format, const call_args *raw, int64_t *automatic, bool inner, value *out)
{
    sink s = { .r = r };
    str t = format.text->s;
    for (size_t at = 0; at < t.size;) {
        size_t begin = at;
        while (at < t.size && t.at[at] != '{' && t.at[at] != '}')
            at++;
        TRY(sink_part(&s, format, begin, at, 0));
        if (at >= t.size)
            break;
        if (at + 1 < t.size && t.at[at + 1] == t.at[at]) {
            TRY(sink_part(&s, format, at, at + 1, 0));
            at += 2;
            continue;
        }
        if (t.at[at] == '}')
            return jinja_fail(r, "format: a single '}'");
        size_t end = at + 1;
        for (int depth = 1; end < t.size && (depth += (t.at[end] == '{') - (t.at[end] == '}')) > 0;)
            end++;
        if (end >= t.size)
            return jinja_fail(r, "format: a field without '}'");
        TRY(braces_field(r, &s, str_slice(t, at + 1, end), raw, automatic, inner));
        at = end + 1;
    }
    *out = sink_text(&s);
    out->safe = format.safe;
    return true;
}

bool format_braces(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)a;
    int64_t automatic = 0;
    return braces(r, *self, raw, &automatic, false, out);
}

bool format_map(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)raw;
    call_args named = {0};
    int64_t automatic = 0;
    if (a[0].kind != V_DICT)
        return jinja_fail(r, "format_map takes a dict, got a %s", value_type(a[0]));
    jdict *d = a[0].dict;
    dict_fill(r, d);
    named.named = ARENA_ARRAY(&r->arena, named_value, d->count);
    for (int64_t i = 0; i < d->count; i++)
        if (d->pairs[i].key.kind == V_TEXT)
            named.named[named.named_count++] = (named_value){ d->pairs[i].key.text->s, d->pairs[i].value, false };
    return braces(r, *self, &named, &automatic, false, out);
}
