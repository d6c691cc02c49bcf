// Values as JSON, byte for byte as json.dumps of Python writes them.
#include "jinja/json.h"

#include <math.h>
#include <stdio.h>

#include "base/utf8.h"

static bool put(sink *s, const char *word, int32_t mark) { return sink_bytes(s, word, strlen(word), mark); }

// The escape of a character, or an empty text when it stands as it is.
static void escape_of(uint32_t c, bool ascii, char out[16])
{
    static const char short_of[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    out[0] = 0;
    for (const char *k = short_of; *k; k += 2)
        if ((uint32_t)(unsigned char)*k == c) {
            snprintf(out, 16, "\\%c", k[1]);
            return;
        }
    if (c < 0x20 || (ascii && c >= 0x7F && c < 0x10000))
        snprintf(out, 16, "\\u%04x", c);
    else if (ascii && c >= 0x10000)
        snprintf(out, 16, "\\u%04x\\u%04x", 0xD800 + ((c - 0x10000) >> 10), 0xDC00 + ((c - 0x10000) & 0x3FF));
}

static bool stands_as_it_is(unsigned char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; }

static bool put_text(sink *s, value v, bool ascii)
{
    str t = v.text->s;
    size_t plain = 0;
    TRY(jinja_step(s->r, 1 + (int64_t)t.size / 16));
    TRY(put(s, "\"", 0));
    for (size_t at = 0; at < t.size;) {
        int length;
        char code[16];
        if (stands_as_it_is((unsigned char)t.at[at])) {
            at++;
            continue;
        }
        uint32_t c = utf8_read(t, at, &length);
        escape_of(c, ascii, code);
        if (code[0]) {
            TRY(sink_part(s, v, plain, at, 0));
            TRY(put(s, code, text_mark_at(v, at)));
            plain = at + (size_t)length;
        }
        at += (size_t)length;
    }
    TRY(sink_part(s, v, plain, t.size, 0));
    return put(s, "\"", 0);
}

static bool new_line(sink *s, const json_format *f, int depth)
{
    if (f->indent.kind == V_NONE)
        return true;
    TRY(put(s, "\n", 0));
    for (int i = 0; i < depth; i++)
        TRY(sink_value(s, f->indent, 0));
    return true;
}

static bool put_items(render *r, sink *s, jlist *l, const json_format *f, int depth)
{
    list_fill(r, l);
    if (!l->count)
        return put(s, "[]", 0);
    TRY(put(s, "[", 0));
    for (int64_t i = 0; i < l->count; i++) {
        TRY(!i || sink_value(s, f->between, 0));
        TRY(new_line(s, f, depth + 1));
        TRY(print_json(r, s, l->items[i], f, depth + 1));
    }
    return new_line(s, f, depth) && put(s, "]", 0);
}

static bool put_scalar(render *r, sink *s, value v)
{
    if (v.kind == V_NONE)
        return put(s, "null", v.mark);
    if (v.kind == V_BOOL)
        return put(s, v.truth ? "true" : "false", v.mark);
    if (v.kind == V_FLOAT && !isfinite(v.number))
        return put(s, isnan(v.number) ? "NaN" : v.number < 0 ? "-Infinity" : "Infinity", v.mark);
    return print_repr(r, s, v);
}

static bool put_key(render *r, sink *s, value key, const json_format *f)
{
    if (key.kind == V_TEXT)
        return put_text(s, key, f->ascii);
    if (key.kind > V_FLOAT || key.kind < V_NONE)
        return jinja_fail(r, "tojson: keys are text, numbers, true, false or none, got a %s", value_type(key));
    return put(s, "\"", 0) && put_scalar(r, s, key) && put(s, "\"", 0);
}

static bool put_pairs(render *r, sink *s, jdict *d, const json_format *f, int depth)
{
    dict_fill(r, d);
    if (!d->count)
        return put(s, "{}", 0);
    int64_t *order = ARENA_ARRAY(&r->arena, int64_t, d->count);
    for (int64_t i = 0; i < d->count; i++)
        order[i] = i;
    if (f->sort_keys) {
        value *keys = ARENA_ARRAY(&r->arena, value, d->count);
        for (int64_t i = 0; i < d->count; i++)
            keys[i] = d->pairs[i].key;
        TRY(value_sort(r, keys, order, d->count, false));
    }
    TRY(put(s, "{", 0));
    for (int64_t i = 0; i < d->count; i++) {
        const jpair *p = &d->pairs[order[i]];
        TRY(!i || sink_value(s, f->between, 0));
        TRY(new_line(s, f, depth + 1));
        TRY(put_key(r, s, p->key, f));
        TRY(sink_value(s, f->after_key, 0));
        TRY(print_json(r, s, p->value, f, depth + 1));
    }
    return new_line(s, f, depth) && put(s, "}", 0);
}

static bool undefined_json(render *r, str name)
{
    return name.size ? jinja_fail(r, "tojson: '%.*s' is undefined", STR_ARG(name)) : jinja_fail(r, "tojson: the value is undefined");
}

bool print_json(render *r, sink *s, value v, const json_format *f, int depth)
{
    TRY(jinja_enter(r));
    bool ok;
    switch ((value_kind)v.kind) {
    case V_TEXT: ok = put_text(s, v, f->ascii); break;
    case V_LIST: case V_TUPLE: ok = put_items(r, s, v.list, f, depth); break;
    case V_DICT: ok = put_pairs(r, s, v.dict, f, depth); break;
    case V_NONE: case V_BOOL: case V_INT: case V_BIG: case V_FLOAT: ok = put_scalar(r, s, v); break;
    case V_UNDEFINED: ok = undefined_json(r, v.undefined->name); break;
    default: ok = jinja_fail(r, "tojson: a %s has no form in JSON", value_type(v));
    }
    r->depth--;
    return ok;
}
