// Silent bugs of other fine-tuning programs, a test each where no other test shows Skiff free of them: docs/pains.md.
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "data/ledger.h"
#include "data/loader.h"
#include "../test.h"

#define SMOL "fixtures/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
#define CHAT(user, assistant) "{\"messages\": [{\"role\": \"user\", \"content\": \"" user "\"}, {\"role\": \"assistant\", \"content\": \"" assistant "\"}]}\n"

__attribute__((constructor)) static void be_quiet(void)
{
    setenv("SKIFF_PROGRESS", "0", 1);
    log_set_level(LOG_ERROR);
}

typedef struct bench { char folder[64], data[96], out[96]; tokenizer *t; cache_options o; cache_totals totals; err e; } bench;

static bool bench_open(bench *b, const char *template)
{
    *b = (bench){ .folder = "/tmp/skiff-test-XXXXXX", .o = { .chat_template = str_of(template), .threads = 2 } };
    CHECK(mkdtemp(b->folder));
    snprintf(b->data, sizeof b->data, "%s/a.jsonl", b->folder);
    snprintf(b->out, sizeof b->out, "%s/cache", b->folder);
    b->t = tokenizer_open(SMOL, &b->e);
    CHECK(b->t != NULL);
    return b->t != NULL;
}

static void bench_close(bench *b)
{
    tokenizer_close(b->t);
    CHECK(folder_remove(b->folder, &b->e));
}

static bool build(bench *b, const char *rows)
{
    const char *patterns[] = { b->data };
    b->e = (err){0};
    return file_write(b->data, str_of(rows), &b->e) && cache_build(b->out, "test", patterns, 1, b->t, &b->o, &b->totals, &b->e);
}

// A conversation with what is trained between « and », as the cache has it.
static void check_trained(bench *b, const char *rows, int64_t i, const char *want)
{
    text out = {0};
    bool built = build(b, rows);
    CHECK_TEXT(b->e.text, "");
    cache *c = built ? cache_open(b->out, &b->e) : NULL;
    CHECK(c && i < cache_count(c));
    conversation v = c ? cache_at(c, i) : (conversation){0};
    for (int64_t k = 0; k < v.count; k++) {
        if (v.mask[k] && (!k || !v.mask[k - 1]))
            text_str(&out, STR("«"));
        tokenizer_token_bytes(b->t, v.ids[k], &out);
        if (v.mask[k] && (k + 1 == v.count || !v.mask[k + 1]))
            text_str(&out, STR("»"));
    }
    CHECK_TEXT(text_view(&out).at, want);
    text_close(&out);
    cache_close(c);
}

TEST(every_turn_is_trained_not_only_the_last)
{
    bench b;
    if (!bench_open(&b, "{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]{% else %} {{ m.content }}<|im_end|>"
                        "{% endif %}{% endfor %}"))
        return;
    check_trained(&b, "{\"messages\": [{\"role\": \"user\", \"content\": \"one\"}, {\"role\": \"assistant\", \"content\": \"first\"},"
                      " {\"role\": \"user\", \"content\": \"two\"}, {\"role\": \"assistant\", \"content\": \"second\"},"
                      " {\"role\": \"user\", \"content\": \"three\"}, {\"role\": \"assistant\", \"content\": \"third\"}]}\n", 0,
                  "[INST] one [/INST]« first<|im_end|>»[INST] two [/INST]« second<|im_end|>»[INST] three [/INST]« third<|im_end|>»");
    bench_close(&b);
}

TEST(markers_that_tokenize_otherwise_in_context)
{
    bench b;            // "###" merges with what stands before it, so no search for the ids of a marker would find it
    if (!bench_open(&b, "{% for m in messages %}{{ m.content }}{% if m.role == 'user' %}### Response:{% else %}<|im_end|>{% endif %}{% endfor %}"))
        return;
    check_trained(&b, CHAT("What is #", "It is a sign."), 0, "What is #### Response:«It is a sign.<|im_end|>»");
    bench_close(&b);
}

TEST(a_pad_that_is_eos_is_trained_all_the_same)
{
    bench b;
    if (!bench_open(&b, "chatml"))
        return;
    CHECK(tokenizer_eos(b.t) >= 0 && tokenizer_pad(b.t) == tokenizer_eos(b.t));
    check_trained(&b, CHAT("a", "b"), 0, "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n«b<|im_end|>»\n");
    bench_close(&b);
}

TEST(an_end_of_turn_that_is_not_eos_is_trained)
{
    bench b;
    if (!bench_open(&b, "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|endoftext|>\n{% endfor %}"
                        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"))
        return;
    CHECK(tokenizer_eos(b.t) != tokenizer_id(b.t, STR("<|endoftext|>")));
    check_trained(&b, CHAT("a", "b"), 0, "<|im_start|>user\na<|endoftext|>\n<|im_start|>assistant\n«b<|endoftext|>»\n");
    cache *c = cache_open(b.out, &b.e);
    CHECK(c && cache_stop_token(c, 0) == tokenizer_id(b.t, STR("<|endoftext|>")));      // and generation_config.json is told so
    cache_close(c);
    bench_close(&b);
}

// One row of a batch, spelled: each place's own token and, after '>', the token it has to predict.
static void spell(const batch *b, const tokenizer *t, text *out)
{
    for (int64_t i = 0; i < b->seq; i++) {
        text_add(out, "%s", b->start[i] == i && i ? "|" : "");
        tokenizer_token_bytes(t, b->ids[i], out);
        if (b->target[i] >= 0) {
            text_str(out, STR(">"));
            tokenizer_token_bytes(t, b->target[i], out);
            text_str(out, STR(";"));
        }
    }
}

TEST(targets_are_the_first_answer_token_to_the_stop_token)
{
    bench b;
    text out = {0};
    if (!bench_open(&b, "{% for m in messages %}{% if m.role == 'user' %}<|im_start|>{{ m.content }}<|im_end|>{% else %}{{ m.content }}<|im_end|>"
                        "{% endif %}{% endfor %}"))
        return;
    CHECK(build(&b, CHAT("A", "x") CHAT("B", "y")));
    cache *c = cache_open(b.out, &b.e);
    packs *p = c ? packs_open(c, 13, PACK_SEQUENTIAL, TRUNCATE_TURNS, 0, &b.e) : NULL;
    batch *row = batch_open(1, 13, &b.e);
    CHECK(p && row && packs_totals(p)->packs == 1);
    if (p && row) {
        packs_fill(p, 0, row, 0);
        spell(row, b.t, &out);
        // Two conversations, then padding: the end of one never predicts the beginning of the next, and padding predicts nothing.
        CHECK_TEXT(text_view(&out).at, "<|im_start|>A<|im_end|>>x;x><|im_end|>;<|im_end|>|<|im_start|>B<|im_end|>>y;y><|im_end|>;<|im_end|>"
                                       "|<|endoftext|>|<|endoftext|>|<|endoftext|>");
        CHECK(row->position[4] == 4 && row->position[5] == 0 && row->position[9] == 4 && row->trained == 4);
    }
    text_close(&out);
    batch_close(row);
    packs_close(p);
    cache_close(c);
    bench_close(&b);
}

TEST(another_template_is_another_cache)
{
    bench b;
    ledger before, after;
    arena a = {0};
    if (!bench_open(&b, "chatml"))
        return;
    CHECK(build(&b, CHAT("a", "b")) && ledger_read(&a, b.out, &before, &b.e));
    b.o.chat_template = STR("{% for m in messages %}<|im_start|>{{ m.role }}: {{ m.content }}<|im_end|>\n{% endfor %}");
    check_trained(&b, CHAT("a", "b"), 0, "<|im_start|>user: a<|im_end|>\n«<|im_start|>assistant: b<|im_end|>»\n");
    CHECK(ledger_read(&a, b.out, &after, &b.e) && strcmp(before.key, after.key));
    arena_close(&a);
    bench_close(&b);
}

TEST(a_dataset_in_which_nothing_is_trained_is_an_error)
{
    bench b;
    if (!bench_open(&b, "{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}<|im_end|>{% endif %}{% endfor %}"))
        return;
    CHECK(!build(&b, CHAT("a", "b") CHAT("c", "d")) && b.e.code == ERR_INPUT);
    CHECK(strstr(b.e.text, "'test': none of the 2 rows can be trained on; ") && strstr(b.e.text, "a.jsonl: row 1: nothing in it is trained"));
    bench_close(&b);
}

#define CALL_ROW "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", \"content\": null, \"tool_calls\": [{\"function\": " \
                 "{\"name\": \"f\", \"arguments\": {}}}]}, {\"role\": \"tool\", \"content\": \"1\"}, {\"role\": \"assistant\", \"content\": \"b\"}]}\n"

TEST(answers_that_the_template_leaves_out_are_counted)
{
    bench b;            // a template that knows no tool calls: its empty answer is not what was said
    if (!bench_open(&b, "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content or '' }}<|im_end|>\n{% endfor %}"
                        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"))
        return;
    check_trained(&b, CALL_ROW, 0, "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n<|im_end|>\n<|im_start|>tool\n1<|im_end|>\n"
                                   "<|im_start|>assistant\n«b<|im_end|>»\n");
    CHECK(b.totals.left_out == 1 && b.totals.kept == 1);
    b.o.chat_template = STR("{% for m in messages %}{% if m.content %}<|im_start|>{{ m.content }}<|im_end|>\n{% endif %}{% endfor %}");
    check_trained(&b, CALL_ROW, 0, "<|im_start|>a<|im_end|>\n<|im_start|>1<|im_end|>\n«<|im_start|>b<|im_end|>»\n");
    CHECK(b.totals.left_out == 1);
    // What is really empty is trained as such, and is not left out.
    b.o.chat_template = STR("chatml");
    // Its newline and its blank are one token.
    check_trained(&b, CHAT("a", " "), 0, "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant«\n <|im_end|>»\n");
    CHECK(b.totals.left_out == 0);
    bench_close(&b);
}
