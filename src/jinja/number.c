// Arithmetic with Python's rules, and numbers read from text.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "jinja/ast.h"

bool value_as_int(value v, int64_t *out)
{
    if (v.kind == V_BOOL)
        *out = v.truth;
    else if (v.kind == V_INT)
        *out = v.integer;
    else
        return false;
    return true;
}

bool value_as_number(value v, double *out)
{
    int64_t i;
    if (value_as_int(v, &i))
        *out = (double)i;
    else if (v.kind == V_FLOAT)
        *out = v.number;
    else if (v.kind == V_BIG)
        *out = strtod(v.text->s.at, NULL);
    else
        return false;
    return true;
}

static const char *const signs[] = { "+", "-", "*", "/", "//", "%", "**" };

static bool too_large(render *r, int op)
{
    return jinja_fail(r, "the result of '%s' is a whole number beyond 64 bits, which is not supported", signs[op]);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q - (a % b != 0 && (a < 0) != (b < 0));
}

static bool power(render *r, int64_t a, int64_t b, value *out)
{
    if (b < 0) {
        if (a == 0)
            return jinja_fail(r, "0 cannot be raised to a negative power");
        *out = value_float(pow((double)a, (double)b));
        return true;
    }
    int64_t result = 1;
    if (a == 0 || a == 1 || a == -1) {
        *out = value_int(b == 0 ? 1 : a == -1 && b % 2 == 0 ? 1 : a);
        return true;
    }
    for (; b > 0; b--)
        if (__builtin_mul_overflow(result, a, &result))
            return too_large(r, OP_POW);
    *out = value_int(result);
    return true;
}

static bool whole(render *r, int op, int64_t a, int64_t b, value *out)
{
    int64_t c = 0;
    bool over = false;
    if ((op == OP_DIV || op == OP_FLOORDIV || op == OP_MOD) && b == 0)
        return jinja_fail(r, "division by zero");
    switch (op) {
    case OP_ADD: over = __builtin_add_overflow(a, b, &c); break;
    case OP_SUB: over = __builtin_sub_overflow(a, b, &c); break;
    case OP_MUL: over = __builtin_mul_overflow(a, b, &c); break;
    case OP_DIV: *out = value_float((double)a / (double)b); return true;
    case OP_POW: return power(r, a, b, out);
    default:
        if (b == -1) {
            over = op == OP_FLOORDIV && __builtin_sub_overflow(0, a, &c);
            break;
        }
        c = op == OP_FLOORDIV ? floor_div(a, b) : a - floor_div(a, b) * b;
    }
    if (over)
        return too_large(r, op);
    *out = value_int(c);
    return true;
}

static bool real(render *r, int op, double a, double b, value *out)
{
    if ((op == OP_DIV || op == OP_FLOORDIV || op == OP_MOD) && b == 0)
        return jinja_fail(r, "division by zero");
    double c = 0;
    switch (op) {
    case OP_ADD: c = a + b; break;
    case OP_SUB: c = a - b; break;
    case OP_MUL: c = a * b; break;
    case OP_DIV: c = a / b; break;
    case OP_POW:
        c = pow(a, b);
        if (isnan(c) && !isnan(a) && !isnan(b))
            return jinja_fail(r, "a negative number raised to a fraction is not supported");
        break;
    default: {
        double m = fmod(a, b);
        if (m != 0 && (b < 0) != (m < 0))
            m += b;
        c = op == OP_MOD ? (m == 0 ? copysign(0, b) : m) : floor((a - m) / b + 0.5);
    }
    }
    *out = value_float(c);
    return true;
}

static bool repeat(render *r, value v, int64_t times, value *out)
{
    if (times < 0)
        times = 0;
    if (v.kind == V_TEXT) {
        sink s = { .r = r };
        if ((int64_t)v.text->s.size > 0 && times > r->limits.output / (int64_t)v.text->s.size)
            return jinja_stop(r, ERR_INPUT, "a text of more than %lld bytes", (long long)r->limits.output);
        for (int64_t i = 0; i < times && v.text->s.size; i++)
            TRY(sink_value(&s, v, 0));
        *out = sink_text(&s);
        out->safe = v.safe;
        return true;
    }
    list_fill(r, v.list);
    int64_t count = v.list->count;
    if (count && times > r->limits.steps / count)
        return jinja_stop(r, ERR_INPUT, "a list of more than %lld elements", (long long)r->limits.steps);
    TRY(jinja_step(r, count * times));
    value *items = ARENA_ARRAY(&r->arena, value, count * times);
    for (int64_t i = 0; i < count * times; i++)
        items[i] = v.list->items[i % count];
    *out = value_list(r, items, count * times, v.kind);
    return true;
}

// Text passed through |safe escapes what is added to it, as Markup does.
static bool add_text(render *r, value a, value b, value *out)
{
    value parts[2] = { a, b };
    bool safe = a.safe || b.safe;
    sink s = { .r = r };
    for (int i = 0; i < 2; i++) {
        if (safe && !parts[i].safe)
            TRY(call_row(r, "filter", filter_find(STR("escape")), &parts[i], &(call_args){0}, &parts[i]));
        TRY(sink_value(&s, parts[i], 0));
    }
    *out = sink_text(&s);
    out->safe = safe;
    return true;
}

static bool add_lists(render *r, value a, value b, value *out)
{
    list_fill(r, a.list);
    list_fill(r, b.list);
    int64_t count = a.list->count + b.list->count;
    TRY(jinja_step(r, 1 + count / 4));
    value *items = ARENA_ARRAY(&r->arena, value, count);
    for (int64_t i = 0; i < count; i++)
        items[i] = i < a.list->count ? a.list->items[i] : b.list->items[i - a.list->count];
    *out = value_list(r, items, count, a.kind);
    return true;
}

static bool is_sequence(value v) { return v.kind == V_TEXT || v.kind == V_LIST || v.kind == V_TUPLE; }

bool value_binary(render *r, int op, value a, value b, value *out)
{
    int64_t i, k;
    double x, y;
    if (a.kind == V_TEXT && op == OP_MOD)
        return format_percent(r, a, b, out);
    if (a.kind == V_UNDEFINED || b.kind == V_UNDEFINED)
        return undefined_fail(r, a.kind == V_UNDEFINED ? a : b);
    if (value_as_int(a, &i) && value_as_int(b, &k))
        return whole(r, op, i, k, out);
    if (value_as_number(a, &x) && value_as_number(b, &y)) {
        if (a.kind == V_BIG || b.kind == V_BIG)
            return jinja_fail(r, "'%s' with a whole number beyond 64 bits is not supported", signs[op]);
        return real(r, op, x, y, out);
    }
    if (op == OP_ADD && a.kind == V_TEXT && b.kind == V_TEXT)
        return add_text(r, a, b, out);
    if (op == OP_ADD && a.kind == b.kind && (a.kind == V_LIST || a.kind == V_TUPLE))
        return add_lists(r, a, b, out);
    if (op == OP_MUL && is_sequence(a) && value_as_int(b, &k))
        return repeat(r, a, k, out);
    if (op == OP_MUL && is_sequence(b) && value_as_int(a, &i))
        return repeat(r, b, i, out);
    return jinja_fail(r, "'%s' is not possible between %s and %s", signs[op], value_type(a), value_type(b));
}

bool value_negate(render *r, value v, value *out)
{
    int64_t i;
    if (v.kind == V_UNDEFINED)
        return undefined_fail(r, v);
    if (v.kind == V_FLOAT)
        *out = value_float(-v.number);
    else if (value_as_int(v, &i) && i != INT64_MIN)
        *out = value_int(-i);
    else
        return jinja_fail(r, "'-' is not possible with a %s", value_type(v));
    return true;
}

static str strip(str s)
{
    while (s.size && strchr(" \t\n\r\f\v", s.at[0]) && s.at[0])
        s = str_from(s, 1);
    while (s.size && strchr(" \t\n\r\f\v", s.at[s.size - 1]) && s.at[s.size - 1])
        s.size--;
    return s;
}

bool number_parse_int(str s, int base, value *out, render *r)
{
    s = strip(s);
    bool minus = s.size && s.at[0] == '-';
    if (s.size && (s.at[0] == '-' || s.at[0] == '+'))
        s = str_from(s, 1);
    if (s.size > 2 && s.at[0] == '0') {
        char c = (char)(s.at[1] | 32);
        if ((c == 'x' && (base == 16 || base == 0)) || (c == 'o' && (base == 8 || base == 0)) || (c == 'b' && (base == 2 || base == 0))) {
            base = c == 'x' ? 16 : c == 'o' ? 8 : 2;
            s = str_from(s, 2 + (s.at[2] == '_'));
        }
    }
    base = base ? base : 10;
    char digits[400];
    size_t n = 0;
    for (size_t i = 0; i < s.size; i++) {
        char c = s.at[i];
        if (c == '_' && i && i + 1 < s.size && s.at[i - 1] != '_')
            continue;
        int d = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'z' ? (c | 32) - 'a' + 10 : 99;
        if (d >= base || n + 2 >= sizeof digits)
            return false;
        digits[n++] = c;
    }
    if (!n)
        return false;
    digits[n] = 0;
    int64_t total = 0;
    bool over = false;
    for (size_t i = 0; i < n; i++) {
        char c = digits[i];
        int d = c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
        over = over || __builtin_mul_overflow(total, base, &total) || __builtin_add_overflow(total, minus ? -d : d, &total);
    }
    *out = value_int(total);
    if (over) {
        if (base != 10)
            return false;
        char *zero = digits;
        while (*zero == '0')
            zero++;
        char *exact = arena_print(&r->arena, "%s%s", minus ? "-" : "", zero);
        *out = text_value(r, str_of(exact), 0);
        out->kind = V_BIG;
    }
    return true;
}

bool number_parse_float(str s, double *out)
{
    s = strip(s);
    char digits[400];
    size_t n = 0;
    for (size_t i = 0; i < s.size; i++) {
        if (s.at[i] == '_' && i && i + 1 < s.size)
            continue;
        if (n + 1 >= sizeof digits || s.at[i] == 'x' || s.at[i] == 'X' || s.at[i] == '(')
            return false;
        digits[n++] = s.at[i];
    }
    digits[n] = 0;
    char *end;
    *out = strtod(digits, &end);
    return n && !*end;
}
