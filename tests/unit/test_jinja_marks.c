// Provenance: each byte of the output knows the text of the context that it came from.
#include "base/json.h"
#include "jinja/jinja.h"
#include "../test.h"

// "A…" has mark 1, "B…" mark 2, and so on; lists and objects pass theirs on.
static int32_t mark(void *self, const node *n)
{
    (void)self;
    if (node_get(n, "M"))
        return 'M' - '@';
    return n->kind == NODE_TEXT && n->text.size && n->text.at[0] >= 'A' && n->text.at[0] <= 'Z' ? n->text.at[0] - '@' : 0;
}

static const char variables[] =
    "{\"a\": \"Alpha beta\", \"b\": \"Bravo\", \"c\": \"C\\u00e9 \\ud83d\\ude42\", \"l\": [\"Apple\", \"Boat\"], \"d\": {\"k\": \"Dog\"},"
    " \"w\": \"A  \\n\", \"h\": \"H&lt;b &amp; c&#33;\", \"u\": \"WWW.x.org/a\", \"m\": {\"M\": {\"x\": [1]}}}";

// The output's bytes as their marks: '.' for the template's own, else a letter.
static const char *marks_of(const char *source)
{
    static char shown[1024];
    arena a = {0};
    err e = {0};
    const node *context;
    jinja_output out = {0};
    jinja *j = jinja_open(str_of(source), "t.jinja", &e);
    bool ok = j && json_parse(&a, str_of(variables), (place){ .file = "variables" }, &context, &e)
              && jinja_render(j, context, mark, NULL, NULL, &out, &e);
    snprintf(shown, sizeof shown, "%s", ok ? "" : e.text);
    for (int64_t i = 0; ok && i < out.run_count; i++)
        for (uint32_t at = out.runs[i].begin; at < out.runs[i].end; at++) {
            shown[at] = out.runs[i].mark ? (char)('@' + out.runs[i].mark) : '.';
            shown[at + 1] = 0;
        }
    jinja_output_close(&out);
    jinja_close(j);
    arena_close(&a);
    return shown;
}

#define MARKS(source, want) CHECK_TEXT(marks_of(source), want)

TEST(marks_follow_what_is_joined_and_cut)
{
    MARKS("x{{ a }}y{{ b }}", ".AAAAAAAAAA.BBBBB");
    MARKS("{{ a + '-' + b }}{{ a ~ 1 ~ b }}", "AAAAAAAAAA.BBBBBAAAAAAAAAA.BBBBB");
    MARKS("{{ (a ~ '|' ~ b)[8:14] }}{{ (b ~ a)[::-2] }}", "AA.BBBAAAAABBB");
    MARKS("{{ (a ~ b).split('a')[2] }}|{{ [a, b] | join(', ') }}", "BB.AAAAAAAAAA..BBBBB");
    MARKS("{{ '%s: %s' | format(a, b) }}{{ '{}{:>7}'.format(b, a[:2]) }}", "AAAAAAAAAA..BBBBBBBBBB.....AA");
}

TEST(marks_follow_filters_and_methods)
{
    MARKS("{{ a | upper }}{{ b.lower() }}{{ a | title }}", "AAAAAAAAAABBBBBAAAAAAAAAA");
    MARKS("{{ w | trim }}{{ w.rstrip() }}{{ b | replace('v', a[:1]) }}", "AABBBAB");
    MARKS("{{ b | replace('o', '--') }}{{ b | center(9) }}{{ b | indent(2, true) }}", "BBBB....BBBBB....BBBBB");
    MARKS("{{ b | truncate(4, true, '..', 0) }}{{ b | reverse }}{{ b | list | last }}", "BB..BBBBBB");
    MARKS("{{ l | map('upper') | join('+') }}{{ l | sort(reverse=true) | first }}{{ l | string }}", "AAAAA.BBBBBBBB..AAAAA....BBBB..");
}

TEST(marks_follow_json_macros_and_blocks)
{
    MARKS("{{ d | tojson }}{{ [a[:2]] | tojson }}", ".......DDD....AA..");
    MARKS("{{ m | tojson }}{{ m.M.x }}{% for k in m %}{{ k }}{% endfor %}", "..M.....M....M....M.M");
    MARKS("{{ 'q\"' ~ b ~ '\\n' | tojson }}", "..BBBBB....");
    MARKS("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(a) }}{{ m(b) | upper }}", ".AAAAAAAAAA..BBBBB.");
    MARKS("{% set x %}-{{ b }}-{% endset %}{{ x | trim('-') }}{% filter upper %}{{ b }}.{% endfilter %}", "BBBBBBBBBB.");
    MARKS("{% set ns = namespace(t='') %}{% for x in l %}{% set ns.t = ns.t + x + ';' %}{% endfor %}{{ ns.t }}", "AAAAA.BBBB.");
    MARKS("{% for ch in c %}{{ ch }}{% endfor %}", "CCCCCCCC");
}

TEST(marks_follow_filters_for_pages)
{
    MARKS("{{ a | striptags }}", "AAAAAAAAAA");
    MARKS("{{ ('<i> ' ~ a ~ '</i>  ' ~ b ~ '<!-- x --> ') | striptags }}", "AAAAAAAAAA.BBBBB");
    MARKS("{{ h | striptags }}", "HHHHHHHH");
    MARKS("{{ ('see ' ~ u ~ ' or ' ~ b) | urlize }}", ".....................WWWWWWWWWWW.................WWWWWWWWWWW........BBBBB");
    MARKS("{{ a | wordwrap(6) }}{{ (b ~ ' ' ~ a) | wordwrap(3) }}", "AAAAA.AAAABBB.BB.AAA.AA.AAA.A");
    MARKS("{{ d | xmlattr }}{{ {a[:2]: b} | xmlattr(false) }}", "....DDD.AA..BBBBB.");
    MARKS("{{ a | e }}|{{ h | e }}", "AAAAAAAAAA.HHHHHHHHHHHHHHHHHHHHHHHHHHHHHHH");
    MARKS("{{ l | pprint }}", "..AAAAA....BBBB..");
}

TEST(marks_follow_blocks_and_escaping)
{
    MARKS("{% block x %}<{{ a }}>{% endblock %}{{ self.x() | upper }}", ".AAAAAAAAAA..AAAAAAAAAA.");
    MARKS("{% autoescape true %}{{ b }}{{ b ~ '<' }}{% endautoescape %}", "BBBBBBBBBB....");
    MARKS("{% autoescape true %}{% set x %}({{ b }}){% endset %}{{ x }}{{ [x, a] | join('&') }}{% endautoescape %}", ".BBBBB..BBBBB......AAAAAAAAAA");
    MARKS("{{ a.partition(' ')[2] }}{{ '%s' % b }}{{ b.center(7).strip() }}", "AAAABBBBBBBBBB");
}

TEST(generation_spans)
{
    arena a = {0};
    err e = {0};
    jinja_output out = {0};
    jinja *j = jinja_open(STR("a{% generation %}bc{% endgeneration %}{% for i in [1, 2] %}-{% generation %}{{ i }}x{% endgeneration %}{% endfor %}"
                              "{% macro m() %}({% generation %}in{% endgeneration %}){% endmacro %}{{ m() | upper }}"), "t", &e);
    CHECK(j && jinja_has_generation(j));
    CHECK(j && jinja_render(j, node_object(&a), NULL, NULL, NULL, &out, &e));
    CHECK_TEXT(out.text.chars, "abc-1x-2x(IN)");
    static const jinja_span want[] = { { 1, 3 }, { 4, 6 }, { 7, 9 }, { 10, 12 } };
    CHECK(out.generation_count == (int64_t)COUNT(want) && !memcmp(out.generation, want, sizeof want));
    CHECK(out.run_count == 1 && out.runs[0].mark == 0);
    jinja_output_close(&out);
    jinja_close(j);
    arena_close(&a);
}
