// Whole runs of a tiny model: to the end, stopped and taken up again, refused, gone wrong.
#include <fcntl.h>
#include <sys/file.h>

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

static bool begin(tiny *t)
{
    err e = { 0 };
    log_to(listen, NULL);
    said[0] = 0;
    bool ok = tiny_open(t, &e);
    if (!ok) {
        failures++;
        fprintf(stderr, "%s\n", e.text);
    }
    return ok;
}

static void end(tiny *t)
{
    log_to(NULL, NULL);
    tiny_close(t);
}

// The rows of metrics.jsonl: their steps in order from `first`, and the number of rows with `name`.
static int64_t check_metrics(const tiny *t, int64_t first, int64_t last, const char *name)
{
    arena a = { 0 };
    str all = { 0 };
    int64_t step = first, with = 0;
    OK(file_read(&a, path_join(&a, t->c.output, "metrics.jsonl"), &all, E));
    for (size_t at = 0; at < all.size; step++) {
        size_t end_of = str_find(all, STR("\n"), at);
        const node *row = NULL;
        OK(json_parse(&a, str_slice(all, at, end_of), (place){ 0 }, &row, E));
        CHECK(node_is(node_get(row, "global_step"), NODE_INT) && node_get(row, "global_step")->integer == step);
        with += node_get(row, name) != NULL;
        at = end_of + 1;
    }
    CHECK(step == last + 1);
    arena_close(&a);
    return with;
}

static const char *in_output(const tiny *t, const char *name)
{
    static char path[4][200];
    static int turn_of;
    char *p = path[turn_of++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", t->c.output, name);
    return p;
}

TEST(a_run_and_again)
{
    tiny t;
    train_result r, again;
    if (!begin(&t))
        return;
    OK(train_run(&t.c, &r, E));
    CHECK(r.step == 8 && r.steps == 8 && !r.already_done);
    CHECK(r.loss < r.first_loss && r.eval_loss < r.eval_loss_before && r.tokens_per_second > 0 && r.mfu > r.mfu_causal && r.mfu_causal > 0);
    CHECK(check_metrics(&t, 0, 8, "train/loss") == 8);
    CHECK(check_metrics(&t, 0, 8, "throughput/mfu") == 8);
    CHECK(check_metrics(&t, 0, 8, "eval/loss") == 3);       // before, after 4 and 8
    CHECK(file_exists(in_output(&t, "checkpoints/step-4/metadata.json")) && file_exists(in_output(&t, "checkpoints/step-8/metadata.json")));
    static const char *const files[] = { "config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json" };
    for (size_t i = 0; i < COUNT(files); i++) {
        char path[64];
        snprintf(path, sizeof path, "hf/step-8/%s", files[i]);
        CHECK(file_exists(in_output(&t, path)));
    }
    CHECK_TEXT(r.export_folder, in_output(&t, "hf/step-8"));
    CHECK(strstr(said, "packs: ") && strstr(said, "run: 8 steps of 4 rows (2 x 2), 768 tokens a step"));
    CHECK(!strstr(said, "no stop token"));

    said[0] = 0;
    OK(train_run(&t.c, &again, E));
    CHECK(again.already_done && again.step == 8 && again.loss == r.loss && again.first_loss == r.first_loss);
    CHECK(again.eval_loss == r.eval_loss && again.eval_loss_before == r.eval_loss_before);
    CHECK_TEXT(again.export_folder, r.export_folder);
    CHECK(strstr(said, "is finished (step 8); nothing to do") != NULL);

    OK(folder_remove(in_output(&t, "hf/step-8"), E));       // the end came between checkpoint and export
    OK(train_run(&t.c, &again, E));
    CHECK(!again.already_done && file_exists(in_output(&t, "hf/step-8/model.safetensors")));
    CHECK(check_metrics(&t, 0, 8, "train/loss") == 8);
    CHECK(check_metrics(&t, 0, 8, "throughput/mfu") == 8);
    end(&t);
}

static void stop_and_take_up(type compute, type moments)
{
    tiny t;
    train_result r, whole;
    if (!begin(&t))
        return;
    t.c.compute = compute;
    t.c.moments = moments;
    OK(train_run(&t.c, &whole, E));
    char other[112];
    snprintf(other, sizeof other, "%s/other", t.folder);
    t.c.output = other;
    t.c.steps_per_eval = 3;
    err e = { 0 };
    stop_at = "step 3: held-out";
    CHECK(!train_run(&t.c, &r, &e) && e.code == ERR_INTERRUPTED);
    CHECK_TEXT(e.text, "stopped after step 3 of 8; the same command goes on from there");
    CHECK(r.step == 3);
    check_metrics(&t, 0, 3, "train/loss");
    CHECK(file_exists(in_output(&t, "checkpoints/step-3")) && !file_exists(in_output(&t, "hf")));
    t.c.threads = 1;                    // threads change nothing
    t.c.checkpoint_seconds = 1e-9;      // a temporary one after every step
    t.c.micro_batch = 0;                // that of the checkpoint
    OK(train_run(&t.c, &r, E));
    CHECK(r.step == 8 && r.loss == whole.loss && r.first_loss == whole.first_loss && r.eval_loss == whole.eval_loss);
    CHECK(r.eval_loss_before == whole.eval_loss_before);
    for (int k = 1; k < 8; k++) {       // only those of every fourth step stay
        char name[32];
        snprintf(name, sizeof name, "checkpoints/step-%d", k);
        CHECK(file_exists(in_output(&t, name)) == (k == 4));
    }
    check_metrics(&t, 0, 8, "train/loss");
    const char *there = in_output(&t, "checkpoints/step-8");
    char here[160];
    snprintf(here, sizeof here, "%s/checkpoints/step-8", t.output);
    CHECK(same_file(here, there, "weights.safetensors") && same_file(here, there, "moments.safetensors"));
    end(&t);
}

TEST(stopped_and_taken_up_is_the_same) { stop_and_take_up(F32, F32); }
TEST(stopped_and_taken_up_is_the_same_in_bf16) { stop_and_take_up(BF16, F32); }
TEST(stopped_and_taken_up_is_the_same_with_moments_in_bf16) { stop_and_take_up(F32, BF16); }

TEST(a_damaged_checkpoint_costs_only_time)
{
    tiny t;
    train_result r, again;
    if (!begin(&t))
        return;
    t.c.eval_cache = NULL;
    OK(train_run(&t.c, &r, E));
    CHECK(isnan(r.eval_loss) && check_metrics(&t, 1, 8, "train/loss") == 8);
    CHECK(truncate(in_output(&t, "checkpoints/step-8/weights.safetensors"), 1000) == 0);
    OK(folder_make(in_output(&t, "kept"), E));
    CHECK(rename(in_output(&t, "checkpoints/step-8/moments.safetensors"), in_output(&t, "kept/moments.safetensors")) == 0);
    OK(train_run(&t.c, &again, E));
    CHECK(again.step == 8 && !again.already_done && again.loss == r.loss);
    CHECK(strstr(said, "step-8' is damaged and passed over") != NULL && strstr(said, "going on from") != NULL);
    CHECK(same_file(in_output(&t, "kept"), in_output(&t, "checkpoints/step-8"), "moments.safetensors"));
    check_metrics(&t, 1, 8, "train/loss");
    end(&t);
}

TEST(other_settings_are_named)
{
    tiny t;
    train_result r;
    char want[512];
    if (!begin(&t))
        return;
    t.c.eval_cache = NULL;
    OK(train_run(&t.c, &r, E));
    t.c.schedule.learning_rate = 2e-2;
    t.c.seed = 4;
    t.c.steps = 9;
    err e = { 0 };
    CHECK(!train_run(&t.c, &r, &e) && e.code == ERR_INPUT);
    snprintf(want, sizeof want, "'%s' holds step 8 of a run with other settings: num_train_steps was 8, is 9; seed was \"3\", is \"4\"; "
             "learning_rate was 0.01, is 0.02; give the old ones, or another output folder", t.output);
    CHECK_TEXT(e.text, want);
    t.c.accept_changes = true;
    OK(train_run(&t.c, &r, E));
    CHECK(r.step == 9);
    CHECK(strstr(said, "going on from step 8 of a run with other settings: num_train_steps was 8, is 9;") != NULL);
    end(&t);
}

// What it adds to the loss changes the weights; 0 is what a checkpoint of before there was one means.
TEST(z_loss_is_one_of_the_settings)
{
    tiny t;
    train_result plain, r;
    char want[512];
    err e = { 0 };
    if (!begin(&t))
        return;
    t.c.eval_cache = NULL;
    OK(train_run(&t.c, &plain, E));
    t.c.z_loss = 1e-3;
    CHECK(!train_run(&t.c, &r, &e) && e.code == ERR_INPUT);
    snprintf(want, sizeof want, "'%s' holds step 8 of a run with other settings: z_loss_weight was not there, is 0.001; "
             "give the old ones, or another output folder", t.output);
    CHECK_TEXT(e.text, want);
    t.c.z_loss = 0;
    OK(train_run(&t.c, &r, E));
    CHECK(r.already_done);
    t.c.z_loss = 1e-3;
    OK(folder_remove(t.output, E));
    OK(train_run(&t.c, &r, E));
    CHECK(r.loss != plain.loss);
    t.c.z_loss = 0;
    CHECK(!train_run(&t.c, &r, &e) && strstr(e.text, ": z_loss_weight was 0.001, is not there; give the old ones"));
    end(&t);
}

// Moments in BF16: half the bytes in memory and in checkpoints, a loss like the other's; and not to be mixed with the others.
TEST(the_type_of_moments_is_one_of_the_settings)
{
    tiny t;
    train_plan plan, small;
    train_result plain, r;
    err e = { 0 };
    char want[512];
    int64_t whole, half;
    if (!begin(&t))
        return;
    t.c.eval_cache = NULL;
    OK(train_make_plan(&t.c, &plan, E));
    OK(train_run(&t.c, &plain, E));
    OK(file_size(in_output(&t, "checkpoints/step-8/moments.safetensors"), &whole, E));
    t.c.moments = BF16;
    OK(train_make_plan(&t.c, &small, E));
    CHECK(2 * small.moments == plan.moments && plan.total - small.total >= small.moments - 4096);
    CHECK(!train_run(&t.c, &r, &e) && e.code == ERR_INPUT);
    snprintf(want, sizeof want, "'%s' holds step 8 of a run with other settings: moments was not there, is \"bf16\"; "
             "give the old ones, or another output folder", t.output);
    CHECK_TEXT(e.text, want);
    t.c.accept_changes = true;
    t.c.steps = 9;
    CHECK(!train_run(&t.c, &r, &e) && e.code == ERR_INPUT);
    snprintf(want, sizeof want, "%s/checkpoints/step-8/moments.safetensors: the moments of this checkpoint are f32, expected bf16: give "
             "moments=f32, as the run had that made it", t.output);
    CHECK_TEXT(e.text, want);
    t.c.accept_changes = false;
    t.c.steps = 8;
    OK(folder_remove(t.output, E));
    OK(train_run(&t.c, &r, E));
    CHECK(r.loss != plain.loss && fabs(r.loss / plain.loss - 1) < 5e-3);
    OK(file_size(in_output(&t, "checkpoints/step-8/moments.safetensors"), &half, E));
    CHECK(half > whole / 2 && half < whole / 2 + 2000);
    end(&t);
}

TEST(not_finite_stops_the_run)
{
    tiny t;
    train_result r;
    err e = { 0 };
    if (!begin(&t))
        return;
    t.c.eval_cache = NULL;
    OK(tiny_model(t.model, "<|im_end|>", 1e30f, E));
    CHECK(!train_run(&t.c, &r, &e) && e.code == ERR_IO);
    CHECK(strstr(e.text, "step 1: loss ") == e.text && strstr(e.text, "not finite; the update was not applied, no checkpoint was made yet"));
    CHECK(strstr(e.text, "chats.jsonl: row ") != NULL);
    CHECK(strstr(said, "step 1, row 3 of the batch: ") != NULL && strstr(said, "step 1, row 0 of the batch: ") != NULL);
    CHECK(!file_exists(in_output(&t, "checkpoints")));
    end(&t);
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

TEST(refused_before_anything_is_loaded)
{
    tiny t;
    if (!begin(&t))
        return;
    t.c.output = "/dev/null/out";
    refused(&t, "output folder: cannot make the folder '/dev/null/out': Not a directory");
    t.c.output = t.output, t.c.micro_batch = 3;
    refused(&t, "micro_batch: expected a divisor of train_batch_size 4, got 3");
    t.c.micro_batch = 2, t.c.seq = 1000;
    refused(&t, "max_seq_len: 1000 is more than the 256 positions of the model '@/model'");
    t.c.seq = 192, t.c.beta2 = 1;
    refused(&t, "beta2: expected a number from 0 to below 1, got 1");
    t.c.beta2 = 0.95, t.c.schedule.warmup = 1.5;
    refused(&t, "warmup: expected a share of the steps from 0 to 1, or a whole number of steps, got 1.5");
    t.c.schedule.warmup = 0, t.c.steps = 0;
    refused(&t, "epochs: expected a number above 0 (or num_train_steps), got 0");
    t.c.steps = 8;
    t.c.trackers = "wandb";
    refused(&t, "trackers: no tracker is called 'wandb'");
    end(&t);
}

TEST(a_tokenizer_that_does_not_belong)
{
    tiny t;
    train_result r;
    err e = { 0 };
    char other[112];
    if (!begin(&t))
        return;
    snprintf(other, sizeof other, "%s/other", t.folder);
    OK(tiny_model(other, "<|done|>", 0.2f, E));
    t.c.model = other;
    CHECK(!train_run(&t.c, &r, &e) && e.code == ERR_INPUT);
    CHECK(strstr(e.text, "cache: tokenized with another tokenizer (") && strstr(e.text, "); tokenize the data again with this one"));
    end(&t);
}

TEST(a_tokenizer_larger_than_the_model)
{
    tiny t;
    arena a = { 0 };
    str config = { 0 };
    char changed[1024];
    if (!begin(&t))
        return;
    const char *path = path_join(&a, t.model, "config.json");
    OK(file_read(&a, path, &config, E));
    snprintf(changed, sizeof changed, "%.*s", STR_ARG(config));
    memcpy(strstr(changed, "264"), "258", 3);
    OK(file_write(path, str_of(changed), E));
    refused(&t, "@/model: the tokenizer has 259 tokens, the model '@/model' only 258; they do not belong together");
    arena_close(&a);
    end(&t);
}

TEST(one_process_to_a_folder)
{
    tiny t;
    if (!begin(&t))
        return;
    OK(folder_make(t.output, E));
    int fd = open(in_output(&t, ".lock"), O_RDWR | O_CREAT, 0666);
    CHECK(flock(fd, LOCK_EX) == 0);
    refused(&t, "'@/out': another process is training into this folder; wait for it, or give another output");
    close(fd);
    end(&t);
}

TEST(a_plan)
{
    tiny t;
    train_plan p;
    if (!begin(&t))
        return;
    t.c.steps = 0, t.c.epochs = 3, t.c.micro_batch = 0;
    OK(train_make_plan(&t.c, &p, E));
    CHECK(p.parameters == 264 * 32 + 2 * (32 + 64 * 32 + 32 * 32 + 32 + 3 * 64 * 32) + 32);
    CHECK(p.weights == 4 * p.parameters && p.moments == 8 * p.parameters && p.gradients == 4 * p.parameters);
    CHECK(p.total == p.weights + p.gradients + p.moments + p.activations + p.other);
    CHECK(p.micro * p.micro_batch == 4 && p.tokens_per_step == 768);
    CHECK(p.steps == (3 * p.packs + 3) / 4);
    CHECK(!file_exists(t.output));
    end(&t);
}

TEST(more_memory_than_there_is)
{
    tiny t;
    train_plan p;
    err e = { 0 };
    if (!begin(&t))
        return;
    t.c.batch = 1 << 17, t.c.micro_batch = 1 << 17, t.c.seq = 256;
    CHECK(!train_make_plan(&t.c, &p, &e) && e.code == ERR_MEMORY);
    CHECK(strstr(e.text, "training needs ") == e.text);
    const char *fit = strstr(e.text, " GB are free; this fits: ");
    static const char *const changes[] = { "fits: micro_batch=", ", or recompute=cheap micro_batch=", ", or recompute=block micro_batch=" };
    for (size_t i = 0; i < COUNT(changes); i++) {       // what is said to fit does
        const char *at = fit ? strstr(fit, changes[i]) : NULL;
        CHECK(at != NULL);
        t.c.micro_batch = at ? strtoll(at + strlen(changes[i]), NULL, 10) : 1;
        t.c.recompute = (recompute)i;
        OK(train_make_plan(&t.c, &p, E));
        CHECK(p.micro_batch == t.c.micro_batch && p.total <= p.available);
    }
    CHECK(fit && strstr(fit, " moments=bf16 ("));
    t.c.moments = BF16, t.c.micro_batch = 1 << 17;      // nothing left to say of them
    CHECK(!train_make_plan(&t.c, &p, &e) && strstr(e.text, "this fits: ") && !strstr(e.text, "moments="));
    t.c.moments = F32, t.c.micro_batch = 0, t.c.recompute = RECOMPUTE_NONE;
    OK(train_make_plan(&t.c, &p, E));
    CHECK(p.micro_batch == 8 && p.micro == 1 << 14 && p.total < p.available);
    end(&t);
}

// ---- evaluation ----

static double row_losses(const tiny *t, packing pack, int64_t rows, eval_row *out)
{
    eval_result r = { 0 };
    err e = { 0 };
    evaluator *v = eval_open(&(eval_config){ .model = t->model, .cache = t->cache, .seq = 192, .rows = rows, .pack = pack, .compute = F32 }, &e);
    CHECK(v != NULL);
    if (v) {
        OK(eval_run(v, &r, out, E));
        CHECK(r.rows == 60);
        eval_close(v);
    }
    return r.loss;
}

TEST(packed_loss_is_unpacked_loss)
{
    tiny t;
    eval_row packed[60], single[60];
    if (!begin(&t))
        return;
    double a = row_losses(&t, PACK_BEST_FIT, 3, packed), b = row_losses(&t, PACK_OFF, 1, single), sum = 0;
    int64_t all = 0;
    CHECK(a > 1 && fabs(a - b) < 1e-5 * b);
    for (int i = 0; i < 60; i++) {
        CHECK(packed[i].tokens == single[i].tokens && single[i].tokens > 0);
        CHECK(fabs(packed[i].nll - single[i].nll) < 1e-5 * single[i].nll);
        sum += packed[i].nll, all += packed[i].tokens;
    }
    CHECK(fabs(sum / (double)all - a) < 1e-9);
    end(&t);
}

TEST(an_export_is_the_model)
{
    tiny t;
    train_result r;
    eval_result v = { 0 };
    if (!begin(&t))
        return;
    t.c.export_f32 = true;
    t.c.steps_per_hf_export = 5;
    OK(train_run(&t.c, &r, E));
    CHECK(file_exists(in_output(&t, "hf/step-5/config.json")));
    err e = { 0 };
    evaluator *x = eval_open(&(eval_config){ .model = r.export_folder, .cache = t.held_out, .seq = 192, .compute = F32 }, &e);
    CHECK(x != NULL);
    if (x)
        OK(eval_run(x, &v, NULL, E));
    eval_close(x);
    CHECK(fabs(v.loss - r.eval_loss) < 1e-6);
    end(&t);
}

TEST(begun_from_a_checkpoint)
{
    tiny t;
    train_result r, s;
    char other[112];
    if (!begin(&t))
        return;
    OK(train_run(&t.c, &r, E));
    snprintf(other, sizeof other, "%s/other", t.folder);
    t.c.initialize_from = t.output;
    t.c.output = other;
    OK(train_run(&t.c, &s, E));
    CHECK(s.step == 8 && s.eval_loss_before == r.eval_loss);
    end(&t);
}
