// Methods of text: case, kinds of characters, filling up to a width.
#include "base/util.h"
#include "base/utf8.h"
#include "jinja/cut.h"

#define UNUSED (void)self, (void)a, (void)raw

#define CASE_METHOD(name, how)                                                                     \
    static bool run_##name(render *r, value *self, value *a, const call_args *raw, value *out)     \
    {                                                                                              \
        UNUSED;                                                                                    \
        return text_change_case(r, *self, how, out);                                               \
    }
CASE_METHOD(upper, CASE_UPPER)
CASE_METHOD(lower, CASE_LOWER)
CASE_METHOD(title, CASE_TITLE)
CASE_METHOD(capitalize, CASE_CAPITALIZE)
CASE_METHOD(swapcase, CASE_SWAP)
CASE_METHOD(casefold, CASE_FOLD)

static bool all_of(str s, bool (*is)(uint32_t c), bool empty)
{
    for (size_t at = 0; at < s.size;) {
        int length;
        if (!is(utf8_read(s, at, &length)))
            return false;
        at += (size_t)length;
    }
    return s.size ? true : empty;
}

static bool is_alnum(uint32_t c) { return letter_is_alpha(c) || letter_is_numeric(c) || letter_is_digit(c); }
static bool is_ascii(uint32_t c) { return c < 0x80; }

#define KIND_METHOD(name, is, empty)                                                               \
    static bool run_##name(render *r, value *self, value *a, const call_args *raw, value *out)     \
    {                                                                                              \
        UNUSED;                                                                                    \
        *out = value_bool(all_of(self->text->s, is, empty));                                       \
        return jinja_step(r, 1);                                                                   \
    }
KIND_METHOD(isalpha, letter_is_alpha, false)
KIND_METHOD(isalnum, is_alnum, false)
KIND_METHOD(isdigit, letter_is_digit, false)
KIND_METHOD(isdecimal, letter_is_decimal, false)
KIND_METHOD(isnumeric, letter_is_numeric, false)
KIND_METHOD(isspace, letter_is_space, false)
KIND_METHOD(isascii, is_ascii, true)
KIND_METHOD(isprintable, letter_is_printable, true)

bool text_is_cased(str s, bool upper)
{
    bool any = false;
    for (size_t at = 0; at < s.size;) {
        int length;
        uint32_t c = utf8_read(s, at, &length);
        if (upper ? letter_is_lower(c) : letter_is_upper(c))
            return false;
        any = any || (upper ? letter_is_upper(c) : letter_is_lower(c));
        at += (size_t)length;
    }
    return any;
}

static bool run_isupper(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    *out = value_bool(text_is_cased(self->text->s, true));
    return jinja_step(r, 1);
}

static bool run_islower(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    *out = value_bool(text_is_cased(self->text->s, false));
    return jinja_step(r, 1);
}

static bool run_istitle(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    bool any = false, inside = false, ok = true;
    str s = self->text->s;
    for (size_t at = 0; at < s.size && ok;) {
        int length;
        uint32_t c = utf8_read(s, at, &length);
        ok = letter_is_upper(c) ? !inside : letter_is_lower(c) ? inside : true;
        inside = letter_is_upper(c) || letter_is_lower(c);
        any = any || inside;
        at += (size_t)length;
    }
    *out = value_bool(ok && any);
    return jinja_step(r, 1);
}

static bool run_isidentifier(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    str s = self->text->s;
    bool ok = s.size > 0;
    for (size_t at = 0; at < s.size && ok;) {
        int length;
        uint32_t c = utf8_read(s, at, &length);
        ok = c == '_' || letter_is_alpha(c) || (at && letter_is_decimal(c));
        at += (size_t)length;
    }
    *out = value_bool(ok);
    return jinja_step(r, 1);
}

static bool fill(sink *s, str with, int64_t times)
{
    for (int64_t i = 0; i < times; i++)
        TRY(sink_str(s, with, 0));
    return true;
}

bool text_fill(render *r, value v, int64_t width, str with, int left, value *out)
{
    int64_t missing = width - text_chars(v);
    *out = v;
    if (missing <= 0)
        return true;
    TRY(jinja_step(r, missing > r->limits.steps ? r->limits.steps : missing));
    int64_t before = left == 1 ? missing : left == 0 ? 0 : missing / 2 + (missing & width & 1);     // as CPython centres
    sink s = { .r = r };
    TRY(fill(&s, with, before));
    TRY(sink_value(&s, v, 0));
    TRY(fill(&s, with, missing - before));
    *out = sink_text(&s);
    return true;
}

static bool fill_method(render *r, value *self, value *a, int left, value *out)
{
    int64_t width;
    str with = STR(" ");
    TRY(want_int(r, a[0], "the width", 0, &width));
    if (a[1].kind != V_MISSING) {
        TRY(want_text(r, a[1], "the filling"));
        if (text_chars(a[1]) != 1)
            return jinja_fail(r, "the filling is one character");
        with = a[1].text->s;
    }
    return text_fill(r, *self, width, with, left, out);
}

static bool run_ljust(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    return fill_method(r, self, a, 0, out);
}

static bool run_rjust(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    return fill_method(r, self, a, 1, out);
}

static bool run_center(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    return fill_method(r, self, a, 2, out);
}

static bool run_zfill(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    int64_t width;
    TRY(want_int(r, a[0], "the width", 0, &width));
    str s = self->text->s;
    bool sign = s.size && (s.at[0] == '-' || s.at[0] == '+');
    if (!sign)
        return text_fill(r, *self, width, STR("0"), 1, out);
    value rest;
    TRY(text_fill(r, text_part(r, *self, 1, s.size), width - 1, STR("0"), 1, &rest));
    sink to = { .r = r };
    TRY(sink_part(&to, *self, 0, 1, 0));
    TRY(sink_value(&to, rest, 0));
    *out = sink_text(&to);
    return true;
}

static bool run_expandtabs(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    int64_t size, column = 0;
    TRY(want_int(r, a[0], "the width of a tab", 8, &size));
    sink s = { .r = r };
    str t = self->text->s;
    for (size_t at = 0; at < t.size;) {
        int length;
        uint32_t c = utf8_read(t, at, &length);
        if (c == '\t') {
            int64_t n = size > 0 ? size - column % size : 0;
            TRY(jinja_step(r, MIN(n, r->limits.steps)));
            TRY(fill(&s, STR(" "), n));
            column += n;
        } else {
            TRY(sink_part(&s, *self, at, at + (size_t)length, 0));
            column = c == '\n' || c == '\r' ? 0 : column + 1;
        }
        at += (size_t)length;
    }
    *out = sink_text(&s);
    return true;
}

const function_row methods_of_text_case[] = {
    { "upper", "/", run_upper },
    { "lower", "/", run_lower },
    { "title", "/", run_title },
    { "capitalize", "/", run_capitalize },
    { "swapcase", "/", run_swapcase },
    { "casefold", "/", run_casefold },
    { "isalpha", "/", run_isalpha },
    { "isalnum", "/", run_isalnum },
    { "isdigit", "/", run_isdigit },
    { "isdecimal", "/", run_isdecimal },
    { "isnumeric", "/", run_isnumeric },
    { "isspace", "/", run_isspace },
    { "isascii", "/", run_isascii },
    { "isprintable", "/", run_isprintable },
    { "isupper", "/", run_isupper },
    { "islower", "/", run_islower },
    { "istitle", "/", run_istitle },
    { "isidentifier", "/", run_isidentifier },
    { "ljust", "/width fillchar?", run_ljust },
    { "rjust", "/width fillchar?", run_rjust },
    { "center", "/width fillchar?", run_center },
    { "zfill", "/width", run_zfill },
    { "expandtabs", "tabsize?", run_expandtabs },
    { 0 },
};
