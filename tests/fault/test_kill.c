// kill -9 at ten arbitrary moments of a run, which is begun again each time: the same weights and metrics as uninterrupted.
#include <signal.h>
#include <time.h>

#include "base/json.h"
#include "base/log.h"
#include "../test.h"
#include "../tiny.h"

static void quiet(void *self, log_level level, const char *line)
{
    (void)self;
    if (level > LOG_WARNING)
        fprintf(stderr, "%s\n", line);
}

// Runs in a process of its own and kills it after so long (0: not at all). True when it ended by itself and well.
static bool run_for(const train_config *c, int64_t microseconds)
{
    int status;
    pid_t child = fork();
    if (!child) {
        train_result r;
        err e = { 0 };
        log_to(quiet, NULL);
        bool ok = train_run(c, &r, &e);
        if (!ok)
            fprintf(stderr, "%s\n", e.text);
        _exit(!ok);
    }
    if (microseconds) {
        nanosleep(&(struct timespec){ microseconds / 1000000, microseconds % 1000000 * 1000 }, NULL);
        kill(child, SIGKILL);
    }
    CHECK(wait_for_end(child, &status));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// global_step and train/loss of every row, as text.
static void losses(arena *a, const char *folder, text *out)
{
    str all = { 0 };
    err e = { 0 };
    CHECK(file_read(a, path_join(a, folder, "metrics.jsonl"), &all, &e));
    for (size_t at = 0; at < all.size;) {
        size_t end = str_find(all, STR("\n"), at);
        const node *row;
        CHECK(json_parse(a, str_slice(all, at, end), (place){ 0 }, &row, &e));
        const node *loss = node_get(row, "train/loss"), *held = node_get(row, "eval/loss");
        text_add(out, "%lld %.17g %.17g\n", (long long)node_get(row, "global_step")->integer, loss ? node_number(loss) : 0, held ? node_number(held) : 0);
        at = end + 1;
    }
}

TEST(killed_ten_times)
{
    tiny t;
    err e = { 0 };
    char other[96], step[2][128];
    arena a = { 0 };
    text want = { 0 }, got = { 0 };
    CHECK(tiny_open(&t, &e));
    t.c.steps = 40, t.c.steps_per_checkpoint = 7, t.c.steps_per_hf_export = 15, t.c.checkpoint_seconds = 0.01, t.c.steps_per_eval = 9;
    double begun = seconds();
    CHECK(run_for(&t.c, 0));
    double whole = seconds() - begun;

    snprintf(other, sizeof other, "%s/killed", t.folder);
    t.c.output = other;
    const uint32_t seed = (uint32_t)getpid();       // other moments each time
    // A run that ended before its moment leaves nothing to kill: begin anew, and kill sooner.
    int killed = 0, runs = 0;
    for (double most = 0.3 * whole; killed < 10 && runs < 60; runs++)
        if (!run_for(&t.c, 1 + (int64_t)(1e6 * most * (double)key_bits(key_from_seed(seed), (uint64_t)runs) / 4294967296.0)))
            killed++;
        else if (killed < 10)
            CHECK(folder_remove(other, &e)), most /= 2;
    CHECK(run_for(&t.c, 0));
    fprintf(stderr, "    %d of %d runs were killed, moments of seed %u, a whole run takes %.2f s\n", killed, runs, seed, whole);
    CHECK(killed == 10);
    snprintf(step[0], sizeof step[0], "%s/checkpoints/step-40", t.output);
    snprintf(step[1], sizeof step[1], "%s/checkpoints/step-40", other);
    CHECK(same_file(step[0], step[1], "weights.safetensors") && same_file(step[0], step[1], "moments.safetensors"));
    snprintf(step[0], sizeof step[0], "%s/hf/step-40", t.output);
    snprintf(step[1], sizeof step[1], "%s/hf/step-40", other);
    CHECK(same_file(step[0], step[1], "model.safetensors"));
    losses(&a, t.output, &want);
    losses(&a, other, &got);
    CHECK_TEXT(got.chars ? got.chars : "", want.chars ? want.chars : "none");
    text_close(&want), text_close(&got);
    arena_close(&a);
    tiny_close(&t);
}
