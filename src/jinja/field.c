// Numbers and text in fields of a given width, for % and str.format.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "jinja/cut.h"
#include "jinja/format.h"

enum { LONGEST = 512, MOST_DIGITS = 120 };

bool field_put(sink *s, value v, const field *f, char otherwise)
{
    char align = f->align ? f->align : otherwise;
    int64_t missing = f->width - text_chars(v);
    int64_t before = missing <= 0 ? 0 : align == '>' || align == '=' ? missing : align == '^' ? missing / 2 : 0;
    str fill = f->fill.size ? f->fill : STR(" ");
    TRY(jinja_step(s->r, MAX(missing, 0)));
    for (int64_t i = 0; i < before; i++)
        TRY(sink_str(s, fill, 0));
    TRY(sink_value(s, v, 0));
    for (int64_t i = before; i < missing; i++)
        TRY(sink_str(s, fill, 0));
    return true;
}

// Groups of three (four for bases of a power of two) digits before the point.
static void put_groups(char *out, size_t room, const char *digits, size_t whole, char mark, size_t every)
{
    size_t n = 0;
    for (size_t i = 0; digits[i] && n + 2 < room; i++) {
        if (i && i < whole && (whole - i) % every == 0)
            out[n++] = mark;
        out[n++] = digits[i];
    }
    out[n] = 0;
}

static bool digits_of_int(value v, char type, const field *f, char *out, bool *minus)
{
    int64_t i;
    if (v.kind == V_BIG && (type == 'd' || type == 'i' || type == 'u' || !type) && v.text->s.size < LONGEST / 2) {
        *minus = v.text->s.at[0] == '-';
        snprintf(out, LONGEST, "%.*s", STR_ARG(str_from(v.text->s, *minus)));
        return true;
    }
    if (!value_as_int(v, &i))
        return false;
    *minus = i < 0;
    unsigned long long u = i < 0 ? 0 - (unsigned long long)i : (unsigned long long)i;
    const char *prefix = !f->alternate ? "" : type == 'x' ? "0x" : type == 'X' ? "0X" : type == 'o' ? "0o" : type == 'b' ? "0b" : "";
    if (type == 'b') {
        char bits[65];
        int n = 0;
        for (int k = 63; k >= 0; k--)
            if (u >> k & 1 || n || k == 0)
                bits[n++] = (char)('0' + (u >> k & 1));
        bits[n] = 0;
        snprintf(out, LONGEST, "%s%s", prefix, bits);
    } else if (type == 'x' || type == 'X') {
        snprintf(out, LONGEST, type == 'x' ? "%s%llx" : "%s%llX", prefix, u);
    } else {
        snprintf(out, LONGEST, type == 'o' ? "%s%llo" : "%s%llu", prefix, u);
    }
    return true;
}

static bool digits_of_float(double d, char type, const field *f, char *out)
{
    int precision = f->precision < 0 ? 6 : (int)MIN(f->precision, (int64_t)MOST_DIGITS);
    double a = fabs(d);
    if (!isfinite(d)) {
        bool upper = type == 'F' || type == 'E' || type == 'G';
        snprintf(out, LONGEST, "%s", isnan(d) ? (upper ? "NAN" : "nan") : upper ? "INF" : "inf");
        return true;
    }
    switch (type) {
    case 'f': case 'F': snprintf(out, LONGEST, "%.*f", precision, a); return true;
    case 'e': snprintf(out, LONGEST, "%.*e", precision, a); return true;
    case 'E': snprintf(out, LONGEST, "%.*E", precision, a); return true;
    case 'g': snprintf(out, LONGEST, f->alternate ? "%#.*g" : "%.*g", precision, a); return true;
    case 'G': snprintf(out, LONGEST, f->alternate ? "%#.*G" : "%.*G", precision, a); return true;
    case '%': snprintf(out, LONGEST, "%.*f%%", precision, a * 100); return true;
    case 0:
        if (f->precision < 0) {
            print_float(a, out);
            return true;
        }
        snprintf(out, LONGEST, "%.*g", MAX(precision, 1), a);
        if (!strpbrk(out, ".e"))
            strcat(out, ".0");
        return true;
    default: return false;
    }
}

bool field_number(render *r, sink *s, value v, const field *f)
{
    char digits[LONGEST] = "", grouped[LONGEST] = "";
    bool minus = false, ok;
    double d;
    bool as_int = f->type == 'd' || f->type == 'i' || f->type == 'u' || f->type == 'x' || f->type == 'X' || f->type == 'o' || f->type == 'b'
                  || (!f->type && v.kind != V_FLOAT);
    if (as_int) {
        if (f->percent && v.kind == V_FLOAT && isfinite(v.number) && fabs(v.number) < 9e18)
            v = value_int((int64_t)v.number);               // "%d" % 2.7 cuts
        ok = digits_of_int(v, f->type, f, digits, &minus);
    } else {
        ok = value_as_number(v, &d) && digits_of_float(d, f->type, f, digits);
        minus = ok && signbit(d) && !isnan(d);
    }
    if (!ok)
        return jinja_fail(r, "a %s cannot be written with the format '%c'", value_type(v), f->type ? f->type : 's');
    size_t whole = strspn(digits, "0123456789abcdefABCDEF");
    if (f->group)
        put_groups(grouped, sizeof grouped, digits, whole, f->group, f->type && strchr("xXbo", f->type) ? 4 : 3);
    const char *body = f->group ? grouped : digits;
    const char *sign = minus ? "-" : f->sign == '+' ? "+" : f->sign == ' ' ? " " : "";
    field rest = *f;
    if (f->align == '=') {                                  // the filling stands between sign and digits
        TRY(sink_bytes(s, sign, strlen(sign), v.mark));
        rest.width -= (int64_t)strlen(sign);
        sign = "";
    }
    char *all = arena_print(&r->arena, "%s%s", sign, body);
    return field_put(s, text_value(r, str_of(all), v.mark), &rest, '>');
}
