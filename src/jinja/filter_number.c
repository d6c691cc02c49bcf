// Filters of numbers, and the search for a filter by name.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "jinja/cut.h"

#define UNUSED (void)self, (void)a, (void)raw

static bool from_float(double d, value *out)
{
    if (!isfinite(d) || fabs(d) >= 9.2e18)
        return false;
    *out = value_int((int64_t)d);
    return true;
}

static bool run_int(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    int64_t base = 10, i;
    double d;
    const bool based = a[1].kind == V_MISSING || value_as_int(a[1], &base);
    base = a[1].kind == V_MISSING ? 10 : base;
    if (self->kind == V_UNDEFINED)
        return undefined_fail(r, *self);
    value otherwise = a[0].kind == V_MISSING ? value_int(0) : a[0];
    if (value_as_int(*self, &i)) {
        *out = value_int(i);
        out->mark = self->mark;
    } else if (self->kind == V_BIG) {
        *out = *self;
    } else if (self->kind == V_FLOAT) {
        if (!from_float(self->number, out))
            *out = otherwise;
    } else if (self->kind == V_TEXT) {
        const bool usable = based && (base == 0 || (base >= 2 && base <= 36));
        const bool whole = usable && number_parse_int(self->text->s, (int)base, out, r);
        if (!whole && !(number_parse_float(self->text->s, &d) && from_float(d, out)))
            *out = otherwise;
    } else {
        *out = otherwise;
    }
    return true;
}

static bool run_float(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    double d;
    if (self->kind == V_UNDEFINED)
        return undefined_fail(r, *self);
    if (value_as_number(*self, &d) || (self->kind == V_TEXT && number_parse_float(self->text->s, &d)))
        *out = value_float(d);
    else
        *out = a[0].kind == V_MISSING ? value_float(0) : a[0];
    return true;
}

static bool run_abs(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    int64_t i;
    if (self->kind == V_FLOAT)
        *out = value_float(fabs(self->number));
    else if (value_as_int(*self, &i))
        return i >= 0 ? (*out = value_int(i), true) : value_negate(r, *self, out);
    else if (self->kind == V_UNDEFINED)
        return undefined_fail(r, *self);
    else
        return jinja_fail(r, "abs takes a number, got a %s", value_type(*self));
    return true;
}

// Ties go to the even neighbour, judged on the exact decimal value, as Python's round does.
static double round_to(double d, int64_t places)
{
    char digits[400];
    if (!isfinite(d) || places > 300)
        return d;
    if (places >= 0) {
        snprintf(digits, sizeof digits, "%.*f", (int)places, d);
        return strtod(digits, NULL);
    }
    double scale = pow(10, (double)-places);
    return isfinite(scale) ? nearbyint(d / scale) * scale : 0;
}

static bool round_int(render *r, int64_t i, int64_t places, value *out)
{
    if (places >= 0) {
        *out = value_int(i);
        return true;
    }
    if (places < -18) {
        *out = value_int(0);
        return true;
    }
    int64_t scale = 1;
    for (int64_t k = 0; k < -places; k++)
        scale *= 10;
    int64_t rest = i % scale, down = i - rest;
    if (rest < 0) {
        rest += scale;
        if (__builtin_sub_overflow(down, scale, &down))
            return jinja_fail(r, "round: the result is beyond 64 bits");
    }
    bool up = rest > scale - rest || (rest == scale - rest && (down / scale) % 2);
    if (up && __builtin_add_overflow(down, scale, &down))
        return jinja_fail(r, "round: the result is beyond 64 bits");
    *out = value_int(down);
    return true;
}

static bool run_round(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    int64_t places, i;
    double d;
    TRY(want_int(r, a[0], "the precision", 0, &places));
    str method = a[1].kind == V_TEXT ? a[1].text->s : STR("common");
    if (!str_is(method, "common") && !str_is(method, "ceil") && !str_is(method, "floor"))
        return jinja_fail(r, "round: the method is 'common', 'ceil' or 'floor', got '%.*s'", STR_ARG(method));
    if (self->kind == V_UNDEFINED)
        return undefined_fail(r, *self);
    if (!value_as_number(*self, &d))
        return jinja_fail(r, "round takes a number, got a %s", value_type(*self));
    if (str_is(method, "common")) {
        if (value_as_int(*self, &i))
            return round_int(r, i, places, out);
        *out = value_float(round_to(d, places));
        return true;
    }
    double scale = pow(10, (double)places);
    *out = value_float((str_is(method, "ceil") ? ceil(d * scale) : floor(d * scale)) / scale);
    return true;
}

static bool run_filesizeformat(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB" };
    static const char *const binary[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB" };
    double size, base = value_truth(r, a[0]) ? 1024 : 1000;
    if (!value_as_number(*self, &size) && !(self->kind == V_TEXT && number_parse_float(self->text->s, &size)))
        return jinja_fail(r, "filesizeformat takes a number, got a %s", value_type(*self));
    char *words;
    if (size == 1) {
        words = arena_print(&r->arena, "1 Byte");
    } else if (size < base) {
        words = arena_print(&r->arena, "%.0f Bytes", trunc(size));
    } else {
        size_t i = 0;
        for (size /= base; size >= base && i + 1 < COUNT(units); i++)
            size /= base;
        words = arena_print(&r->arena, "%.1f %s", size, base == 1024 ? binary[i] : units[i]);
    }
    *out = text_value(r, str_of(words), 0);
    return true;
}

const function_row filters_of_numbers[] = {
    { "int", "default? base?", run_int },
    { "float", "default?", run_float },
    { "abs", "/", run_abs },
    { "round", "precision? method?", run_round },
    { "filesizeformat", "binary?", run_filesizeformat },
    { 0 },
};

static const function_row *const tables[] = { filters_of_text, filters_of_lists, filters_of_items, filters_of_numbers, filters_of_html,
                                             filters_of_layout, filters_of_chance };

const function_row *filter_find(str name)
{
    for (size_t t = 0; t < COUNT(tables); t++)
        for (const function_row *f = tables[t]; f->name; f++)
            if (str_is(name, f->name))
                return f;
    return NULL;
}

void filter_names(const char **names, size_t *count)
{
    *count = 0;
    for (size_t t = 0; t < COUNT(tables); t++)
        for (const function_row *f = tables[t]; f->name && *count < TABLE_NAMES; f++)
            names[(*count)++] = f->name;
}
