// Runs on mixtures: reported, measured per dataset, stopped and taken up again, ended by a dataset, refused.
#include <signal.h>
#include <sys/wait.h>

#include "base/json.h"
#include "base/log.h"
#include "train/checkpoint.h"
#include "train/eval.h"
#include "../test.h"
#include "../tiny.h"

static char said[1 << 16];
static const char *stop_at;             // train_stop when a line begins so

static void listen(void *self, log_level level, const char *line)
{
    (void)self, (void)level;
    size_t at = strlen(said);
    snprintf(said + at, sizeof said - at, "%s\n", line);
    if (stop_at && !strncmp(line, stop_at, strlen(stop_at))) {
        stop_at = NULL;
        train_stop();
    }
}

#define OK(call) do { err e_ = { 0 }; if (!(call)) { failures++; fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, e_.text); } } while (0)
#define E (&e_)

static bool begin(tiny *t, tiny_mixed *m)
{
    err e = { 0 };
    log_to(listen, NULL);
    said[0] = 0;
    bool ok = tiny_open(t, &e) && tiny_mix(t, m, &e);
    if (!ok) {
        failures++;
        fprintf(stderr, "%s\n", e.text);
    }
    t->c.eval_cache = NULL;
    return ok;
}

static void end(tiny *t)
{
    log_to(NULL, NULL);
    tiny_close(t);
}

// A number of the metrics of a step; NAN when it is not there.
static double metric(const tiny *t, int64_t step, const char *name)
{
    arena a = { 0 };
    str all = { 0 };
    double found = NAN;
    OK(file_read(&a, path_join(&a, t->c.output, "metrics.jsonl"), &all, E));
    for (size_t at = 0; at < all.size;) {
        size_t end_of = str_find(all, STR("\n"), at);
        const node *row = NULL;
        OK(json_parse(&a, str_slice(all, at, end_of), (place){ 0 }, &row, E));
        if (node_get(row, "global_step") && node_get(row, "global_step")->integer == step && node_get(row, name))
            found = node_number(node_get(row, name));
        at = end_of + 1;
    }
    arena_close(&a);
    return found;
}

static void refused(const tiny *t, const char *want)
{
    train_result r;
    err e = { 0 };
    char text_of[600];
    CHECK(!train_run(&t->c, &r, &e) && e.code == ERR_INPUT);
    snprintf(text_of, sizeof text_of, "%s", e.text);
    for (char *at; (at = strstr(text_of, t->folder));)     // the test's own folder reads @
        memmove(at + 1, at + strlen(t->folder), strlen(at + strlen(t->folder)) + 1), *at = '@';
    CHECK_TEXT(text_of, want);
}

TEST(a_mixture_is_reported_and_measured)
{
    tiny t;
    tiny_mixed m;
    train_result r;
    if (!begin(&t, &m))
        return;
    OK(train_run(&t.c, &r, E));
    CHECK(r.step == 8 && r.loss < r.first_loss && r.eval_loss < r.eval_loss_before);
    CHECK(strstr(said, "data large: 60 rows, 60 kept, 0 cut to 192 tokens, 0 dropped") && strstr(said, "data small: 25 rows, 25 kept"));
    CHECK(strstr(said, "mixture large: weight 1, 4 of the 12 packs of a block, "));
    CHECK(strstr(said, "mixture small: weight 2, 8 of the 12 packs of a block, "));
    CHECK(strstr(said, "mixture aside: no weight: held out, evaluated\n") && !strstr(said, "data aside"));
    int both = 0;
    for (int64_t step = 1; step <= 8; step++) {
        const double all = metric(&t, step, "train/loss"), large = metric(&t, step, "train/large/loss"), small = metric(&t, step, "train/small/loss");
        both += !isnan(large) && !isnan(small);
        CHECK(!isnan(large) || !isnan(small));
        if (!isnan(large) && !isnan(small))
            CHECK(MIN(large, small) <= all * (1 + 1e-6) && all * (1 - 1e-6) <= MAX(large, small));
        else
            CHECK(fabs((isnan(large) ? small : large) - all) < 1e-5 * all);
        CHECK(isnan(metric(&t, step, "train/aside/loss")));
    }
    CHECK(both >= 4);
    CHECK(metric(&t, 8, "eval/aside/loss") == r.eval_loss && metric(&t, 0, "eval/loss") == r.eval_loss_before);
    CHECK(isnan(metric(&t, 8, "eval/macro_loss")));
    end(&t);
}

static double trained_of(const char *folder)
{
    err e = { 0 };
    cache *c = cache_open(folder, &e);
    const double trained = c ? (double)cache_get_totals(c)->trained : 0;
    cache_close(c);
    return trained;
}

// The loss of a dataset in step 1 is that of its conversations in the batch, each evaluated by itself with the base model.
TEST(losses_are_those_of_the_right_rows)
{
    tiny t;
    tiny_mixed m;
    train_result r;
    batch b;
    err e = { 0 };
    double sums[2] = { 0 }, counts[2] = { 0 };
    if (!begin(&t, &m))
        return;
    t.c.steps = 1, t.c.batch = 12, t.c.micro_batch = 3, t.c.steps_per_eval = -1;
    OK(train_run(&t.c, &r, E));
    evaluator *v[2];
    eval_row rows[2][60];
    eval_result sum;
    packs *p[2];
    for (int d = 0; d < 2; d++) {
        v[d] = eval_open(&(eval_config){ .model = t.model, .cache = m.caches[d], .seq = 192, .compute = F32, .pack = PACK_OFF }, &e);
        OK(v[d] && eval_run(v[d], &sum, rows[d], E));
        p[d] = packs_open(eval_cache(v[d]), 192, t.c.pack, t.c.truncate, 0, &e);
    }
    const mixture_config c = { .names = m.names, .datasets = 3, .stages = &m.stage, .stage_count = 1, .block = 12, .batch = 12, .seed = 3 };
    mixture *x = mixture_open(&c, &e);
    loader *l = loader_open_mixture((loader_part[]){ { "large", p[0] }, { "small", p[1] } }, 2, x, 3, PERMUTE_FEISTEL, 12, &e);
    OK(l && loader_batch(l, 0, &b, E));
    for (int64_t row = 0; l && row < 12; row++) {
        const int d = b.dataset[row];
        const int64_t *items, count = packs_at(p[d], b.pack[row], &items);
        for (int64_t i = 0; i < count; i++)
            sums[d] += rows[d][items[i]].nll, counts[d] += (double)rows[d][items[i]].tokens;
    }
    CHECK(fabs(metric(&t, 1, "train/large/loss") - sums[0] / counts[0]) < 1e-5);
    CHECK(fabs(metric(&t, 1, "train/small/loss") - sums[1] / counts[1]) < 1e-5);
    CHECK(fabs(metric(&t, 1, "train/loss") - (sums[0] + sums[1]) / (counts[0] + counts[1])) < 1e-5);
    loader_close(l);
    mixture_close(x);
    for (int d = 0; d < 2; d++) {
        packs_close(p[d]);
        eval_close(v[d]);
    }
    end(&t);
}

// Its order is that dataset's own, without blocks.
TEST(a_mixture_of_one_is_that_dataset)
{
    tiny t;
    tiny_mixed m;
    train_result mixed, alone;
    if (!begin(&t, &m))
        return;
    m.weights[1] = 0;
    OK(train_run(&t.c, &mixed, E));
    char other[112];
    snprintf(other, sizeof other, "%s/alone", t.folder);
    t.c.output = other;
    t.c.cache_count = 1, t.c.stages = NULL;
    OK(train_run(&t.c, &alone, E));
    CHECK(mixed.loss == alone.loss && mixed.first_loss == alone.first_loss);
    char here[160], there[160];
    snprintf(here, sizeof here, "%s/checkpoints/step-8", t.output);
    snprintf(there, sizeof there, "%s/checkpoints/step-8", other);
    CHECK(same_file(here, there, "weights.safetensors"));
    end(&t);
}

TEST(several_held_out_sets)
{
    tiny t;
    tiny_mixed m;
    train_result r;
    if (!begin(&t, &m))
        return;
    t.c.eval_cache = t.held_out;
    OK(train_run(&t.c, &r, E));
    const double a = metric(&t, 8, "eval/validation/loss"), b = metric(&t, 8, "eval/aside/loss"), all = metric(&t, 8, "eval/loss");
    CHECK(a > 0 && b > 0 && MIN(a, b) <= all && all <= MAX(a, b) && all == r.eval_loss);
    CHECK(fabs(metric(&t, 8, "eval/macro_loss") - (a + b) / 2) < 1e-9);
    const double first = trained_of(t.held_out), second = trained_of(m.caches[2]);
    CHECK(first != second && fabs(all - (a * first + b * second) / (first + second)) < 1e-9);
    // Each as if it were alone.
    m.weights[2] = 1, t.c.stages = NULL, t.c.cache_count = 1;
    t.c.eval_cache = m.caches[2];
    char other[112];
    snprintf(other, sizeof other, "%s/other", t.folder);
    t.c.initialize_from = t.output, t.c.output = other, t.c.steps = 1;
    OK(train_run(&t.c, &r, E));
    CHECK(fabs(r.eval_loss_before - b) < 1e-6);
    t.c.stages = &m.stage, t.c.cache_count = 3, m.names[2] = "validation", t.c.steps = 8;
    refused(&t, "mixture: a dataset is called 'validation', as the held-out data is; give it another name");
    end(&t);
}

static void stop_and_take_up(type compute)
{
    tiny t;
    tiny_mixed m;
    train_result r, whole;
    if (!begin(&t, &m))
        return;
    t.c.compute = compute;
    t.c.steps_per_eval = 3;
    OK(train_run(&t.c, &whole, E));
    char other[112], here[160], there[160];
    snprintf(other, sizeof other, "%s/other", t.folder);
    t.c.output = other;
    err e = { 0 };
    stop_at = "step 3: held-out";
    CHECK(!train_run(&t.c, &r, &e) && e.code == ERR_INTERRUPTED && r.step == 3);
    t.c.threads = 1;
    t.c.checkpoint_seconds = 1e-9;
    OK(train_run(&t.c, &r, E));
    CHECK(r.step == 8 && r.loss == whole.loss && r.first_loss == whole.first_loss && r.eval_loss == whole.eval_loss);
    snprintf(here, sizeof here, "%s/checkpoints/step-8", t.output);
    snprintf(there, sizeof there, "%s/checkpoints/step-8", other);
    CHECK(same_file(here, there, "weights.safetensors") && same_file(here, there, "moments.safetensors"));
    for (int64_t step = 1; step <= 8; step++) {
        const double second = metric(&t, step, "train/small/loss");
        t.c.output = t.output;
        const double first = metric(&t, step, "train/small/loss");
        t.c.output = other;
        CHECK(first == second || (isnan(first) && isnan(second)));
    }
    end(&t);
}

TEST(stopped_and_taken_up_is_the_same) { stop_and_take_up(F32); }
TEST(stopped_and_taken_up_is_the_same_in_bf16) { stop_and_take_up(BF16); }

// kill -9 while it trains, again and again, until it ends.
TEST(killed_and_taken_up_is_the_same)
{
    tiny t;
    tiny_mixed m;
    train_result r, whole;
    char other[112], here[160], there[160];
    int kills = 0;
    if (!begin(&t, &m))
        return;
    t.c.steps = 24, t.c.steps_per_checkpoint = 0, t.c.checkpoint_seconds = 1e-9, t.c.steps_per_eval = -1;
    OK(train_run(&t.c, &whole, E));
    snprintf(other, sizeof other, "%s/other", t.folder);
    t.c.output = other;
    for (int status = 1; status != 0 && kills < 200;) {
        const pid_t child = fork();
        if (child == 0) {
            err e = { 0 };
            log_to(NULL, NULL);
            log_set_level(LOG_WARNING);
            _exit(train_run(&t.c, &r, &e) ? 0 : 1);
        }
        CHECK(child > 0);
        usleep((useconds_t)(40000 + 15000 * kills));    // later each time, so that it comes to an end
        kill(child, SIGKILL);
        CHECK(wait_for_end(child, &status) && (status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)));
        kills += status != 0;
    }
    CHECK(kills >= 1);
    OK(train_run(&t.c, &r, E));
    CHECK(r.already_done && r.step == 24 && r.loss == whole.loss && r.first_loss == whole.first_loss);
    snprintf(here, sizeof here, "%s/checkpoints/step-24", t.output);
    snprintf(there, sizeof there, "%s/checkpoints/step-24", other);
    CHECK(same_file(here, there, "weights.safetensors") && same_file(here, there, "moments.safetensors"));
    for (int64_t step = 1; step <= 24; step++) {
        const double second = metric(&t, step, "train/small/loss");
        t.c.output = t.output;
        const double first = metric(&t, step, "train/small/loss");
        t.c.output = other;
        CHECK(first == second || (isnan(first) && isnan(second)));
    }
    end(&t);
}

TEST(another_mixture_is_no_resume)
{
    tiny t;
    tiny_mixed m;
    train_result r;
    if (!begin(&t, &m))
        return;
    t.c.steps_per_eval = -1;
    OK(train_run(&t.c, &r, E));
    CHECK(strstr(said, "mixture aside: no weight: held out, and not evaluated (steps_per_eval=-1)\n") && isnan(r.eval_loss));
    m.weights[0] = 1.5;
    refused(&t, "'@/out' holds step 8 of a run with other settings: mixture_weights was {\"large\":1.0,\"small\":2.0}, is "
                "{\"large\":1.5,\"small\":2.0}; give the old ones, or another output folder");
    m.weights[0] = 1, t.c.mixture_block = 24;
    refused(&t, "'@/out' holds step 8 of a run with other settings: mixture_block_size was 12, is 24; give the old ones, or another output folder");
    t.c.mixture_block = 12, m.names[0] = "big";
    train_result ignored;
    err e = { 0 };
    CHECK(!train_run(&t.c, &ignored, &e) && strstr(e.text, "dataset was [\"large\",\"small\"], is [\"big\",\"small\"]; data was {\"large\":"));
    m.names[0] = "small", m.names[1] = "large", m.weights[0] = 2, m.weights[1] = 1;     // nothing else differs than the order
    const char *first = m.caches[0];
    m.caches[0] = m.caches[1], m.caches[1] = first;
    refused(&t, "'@/out' holds step 8 of a run with other settings: dataset was [\"large\",\"small\"], is [\"small\",\"large\"]; give the old "
                "ones, or another output folder");
    m.caches[1] = m.caches[0], m.caches[0] = first, m.names[1] = "small", m.weights[0] = 1, m.weights[1] = 2;
    t.c.caches = (const char *[]){ m.caches[0], m.caches[2], m.caches[2] }, m.names[0] = "large";       // other conversations
    CHECK(!train_run(&t.c, &ignored, &e) && strstr(e.text, "other settings: data was {\"large\":"));
    t.c.caches = m.caches;
    m.names[0] = "large", m.weights[2] = 0, t.c.weights_of_rows = true;
    CHECK(!train_run(&t.c, &ignored, &e) && strstr(e.text, "mixture_unit was \"packs\", is \"rows\""));
    t.c.weights_of_rows = false;
    OK(train_run(&t.c, &r, E));
    CHECK(r.already_done);
    end(&t);
}

TEST(weights_from_a_step_on)
{
    tiny t;
    tiny_mixed m;
    train_result r;
    if (!begin(&t, &m))
        return;
    static const double early[] = { 1, 0, 0 }, late[] = { 0, 1, 0 };
    const mixture_stage stages[] = { { 0, early }, { 3, late } };
    t.c.stages = stages, t.c.stage_count = 2;
    OK(train_run(&t.c, &r, E));
    for (int64_t step = 1; step <= 8; step++) {
        CHECK(isnan(metric(&t, step, "train/large/loss")) == (step > 3));
        CHECK(isnan(metric(&t, step, "train/small/loss")) == (step <= 3));
    }
    CHECK(strstr(said, "mixture large: weight 1, 12 of the 12 packs of a block, "));
    CHECK(strstr(said, "mixture large: from step 3 weight 0, 0 packs of a block\n"));
    const mixture_stage bad[] = { { 0, early }, { 4, late } };
    t.c.stages = bad;
    refused(&t, "mixture: weights that begin at step 4, row 16 of the run: expected a multiple of mixture_block_size 12; the nearest steps are "
                "3 and 6");
    end(&t);
}

// ---- ends ----

TEST(steps_are_known_before_the_run)
{
    tiny t;
    tiny_mixed m;
    train_plan p;
    if (!begin(&t, &m))
        return;
    t.c.batch = 3, t.c.micro_batch = 1;
    OK(train_make_plan(&t.c, &p, E));
    CHECK(p.datasets == 2 && p.mixture_block == 12 && p.steps == 8 && p.packs == p.shares[0].data.packs + p.shares[1].data.packs);
    CHECK_TEXT(p.shares[1].name, "small");
    CHECK(p.shares[0].per_block == 4 && p.shares[1].per_block == 8 && p.shares[1].weight == 2);
    CHECK(fabs(p.shares[0].epochs * (double)p.shares[0].data.packs - 8) < 1e-9);         // 24 rows of the run: two blocks
    CHECK(fabs(p.shares[1].epochs * (double)p.shares[1].data.packs - 16) < 1e-9);
    t.c.steps = 0;
    t.c.stop = STOP_FIRST;
    OK(train_make_plan(&t.c, &p, E));
    CHECK(p.shares[0].epochs <= 1 && p.shares[1].epochs <= 1 && MAX(p.shares[0].epochs, p.shares[1].epochs) > 0.5);
    CHECK(strstr(said, "mixture: 'small' is used up first, after "));
    const int64_t first = p.steps;
    t.c.stop = STOP_ALL;
    OK(train_make_plan(&t.c, &p, E));
    CHECK(p.shares[0].epochs >= 1 && p.shares[1].epochs >= 1 && p.steps > first);
    CHECK(strstr(said, "mixture: 'large' is used up last, after "));
    t.c.steps = 2;                      // where that comes first
    OK(train_make_plan(&t.c, &p, E));
    CHECK(p.steps == 2);
    t.c.steps = 0, t.c.stop = STOP_RESTART, t.c.epochs = 2;
    refused(&t, "epochs: a mixture of 2 datasets has none of its own; give num_train_steps, or stop_strategy first_exhausted (no row twice) or "
                "all_exhausted (every row at least once)");
    m.weights[1] = 0;                   // one dataset has epochs
    OK(train_make_plan(&t.c, &p, E));
    CHECK(p.steps == (2 * p.packs + 2) / 3 && p.datasets == 1);
    end(&t);
}

TEST(weights_of_rows)
{
    tiny t;
    tiny_mixed m;
    train_plan p;
    if (!begin(&t, &m))
        return;
    t.c.weights_of_rows = true, m.weights[0] = m.weights[1] = 1, t.c.mixture_block = 4096, t.c.batch = 4096, t.c.micro_batch = 1, t.c.steps = 1;
    OK(train_make_plan(&t.c, &p, E));
    double rows[2];
    for (int i = 0; i < 2; i++)
        rows[i] = (double)p.shares[i].per_block * (double)p.shares[i].data.conversations / (double)p.shares[i].data.packs;
    CHECK(fabs(rows[0] / rows[1] - 1) < 0.002);
    CHECK(p.shares[0].data.conversations * p.shares[1].data.packs != p.shares[1].data.conversations * p.shares[0].data.packs
          ? p.shares[0].per_block != p.shares[1].per_block : true);
    end(&t);
}

TEST(a_batch_gone_wrong_names_the_right_dataset)
{
    tiny t;
    tiny_mixed m;
    train_result r;
    err e = { 0 };
    if (!begin(&t, &m))
        return;
    OK(tiny_model(t.model, "<|im_end|>", 1e30f, E));
    t.c.steps_per_eval = -1;
    CHECK(!train_run(&t.c, &r, &e) && e.code == ERR_IO);
    CHECK(strstr(e.text, "not finite; the update was not applied"));
    mixture *x = mixture_open(&(mixture_config){ .names = m.names, .datasets = 3, .stages = &m.stage, .stage_count = 1, .block = 12, .batch = 4,
                                                 .seed = 3 }, &e);
    CHECK(x != NULL);
    for (int64_t row = 0; x && row < 4; row++) {
        const char *name = m.names[mixture_at(x, row).dataset];
        char want[200];
        snprintf(want, sizeof want, "step 1, row %d of the batch: %s: %s/%s.jsonl: row ", (int)row, name, t.folder, name);
        CHECK(strstr(said, want) != NULL);
    }
    mixture_close(x);
    end(&t);
}

TEST(refused_before_anything_is_made)
{
    tiny t;
    tiny_mixed m;
    char other[112], folder[112], chats[128];
    if (!begin(&t, &m))
        return;
    t.c.stages = NULL;
    refused(&t, "3 token caches and no weights: a mixture needs mixture_weights");
    t.c.stages = &m.stage, m.weights[2] = NAN;
    refused(&t, "mixture: weight of 'aside': expected 0 or more, got nan");
    m.weights[2] = -1;
    refused(&t, "mixture: weight of 'aside': expected 0 or more, got -1");
    m.weights[0] = m.weights[1] = m.weights[2] = 0;
    refused(&t, "mixture: no dataset has a weight above 0");
    m.weights[0] = 1, m.weights[1] = 100;
    refused(&t, "mixture: the weight 1 of 'large' comes to none of the 12 rows of a block; the smallest block size that works is "
                "mixture_block_size=101");
    m.weights[1] = 2, m.names[1] = "large";
    refused(&t, "mixture: two datasets are called 'large'; give each a name of its own");
    m.names[1] = "small", t.c.batch = 4096, t.c.stop = STOP_FIRST, t.c.steps = 0;
    train_result r;
    err e = { 0 };
    CHECK(!train_run(&t.c, &r, &e) && strstr(e.text, "mixture: 'small' is used up after ") && strstr(e.text, "before the 4096 of a first step"));
    t.c.batch = 4, t.c.stop = STOP_RESTART, t.c.steps = 8;
    snprintf(other, sizeof other, "%s/other", t.folder);
    snprintf(folder, sizeof folder, "%s/odd", t.folder);
    snprintf(chats, sizeof chats, "%s/odd.jsonl", t.folder);
    OK(tiny_model(other, "<|done|>", 0.2f, E));
    OK(tiny_cache(folder, other, chats, 9, 4, E));
    m.caches[1] = folder;
    CHECK(!train_run(&t.c, &r, &e) && strstr(e.text, "odd: tokenized with another tokenizer ("));
    tokenizer *k = tokenizer_open(t.model, &e);         // the right one, with another template
    cache_totals totals;
    snprintf(folder, sizeof folder, "%s/other-template", t.folder);
    OK(k && cache_build(folder, "tiny", &(const char *){ chats }, 1, k, &(cache_options){ .threads = 1, .chat_template = STR("chatml") }, &totals, E));
    tokenizer_close(k);
    refused(&t, "mixture: 'large' and 'small' were tokenized with different chat templates; tokenize both with one");
    static const double early[] = { 1, 0, 0 }, late[] = { 0, 1, 0 };
    const mixture_stage stages[] = { { 0, early }, { 3, late } };
    m.caches[1] = m.folders[1], t.c.stages = stages, t.c.stage_count = 2, t.c.stop = STOP_ALL;
    CHECK(!train_run(&t.c, &r, &e) && strstr(e.text, "mixture: stop_strategy=all_exhausted never ends: the weights of 'large' end before all of its "));
    end(&t);
}
