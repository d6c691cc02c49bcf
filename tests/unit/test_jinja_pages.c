// Templates beyond what chats use: blocks, other templates, autoescape, and the filters for pages. What they print is what jinja2 prints.
#include <stdlib.h>

#include "base/json.h"
#include "jinja/jinja.h"
#include "../test.h"

static const char variables[] =
    "{\"s\": \"Hello World\", \"l\": [3, 1, 2], \"el\": [], \"q\": \"it's \\\"q\\\" <b>&amp;</b>\", \"no\": null, \"d\": {\"b"
    "\": 1, \"a\": \"<x>\", \"n\": null}, \"long\": \"The quick-brown fox -- jumps over the lazy_dog, well-known to x-y; extr"
    "aordinarily-long-words-here.\", \"url\": \"see (https://x.org/a?b=c&d), www.y.com. or me@z.net, mailto:a@b.org ftp://f.o"
    "rg/x <http://q.org>\"}";

static bool render(const char *source, const char *json, text *shown)
{
    arena a = {0};
    err e = {0};
    const node *context;
    jinja_output out = {0};
    jinja *j = jinja_open(str_of(source), "t.jinja", &e);
    bool ok = j && json_parse(&a, str_of(json), (place){ .file = "variables" }, &context, &e)
              && jinja_render(j, context, NULL, NULL, NULL, &out, &e);
    text_clear(shown);
    text_add(shown, "%s", ok ? out.text.chars : e.text);
    CHECK(ok || (e.code == ERR_INPUT && !strncmp(e.text, "t.jinja:1:", 10)));
    jinja_output_close(&out);
    jinja_close(j);
    arena_close(&a);
    return ok;
}

static void renders(const char *source, const char *want)
{
    text shown = {0};
    CHECK(render(source, variables, &shown));
    CHECK_TEXT(text_view(&shown).at, want);
    text_close(&shown);
}

static void refuses(const char *source)
{
    text shown = {0};
    CHECK(!render(source, variables, &shown) || (fprintf(stderr, "%s\n", source), false));
    text_close(&shown);
}

#define RENDERS(source, want) renders(source, want)
#define REFUSES(source) refuses(source)

TEST(as_jinja2_has_it)
{
    RENDERS("{{ ('<'|e).partition(' ') }}{{ ('a'|safe).rpartition('o') }}",
            "(Markup('&lt;'), Markup(''), Markup(''))(Markup(''), Markup(''), Markup('a'))");
    RENDERS("{{ ' 12 ' % range(4) }}{{ '%s' % range(2) }}", " 12 range(0, 2)");
    RENDERS("{{ 'x'|truncate(8, false, el) }}{{ '<b> a \n b</b>  c '|striptags }}", "xa b c");
    REFUSES("{{ 'a' % 1 }}");
    REFUSES("{{ 'a longer text than eight'|truncate(8, false, el) }}");
    REFUSES("{{ 'x'|truncate(2, false, l) }}");
    REFUSES("{{ dict(missing) }}");
    REFUSES("{{ namespace(missing) is defined }}");
}

TEST(blocks_stand_where_they_are_written)
{
    RENDERS("{% block a %}x{% endblock a %}{{ self.a() }}{{ self.no is defined }}",
            "xxFalse");
    RENDERS("{% for v in l %}{% block b scoped %}{{ v }}{{ loop.index }}{% endblock %}{% endfor %}",
            "311223");
    RENDERS("{% for v in l %}{% block c %}{{ v }}.{% endblock %}{% endfor %}",
            "...");
    RENDERS("{% set v = 1 %}{% block d %}{{ v }}{% set v = 2 %}{{ v }}{% endblock %}{{ v }}",
            "121");
    RENDERS("{% if false %}{% block e %}in{% endblock %}{% endif %}{{ self.e() }}",
            "in");
    RENDERS("{% block f %}{{ super is defined }}{% endblock %}{% block g %}[{% block h %}h{% endblock %}]{% endblock %}{{ self.h() }}",
            "False[h]h");
    REFUSES("{% block r required %} {% endblock %}");
    REFUSES("{% block a %}{% endblock %}{% block a %}{% endblock %}");
    REFUSES("{% for v in l %}{% block a %}{% break %}{% endblock %}{% endfor %}");
    REFUSES("{% block a required %}x{% endblock %}");
    REFUSES("{% block p %}{{ super() }}{% endblock %}");
    REFUSES("{{ self.nope() }}");
    REFUSES("{% block a %}{{ self.a() }}{% endblock %}");
}

TEST(other_templates_are_missed_when_they_are_reached)
{
    RENDERS("{% if false %}{% include 'x' %}{% extends 'y' %}{% import 'z' as z %}{% from 'a' import b as c, d with context %}{% endif %}ok",
            "ok");
    RENDERS("{% include [] ignore missing %}{% include none ignore missing without context %}ok",
            "ok");
    REFUSES("{% include 'x' %}");
    REFUSES("{% include ['x'] ignore missing %}");
    REFUSES("{% extends s %}");
    REFUSES("{% import 'x' as y %}");
    REFUSES("{% from 'x' import y %}");
    REFUSES("{% for i in l %}{% extends 'x' %}{% endfor %}");
    REFUSES("{% from 'x' import _y %}");
    REFUSES("{% import 'x' %}");
}

TEST(autoescape_escapes_what_is_printed)
{
    RENDERS("{% autoescape true %}{{ q }}{{ q|safe }}<{{ s ~ ('<'|safe) ~ q }}{% endautoescape %}{{ '<' }}",
            "it&#39;s &#34;q&#34; &lt;b&gt;&amp;amp;&lt;/b&gt;it's \"q\" <b>&amp;</b><Hello World<it&#39;s &#34;q&#34; &lt;"
            "b&gt;&amp;amp;&lt;/b&gt;<");
    RENDERS("{% autoescape true %}{{ ['<', '<'|safe]|join('>') }}{{ q|replace('<', '>') }}{{ d|xmlattr }}{% set v %}<{% endset %}{{ v }}{% endautoescape %}",
            "&lt;&gt;<it&#39;s &#34;q&#34; &gt;b&gt;&amp;amp;&gt;/b&gt; b=\"1\" a=\"&lt;x&gt;\"<");
    RENDERS("{% autoescape s %}{{ q }}{% endautoescape %}{% autoescape 0 %}{{ q }}{% endautoescape %}",
            "it&#39;s &#34;q&#34; &lt;b&gt;&amp;amp;&lt;/b&gt;it's \"q\" <b>&amp;</b>");
    RENDERS("{% macro m(v) %}<{{ v }}>{% endmacro %}{% autoescape true %}{{ m('<') }}{{ m('<') is escaped }}{% endautoescape %}",
            "<<>True");
}

TEST(filters_for_html)
{
    RENDERS("<p{{ {'id': 'x', 'class': 'a&b', 'no': none, 'gone': nothing}|xmlattr }}>{{ {'a': 1}|xmlattr(false) }}{{ {}|xmlattr }}",
            "<p id=\"x\" class=\"a&amp;b\">a=\"1\"");
    REFUSES("{{ {'a b': 1}|xmlattr }}");
    REFUSES("{{ l|xmlattr }}");
    RENDERS("{{ '<p>a <!-- > -->b</p>  c &lt;&eacute;&#65;&#x42;&amp;amp &notit; &bogus; &#128; <'|striptags }}",
            "a b c <éAB&amp ¬it; &bogus; € <");
    RENDERS("{{ url|urlize }}",
            "see (<a href=\"https://x.org/a?b=c&amp;d\" rel=\"noopener\">https://x.org/a?b=c&amp;d</a>), <a href=\"https://"
            "www.y.com\" rel=\"noopener\">www.y.com</a>. or <a href=\"mailto:me@z.net\">me@z.net</a>, <a href=\"mailto:a@b."
            "org\">a@b.org</a> ftp://f.org/x &lt;<a href=\"http://q.org\" rel=\"noopener\">http://q.org</a>&gt;");
    RENDERS("{{ url|urlize(9, true, '_blank', 'me', ['ftp://']) }}",
            "see (<a href=\"https://x.org/a?b=c&amp;d\" rel=\"me nofollow noopener\" target=\"_blank\">https://x...</a>), <"
            "a href=\"https://www.y.com\" rel=\"me nofollow noopener\" target=\"_blank\">www.y.com</a>. or <a href=\"mailto"
            ":me@z.net\">me@z.net</a>, <a href=\"mailto:a@b.org\">a@b.org</a> <a href=\"ftp://f.org/x\" rel=\"me nofollow n"
            "oopener\" target=\"_blank\">ftp://f.org/x</a> &lt;<a href=\"http://q.org\" rel=\"me nofollow noopener\" target"
            "=\"_blank\">http://q....</a>&gt;");
    REFUSES("{{ 'x'|urlize(extra_schemes=['f']) }}");
}

TEST(text_is_wrapped_as_python_wraps_it)
{
    RENDERS("{{ long|wordwrap(12) }}",
            "The quick-\nbrown fox --\njumps over\nthe\nlazy_dog,\nwell-known\nto x-y; extr\naordinarily-\nlong-words-\nhere.");
    RENDERS("{{ long|wordwrap(9, false, '|', false) }}",
            "The|quick-brown|fox --|jumps|over the|lazy_dog,|well-known|to x-y;|extraordinarily-long-words-here.");
    RENDERS("{{ '\\n a  b \\n\\nc'|wordwrap(3, wrapstring='/') }}",
            "/ a/b//c");
    REFUSES("{{ 'a'|wordwrap(0) }}");
    RENDERS("{{ [long, {'b': l, 'a': [long, d]}]|pprint }}",
            "['The quick-brown fox -- jumps over the lazy_dog, well-known to x-y; '\n 'extraordinarily-long-words-here.',"
            "\n {'a': ['The quick-brown fox -- jumps over the lazy_dog, well-known to x-y; '\n        'extraordinarily-long"
            "-words-here.',\n        {'a': '<x>', 'b': 1, 'n': None}],\n  'b': [3, 1, 2]}]");
    RENDERS("{{ long|pprint }}",
            "('The quick-brown fox -- jumps over the lazy_dog, well-known to x-y; '\n 'extraordinarily-long-words-here.')");
}

TEST(methods_of_numbers_and_texts)
{
    RENDERS("{{ 2.5.as_integer_ratio() }}{{ (-7).numerator }}{{ 7 .bit_count() }}{{ 2.5.hex() }}{{ true.imag }}{{ 1.5.imag }}",
            "(5, 2)-730x1.4000000000000p+100.0");
    RENDERS("{{ '{:>{w}}|{!r}'.format('a', 'b', w=4) }}{{ '{a}{b:03d}'.format_map({'a': 1, 'b': 2}) }}{{ '{:>5}'.format(true) }}",
            "   a|'b'1002    1");
    RENDERS("{{ 'abc'.translate({97: 'x', 98: none, 99: 100}) }}{{ 'ab'.maketrans('a', 'b', 'c') }}{{ dict.fromkeys('ab', 0) }}",
            "xd{97: 98, 99: None}{'a': 0, 'b': 0}");
    REFUSES("{{ '{:>5}'.format(nothing) }}");
    REFUSES("{{ '{:>5}'.format(l) }}");
}

TEST(an_error_of_a_lazy_filter_counts_when_it_is_reached)
{
    RENDERS("{% set x = l|map('nope') %}{% set y = 5|select %}ok",
            "ok");
    RENDERS("{{ [1, 'x']|map('abs')|first }}",
            "1");
    REFUSES("{{ [1, 'x']|map('abs')|list }}");
    RENDERS("{{ l|batch(0)|list }}",
            "[[], [3, 1, 2]]");
    REFUSES("{% filter length %}abc{% endfilter %}");
    RENDERS("{{ {'a': 1}|truncate(9) }}{{ l|groupby('w.y', '-')|length }}{{ 'x'|int(7, l) }}",
            "{'a': 1}17");
    RENDERS("{{ ('x'|safe).join(l) }}{{ missing.__init__ }}{{ l|batch(0)|list }}{{ l|slice(-1)|list }}",
            "3x1x2[[], [3, 1, 2]][]");
}

TEST(chance_hangs_on_the_variables_alone)
{
    text first = {0}, again = {0};
    const char *source = "{% for i in range(20) %}{{ range(100)|random }} {% endfor %}{{ lipsum(2, false, 5, 9) }}{{ []|random }}";
    CHECK(render(source, "{\"messages\": [{\"content\": \"a\"}], \"add_generation_prompt\": true}", &first));
    CHECK(render(source, "{\"messages\": [{\"content\": \"a\"}, {\"content\": \"b\"}], \"add_generation_prompt\": false}", &again));
    CHECK_TEXT(text_view(&again).at, text_view(&first).at);
    CHECK(render(source, "{\"messages\": [{\"content\": \"c\"}], \"add_generation_prompt\": true}", &again));
    CHECK(strcmp(text_view(&again).at, text_view(&first).at) != 0);
    REFUSES("{{ d|random }}");
    REFUSES("{{ lipsum(1, true, 9, 5) }}");
    text_close(&first);
    text_close(&again);
}
