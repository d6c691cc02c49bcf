// The prompts of answers, told by one rendering of a whole conversation, are those of renderings of the messages before each.
#include <stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "text/chat_parts.h"
#include "../test.h"

#define SMOL "fixtures/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"

#define USER(words) "{\"role\": \"user\", \"content\": \"" words "\"}"
#define ANSWER(words) "{\"role\": \"assistant\", \"content\": \"" words "\"}"
#define CALL "{\"role\": \"assistant\", \"content\": \"\", \"tool_calls\": [{\"type\": \"function\", \"function\": " \
             "{\"name\": \"look\", \"arguments\": {\"at\": \"Rome\"}}}]}"
#define RESULT "{\"role\": \"tool\", \"content\": \"sun\", \"name\": \"look\"}"
#define SYSTEM "{\"role\": \"system\", \"content\": \"Be brief.\"}"
#define ROW(...) "{\"messages\": [" __VA_ARGS__ "], \"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"look\", " \
                 "\"description\": \"d\", \"parameters\": {\"type\": \"object\", \"properties\": {}}}}]}"

static const char *const rows[] = {
    ROW(USER("Hi") "," ANSWER("Hello")),
    ROW(SYSTEM "," USER("a") "," ANSWER("b") "," USER("c") "," ANSWER("<think>\\nd\\n</think>\\n\\ne")),
    ROW(USER("a") "," ANSWER("b") "," USER("c") "," ANSWER("d") "," USER("e") "," ANSWER("f") "," USER("g")),
    ROW(USER("a") "," CALL "," RESULT "," ANSWER("b") "," USER("c") "," CALL "," RESULT "," RESULT "," ANSWER("d") "," CALL "," RESULT "," ANSWER("e")),
    ROW(ANSWER("first") "," USER("a") "," ANSWER("b") "," ANSWER("c")),
    ROW(SYSTEM "," ANSWER("b") "," USER("c") "," ANSWER("d")),
};

typedef struct tried { int64_t answers, told; } tried;

// Every prompt that was told is rendered anew, and the text of the whole is what it is without telling.
static void compare(const chat *c, const char *name, const char *row, tried *t)
{
    arena a = {0};
    err e = {0}, why = {0};
    const node *n;
    chat_context x = {0};
    chat_result r = {0};
    jinja_output alone = {0};
    chat_call call = { .c = c, .context = &x, .now = { 1700000000, 0 } };
    CHECK(json_parse(&a, str_of(row), (place){ .file = "row" }, &n, &e) && chat_make_context(c, n, &a, &x, &e));
    const bool whole = chat_render_all(&call, &r, &e), same = chat_render(&call, -1, false, &alone, &why) == whole;
    CHECK(same && (!whole || str_equal(text_view(&alone.text), text_view(&r.output.text))) && (whole || !strcmp(e.text, why.text)));
    CHECK(!whole || (alone.run_count == r.output.run_count
                     && (!alone.run_count || !memcmp(alone.runs, r.output.runs, sizeof *alone.runs * (size_t)alone.run_count))));
    for (int64_t i = 0; whole && i < r.prompt_count; i++) {
        const chat_prompt *p = &r.prompts[i];
        t->answers += x.roles[i] != 0;
        if (p->state == PROMPT_UNKNOWN)
            continue;
        t->told++;
        const bool ok = chat_render(&call, i, true, &alone, &e);
        str rest = str_slice(text_view(&r.rests), p->rest, p->rest + p->rest_size), all = text_view(&alone.text), full = text_view(&r.output.text);
        const bool equal = ok == (p->state == PROMPT_KNOWN)
            && (!ok || (all.size == p->shared + rest.size && p->shared <= full.size && !memcmp(all.at, full.at, p->shared)
                        && str_equal(str_from(all, p->shared), rest)));
        CHECK(x.roles[i] && equal);
        if (!equal)
            fprintf(stderr, "    %s: prompt of messages[%d] of %s\n", name, (int)i, row);
    }
    jinja_output_close(&alone);
    chat_result_close(&r);
    arena_close(&a);
}

static tried compare_all(const tokenizer *t, const char *template, const char *name)
{
    tried all = {0};
    err e = {0};
    chat *c = chat_open(t, str_of(template), NULL, &e);
    for (size_t i = 0; c && i < COUNT(rows); i++)
        compare(c, name, rows[i], &all);
    CHECK(c || e.text[0]);
    chat_close(c);
    return all;
}

#define TURN "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
#define PROMPT "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
#define LOOP "{% for m in messages %}" TURN "{% endfor %}" PROMPT

// told: of the 17 answers one comes first and is never told on the way; -1: not counted.
static const struct { const char *template; int64_t told; } cases[] = {
    { "chatml", 10 },                                       // which refuses rows with calls
    { "qwen2.5", -1 },
    { "llama3", -1 },
    { LOOP, 16 },
    { "{% if messages %}{% if true %}" LOOP "{% endif %}!{% endif %}{{ messages | length }}", 16 },
    { "{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}" LOOP, 16 },
    { "{% if messages[0].role == 'system' %}{% set rest = messages[1:] %}{% else %}{% set rest = messages %}{% endif %}"
      "{% for m in rest %}" TURN "{% endfor %}" PROMPT, 16 },
    { "{% for m in messages[1:] %}" TURN "{% else %}none{% endfor %}" PROMPT, 16 },
    { "{% for m in messages[2:][1:] %}" TURN "{% endfor %}" PROMPT, -1 },
    { "{{ messages | length }}" LOOP, 0 },
    { "{% for m in messages %}" TURN "{{ loop.length }}{% endfor %}" PROMPT, -1 },
    { "{% for m in messages %}" TURN "{{ loop.revindex0 }}{{ loop }}{% endfor %}" PROMPT, -1 },
    { "{{ messages[-1].role }}" LOOP, 0 },
    { "{% for m in messages | reverse %}" TURN "{% endfor %}" PROMPT, 0 },
    { "{% for m in messages %}" TURN "{% if loop.last and add_generation_prompt %}<|im_start|>assistant\n{% endif %}{% endfor %}", -1 },
    { "{% for m in messages %}" TURN "{% if add_generation_prompt and loop.last %}<|im_start|>assistant\n{% endif %}{% endfor %}", -1 },
    { "{% for m in messages %}" TURN "{% if m.role == 'tool' and (loop.last or messages[loop.index0 + 1].role != 'tool') %}/{% endif %}"
      "{% endfor %}" PROMPT, -1 },
    { "{% for m in messages %}" TURN "{{ loop.nextitem.role if loop.nextitem is defined else 'end' }}{% endfor %}" PROMPT, -1 },
    { "{% for m in messages %}" TURN "{% if loop.index0 + 2 < messages | length %}+{% endif %}{% endfor %}" PROMPT, 0 },
    { "{% set ns = namespace(n=0, seen=[]) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}" TURN "{% endfor %}{% set ns.n = ns.n * 10 %}"
      "{% set ns.late = 1 %}{{ ns.n }}{{ ns.late is defined }}" PROMPT, 16 },
    { "{% set ns = namespace(t='') %}{% for m in messages %}{% if ns.late is defined %}!{% endif %}{% set ns.t = ns.t ~ m.role %}" TURN
      "{{ loop.nextitem.role }}{% set x = x ~ 'x' if x is defined else 'x' %}{{ x }}{% endfor %}{% set ns.late = 1 %}{% set x = 1 %}{{ ns.t }}" PROMPT, -1 },
    { "{% set c = cycler('a', 'b', 'c') if false else joiner('|') %}{% for m in messages %}{{ c() }}" TURN "{% endfor %}{{ c() }}{{ c() }}" PROMPT, 16 },
    { "{% set c = cycler('a', 'b', 'c') %}{% for m in messages %}{{ c.next() }}" TURN "{% endfor %}{{ c.next() }}{{ c.current }}" PROMPT, 16 },
    { "{% set it = ['a', 'b', 'c', 'd', 'e'] | map('upper') %}{% for m in messages %}{{ it | first }}" TURN
      "{% endfor %}{{ it | list }}{{ it | first }}" PROMPT, 16 },
    { "{% for m in messages %}{{ loop.cycle('a', 'b', 'c') }}" TURN "{% endfor %}" PROMPT, 16 },
    { "{% for m in messages %}{{ loop.changed(m.role) }}" TURN "{% endfor %}" PROMPT, -1 },
    { "{% macro say(m) %}" TURN "{% endmacro %}{% for m in messages %}{{ say(m) }}{% set k = loop %}{{ k.first }}{% endfor %}{% macro say(m) %}?{% endmacro %}"
      "{{ say(messages[0]) }}" PROMPT, 16 },
    { "{% macro all(list) %}{% for m in list %}" TURN "{% endfor %}{% endmacro %}{{ all(messages) }}" PROMPT, 0 },
    { "{% for m in messages %}{% macro say() %}" TURN "{% endmacro %}{{ say() }}{% endfor %}" PROMPT, 16 },
    { "{% for m in messages %}{% if m.role == 'assistant' %}{% break %}{% endif %}{{ m.role }}{% endfor %}" LOOP, -1 },
    { LOOP LOOP, 16 },
    { "{% for m in messages %}{{ m.role }}{% endfor %}" LOOP, 16 },
    { "{% for m in messages if m.role != 'tool' %}" TURN "{% endfor %}" PROMPT, 0 },
    { "{% for m in messages recursive %}" TURN "{% endfor %}" PROMPT, 0 },
    { "{% set a, b = messages[0], messages %}" LOOP "{{ b | length }}", 0 },
    { "{% set ns = namespace() %}{% set ns.all = messages %}" LOOP "{{ ns }}", -1 },
    { "{% set all = [messages, 1] %}" LOOP "{{ all[0] | length }}", 0 },
    { "{% set same = messages or [] %}" LOOP "{{ same | length }}", 0 },
    { "{% with m2 = messages %}" LOOP "{{ m2 | length }}{% endwith %}", 0 },
    { "{% set text %}" LOOP "{% endset %}{{ text }}", 0 },
    { "{% for m in messages %}{% if m.role == 'user' and loop.index0 > 3 %}{{ raise_exception('no') }}{% endif %}" TURN "{% endfor %}" PROMPT, -1 },
    { LOOP "{% if messages[-1].role != 'user' %}{{ raise_exception('the last is no user') }}{% endif %}", 3 },
    { LOOP "{% for i in range(messages | length) %}{{ messages[i].content }}{% endfor %}", 16 },
    { "{% for m in messages %}" TURN "{{ messages[loop.index0 - 1].role }}{{ messages[loop.index + 1].role }}{% endfor %}" PROMPT, -1 },
    { "{% for m in messages %}{{ messages[loop.index0 + 2].role }}{{ messages[loop.index0].role }}" TURN "{% endfor %}" PROMPT, 0 },
    { "{{ messages[3].role }}{{ messages[99].role }}" LOOP, -1 },
    { "{{ messages['0'] }}{{ messages.count }}" LOOP, 0 },
    { "{% for m in messages %}{% for k in messages %}{{ k.role[0] }}{% endfor %}" TURN "{% endfor %}" PROMPT, -1 },
    { "{% for m in messages %}{% for part in [1, 2] %}{% if loop.last %}{{ part }}{% endif %}{% endfor %}" TURN "{% endfor %}" PROMPT, 16 },
    { "{% for m in messages %}" TURN "{% else %}{{ add_generation_prompt }}{% endfor %}" PROMPT, 16 },
    { "{{ messages is string }}{{ 'x' in messages }}{{ messages == messages }}" LOOP, 0 },
};

TEST(prompts_told_are_prompts_rendered)
{
    err e = {0};
    tokenizer *t = tokenizer_open(SMOL, &e);
    CHECK(t != NULL);
    for (size_t i = 0; t && i < COUNT(cases); i++) {
        tried got = compare_all(t, cases[i].template, cases[i].template);
        const bool enough = cases[i].told < 0 || got.told == cases[i].told;
        CHECK(enough);
        if (!enough)
            fprintf(stderr, "    %d of %d told by %s\n", (int)got.told, (int)got.answers, cases[i].template);
    }
    tokenizer_close(t);
}

static void compare_folder(const tokenizer *t, const char *folder, tried *all)
{
    arena a = {0};
    err e = {0};
    char **names;
    int64_t count = 0;
    CHECK(folder_list(&a, folder, &names, &count, &e) && count > 0);
    for (int64_t i = 0; i < count; i++) {
        str source = {0};
        CHECK(file_read(&a, path_join(&a, folder, names[i]), &source, &e));
        tried got = compare_all(t, arena_chars(&a, source), names[i]);
        all->answers += got.answers;
        all->told += got.told;
    }
    arena_close(&a);
}

TEST(prompts_of_templates_in_use)
{
    err e = {0};
    tried all = {0};
    tokenizer *t = tokenizer_open(SMOL, &e);
    CHECK(t != NULL);
    if (t) {
        compare_folder(t, "fixtures/templates/trl", &all);
        compare_folder(t, "fixtures/templates/llama.cpp", &all);
    }
    CHECK(all.told * 3 > all.answers);                      // most templates only look at what they print
    if (all.told * 3 <= all.answers)
        fprintf(stderr, "    %d of %d\n", (int)all.told, (int)all.answers);
    tokenizer_close(t);
}

// A conversation of thousands of turns takes about as many steps: each answer is found without rendering all before it.
TEST(long_conversations_are_rendered_once)
{
    err e = {0};
    arena a = {0};
    const node *n;
    text row = {0};
    chat_result r = {0};
    tokenizer *t = tokenizer_open(SMOL, &e);
    chat *c = t ? chat_open(t, STR("qwen2.5"), NULL, &e) : NULL;
    text_str(&row, STR("{\"messages\": [" USER("go") ));
    for (int i = 0; i < 2000; i++)
        text_str(&row, STR("," CALL "," RESULT "," ANSWER("seen") "," USER("again")));
    text_str(&row, STR("]}"));
    CHECK(c && json_parse(&a, text_view(&row), (place){ .file = "row" }, &n, &e));
    CHECK(c && chat_encode(c, n, (place){ .file = "row" }, &(chat_options){0}, &r, &e) && r.trained > 8000);
    int64_t told = 0;
    for (int64_t i = 0; i < r.prompt_count; i++)
        told += r.prompts[i].state == PROMPT_KNOWN;
    CHECK(told >= 3999 && r.rests.size < 4000 * 200);       // the first result looks ahead before that is known; each is told once
    chat_result_close(&r);
    chat_close(c);
    tokenizer_close(t);
    text_close(&row);
    arena_close(&a);
}
