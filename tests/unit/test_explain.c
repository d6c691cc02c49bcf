// Why steps would run: which field or file differs, and from what; the rows and the health of a step of training.
#include "base/json.h"
#include "base/log.h"
#include "run/experiment.h"
#include "run/explain.h"
#include "../test.h"
#include "../tiny.h"

typedef struct bench { tiny t; arena a; exec_step *steps; int count; executor_options o; err e; } bench;

static void say_nothing(void *self, log_level level, const char *line) { (void)self, (void)level, (void)line; }

static bool begin(bench *b)
{
    *b = (bench){0};
    setenv("SKIFF_PROGRESS", "0", 1);
    log_to(say_nothing, NULL);
    bool ok = tiny_open(&b->t, &b->e);
    CHECK_TEXT(b->e.text, "");
    b->o.prefix = arena_print(&b->a, "%s/runs", b->t.folder);
    return ok;
}

static void end(bench *b)
{
    log_to(NULL, NULL);
    tiny_close(&b->t);
    arena_close(&b->a);
}

// Two steps: tokens of the tiny chats, and training on them.
static void read_steps(bench *b, double rate)
{
    const char *path = path_join(&b->a, b->t.folder, "x.yaml"), *model_at = b->t.model;
    skiff_main_args args;
    experiment_forget();
    CHECK(file_write(path, str_of(arena_print(&b->a,
        "steps:\n  - default_tokenize: {name: a, dataset: %s/chats.jsonl, tokenizer: %s}\n"
        "  - default_sft: {name: b, tokenized: a, sft_config: {model_name_or_path: %s, train_batch_size: 2, micro_batch: 1, max_seq_len: 192,"
        " num_train_steps: 3, learning_rate: %g, precision: f32}}\n", b->t.folder, model_at, model_at, rate)), &b->e));
    CHECK(experiment_read_yaml(path, &args, &b->e));
    CHECK_TEXT(b->e.text, "");
    experiment_graph(&args, false, &b->a, &b->steps, &b->count);
    CHECK(b->count == 2 && executor_plan(&b->a, b->steps, b->count, &b->o, &b->e));
}

static const node *explain(bench *b, int64_t step)
{
    text out = {0};
    const node *n = NULL;
    b->e = (err){0};
    if (!experiment_explain(&b->a, b->steps, b->count, &b->o, step, &out, &b->e)) {
        text_close(&out);
        return NULL;
    }
    CHECK(json_parse(&b->a, arena_str(&b->a, text_view(&out)), (place){ .file = "report" }, &n, &b->e));
    text_close(&out);
    return node_get(n, "steps");
}

static str text_at(const node *steps, int64_t i, const char *name)
{
    const node *n = node_get(node_at(steps, i), name);
    return node_is(n, NODE_TEXT) ? n->text : (str){ "", 0 };
}

#define CHECK_STR(got, want) CHECK_TEXT(arena_chars(&b.a, got), want)

TEST(fields_files_and_steps_that_differ)
{
    bench b;
    if (!begin(&b))
        return;
    read_steps(&b, 1e-2);
    const node *steps = explain(&b, 0);
    CHECK_STR(text_at(steps, 0, "action"), "run");
    CHECK_STR(text_at(steps, 0, "reason"), "never run");
    CHECK_STR(text_at(steps, 1, "status"), "NONE");
    CHECK(executor_run(&b.a, b.steps, b.count, &b.o, NULL, &b.e));
    CHECK_TEXT(b.e.text, "");
    steps = explain(&b, 0);
    CHECK_STR(text_at(steps, 0, "action"), "skip");
    CHECK_STR(text_at(steps, 1, "action"), "skip");
    CHECK(str_begins(text_at(steps, 0, "cache"), STR("hit: ")));
    CHECK(node_get(node_at(steps, 1), "changed")->list.count == 0 && node_get(node_at(steps, 1), "inputs")->list.count == 0);

    // Another option of the second step: compared with the output made last.
    const char *before = b.steps[1].output;
    read_steps(&b, 5e-3);
    steps = explain(&b, 0);
    CHECK_STR(text_at(steps, 0, "action"), "skip");
    CHECK_STR(text_at(steps, 1, "action"), "run");
    CHECK_STR(text_at(steps, 1, "compared_with"), before);
    const node *changed = node_get(node_at(steps, 1), "changed"), *first = node_at(changed, 0);
    CHECK(changed->list.count == 1 && str_is(node_get(first, "field")->text, "sft_config.learning_rate"));
    CHECK(first && node_number(node_get(first, "was")) == 1e-2 && node_number(node_get(first, "is")) == 5e-3);

    // A file of the first step: it is named, and what depends on it runs too.
    read_steps(&b, 1e-2);
    char chats[112];
    snprintf(chats, sizeof chats, "%s/chats.jsonl", b.t.folder);
    CHECK(tiny_chats(chats, 50, 7, &b.e));
    steps = explain(&b, 0);
    const node *files = node_get(node_at(steps, 0), "inputs");
    CHECK(files->list.count == 1 && str_is(node_get(node_at(files, 0), "path")->text, chats));
    CHECK(files->list.count == 1 && str_is(node_get(node_at(files, 0), "change")->text, "changed"));
    CHECK(str_begins(text_at(steps, 0, "cache"), STR("missed: '")));
    CHECK_STR(text_at(steps, 1, "reason"), "what it depends on has changed");
    end(&b);
}

TEST(rows_and_health_of_a_step)
{
    bench b;
    if (!begin(&b))
        return;
    read_steps(&b, 1e-2);
    CHECK(!explain(&b, 1) && strstr(b.e.text, "'tokenized/a' has not run yet"));
    b.o.run_only = (const char *const[]){ "tokenized/a", NULL };
    CHECK(executor_run(&b.a, b.steps, b.count, &b.o, NULL, &b.e));
    b.o.run_only = NULL;
    const node *step = node_get(node_at(explain(&b, 2), 1), "step");
    CHECK(step && node_get(step, "metrics")->kind == NODE_NULL && node_get(step, "rows")->list.count > 2);
    CHECK(executor_run(&b.a, b.steps, b.count, &b.o, NULL, &b.e));
    const node *after = node_get(node_at(explain(&b, 2), 1), "step");
    CHECK(after && node_equal(node_get(step, "rows"), node_get(after, "rows")));
    CHECK(after && node_number(node_get(node_get(after, "metrics"), "train/loss")) > 1);
    CHECK(after && node_get(node_get(after, "metrics"), "global_step")->integer == 2);
    const node *row = after ? node_at(node_get(after, "rows"), 0) : NULL;
    CHECK(row && str_ends(node_get(row, "file")->text, STR("/chats.jsonl")) && node_get(row, "file_row")->integer >= 1);
    CHECK(row && str_is(node_get(row, "dataset")->text, "a"));
    CHECK(!explain(&b, 4) && strstr(b.e.text, "there is no step 4: the run has steps 1 to 3"));
    end(&b);
}
