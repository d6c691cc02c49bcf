// Tests: x is …
#include "base/util.h"
#include "jinja/cut.h"

#define TEST_OF(id, condition)                                                                     \
    static bool run_##id(render *r, value *self, value *a, const call_args *raw, value *out)       \
    {                                                                                              \
        (void)r, (void)self, (void)a, (void)raw;                                                   \
        *out = value_bool(condition);                                                              \
        return true;                                                                               \
    }
TEST_OF(defined, self->kind != V_UNDEFINED)
TEST_OF(undefined, self->kind == V_UNDEFINED)
TEST_OF(none, self->kind == V_NONE)
TEST_OF(boolean, self->kind == V_BOOL)
TEST_OF(true, self->kind == V_BOOL && self->truth)
TEST_OF(false, self->kind == V_BOOL && !self->truth)
TEST_OF(integer, self->kind == V_INT || self->kind == V_BIG)
TEST_OF(float, self->kind == V_FLOAT)
TEST_OF(number, self->kind == V_BOOL || self->kind == V_INT || self->kind == V_BIG || self->kind == V_FLOAT)
TEST_OF(string, self->kind == V_TEXT)
TEST_OF(mapping, self->kind == V_DICT)
TEST_OF(sequence, self->kind == V_UNDEFINED || self->kind == V_TEXT || self->kind == V_LIST || self->kind == V_TUPLE
        || self->kind == V_DICT || self->kind == V_RANGE)
TEST_OF(iterable, value_iterable(*self))
TEST_OF(callable, self->kind == V_MACRO || self->kind == V_METHOD || self->kind == V_FUNCTION || self->kind == V_LOOP
        || self->kind == V_JOINER || self->kind == V_BLOCK || self->kind == V_UNDEFINED)
TEST_OF(escaped, self->kind == V_TEXT && self->safe)

static bool names(render *r, value *self, const function_row *find(str name), value *out)
{
    if (!value_hashable(r, *self))
        return jinja_fail(r, "a %s cannot be a name", value_type(*self));
    *out = value_bool(self->kind == V_TEXT && find(self->text->s));
    return true;
}

static bool run_filter(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)a, (void)raw;
    return names(r, self, filter_find, out);
}

static bool run_test(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)a, (void)raw;
    return names(r, self, test_find, out);
}

static bool remainder_of(render *r, value *self, int64_t by, value *rest)
{
    return value_binary(r, 5, *self, value_int(by), rest);      // %
}

static bool run_odd(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)a, (void)raw;
    value rest;
    bool odd;
    TRY(remainder_of(r, self, 2, &rest));
    TRY(value_equal(r, rest, value_int(1), &odd));
    *out = value_bool(odd);
    return true;
}

static bool run_even(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)a, (void)raw;
    value rest;
    bool even;
    TRY(remainder_of(r, self, 2, &rest));
    TRY(value_equal(r, rest, value_int(0), &even));
    *out = value_bool(even);
    return true;
}

static bool run_divisibleby(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)raw;
    value rest;
    bool zero;
    TRY(value_binary(r, 5, *self, a[0], &rest));
    TRY(value_equal(r, rest, value_int(0), &zero));
    *out = value_bool(zero);
    return true;
}

static bool run_sameas(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)raw;
    bool same = self->kind == a[0].kind;
    if (same && (self->kind == V_LIST || self->kind == V_TUPLE || self->kind == V_DICT || self->kind > V_DICT))
        same = self->list == a[0].list;
    else if (same)
        TRY(value_equal(r, *self, a[0], &same));
    *out = value_bool(same);
    return true;
}

static bool run_eq(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)raw;
    bool same;
    TRY(value_equal(r, *self, a[0], &same));
    *out = value_bool(same);
    return true;
}

static bool run_ne(render *r, value *self, value *a, const call_args *raw, value *out)
{
    TRY(run_eq(r, self, a, raw, out));
    out->truth = !out->truth;
    return true;
}

#define ORDER_TEST(id, sign, condition)                                                            \
    static bool run_##id(render *r, value *self, value *a, const call_args *raw, value *out)       \
    {                                                                                              \
        (void)raw;                                                                                 \
        int order;                                                                                 \
        TRY(value_order(r, *self, a[0], &order, sign));                                            \
        *out = value_bool(order != 2 && (condition));                                              \
        return true;                                                                               \
    }
ORDER_TEST(lt, "<", order < 0)
ORDER_TEST(le, "<=", order <= 0)
ORDER_TEST(gt, ">", order > 0)
ORDER_TEST(ge, ">=", order >= 0)

static bool run_in(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)raw;
    bool in;
    TRY(value_contains(r, a[0], *self, &in));
    *out = value_bool(in);
    return true;
}

static bool cased(render *r, value *self, bool upper, value *out)
{
    value words;
    TRY(value_to_text(r, *self, &words));
    *out = value_bool(text_is_cased(words.text->s, upper));
    return true;
}

static bool run_upper(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)a, (void)raw;
    return cased(r, self, true, out);
}

static bool run_lower(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)a, (void)raw;
    return cased(r, self, false, out);
}

static const function_row table[] = {
    { "defined", "/", run_defined }, { "undefined", "/", run_undefined }, { "none", "/", run_none },
    { "boolean", "/", run_boolean }, { "true", "/", run_true }, { "false", "/", run_false },
    { "integer", "/", run_integer }, { "float", "/", run_float }, { "number", "/", run_number },
    { "string", "/", run_string }, { "mapping", "/", run_mapping }, { "sequence", "/", run_sequence },
    { "iterable", "/", run_iterable }, { "callable", "/", run_callable }, { "escaped", "/", run_escaped },
    { "filter", "/", run_filter }, { "test", "/", run_test }, { "odd", "/", run_odd }, { "even", "/", run_even },
    { "divisibleby", "num", run_divisibleby }, { "sameas", "other", run_sameas }, { "upper", "/", run_upper },
    { "lower", "/", run_lower }, { "in", "seq", run_in }, { "==", "/other", run_eq }, { "eq", "/other", run_eq },
    { "equalto", "/other", run_eq }, { "!=", "/other", run_ne }, { "ne", "/other", run_ne }, { "<", "/other", run_lt },
    { "lt", "/other", run_lt }, { "lessthan", "/other", run_lt }, { "<=", "/other", run_le }, { "le", "/other", run_le },
    { ">", "/other", run_gt }, { "gt", "/other", run_gt }, { "greaterthan", "/other", run_gt }, { ">=", "/other", run_ge },
    { "ge", "/other", run_ge },
};

const function_row *test_find(str name)
{
    for (size_t i = 0; i < COUNT(table); i++)
        if (str_is(name, table[i].name))
            return &table[i];
    return NULL;
}

void test_names(const char **names, size_t *count)
{
    for (*count = 0; *count < COUNT(table); (*count)++)
        names[*count] = table[*count].name;
}
