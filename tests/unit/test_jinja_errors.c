// Errors of templates: the place, what was expected, what to do; and the limits.
#include "base/json.h"
#include "jinja/jinja.h"
#include "../test.h"

static const char *error_of(const char *source, const jinja_limits *limits)
{
    static err e;
    arena a = {0};
    jinja_output out = {0};
    node *context = node_object(&a);
    e = (err){0};
    jinja *j = jinja_open(str_of(source), "t.jinja", &e);
    if (j && jinja_render(j, context, NULL, NULL, limits, &out, &e))
        snprintf(e.text, sizeof e.text, "no error: %s", out.text.chars);
    jinja_output_close(&out);
    jinja_close(j);
    arena_close(&a);
    return e.text;
}

#define FAILS(source, want) CHECK_TEXT(error_of(source, NULL), want)

TEST(syntax_errors_have_line_and_column)
{
    FAILS("a\n{% if x %}b", "t.jinja:2:4: 'if' has no {% endif %}");
    FAILS("{% if x %}\n{% endfor %}", "t.jinja:2:4: there is no tag 'endfor' here; did you mean 'for' or 'endif'?");
    FAILS("{{ (1 + 2 }}", "t.jinja:1:11: unexpected '}', expected ')'");
    FAILS("é\n é{{ 1 + }}", "t.jinja:2:10: expected an expression, got '}}'");
    FAILS("{{ 'abc }}", "t.jinja:1:4: this text has no closing '");
    FAILS("x{# open", "t.jinja:1:2: this comment has no end '#}'");
    FAILS("{{ a ? b }}", "t.jinja:1:6: unexpected character '?'");
    FAILS("{% for i of l %}{% endfor %}", "t.jinja:1:10: expected 'in', got 'of'");
    FAILS("{% set 5 = 1 %}", "t.jinja:1:8: only names can be assigned to");
    FAILS("{% break %}", "t.jinja:1:4: 'break' stands outside a loop");
    FAILS("{% for i in l %}{% set loop = 1 %}{% endfor %}", "t.jinja:1:24: 'loop' belongs to the loop and cannot be set inside it");
    FAILS("{% raw %}{{", "t.jinja:1:1: {% raw %} has no {% endraw %}");
    FAILS("{{ a", "t.jinja:1:1: this tag has no end '}}'");
    FAILS("{% include 'x' %}", "t.jinja:1:4: {% include %} finds no other template: a chat template stands alone");
}

TEST(unknown_names_get_the_nearest)
{
    FAILS("{{ x | trimm }}", "t.jinja:1:8: there is no filter called 'trimm'; did you mean 'trim'?");
    FAILS("{{ x is strin }}", "t.jinja:1:6: there is no test called 'strin'; did you mean 'string'?");
    FAILS("{% fir i in x %}", "t.jinja:1:4: there is no tag 'fir' here; did you mean 'for' or 'if'?");
    FAILS("{% if false %}{{ x | from_json }}{% endif %}.", "no error: .");
    FAILS("{% if true %}{{ x | from_json }}{% endif %}.", "t.jinja:1:21: there is no filter called 'from_json'");
}

TEST(errors_while_running_name_the_macros)
{
    FAILS("{% macro inner(x) %}\n{{ x + 1 }}\n{% endmacro %}{% macro outer(x) %}\n\n{{ inner(x) }}{% endmacro %}\n\n{{ outer('a') }}",
          "t.jinja:2:6: '+' is not possible between str and int (in macro 'inner' called at line 5, in macro 'outer' called at line 7)");
    FAILS("{{ raise_exception('roles must ' ~ 'alternate') }}",
          "t.jinja:1:19: the template refuses this conversation: roles must alternate");
    FAILS("{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "t.jinja:1:35: macro 'm' takes 1 argument, got 2");
    FAILS("{{ 'a'.split(by='x') }}", "t.jinja:1:13: method 'split' takes no argument called 'by'");
    FAILS("{{ [1] | join(',', attribute='x', q=1) }}", "t.jinja:1:10: filter 'join' takes no argument called 'q'");
    FAILS("{{ 1 / 0 }}", "t.jinja:1:6: division by zero");
    FAILS("{% for a, b in [(1, 2, 3)] %}{% endfor %}", "t.jinja:1:4: 2 names for 3 values");
}

TEST(limits)
{
    const jinja_limits small = { .output = 1000, .steps = 20000, .depth = 20 };
    CHECK_TEXT(error_of("{{ 'ab' * 1000 }}", &small), "t.jinja:1:9: a text of more than 1000 bytes");
    CHECK_TEXT(error_of("{% for i in range(100000) %}{% endfor %}", &small), "t.jinja:1:18: the template takes more than 20000 steps");
    CHECK_TEXT(error_of("{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}", &(jinja_limits){ .depth = 3 }),
               "t.jinja:1:21: macros call each other more than 3 deep (in macro 'f' called at line 1, in macro 'f' called at line 1, in "
               "macro 'f' called at line 1)");
    CHECK(strstr(error_of("{% set n = namespace() %}{% set n.n = n %}{{ n }}", NULL), "nested more than 1500 deep"));
}
