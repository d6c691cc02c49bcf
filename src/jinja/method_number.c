// Methods and attributes of numbers.
#include <math.h>
#include <stdio.h>

#include "base/util.h"
#include "jinja/value.h"

#define UNUSED (void)self, (void)a, (void)raw

static bool run_is_integer(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    (void)r;
    *out = value_bool(isfinite(self->number) && self->number == trunc(self->number));
    return true;
}

static uint64_t bits_of(value v)
{
    int64_t i = 0;
    value_as_int(v, &i);
    return i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
}

static bool run_bit_length(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    (void)r;
    int64_t n = 0;
    for (uint64_t u = bits_of(*self); u; u >>= 1)
        n++;
    *out = value_int(n);
    return true;
}

static bool run_bit_count(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    (void)r;
    *out = value_int(__builtin_popcountll(bits_of(*self)));
    return true;
}

static bool run_conjugate(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    (void)r;
    *out = self->kind == V_BOOL ? value_int(self->truth) : *self;
    return true;
}

static bool run_ratio(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    value *two = ARENA_ARRAY(&r->arena, value, 2);
    int64_t i;
    if (value_as_int(*self, &i)) {
        two[0] = value_int(i);
        two[1] = value_int(1);
    } else {
        int exponent;
        double part = frexp(self->number, &exponent);
        if (!isfinite(self->number))
            return jinja_fail(r, "as_integer_ratio of a number that is not finite");
        for (; part != trunc(part); exponent--)
            part *= 2;
        for (; exponent < 0 && part != 0 && fmod(part, 2) == 0; exponent++)
            part /= 2;
        const double top = exponent > 0 ? ldexp(part, exponent) : part;
        if (fabs(top) >= 9.2e18 || exponent < -62)
            return jinja_fail(r, "as_integer_ratio: the result is beyond 64 bits, which is not supported");
        two[0] = value_int((int64_t)top);
        two[1] = value_int(exponent < 0 ? (int64_t)1 << -exponent : 1);
    }
    *out = value_list(r, two, 2, V_TUPLE);
    return true;
}

static bool run_hex(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    char word[40];
    if (!isfinite(self->number))
        print_float(self->number, word);
    else
        snprintf(word, sizeof word, self->number == 0 ? "%.1a" : "%.13a", self->number);
    *out = text_copy(r, str_of(word), self->mark);
    return true;
}

const function_row methods_of_float[] = {
    { "is_integer", "/", run_is_integer }, { "conjugate", "/", run_conjugate }, { "as_integer_ratio", "/", run_ratio },
    { "hex", "/", run_hex }, { 0 },
};
const function_row methods_of_int[] = {
    { "bit_length", "/", run_bit_length }, { "bit_count", "/", run_bit_count }, { "conjugate", "/", run_conjugate },
    { "as_integer_ratio", "/", run_ratio }, { 0 },
};

// real, imag, numerator, denominator; V_MISSING for any other name.
value number_part(value v, str name)
{
    const bool whole = v.kind != V_FLOAT;
    if (str_is(name, "real") || (whole && str_is(name, "numerator")))
        return v.kind == V_BOOL ? value_int(v.truth) : v;
    if (str_is(name, "imag"))
        return whole ? value_int(0) : value_float(0);
    return whole && str_is(name, "denominator") ? value_int(1) : (value){0};
}
