// str.maketrans and str.translate.
#include "base/util.h"
#include "base/utf8.h"
#include "jinja/cut.h"

static uint32_t first_char(value v)
{
    int length;
    return utf8_read(v.text->s, 0, &length);
}

static bool pairs_of_dict(render *r, jdict *from, jdict *to)
{
    dict_fill(r, from);
    for (int64_t i = 0; i < from->count; i++) {
        value key = from->pairs[i].key;
        int64_t number;
        if (key.kind == V_TEXT && text_chars(key) == 1)
            key = value_int(first_char(key));
        else if (!value_as_int(key, &number))
            return jinja_fail(r, "maketrans: keys are single characters or their numbers");
        TRY(dict_put(r, to, key, from->pairs[i].value));
    }
    return true;
}

bool run_maketrans(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)self, (void)raw;
    value *from, *to, *gone;
    int64_t count, other;
    *out = value_dict(r);
    if (a[1].kind == V_MISSING)
        return a[0].kind == V_DICT ? pairs_of_dict(r, a[0].dict, out->dict) : jinja_fail(r, "maketrans of one argument takes a dict");
    TRY(want_text(r, a[0], "what is replaced") && want_text(r, a[1], "the replacement"));
    TRY(value_items(r, a[0], &from, &count) && value_items(r, a[1], &to, &other));
    if (count != other)
        return jinja_fail(r, "maketrans takes two texts of one length");
    for (int64_t i = 0; i < count; i++)
        TRY(dict_put(r, out->dict, value_int(first_char(from[i])), value_int(first_char(to[i]))));
    if (a[2].kind == V_MISSING)
        return true;
    TRY(want_text(r, a[2], "what is left out") && value_items(r, a[2], &gone, &count));
    for (int64_t i = 0; i < count; i++)
        TRY(dict_put(r, out->dict, value_int(first_char(gone[i])), value_none));
    return true;
}

static bool is_character(value v, int64_t *number)
{
    return value_as_int(v, number) && *number >= 0 && *number <= 0x10FFFF && !(*number >= 0xD800 && *number < 0xE000);
}

bool run_translate(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)raw;
    sink s = { .r = r };
    str t = self->text->s;
    TRY(jinja_step(r, 1 + (int64_t)t.size / 4));
    if (a[0].kind == V_UNDEFINED && t.size)
        return undefined_fail(r, a[0]);
    for (size_t at = 0, next; at < t.size; at = next) {
        int length;
        value by = {0}, key = value_int(utf8_read(t, at, &length));
        int64_t number;
        char bytes[4];
        next = at + (size_t)length;
        if (a[0].kind != V_DICT && a[0].kind != V_LIST && a[0].kind != V_TUPLE && a[0].kind != V_TEXT && a[0].kind != V_RANGE)
            return jinja_fail(r, "translate takes a dict, got a %s", value_type(a[0]));
        TRY(value_item(r, a[0], key, &by));
        if (by.kind == V_UNDEFINED)
            TRY(sink_part(&s, *self, at, next, 0));
        else if (by.kind == V_TEXT)
            TRY(sink_value(&s, by, 0));
        else if (by.kind != V_NONE && !is_character(by, &number))
            return jinja_fail(r, "translate: the dict's values are characters, texts or none");
        else if (by.kind != V_NONE)
            TRY(sink_bytes(&s, bytes, (size_t)utf8_write((uint32_t)number, bytes), text_mark_at(*self, at)));
    }
    *out = sink_text(&s);
    out->safe = self->safe;
    return true;
}
