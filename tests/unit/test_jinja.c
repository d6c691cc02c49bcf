// The template engine: what templates print, beside what jinja2 prints.
#include <stdlib.h>

#include "base/json.h"
#include "jinja/jinja.h"
#include "../test.h"

static const char variables[] =
    "{\"s\": \"Hello World\", \"n\": 7, \"f\": 2.5, \"l\": [3, 1, 2], \"e\": \"\", \"no\": null, \"u\": \"Stra\\u00dfe \\u6f22\","
    " \"d\": {\"b\": 1, \"a\": {\"x\": [1, 2]}, \"items\": 5}, \"big\": 12345678901234567890123,"
    " \"rows\": [{\"k\": \"x\", \"v\": 1}, {\"k\": \"Y\", \"v\": 2}, {\"k\": \"x\", \"v\": 3}]}";

// The rendered text, or "error: …".
static const char *render(const char *source)
{
    static char shown[4096];
    arena a = {0};
    err e = {0};
    const node *context;
    jinja_output out = {0};
    jinja *j = jinja_open(str_of(source), "t.jinja", &e);
    bool ok = j && json_parse(&a, str_of(variables), (place){ .file = "variables" }, &context, &e)
              && jinja_render(j, context, NULL, NULL, NULL, &out, &e);
    snprintf(shown, sizeof shown, "%s%s", ok ? "" : "error: ", ok ? out.text.chars : e.text);
    jinja_output_close(&out);
    jinja_close(j);
    arena_close(&a);
    return shown;
}

#define RENDERS(source, want) CHECK_TEXT(render(source), want)

TEST(arithmetic_follows_python)
{
    RENDERS("{{ 1 + 2 * 3 - 4 / 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 2 ** 3 ** 2 }} {{ 7.5 // 2 }} {{ 6 / 2 }}", "5.0 -4 2 64 3.0 3.0");
    RENDERS("{{ 1 + 2 ~ 3 if false }} {{ 'a' ~ 1 * 2 }} {{ true + true }} {{ 3 * 'ab' }} {{ [1] * 2 + [2] }}", " a2 2 ababab [1, 1, 2]");
    RENDERS("{{ 0.1 + 0.2 }} {{ 1e16 }} {{ 1e15 }} {{ 1e-5 }} {{ 0.0001 }} {{ -0.0 }} {{ 1/3 }}",
            "0.30000000000000004 1e+16 1000000000000000.0 1e-05 0.0001 -0.0 0.3333333333333333");
    RENDERS("{{ 9223372036854775807 + 1 }}",
            "error: t.jinja:1:24: the result of '+' is a whole number beyond 64 bits, which is not supported");
    RENDERS("{{ big }} {{ [big] }} {{ big > 5 }}", "12345678901234567890123 [12345678901234567890123] True");
}

TEST(comparisons_chain_and_logic_gives_operands)
{
    RENDERS("{{ 1 < 2 < 3 }}{{ 1 < 3 < 2 }}{{ 1 == 1.0 }}{{ (1,) == [1] }}{{ 'a' in s }}{{ 'b' in d }}{{ 4 not in l }}",
            "TrueFalseTrueFalseFalseTrueTrue");
    RENDERS("{{ e or 'x' }}{{ n and 5 }}{{ not e }}{{ 'a' if e else 'b' if n else 'c' }}{{ 1 if e }}", "x5Trueb");
    RENDERS("{{ n is odd and s is string and nothing is not defined }}{{ 9 is divisibleby 3 }}{{ s is not none }}", "TrueTrueTrue");
}

TEST(values_print_as_python_prints_them)
{
    RENDERS("{{ [1, 'a', none, true, 2.5, {'k': [1]}, (1,), ()] }}", "[1, 'a', None, True, 2.5, {'k': [1]}, (1,), ()]");
    RENDERS("{{ [\"it's\", 'a\"b', 'both\\'\"', '\\n\\x00\\u200b\\u00e9'] }}", "[\"it's\", 'a\"b', 'both\\'\"', '\\n\\x00\\u200bé']");
    RENDERS("{{ d.keys() }}{{ range(3) }}{{ nothing }}{{ no }}", "dict_keys(['b', 'a', 'items'])range(0, 3)None");
}

TEST(json_is_written_as_pythons_dumps)
{
    RENDERS("{{ d | tojson }}", "{\"b\": 1, \"a\": {\"x\": [1, 2]}, \"items\": 5}");
    RENDERS("{{ {'q': 'é\"\\\\\\n<&>', 'z': [], 'y': {}} | tojson(indent=2) }}",
            "{\n  \"q\": \"é\\\"\\\\\\n<&>\",\n  \"z\": [],\n  \"y\": {}\n}");
    RENDERS("{{ u | tojson(ensure_ascii=true) }}{{ {'b': 1, 'a': 2} | tojson(sort_keys=true, separators=(',', ':')) }}",
            "\"Stra\\u00dfe \\u6f22\"{\"a\":2,\"b\":1}");
}

TEST(white_space_around_tags)
{
    RENDERS("a\n  {% if n %}\nb\n  {% endif %}\nc\n", "a\nb\nc");
    RENDERS("a  {%- if n -%}  b  {%- endif +%}\n c", "ab\n c");
    RENDERS("{# x #}\n  {# y #}z{#- w -#}  {{- s -}}  .", "zHello World.");
    RENDERS("  {%+ if n %} x{% endif %}{% raw -%}  {{ y }}{% endraw %}", "   x{{ y }}");
    RENDERS("a\r\nb\r{% set q = 1 %}\r\nc\n\n", "a\nb\nc\n");
}

TEST(loops)
{
    RENDERS("{% for i in l %}{{ loop.index }}/{{ loop.length }}{{ loop.first }}{{ loop.last }}{{ loop.previtem }},{% endfor %}",
            "1/3TrueFalse,2/3FalseFalse3,3/3FalseTrue1,");
    RENDERS("{% for i in l if i > 1 %}{{ i }}{% else %}none{% endfor %}{% for i in [] %}{% else %}none{% endfor %}", "32none");
    RENDERS("{% for i in l %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}{% for i in l %}{% break %}{% endfor %}", "32");
    RENDERS("{% for i in [1] %}{% break %}{% else %}E{% endfor %}{% for i in [1] %}{% else %}F{% endfor %}", "E");  // as jinja2 does
    RENDERS("{% for i in [1, [2, [3]]] recursive %}{% if i is iterable %}({{ loop(i) }}){% else %}{{ i }}{{ loop.depth }}{% endif %}"
            "{% endfor %}", "11(22(33))");
    RENDERS("{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}{% for k, v in d.items() %}{{ k }}{% endfor %}",
            "123baitems");
}

TEST(scopes)
{
    RENDERS("{% set x = 1 %}{% for i in l %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}", "4231");
    RENDERS("{% if n %}{% set x = 1 %}{% endif %}{{ x }}{% with y = 2 %}{{ y }}{% endwith %}{{ y is defined }}", "12False");
    RENDERS("{% set ns = namespace(a=1) %}{% for i in l %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}{{ ns }}",
            "7<Namespace {'a': 7}>");
    RENDERS("{% set x %}a{{ n }}{% endset %}{{ x }}{% set y | upper %}b{% endset %}{{ y }}{% filter title %}it is{% endfilter %}",
            "a7BIt Is");
    RENDERS("{% macro m() %}{{ g }}{% endmacro %}{% set g = 1 %}{{ m() }}{% set g = 2 %}{{ m() }}", "12");
}

TEST(macros)
{
    RENDERS("{% macro m(a, b='B') %}{{ a }}{{ b }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1) }}{{ m(1, 2, 3, z=4) }}",
            "1B(){}12(3,){'z': 4}");
    RENDERS("{% macro m(a) %}[{{ caller(a) }}]{% endmacro %}{% call(x) m(5) %}got {{ x }}{% endcall %}", "[got 5]");
    RENDERS("{% macro f(n) %}{{ n }}{% if n %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) | length }}", "4");
}

TEST(filters)
{
    RENDERS("{{ '  x ' | trim }}{{ 'ab cd' | title }}{{ u | upper }}{{ s | replace('l', 'L', 2) }}", "xAb CdSTRASSE 漢HeLLo World");
    RENDERS("{{ rows | map(attribute='v') | list }}{{ rows | selectattr('k', 'equalto', 'x') | map(attribute='v') | sum }}", "[1, 2, 3]4");
    RENDERS("{{ rows | sort(attribute='k,v', reverse=true) | map(attribute='v') | list }}{{ ['a', 'A', 'b'] | unique | list }}",
            "[2, 3, 1]['a', 'b']");
    RENDERS("{{ rows | sort(attribute='k') | map(attribute='v') | list }}{{ rows | sort(attribute='k', reverse=true) | map(attribute='v') | list }}",
            "[1, 3, 2][2, 1, 3]");
    RENDERS("{% for k, g in rows | groupby('k') %}{{ k }}{{ g | length }}{% endfor %}", "x2Y1");
    RENDERS("{{ nothing | default('d') }}{{ e | default('f', true) }}{{ no | d('g') }}", "dfNone");
    RENDERS("{{ 'a\\nb\\n\\nc' | indent(2) }}|{{ 'foo bar baz qux' | truncate(9) }}|{{ 2.5 | round }}|{{ '0x1A' | int(0, 16) }}",
            "a\n  b\n\n  c|foo...|2.0|26");
    RENDERS("{{ l | batch(2, '-') | list }}{{ range(7) | slice(3) | list }}", "[[3, 1], [2, '-']][[0, 1, 2], [3, 4], [5, 6]]");
    RENDERS("{{ '<' | e }}{{ '<a>' | safe + '<b>' }}{{ '%s-%05.2f' | format('a', 2.5) }}", "&lt;<a>&lt;b&gt;a-02.50");
}

TEST(methods)
{
    RENDERS("{{ s.split('o', 1) }}{{ ' a  b '.split() }}{{ s.partition(' ') }}", "['Hell', ' World']['a', 'b']('Hello', ' ', 'World')");
    RENDERS("{{ s[1:4] }}{{ s[::-1] }}{{ u[4:6] }}{{ l[-1] }}{{ l[::-1] }}{{ s.startswith(('x', 'H')) }}", "elldlroW olleHße2[2, 1, 3]True");
    RENDERS("{{ '{:>5}|{0!r}|{x[b]:03d}'.format('a', x=d) }}", "error: t.jinja:1:35: format: fields are either all numbered or none is");
    RENDERS("{{ '{:>3}|{!r}|{x[b]:03d}'.format('a', 'c', x=d) }}{{ d.get('q', 5) }}{{ d.items is callable }}{{ d['items'] }}",
            "  a|'c'|0015True5");
}

TEST(undefined_is_silent_until_it_is_used)
{
    RENDERS("{{ nothing }}{{ d.q }}{{ l[9] }}{{ no.x }}{{ nothing | length }}{{ nothing ~ 'x' }}{% for i in nothing %}{% endfor %}", "0x");
    RENDERS("{{ nothing.x }}", "error: t.jinja:1:12: 'nothing' is undefined");
    RENDERS("{{ d.q.r }}", "error: t.jinja:1:8: 'dict' has no attribute or element 'q'");
    RENDERS("{{ nothing + 1 }}", "error: t.jinja:1:12: 'nothing' is undefined");
}

TEST(the_sandbox_is_closed)
{
    RENDERS("{{ l.append(1) }}", "error: t.jinja:1:12: 'append' of a list is not open to templates: it would change the object or reach outside");
    RENDERS("{{ d.pop('b') }}{{ x }}", "error: t.jinja:1:9: 'pop' of a dict is not open to templates: it would change the object or reach outside");
    RENDERS("{{ s.__class__ is defined }}{{ l.append is defined }}", "FalseFalse");
    RENDERS("{{ range(1000000) }}", "error: t.jinja:1:9: range of 1000000 numbers; templates may have 100000");
}
