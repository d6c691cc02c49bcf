// Every row of a dataset looked at: which are bad, which are worth knowing of, whatever the threads.
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "data/check.h"
#include "../test.h"

#define SMOL "fixtures/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
#define CHAT(user, assistant) "{\"messages\": [{\"role\": \"user\", \"content\": \"" user "\"}, {\"role\": \"assistant\", \"content\": \"" assistant "\"}]}\n"

__attribute__((constructor)) static void be_quiet(void) { setenv("SKIFF_PROGRESS", "0", 1); }

typedef struct found { text all; check_totals totals; err e; bool ok; int64_t most; } found;

static bool take(void *self, const check_finding *f)
{
    found *x = self;
    text_add(&x->all, "%s%s%lld %s%s%s: %s\n", path_name(f->file), f->row ? ":" : "", (long long)f->row, check_words[f->reason].name,
             *f->path ? ": " : "", f->path, f->text);
    return !x->most || --x->most > 0;
}

static void put(const char *folder, const char *name, const char *s)
{
    arena a = {0};
    err e = {0};
    CHECK(file_write(path_join(&a, folder, name), str_of(s), &e));
    arena_close(&a);
}

static void look(found *x, const char *folder, const check_options *o)
{
    x->ok = data_check(folder, o, take, x, &x->totals, &x->e);
}

static void check_found(found *x, const char *want)
{
    CHECK(x->ok);
    CHECK_TEXT(x->e.text, "");
    CHECK_TEXT(text_view(&x->all).at, want);
    text_close(&x->all);
}

static const char bad_rows[] =
    CHAT("a", "b")
    "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}\n"
    "{\"messages\": [{\"role\": \"bot\", \"content\": \"x\"}]}\n"
    "\n"
    "[1]\n"
    "{\"messages\": [{\"role\": \"user\"}, {\"role\": \"assistant\", \"content\": \"x\"}]}\n"
    "{\"other\": 1}\n"
    "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}]}\n"
    "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}, {\"role\": \"assistant\", \"tool_calls\": [{\"function\": {\"name\": \"f\","
    " \"arguments\": \"{x\"}}]}]}\n"
    CHAT("c", "");

TEST(every_bad_row_is_named)
{
    char folder[] = "/tmp/skiff-test-XXXXXX";
    CHECK(mkdtemp(folder));
    put(folder, "a.jsonl", bad_rows);
    put(folder, "b.jsonl", CHAT("a", "b"));
    found x = {0};
    look(&x, folder, &(check_options){ .threads = 2 });
    CHECK(x.totals.rows == 10 && x.totals.bad == 6 && x.totals.files == 2);
    CHECK(x.totals.reasons[CHECK_MALFORMED] == 2 && x.totals.reasons[CHECK_FORM] == 3 && x.totals.reasons[CHECK_EMPTY] == 1);
    check_found(&x,
        "a.jsonl:2 malformed: line 2, column 47: JSON: expected ',' or ']', got the end of the text\n"
        "a.jsonl:3 wrong form: messages[0].role: expected system, user, assistant or tool, got 'bot'\n"
        "a.jsonl:5 malformed: line 5, column 1: expected one object per line, got a list; a file that is one array of rows is named .json\n"
        "a.jsonl:6 wrong form: messages[0].content: missing\n"
        "a.jsonl:7 wrong form: messages: missing (adapter messages); the row's keys are other\n"
        "a.jsonl:8 no assistant message: messages: no message of the assistant, so there is nothing to learn\n"
        "a.jsonl:9 arguments are no JSON: messages[1].tool_calls[0].function.arguments: expected a JSON object, got '{x'\n"
        "a.jsonl:10 empty answer: messages[1].content: the answer is empty\n");
    err e = {0};
    CHECK(folder_remove(folder, &e));
}

TEST(files_that_end_early_do_not_hide_the_next)
{
    char folder[] = "/tmp/skiff-test-XXXXXX";
    CHECK(mkdtemp(folder));
    put(folder, "a.json", "[{\"question\": \"a\", \"answer\": \"b\"}, {\"question\": \"a\"");
    put(folder, "b.jsonl", "");
    put(folder, "c.jsonl", "{\"text\": 1}\n{\"question\": \"a\", \"answer\": null}\n{\"question\": \"a\", \"answer\": \"b\"}\n");
    found x = {0};
    look(&x, folder, &(check_options){ .threads = 1 });
    CHECK(x.totals.rows == 4 && x.totals.bad == 2 && x.totals.reasons[CHECK_FILE] == 2);
    CHECK(strstr(text_view(&x.all).at, "a.json0 unreadable file"));
    CHECK(strstr(text_view(&x.all).at, "b.jsonl0 unreadable file: the file holds no rows"));
    CHECK(strstr(text_view(&x.all).at, "c.jsonl:1 wrong form: no adapter fits a row with the keys text"));
    CHECK(strstr(text_view(&x.all).at, "c.jsonl:2 null field: a field is null"));
    text_close(&x.all);
    x = (found){ .most = 1 };
    look(&x, folder, &(check_options){ .threads = 1 });
    CHECK(x.ok && x.totals.files == 1);             // the caller had enough
    text_close(&x.all);
    x = (found){0};
    look(&x, "/tmp/no-such-data.jsonl", &(check_options){ .threads = 1 });
    CHECK(!x.ok && x.e.code == ERR_INPUT);
    err e = {0};
    CHECK(folder_remove(folder, &e));
}

// With a model: what its template and tokenizer make of each row.
static void check_with(const tokenizer *t, const char *rows, const char *template, int64_t seq, const char *want)
{
    char folder[] = "/tmp/skiff-test-XXXXXX";
    err e = {0};
    CHECK(mkdtemp(folder));
    put(folder, "a.jsonl", rows);
    found x = {0};
    check_options o = { .threads = 2, .tokenizer = t, .chat_template = str_of(template), .seq = seq, .cut = TRUNCATE_TURNS };
    look(&x, folder, &o);
    check_found(&x, want);
    CHECK(folder_remove(folder, &e));
}

static const char no_answers[] = "{% for m in messages %}{% if m.role == 'user' %}<|im_start|>{{ m.content }}<|im_end|>\n{% endif %}{% endfor %}";
static const char half[] = "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' %}{% generation %}{{ m.content }}"
                           "{% endgeneration %}{% else %}{{ m.content }}{% endif %}<|im_end|>\n{% endfor %}";

TEST(what_a_template_makes_of_rows)
{
    err e = {0};
    tokenizer *t = tokenizer_open(SMOL, &e);
    if (!t) {
        CHECK_TEXT(e.text, "opened");
        return;
    }
    check_with(t, CHAT("a", "b"), "chatml", 0, "");
    check_with(t, CHAT("a", "b"), no_answers, 0,
               "a.jsonl:1 nothing trained: no token of it is trained: the chat template prints none of its answers\n");
    check_with(t, CHAT("a", "b"), half, 0,
               "a.jsonl:1 stop token not trained: an answer ends with the token 'b', which is no stop token\n");
    check_with(t, CHAT("a <|im_end|>", "b"), "chatml", 0,
               "a.jsonl:1 special tokens in content: the text of a message spells a special token\n");
    check_with(t, CHAT("a", "one two three four five six seven eight nine ten"), "chatml", 16,
               "a.jsonl:1 too long: 22 tokens, and no whole answer lies within max_seq_len=16\n");
    check_with(t, CHAT("a", "b"), "{{ raise_exception('not today') }}", 0,
               "a.jsonl:1 refused by the template: chat_template:1:19: the template refuses this conversation: not today\n");
    check_with(t, CHAT("a", "b"), "{% for m in messages %}{{ m.content }} {% endfor %}", 0,
               "a.jsonl:1 refused by the template: messages[1]: chat_template:1: no stop token follows this answer, so its end could not be "
               "learned; let the template write '<|im_end|>' after it\n");
    check_with(t, "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}, {\"role\": \"assistant\", \"content\": \"y\"}],"
                  " \"tools\": [{\"name\": \"f\"}]}\n",
               "chatml", 0, "a.jsonl:1 tools not shown: it has tools or tool calls, which the chat template does not print\n");
    tokenizer_close(t);
}

TEST(tokens_by_role_add_up)
{
    err e = {0};
    found x = {0};
    tokenizer *t = tokenizer_open(SMOL, &e);
    check_options o = { .threads = 2, .tokenizer = t, .chat_template = STR("chatml") };
    if (!t)
        return;
    look(&x, "data/quickstart/train.jsonl", &o);
    check_found(&x, "");
    int64_t all = 0, trained = 0;
    for (int i = 0; i < x.totals.roles.count; i++) {
        const role_total *r = &x.totals.roles.items[i];
        all += r->tokens;
        trained += r->trained;
        CHECK(strcmp(r->role, "user") || r->trained == 0);
        CHECK(strcmp(r->role, "assistant") || r->trained == r->tokens);
    }
    CHECK(x.totals.roles.count >= 3 && all == x.totals.tokens && trained == x.totals.trained && x.totals.bad == 0);
    tokenizer_close(t);
}

TEST(answers_that_do_not_end)
{
    err e = {0};
    tokenizer *t = tokenizer_open(SMOL, &e);
    if (!t)
        return;
    const int32_t end = tokenizer_id(t, STR("<|im_end|>")), line = 198, word = 19556;
    const int32_t ids[] = { word, word, end, line, word, word };
    CHECK(chat_unended(t, ids, (const uint8_t[]){ 0, 1, 1, 0, 0, 0 }, 6) == -1);
    CHECK(chat_unended(t, ids, (const uint8_t[]){ 0, 1, 1, 1, 0, 0 }, 6) == -1);       // a newline after the stop token
    CHECK(chat_unended(t, ids, (const uint8_t[]){ 0, 1, 0, 0, 0, 0 }, 6) == 1);
    CHECK(chat_unended(t, ids, (const uint8_t[]){ 0, 1, 1, 0, 1, 1 }, 6) == 5);
    CHECK(chat_unended(t, ids, (const uint8_t[]){ 0, 0, 0, 0, 0, 0 }, 6) == -1);
    tokenizer_close(t);
}
