// kill -9 of the executor or of a step's process, Ctrl-C or SIGTERM, at arbitrary moments of a small experiment of three token caches
// and a training on their mixture, run as a user runs it. The next runs go on, and the outputs are those of an undisturbed run, byte for
// byte. KILLS=50 for many of them, SEED=n for other moments.
#include <fcntl.h>
#include <signal.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "../test.h"
#include "../tiny.h"

static char folder[64], skiff[4096];

static void write_experiment(const char *format_of_one, int weight_of_two)
{
    arena a = { 0 };
    err e = { 0 };
    text t = { 0 };
    static const char *const names[] = { "one", "two", "held" };
    CHECK(tiny_model(path_join(&a, folder, "model"), "<|im_end|>", 0.2f, &e));
    text_add(&t, "steps:\n");
    for (int i = 0; i < 3; i++) {
        const char *chats = arena_print(&a, "%s/%s.jsonl", folder, names[i]);
        CHECK(tiny_chats(chats, i == 2 ? 200 : 6000, 21 + (uint64_t)i, &e));
        text_add(&t, "  - default_tokenize: {name: %s, dataset: %s, tokenizer: %s/model, shard_rows: 200%s}\n", names[i], chats, folder,
                 i == 2 ? ", is_validation: true" : i == 0 ? format_of_one : "");
    }
    text_add(&t, "  - default_sft:\n      name: mix\n"
                 "      tokenized: {components: {one: one, two: two, held: held}, weights: {one: 2, two: %d}}\n"
                 "      sft_config: {model_name_or_path: %s/model, train_batch_size: 2, max_seq_len: 192, num_train_steps: 120,\n"
                 "        learning_rate: 1e-2, mixture_block_size: 12, steps_per_checkpoint: 20, checkpoint_seconds: 0.05,\n"
                 "        steps_per_eval: 30, steps_per_hf_export: 60}\n", weight_of_two, folder);
    CHECK(file_write(path_join(&a, folder, "x.yaml"), text_view(&t), &e));
    text_close(&t);
    arena_close(&a);
}

static pid_t begin_with(const char *flag, const char *given)
{
    pid_t pid = fork();
    if (pid)
        return pid;
    char experiment[128], prefix[128], said[128], summary[128];
    snprintf(experiment, sizeof experiment, "%s/x.yaml", folder);
    snprintf(prefix, sizeof prefix, "%s/out", folder);
    snprintf(said, sizeof said, "%s/said", folder);
    snprintf(summary, sizeof summary, "%s/summary", folder);
    dup2(open(summary, O_WRONLY | O_CREAT | O_TRUNC, 0666), 1);
    dup2(open(said, O_WRONLY | O_CREAT | O_TRUNC, 0666), 2);
    setenv("SKIFF_PROGRESS", "0", 1);
    execl(skiff, skiff, "run", experiment, "--prefix", prefix, "--json", flag, given, (char *)NULL);
    _exit(99);
}

static pid_t begin(void) { return begin_with(NULL, NULL); }

static void show_said(void)
{
    arena a = { 0 };
    str said = { 0 };
    err e;
    if (file_read(&a, path_join(&a, folder, "said"), &said, &e))
        fprintf(stderr, "%.*s", STR_ARG(said));
    arena_close(&a);
}

// The process of a step at work, as its lease says; 0: none.
static pid_t step_at_work(uint32_t pick)
{
    arena a = { 0 };
    char **leases;
    int64_t count = 0;
    const node *n;
    err e = { 0 };
    pid_t pid = 0;
    if (file_glob(&a, arena_print(&a, "%s/out/*/.*.lease", folder), &leases, &count, &e) && count &&
        json_read_file(&a, leases[pick % count], &n, &e) && node_is(node_get(n, "pid"), NODE_INT))
        pid = (pid_t)node_get(n, "pid")->integer;
    arena_close(&a);
    return pid;
}

static uint32_t number(uint32_t seed, int i) { return (uint32_t)key_bits(key_from_seed(seed), (uint64_t)i); }

// What does not tell of dates and processes: files of outputs, and their bytes.
static bool is_compared(const char *path)
{
    const char *name = path_name(path);
    return name[0] != '.' && strcmp(name, "metrics.jsonl") && !strstr(path, "/experiments/");
}

// The same but for the line that says when.
static bool same_but_dates(const char *one, const char *two, const char *name)
{
    arena a = { 0 };
    str bytes[2];
    err e;
    bool ok = true;
    for (int i = 0; i < 2 && ok; i++) {
        if (!(ok = file_read(&a, path_join(&a, i ? two : one, name), &bytes[i], &e)))
            break;
        size_t from = str_find(bytes[i], STR("\"timestamp\": \""), 0), to = str_find(bytes[i], STR("\n"), from);
        if (from < bytes[i].size && str_ends(str_of(name), STR("/metadata.json")))
            bytes[i] = str_of(arena_print(&a, "%.*s%s", (int)from, bytes[i].at, bytes[i].at + to));
    }
    ok = ok && str_equal(bytes[0], bytes[1]);
    arena_close(&a);
    return ok;
}

static int compare(const char *one, const char *two)
{
    arena a = { 0 };
    char **files;
    int64_t count = 0;
    int compared = 0;
    err e = { 0 };
    CHECK(file_glob(&a, arena_print(&a, "%s/**/*", one), &files, &count, &e));
    for (int64_t i = 0; i < count; i++) {
        const char *rest = files[i] + strlen(one) + 1;
        if (file_is_folder(files[i]) || !is_compared(files[i]))
            continue;
        compared++;
        if (!same_but_dates(one, two, rest)) {
            failures++;
            fprintf(stderr, "%s/%s is another in %s\n", one, rest, two);
        }
    }
    arena_close(&a);
    return compared;
}

// global_step and losses of every row, as text.
static void losses(const char *prefix, text *out)
{
    arena a = { 0 };
    char **files;
    int64_t count = 0;
    str all = { 0 };
    err e = { 0 };
    CHECK(file_glob(&a, arena_print(&a, "%s/checkpoints/*/metrics.jsonl", prefix), &files, &count, &e) && count == 1);
    CHECK(count == 1 && file_read(&a, files[0], &all, &e));
    for (size_t at = 0; at < all.size;) {
        size_t end = str_find(all, STR("\n"), at);
        const node *row;
        CHECK(json_parse(&a, str_slice(all, at, end), (place){ 0 }, &row, &e));
        const node *loss = node_get(row, "train/loss"), *held = node_get(row, "eval/loss");
        text_add(out, "%lld %.17g %.17g\n", (long long)node_get(row, "global_step")->integer, loss ? node_number(loss) : 0, held ? node_number(held) : 0);
        at = end + 1;
    }
    arena_close(&a);
}

static void wait_microseconds(double n) { nanosleep(&(struct timespec){ (time_t)(n / 1e6), (long)(n - 1e6 * (double)(time_t)(n / 1e6)) * 1000 }, NULL); }

// Begins it again and again and disturbs it each time; false when it was done before `kills` were.
static int disturb(int kills, double whole, uint32_t seed, int by_way[4])
{
    int done = 0;
    for (int i = 0, tries = 0; done < kills && tries < 4 * kills; i++, tries++) {
        int status;
        pid_t executor = begin();
        // Nothing is kept of what a run did before its first shard: the farther, the rarer.
        double share = (double)number(seed, 3 * i) / 4294967296.0;
        wait_microseconds(2e4 + 1e6 * whole * 0.6 * share * share);
        int way = (int)(number(seed, 3 * i + 1) % 4);
        pid_t step = step_at_work(number(seed, 3 * i + 2));
        if (way == 1 && (!step || step == executor))        // before its process took over the lease
            way = 0;
        bool hit = kill(way == 1 ? step : executor, way < 2 ? SIGKILL : way == 2 ? SIGINT : SIGTERM) == 0;
        CHECK(wait_for_end(executor, &status));
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
            break;                                      // it was quicker
        done += hit;
        by_way[way] += hit;
        bool fine = way == 0 ? WIFSIGNALED(status) : way == 1 ? WIFEXITED(status) && WEXITSTATUS(status) == 1
                  : WIFSIGNALED(status) ? WTERMSIG(status) == (way == 2 ? SIGINT : SIGTERM)        // before there was a step
                                        : WEXITSTATUS(status) == (way == 2 ? 130 : 143);
        CHECK(fine);
        if (!fine) {
            fprintf(stderr, "disturbance %d of way %d: status %x\n", i, way, (unsigned)status);
            show_said();
        }
    }
    return done;
}

static void open_folder(void)
{
    const char *named = getenv("SKIFF");
    snprintf(skiff, sizeof skiff, "%s", named ? named : "build/skiff");
    strcpy(folder, "/tmp/skiff-killed-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
}

TEST(killed_at_any_moment)
{
    const char *kills_said = getenv("KILLS"), *seed_said = getenv("SEED");
    const int kills = kills_said ? (int)strtol(kills_said, NULL, 10) : 5;
    const uint32_t seed = seed_said ? (uint32_t)strtoul(seed_said, NULL, 10) : (uint32_t)getpid();
    char out[128], undisturbed[128];
    int status = 1, by_way[4] = { 0 }, done = 0, rounds = 0;
    text want = { 0 }, got = { 0 };
    err e = { 0 };
    open_folder();
    snprintf(out, sizeof out, "%s/out", folder);
    snprintf(undisturbed, sizeof undisturbed, "%s/undisturbed", folder);
    write_experiment("", 1);
    double from = clock_now();
    CHECK(wait_for_end(begin(), &status) && status == 0);
    if (status)
        show_said();
    double whole = clock_now() - from;
    CHECK(rename(out, undisturbed) == 0);               // both are made under one name: paths stand in some files
    losses(undisturbed, &want);
    for (; done < kills && rounds < 40 && !failures; rounds++) {
        if (rounds)
            CHECK(folder_remove(out, &e));
        done += disturb(kills - done, whole, seed + (uint32_t)rounds, by_way);
        CHECK(wait_for_end(begin(), &status) && status == 0);
        if (status)
            show_said();
        CHECK(compare(undisturbed, out) > 60 && compare(out, undisturbed) > 60);
        text_clear(&got);
        losses(out, &got);
        CHECK_TEXT(got.chars ? got.chars : "", want.chars ? want.chars : "none");
    }
    fprintf(stderr, "    %d executors and %d steps killed, %d times SIGINT, %d times SIGTERM; %d experiments of %.1f s; SEED=%u\n", by_way[0], by_way[1],
            by_way[2], by_way[3], rounds, whole, seed);
    CHECK(done == kills);
    text_close(&want), text_close(&got);
    CHECK(folder_remove(folder, &e));
}

// What a dry run would do with the steps, in the order of the file: "skip, run, …".
static const char *would_do(arena *a, const char *flag, const char *given)
{
    const node *summary = NULL;
    err e = { 0 };
    int status;
    text t = { 0 };
    CHECK(wait_for_end(begin_with(flag, given), &status) && status == 0);
    CHECK(json_read_file(a, path_join(a, folder, "summary"), &summary, &e));
    const node *steps = summary ? node_get(summary, "steps") : NULL;
    for (int64_t i = 0; steps && i < steps->list.count; i++)
        text_add(&t, "%s%.*s", i ? ", " : "", STR_ARG(node_get(&steps->list.items[i], "action")->text));
    const char *all = arena_chars(a, text_view(&t));
    text_close(&t);
    return all;
}

// In the order of the file: tokens of one, two, held; the training.
TEST(only_what_follows_from_a_change_runs_again)
{
    arena a = { 0 };
    err e = { 0 };
    int status = 1;
    open_folder();
    write_experiment("", 1);
    CHECK(wait_for_end(begin(), &status) && status == 0);
    double best = 60;
    for (int i = 0; i < 5; i++) {                       // the machine may be busy
        double from = clock_now();
        CHECK_TEXT(would_do(&a, NULL, NULL), "skip, skip, skip, skip");
        best = fmin(best, clock_now() - from);
    }
    CHECK(best < 1);                                    // some 20 ms, but with sanitizers
    CHECK_TEXT(would_do(&a, "--dry_run", "--force_run=[\"tokenized/two\"]"), "skip, run afresh, skip, run afresh");
    CHECK_TEXT(would_do(&a, "--dry_run", "--force_run=[\"checkpoints/mix_seed0\"]"), "skip, skip, skip, run afresh");
    write_experiment("", 3);                            // another weight
    CHECK_TEXT(would_do(&a, "--dry_run", NULL), "skip, skip, skip, run");
    write_experiment(", format: {chat_template: chatml}", 1);
    CHECK_TEXT(would_do(&a, "--dry_run", NULL), "run, skip, skip, run");
    // The model's own template is changed: whatever was rendered with it.
    write_experiment("", 1);
    CHECK_TEXT(would_do(&a, "--dry_run", NULL), "skip, skip, skip, skip");
    str config;
    const char *path = arena_print(&a, "%s/model/tokenizer_config.json", folder);
    CHECK(file_read(&a, path, &config, &e));
    size_t at = str_find(config, STR("{% for"), 0);
    CHECK(at < config.size && file_write(path, str_of(arena_print(&a, "%.*s{# #}%s", (int)at, config.at, config.at + at)), &e));
    CHECK_TEXT(would_do(&a, "--dry_run", NULL), "run, run, run, run afresh");
    CHECK(folder_remove(folder, &e));
    arena_close(&a);
}
