// YAML: what values mean, where mistakes are.
#include "../test.h"
#include "base/json.h"
#include "base/yaml.h"

// The value as JSON, or the error's text.
static const char *read_as_json(arena *a, const char *yaml)
{
    const node *n;
    err e = {0};
    if (!yaml_parse(a, str_of(yaml), "x.yaml", &n, &e))
        return arena_chars(a, str_of(e.text));
    text t = {0};
    json_write(&t, n, JSON_COMPACT);
    const char *out = arena_chars(a, text_view(&t));
    text_close(&t);
    return out;
}

TEST(values)
{
    static const struct { const char *yaml, *json; } cases[] = {
        { "", "null" },
        { "# nothing\n", "null" },
        { "a: 1\nb: [x, 'y', \"z\\n\"]\n", "{\"a\":1,\"b\":[\"x\",\"y\",\"z\\n\"]}" },
        { "[~, null, Null, true, True, FALSE, yes, no, on, off, y]",
          "[null,null,null,true,true,false,\"yes\",\"no\",\"on\",\"off\",\"y\"]" },
        { "[0, -1, +7, 12345678901, 9223372036854775807]", "[0,-1,7,12345678901,9223372036854775807]" },
        { "[1.5, 5e-6, 1E3, .5, -2., 1.0]", "[1.5,5e-6,1E3,0.5,-2.0,1.0]" },
        { "[010, 0x1f, 1_000, 1e, e5, 1.2.3, -, ., 0o7]", "[\"010\",\"0x1f\",\"1_000\",\"1e\",\"e5\",\"1.2.3\",\"-\",\".\",\"0o7\"]" },
        { "['1', \"true\", '~', '']", "[\"1\",\"true\",\"~\",\"\"]" },
        { "a:\nb: ''\n", "{\"a\":null,\"b\":\"\"}" },
        { "a: &x {k: 1}\nb: *x\nc: [*x, *x]\n", "{\"a\":{\"k\":1},\"b\":{\"k\":1},\"c\":[{\"k\":1},{\"k\":1}]}" },
        { "a: |\n  two\n  lines\nb: >\n  one\n  line\n", "{\"a\":\"two\\nlines\\n\",\"b\":\"one line\\n\"}" },
        { "1: x\ntrue: y\n", "{\"1\":\"x\",\"true\":\"y\"}" },
        { "ä: \"\\u263A\"", "{\"ä\":\"☺\"}" },
        { "%YAML 1.1\n---\na: 1\n...\n", "{\"a\":1}" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        arena a = {0};
        CHECK_TEXT(read_as_json(&a, cases[i].yaml), cases[i].json);
        arena_close(&a);
    }
}

TEST(mistakes_are_named_with_their_place)
{
    static const struct { const char *yaml, *message; } cases[] = {
        { "a: 1\nb: 2\na: 3\n", "x.yaml:3:1: the key 'a' is given twice" },
        { "a: *b\n", "x.yaml:1:4: '*b' stands for nothing: no value before it has the anchor '&b'" },
        { "a: &a [*a]\n", "x.yaml:1:8: '*a' stands for nothing: no value before it has the anchor '&a'" },
        { "a: !!str 1\n", "x.yaml:1:4: tags ('tag:yaml.org,2002:str') are not read" },
        { "a: 1\n---\nb: 1\n", "x.yaml:2:1: a second document ('---'): one file holds one" },
        { "[1, 2]: x\n", "x.yaml:1:1: a key must be a word" },
        { "&k key: x\n", "x.yaml:1:1: a key may have neither tag nor anchor" },
        { "a: &x {k: 1}\nb:\n  <<: *x\n", "x.yaml:3:3: merge keys ('<<') are not read: write the keys out" },
        { "a: [1, 2\n", "x.yaml:2:1: did not find expected ',' or ']' while parsing a flow sequence" },
        { "a: 1\n b: 2\n", "x.yaml:2:3: mapping values are not allowed in this context" },
        { "a:\n\t- b\n", "x.yaml:2:1: found character that cannot start any token while scanning for the next token" },
        { "a: \"b\n", "x.yaml:2:1: found unexpected end of stream while scanning a quoted scalar" },
        { "a: \xff\n", "x.yaml: byte 3: invalid leading UTF-8 octet" },
        { "a: \x01\n", "x.yaml: byte 3: control characters are not allowed" },
        { "%TAG ! tag:x,2000:\n---\na: 1\n", "x.yaml:1:1: %TAG is not read" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        arena a = {0};
        CHECK_TEXT(read_as_json(&a, cases[i].yaml), cases[i].message);
        arena_close(&a);
    }
}

TEST(values_know_their_places)
{
    arena a = {0};
    const node *n;
    err e;
    CHECK(yaml_parse(&a, STR("a:\n  - x\n  - key: 5e-6\n"), "x.yaml", &n, &e));
    const node *second = node_at(node_get(n, "a"), 1), *value = node_get(second, "key");
    CHECK(second->line == 3 && second->column == 5);
    CHECK(value->line == 3 && value->column == 10 && value->kind == NODE_FLOAT && value->number == 5e-6);
    CHECK(str_is(value->raw, "5e-6"));
    CHECK(second->object.members[0].line == 3 && second->object.members[0].column == 5);
    CHECK(!node_get(n, "b"));
    arena_close(&a);
}

TEST(small_files_stay_small)
{
    arena a = {0};
    text t = {0};
    // Ten levels of ten aliases: ten billion values if they were written out.
    text_str(&t, STR("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"));
    for (int i = 1; i < 10; i++)
        text_add(&t, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1, i - 1, i - 1, i - 1, i - 1,
                 i - 1, i - 1, i - 1, i - 1, i - 1);
    CHECK_TEXT(read_as_json(&a, t.chars), "x.yaml:5:55: more than 131072 values (aliases counted as what they stand for)");
    text_clear(&t);
    for (int i = 0; i < 1000; i++)
        text_char(&t, '[');
    CHECK_TEXT(read_as_json(&a, t.chars), "x.yaml:1:66: nested deeper than 64");
    text_close(&t);
    arena_close(&a);
}
