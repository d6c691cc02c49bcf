// str() and repr() of values, byte for byte as Python prints them.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "jinja/value.h"

// The shortest digits that read back equal, laid out as Python's repr does: exponents below -4 and from 16.
void print_float(double d, char out[40])
{
    if (!isfinite(d)) {
        snprintf(out, 40, "%s", isnan(d) ? "nan" : d < 0 ? "-inf" : "inf");
        return;
    }
    char digits[32];
    for (int precision = 0; precision < 18; precision++) {
        snprintf(digits, sizeof digits, "%.*e", precision, d);
        if (strtod(digits, NULL) == d)
            break;
    }
    int exponent = (int)strtol(strchr(digits, 'e') + 1, NULL, 10) % 1000;
    *strchr(digits, 'e') = 0;
    if (exponent < -4 || exponent >= 16) {
        snprintf(out, 40, "%se%c%02d", digits, exponent < 0 ? '-' : '+', abs(exponent));
        return;
    }
    int places = (int)strlen(digits) - (digits[0] == '-') - 1;      // digits after the first, with the point
    places = places > 0 ? places - 1 : 0;
    int after = places - exponent;
    snprintf(out, 40, "%.*f", after > 1 ? after : 1, d);
}

static bool put(sink *s, const char *word, int32_t mark) { return sink_bytes(s, word, strlen(word), mark); }

static bool repr_char(sink *s, value v, size_t at, int length, uint32_t c, char quote)
{
    char code[16];
    int32_t mark = text_mark_at(v, at);
    if (c == (uint32_t)quote || c == '\\')
        snprintf(code, sizeof code, "\\%c", (char)c);
    else if (c == '\n' || c == '\r' || c == '\t')
        snprintf(code, sizeof code, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
    else if (letter_is_printable(c))
        return sink_part(s, v, at, at + (size_t)length, 0);
    else
        snprintf(code, sizeof code, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
    return put(s, code, mark);
}

static bool repr_text(sink *s, value v)
{
    str t = v.text->s;
    char quote = memchr(t.at, '\'', t.size) && !memchr(t.at, '"', t.size) ? '"' : '\'';
    TRY(jinja_step(s->r, 1 + (int64_t)t.size / 16));
    TRY(sink_bytes(s, &quote, 1, 0));
    for (size_t at = 0; at < t.size;) {
        int length;
        uint32_t c = utf8_read(t, at, &length);
        TRY(repr_char(s, v, at, length, c, quote));
        at += (size_t)length;
    }
    return sink_bytes(s, &quote, 1, 0);
}

static bool repr_list(render *r, sink *s, const value *items, int64_t count, const char *open, const char *close)
{
    TRY(put(s, open, 0));
    for (int64_t i = 0; i < count; i++) {
        TRY(!i || put(s, ", ", 0));
        TRY(print_repr(r, s, items[i]));
    }
    return put(s, close, 0);
}

static bool repr_dict(render *r, sink *s, jdict *d)
{
    dict_fill(r, d);
    TRY(put(s, "{", 0));
    for (int64_t i = 0; i < d->count; i++) {
        TRY(!i || put(s, ", ", 0));
        TRY(print_repr(r, s, d->pairs[i].key));
        TRY(put(s, ": ", 0));
        TRY(print_repr(r, s, d->pairs[i].value));
    }
    return put(s, "}", 0);
}

static bool repr_view(render *r, sink *s, value v)
{
    static const char *const open[] = { "dict_keys([", "dict_values([", "dict_items([" };
    value *items;
    int64_t count;
    TRY(value_items(r, v, &items, &count));
    return repr_list(r, s, items, count, open[v.view->part], "])");
}

static bool repr_range(sink *s, const jrange *g)
{
    char word[80];
    if (g->step == 1)
        snprintf(word, sizeof word, "range(%lld, %lld)", (long long)g->start, (long long)g->stop);
    else
        snprintf(word, sizeof word, "range(%lld, %lld, %lld)", (long long)g->start, (long long)g->stop, (long long)g->step);
    return put(s, word, 0);
}

static bool repr_inside(render *r, sink *s, value v)
{
    char word[40];
    switch ((value_kind)v.kind) {
    case V_UNDEFINED: return put(s, "Undefined", 0);
    case V_NONE: return put(s, "None", v.mark);
    case V_BOOL: return put(s, v.truth ? "True" : "False", v.mark);
    case V_INT: snprintf(word, sizeof word, "%lld", (long long)v.integer); return put(s, word, v.mark);
    case V_BIG: return sink_value(s, v, 0);
    case V_FLOAT: print_float(v.number, word); return put(s, word, v.mark);
    case V_TEXT:
        return v.safe ? put(s, "Markup(", 0) && repr_text(s, v) && put(s, ")", 0) : repr_text(s, v);
    case V_LIST: list_fill(r, v.list); return repr_list(r, s, v.list->items, v.list->count, "[", "]");
    case V_TUPLE:
        list_fill(r, v.list);
        return repr_list(r, s, v.list->items, v.list->count, "(", v.list->count == 1 ? ",)" : ")");
    case V_DICT: return repr_dict(r, s, v.dict);
    case V_VIEW: return repr_view(r, s, v);
    case V_RANGE: return repr_range(s, v.range);
    case V_NAMESPACE: return put(s, "<Namespace ", 0) && repr_dict(r, s, v.dict) && put(s, ">", 0);
    case V_LOOP:
        snprintf(word, sizeof word, "<LoopContext %lld/%lld>", (long long)v.loop->index + 1, (long long)v.loop->count);
        return put(s, word, 0);
    case V_SELF: return put(s, "<TemplateReference None>", 0);
    case V_MACRO:
        return put(s, "<Macro '", 0) && sink_str(s, v.macro->name, 0) && put(s, "'>", 0);
    default: return jinja_fail(r, "a %s cannot be printed; lists come of it with |list", value_type(v));
    }
}

bool print_repr(render *r, sink *s, value v)
{
    TRY(jinja_enter(r));
    bool ok = repr_inside(r, s, v);
    r->depth--;
    return ok;
}

bool print_value(render *r, sink *s, value v)
{
    if (v.kind == V_TEXT)
        return sink_value(s, v, 0);
    return v.kind == V_UNDEFINED || print_repr(r, s, v);
}

bool value_to_text(render *r, value v, value *out)
{
    if (v.kind == V_TEXT) {
        *out = v;
        return true;
    }
    sink s = { .r = r };
    TRY(print_value(r, &s, v));
    *out = sink_text(&s);
    return true;
}
