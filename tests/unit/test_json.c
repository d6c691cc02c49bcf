// The JSON reader and writer, and the nodes they share with YAML.
#include "../test.h"
#include "base/json.h"

static char *said(arena *a, const char *s)
{
    err e = {0};
    const node *n;
    if (json_parse(a, str_of(s), (place){ .file = "x.json" }, &n, &e))
        return arena_chars(a, STR("no error"));
    CHECK(e.code == ERR_INPUT);
    return arena_chars(a, str_of(e.text));
}

static const node *read_json(arena *a, str s)
{
    err e = {0};
    const node *n = NULL;
    CHECK(json_parse(a, s, (place){ .file = "x.json" }, &n, &e));
    if (e.code)
        fprintf(stderr, "%s\n", e.text);
    return n;
}

TEST(values_are_read_with_their_places)
{
    arena a = {0};
    const node *n = read_json(&a, STR("{\"a\": [1, -2.5e3, true, null],\n  \"b\": {\"c\": \"x\\ny\\u00e4\\ud83d\\ude00\\ud800\"}}"));
    CHECK(node_at(node_get(n, "a"), 0)->integer == 1);
    CHECK(node_at(node_get(n, "a"), 1)->number == -2500);
    CHECK(node_at(node_get(n, "a"), 2)->truth && node_at(node_get(n, "a"), 3)->kind == NODE_NULL);
    const node *c = node_get(node_get(n, "b"), "c");
    CHECK(str_is(c->text, "x\ny\xc3\xa4\xf0\x9f\x98\x80\xef\xbf\xbd"));
    CHECK(c->line == 2 && c->column == 14);
    CHECK(node_at(node_get(n, "a"), 4) == NULL && node_get(n, "z") == NULL && node_get(NULL, "z") == NULL);
    CHECK(node_is(read_json(&a, STR("12345678901234567890")), NODE_FLOAT));
    CHECK(str_is(read_json(&a, STR("12345678901234567890"))->raw, "12345678901234567890"));
    arena_close(&a);
}

TEST(mistakes_name_their_place)
{
    arena a = {0};
    static const char *const cases[][2] = {
        { "", "x.json:1:1: JSON: expected a value, got the end of the text" },
        { "{\"a\": 1,\n \"b\" 2}", "x.json:2:6: JSON: expected ':', got '2'" },
        { "[1, 2", "x.json:1:6: JSON: expected ',' or ']', got the end of the text" },
        { "[1,]", "x.json:1:4: JSON: expected a value, got ']'" },
        { "{'a': 1}", "x.json:1:2: JSON: expected a key in double quotes, got '''" },
        { "\"abc", "x.json:1:1: JSON: this text is never closed (no '\"')" },
        { "\"a\nb\"", "x.json:1:3: JSON: expected a character of text (control characters must be escaped), got byte 0x0a" },
        { "\"\\x\"", "x.json:1:3: JSON: expected an escape, got 'x'" },
        { "\"\\u12g4\"", "x.json:1:6: JSON: expected four hexadecimal digits after \\u, got 'g'" },
        { "\"\xff\"", "x.json:1:2: JSON: expected UTF-8, got byte 0xff" },
        { "01", "x.json:1:1: JSON: a number may not begin with 0" },
        { "1.", "x.json:1:3: JSON: expected a digit, got the end of the text" },
        { "1 2", "x.json:1:3: JSON: expected the end of the text, got '2'" },
        { "tru", "x.json:1:1: JSON: expected a value, got 't'" },
        { "{\"a\":1,\"a\":2}", "x.json:1:8: JSON: the key \"a\" stands twice in one object" },
        { "NaN", "x.json:1:1: JSON: expected a value, got 'N'" },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_TEXT(said(&a, cases[i][0]), cases[i][1]);
    arena_close(&a);
}

// Texts are scanned eight bytes at a time: each kind of byte at each place of each length, and what stands behind the text.
TEST(text_of_every_length)
{
    static const struct { const char *written, *read, *wrong; } kinds[] = {
        { "\\\"", "\"", NULL }, { "\\\\", "\\", NULL }, { "\\n", "\n", NULL }, { "\xc3\xa4", "\xc3\xa4", NULL }, { "!", "!", NULL },
        { "]", "]", NULL }, { "#", "#", NULL }, { " ", " ", NULL }, { "\x7f", "\x7f", NULL }, { "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", NULL },
        { "\x01", "", "a character of text (control characters must be escaped), got byte 0x01" },
        { "\x1f", "", "a character of text (control characters must be escaped), got byte 0x1f" },
        { "\xff", "", "UTF-8, got byte 0xff" }, { "\xa0", "", "UTF-8, got byte 0xa0" },
        { "\\\xc3", "", "UTF-8, got byte 0xc3" }, { "\\q", "", "an escape, got 'q'" },
    };
    for (int size = 0; size < 34; size++)
        for (int at = 0; at <= size; at++)
            for (size_t k = 0; k < COUNT(kinds); k++) {
                arena a = {0};
                char before[40] = "", after[40] = "";
                memset(before, 'a', (size_t)at);
                memset(after, 'z', (size_t)(size - at));
                str row = str_of(arena_print(&a, "[\"%s%s%s\",\"\xc3\xa4\"]", before, kinds[k].written, after));
                if (kinds[k].wrong) {
                    const int column = at + 3 + (kinds[k].written[0] == '\\');
                    CHECK_TEXT(said(&a, row.at), arena_print(&a, "x.json:1:%d: JSON: expected %s", column, kinds[k].wrong));
                } else {
                    const node *n = node_at(read_json(&a, row), 0);
                    CHECK(n && str_is(n->text, arena_print(&a, "%s%s%s", before, kinds[k].read, after)));
                }
                arena_close(&a);
            }
}

TEST(rows_of_a_file_are_named_by_row)
{
    arena a = {0};
    err e = {0};
    const node *n;
    CHECK(!json_parse(&a, STR("{\"a\" 1}"), (place){ .file = "part.jsonl", .row = 17 }, &n, &e));
    CHECK_TEXT(e.text, "part.jsonl: row 17: column 6: JSON: expected ':', got '1'");
    arena_close(&a);
}

TEST(doubled_keys_are_found_among_many)
{
    arena a = {0};
    text t = {0};
    text_char(&t, '{');
    for (int i = 0; i < 500; i++)
        text_add(&t, "\"k%d\": %d,\n", i, i);
    text_add(&t, "\"k3\": 0}");
    CHECK_TEXT(said(&a, t.chars), "x.json:501:1: JSON: the key \"k3\" stands twice in one object");
    text_close(&t);
    arena_close(&a);
}

TEST(depth_is_limited)
{
    arena a = {0};
    text t = {0};
    for (int i = 0; i < 100000; i++)
        text_char(&t, '[');
    CHECK_TEXT(said(&a, t.chars), "x.json:1:513: JSON: nested more than 512 deep");
    text_close(&t);
    arena_close(&a);
}

TEST(a_prefix_tells_how_much_it_took)
{
    arena a = {0};
    err e = {0};
    const node *n;
    size_t used = 0;
    CHECK(json_parse_prefix(&a, STR("  [1] , 2"), (place){0}, &n, &used, &e));
    CHECK(used == 5 && n->kind == NODE_LIST);
    arena_close(&a);
}

TEST(what_is_written_reads_back_equal)
{
    arena a = {0};
    static const char source[] = "{\"a\": [1, 2.5, \"x\\\"\\\\\\n\\u0001\", {}], \"b\": [], \"c\": {\"d\": null}}";
    const node *n = read_json(&a, str_of(source));
    for (json_style s = JSON_COMPACT; s <= JSON_PRETTY; s++) {
        text t = {0};
        json_write(&t, n, s);
        CHECK(node_equal(n, read_json(&a, text_view(&t))));
        if (s == JSON_SPACED)
            CHECK_TEXT(t.chars, source);
        text_close(&t);
    }
    text t = {0};
    json_write_number(&t, 0.1);
    text_char(&t, ' ');
    json_write_number(&t, 1e300);
    text_char(&t, ' ');
    json_write_number(&t, 3);
    CHECK_TEXT(t.chars, "0.1 1e+300 3.0");
    text_close(&t);
    arena_close(&a);
}

TEST(wanted_members_are_checked)
{
    arena a = {0};
    err e = {0};
    int64_t i;
    str s;
    const node *n = read_json(&a, STR("{\"size\": 3,\n \"name\": 4}"));
    CHECK(node_want_int(n, "c.json", "size", &i, &e) && i == 3);
    CHECK(!node_want_text(n, "c.json", "name", &s, &e));
    CHECK_TEXT(e.text, "c.json:2:10: name: expected text, got a whole number");
    CHECK(!node_want_int(n, "c.json", "depth", &i, &e));
    CHECK_TEXT(e.text, "c.json:1:1: depth: missing");
    arena_close(&a);
}
