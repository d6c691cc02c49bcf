// Several steps and several executors at once: every step runs once, what fits runs side by side, one failure stops only what needs it.
#include "../lab.h"
#include <sys/stat.h>

#include "base/cores.h"
#include "run/signals.h"
#include "train/memory.h"

// Notes when it began and ended, in a file of the prefix: "+name" and "-name".
static void write_down(const exec_step *s, char sign)
{
    arena a = {0};
    FILE *f = fopen(path_join(&a, path_folder(&a, s->output), "times"), "a");
    if (f) {
        fprintf(f, "%c%s\n", sign, s->name);
        fclose(f);
    }
    arena_close(&a);
}

// Until all lines of the setting `until` are in that file: so the order of steps does not hang on how quick the machine is.
static bool wait_for_others(const exec_step *s, err *e)
{
    arena a = {0};
    const node *until = node_get(s->settings, "until");
    const char *path = path_join(&a, path_folder(&a, s->output), "times");
    bool ok = true;
    for (int64_t i = 0; until && i < until->list.count && ok; i++) {
        const char *line = arena_print(&a, "%.*s\n", STR_ARG(until->list.items[i].text));
        ok = false;
        for (int k = 0; k < NAPS && !ok; k++) {
            arena of_nap = {0};
            str times = {0};
            ok = file_read(&of_nap, path, &times, e) && strstr(times.at, line);
            arena_close(&of_nap);
            if (!ok)
                usleep(NAP_MICROSECONDS);
        }
    }
    arena_close(&a);
    return ok || fail(e, ERR_BUG, "%s waited in vain", s->name);
}

static bool run_timed(const exec_step *s, err *e)
{
    write_down(s, '+');
    bool ok = wait_for_others(s, e) && run_note(s, e);
    write_down(s, '-');
    return ok;
}

static volatile sig_atomic_t asked;
static void stop_slow(void) { asked = 1; }

// The first time until it is told to stop; after that it is quick.
static bool run_slow(const exec_step *s, err *e)
{
    arena a = {0};
    const char *before = path_join(&a, s->output, "before");
    bool again = file_exists(before);
    (void)!file_write(before, STR("x"), e);
    arena_close(&a);
    for (int i = 0; i < NAPS && !asked && !again; i++)
        usleep(NAP_MICROSECONDS);
    return asked ? fail(e, ERR_INTERRUPTED, "stopped") : run_note(s, e);
}

static const step_kind busy = { .name = "busy", .version = 1, .run = run_timed, .cores = CORES_ALL };
static const step_kind idle = { .name = "idle", .version = 1, .run = run_timed };
static const step_kind slow = { .name = "slow", .version = 1, .run = run_slow, .stop = stop_slow };

static bool overlap(const char *times, const char *one, const char *two)
{
    char begin[64], end[64];
    snprintf(begin, sizeof begin, "+%s\n", two);
    snprintf(end, sizeof end, "-%s\n", two);
    const char *a = strstr(times, begin), *b = strstr(times, end);
    snprintf(begin, sizeof begin, "+%s\n", one);
    snprintf(end, sizeof end, "-%s\n", one);
    const char *c = strstr(times, begin), *d = strstr(times, end);
    CHECK(a && b && c && d);
    return a && b && c && d && a < d && c < b;
}

TEST(what_fits_runs_side_by_side)
{
    lab *l = open_lab();
    l->count = 0;
    add(l, "train1", &busy, "{}", "{\"sleep\": 200, \"until\": [\"+fetch1\", \"+fetch2\"]}");
    add(l, "train2", &busy, "{}", "{\"sleep\": 200}");
    add(l, "fetch1", &idle, "{}", "{\"until\": [\"+fetch2\", \"+train2\"]}");
    add(l, "fetch2", &idle, "{}", "{\"until\": [\"+fetch1\", \"+train2\"]}");
    l->options.max_concurrent = 256;
    run(l);
    str times = {0};
    err e;
    CHECK(l->ok && file_read(&l->arena, under(l, "times"), &times, &e));
    CHECK(!overlap(times.at, "train1", "train2"));      // each takes the machine
    CHECK(overlap(times.at, "fetch1", "train1") && overlap(times.at, "fetch1", "fetch2") && overlap(times.at, "fetch2", "train2"));
    CHECK(unlink(under(l, "times")) == 0);
    l->options.max_concurrent = 2;                      // a cap
    l->steps[0].settings = parse(&l->arena, "{\"sleep\": 200, \"until\": [\"+fetch1\"]}");
    l->steps[2].settings = parse(&l->arena, "{\"until\": [\"-train1\"]}");
    l->steps[3].settings = parse(&l->arena, "{}");
    const char *all[] = { "all", NULL };
    l->options.force_run = all;
    run(l);
    CHECK(l->ok && file_read(&l->arena, under(l, "times"), &times, &e));
    CHECK(overlap(times.at, "train1", "fetch1") && !overlap(times.at, "train1", "fetch2"));
    close_lab(l);
}

// One of them crashes, and only that one fails.
TEST(others_go_on_beside_a_crash)
{
    lab *l = open_lab();
    const char *all = "{\"until\": [\"+a\", \"+b\", \"+c\"]}";
    l->count = 0;
    add(l, "a", &idle, "{}", all);
    add(l, "b", &idle, "{}", all);
    add(l, "c", &idle, "{}", all);
    add(l, "d", &note, "{\"of\": {\"step\": 0, \"path\": null}}", "{}");
    add(l, "f", &crash, "{}", "{}");
    add(l, "g", &note, "{\"of\": {\"step\": 4, \"path\": null}}", "{}");
    l->options.max_concurrent = 4;
    run(l);
    CHECK(!l->ok && l->error.code == ERR_BUG);
    CHECK(strstr(l->error.text, "f: its process was ended by signal 11"));
    CHECK(runs(l, 0) == 1 && runs(l, 1) == 1 && runs(l, 2) == 1 && runs(l, 3) == 1);
    CHECK_TEXT(in_summary(l, 4, "status"), "FAILED");
    CHECK_TEXT(in_summary(l, 5, "status"), "DEP_FAILED");
    close_lab(l);
}

// Half-percents of the memory that is free, once its threads are told.
static int64_t memory_said(const exec_step *s)
{
    const node *n = node_get(s->settings, "memory");
    return node_is(n, NODE_INT) ? memory_available() / 200 * n->integer : 0;
}

static const step_kind hungry = { .name = "hungry", .version = 1, .run = run_timed, .cores = CORES_ALL, .memory = memory_said };

// With `threads` two trainings share the cores; then their memory decides.
TEST(trainings_that_share_run_side_by_side_only_where_both_fit)
{
    static const struct { const char *settings; bool together; } cases[] = {
        { "{\"threads\": 1, \"until\": [\"+train1\", \"+train2\"], \"memory\": 40}", true },       // a fifth each
        { "{\"threads\": 1, \"sleep\": 200, \"memory\": 140}", false },     // more than half each: in turn, and both are done
        { "{\"sleep\": 200, \"memory\": 40}", false },                      // all cores each
    };
    if (cores_usable() < 2)
        printf("left out: one core\n");
    for (size_t i = 0; i < COUNT(cases) && cores_usable() > 1; i++) {
        str times = {0};
        err e;
        lab *l = open_lab();
        l->count = 0;
        for (int k = 0; k < 2; k++)
            add(l, k ? "train2" : "train1", &hungry, "{}", cases[i].settings);
        l->options.max_concurrent = 256;
        run(l);
        CHECK(l->ok && file_read(&l->arena, under(l, "times"), &times, &e));
        CHECK(overlap(times.at, "train1", "train2") == cases[i].together);
        close_lab(l);
    }
}

TEST(several_failures_at_once)
{
    lab *l = open_lab();
    l->count = 0;
    add(l, "a", &note, "{}", "{\"fail\": \"disk full\", \"sleep\": 50}");
    add(l, "b", &note, "{}", "{\"fail\": \"row 3\"}");
    add(l, "c", &crash, "{}", "{}");
    add(l, "d", &note, "{}", "{\"sleep\": 300}");
    add(l, "e", &note, "{\"of\": [{\"step\": 0, \"path\": null}, {\"step\": 3, \"path\": null}]}", "{}");
    add(l, "f", &note, "{\"of\": {\"step\": 3, \"path\": null}}", "{}");
    add(l, "g", &note, "{\"of\": {\"step\": 4, \"path\": null}}", "{}");
    l->options.max_concurrent = 256;
    run(l);
    CHECK(!l->ok && l->error.code == ERR_IO);
    CHECK_TEXT(l->error.text, "5 of 7 steps failed: a: disk full");
    CHECK(strstr(l->log, "b: row 3\n") && strstr(l->log, "c: its process was ended by signal 11"));
    CHECK(strstr(l->log, "e: not run: needs 'a', which failed\n") && strstr(l->log, "g: not run: needs 'e', which failed\n"));
    static const char *const want[] = { "FAILED", "FAILED", "FAILED", "SUCCESS", "DEP_FAILED", "SUCCESS", "DEP_FAILED" };
    for (int i = 0; i < 7; i++)
        CHECK_TEXT(in_summary(l, i, "status"), want[i]);
    CHECK_TEXT(in_summary(l, 1, "message"), "row 3");
    close_lab(l);
}

// Every step of one prefix once, by however many executors, with flock and without.
static void many(int executors, const char *locks)
{
    lab *l = open_lab();
    pid_t pids[8];
    setenv("SKIFF_LOCKS", locks, 1);
    setenv("SKIFF_LEASE_SECONDS", "0.2", 1);
    for (int i = 0; i < 4; i++)
        l->steps[i].settings = parse(&l->arena, i % 2 ? "{\"sleep\": 20}" : "{\"sleep\": 60}");
    l->options.max_concurrent = 3;
    for (int i = 0; i < executors; i++)
        if (!(pids[i] = fork())) {
            run(l);
            bool fine = l->ok;
            for (int k = 0; k < 4; k++)
                fine &= !strcmp(in_summary(l, k, "status"), "SUCCESS");
            _exit(!fine);
        }
    for (int i = 0, status; i < executors; i++)
        CHECK(wait_for_end(pids[i], &status) && status == 0);
    CHECK(plan(l));
    for (int k = 0; k < 4; k++)
        CHECK(runs(l, k) == 1);
    char **left = NULL;
    int64_t count = 0;
    err e;
    CHECK(file_glob(&l->arena, under(l, "**/.*.lease*"), &left, &count, &e) && count == 0);
    unsetenv("SKIFF_LOCKS");
    unsetenv("SKIFF_LEASE_SECONDS");
    close_lab(l);
}

TEST(two_executors_with_flock) { many(2, ""); }
TEST(eight_executors_with_flock) { many(8, ""); }
TEST(two_executors_with_leases) { many(2, "lease"); }

TEST(eight_executors_with_leases)
{
    for (int i = 0; i < 5; i++)
        many(8, "lease");
}

TEST(a_step_that_was_taken_over_is_left_alone)
{
    lab *l = open_lab();
    str status = {0};
    err e;
    setenv("SKIFF_LOCKS", "lease", 1);
    setenv("SKIFF_LEASE_SECONDS", "0.05", 1);
    l->count = 0;
    add(l, "s", &slow, "{}", "{}");
    l->options.max_concurrent = 4;
    CHECK(plan(l));
    pid_t pid = fork();
    if (pid == 0) {
        run(l);
        _exit(!l->ok || !strstr(l->log, "s: another run has taken it over; its status is left to that one\n"));
    }
    CHECK(wait_for_file(path_join(&l->arena, l->steps[0].output, "before")));
    const char *file = under(l, arena_print(&l->arena, ".%s.lease", path_name(l->steps[0].output)));
    put_file(file, "{\"machine\": \"elsewhere b p\", \"pid\": 1, \"start\": 1, \"executor\": 1, \"executor_start\": 1, \"token\": \"ee\", \"beats\": 7}\n");
    int code = 0;
    CHECK(wait_for_end(pid, &code) && code == 0);
    CHECK(file_read(&l->arena, path_join(&l->arena, l->steps[0].output, ".executor_status"), &status, &e));
    CHECK(!strstr(status.at, "CANCELLED") && status_read(l->steps[0].output) == STEP_SUCCESS && runs(l, 0) == 1);
    unsetenv("SKIFF_LOCKS");
    unsetenv("SKIFF_LEASE_SECONDS");
    close_lab(l);
}

// kill -9 of the executor: its steps are told, and the next run is not held up.
TEST(steps_do_not_outlive_their_executor)
{
    lab *l = open_lab();
    l->count = 0;
    add(l, "s", &slow, "{}", "{}");
    l->options.max_concurrent = 4;
    CHECK(plan(l));
    pid_t pid = fork();
    if (pid == 0) {
        run(l);
        _exit(0);
    }
    CHECK(wait_for_file(path_join(&l->arena, l->steps[0].output, "before")));
    CHECK(status_read(l->steps[0].output) == STEP_RUNNING);
    CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
    double from = clock_now();
    run(l);
    CHECK(l->ok && clock_now() - from < NAPS * (NAP_MICROSECONDS * 1e-6) / 4);     // one that is not told goes on for all of it
    CHECK_TEXT(in_summary(l, 0, "reason"), "was interrupted before");
    close_lab(l);
}

TEST(the_first_signal_is_passed_on)
{
    lab *l = open_lab();
    l->count = 0;
    add(l, "s", &slow, "{}", "{}");
    add(l, "t", &note, "{}", "{\"sleep\": 9000}");      // cannot be asked: ends at once
    l->options.max_concurrent = 4;
    CHECK(plan(l));
    pid_t pid = fork();
    if (pid == 0) {
        run(l);
        _exit(l->error.code == ERR_INTERRUPTED && signals_caught() == SIGTERM ? 42 : 1);
    }
    CHECK(wait_for_file(path_join(&l->arena, l->steps[0].output, "before")) && wait_for_file(path_join(&l->arena, l->steps[1].output, "runs")));
    int code = 0;
    CHECK(kill(pid, SIGTERM) == 0 && wait_for_end(pid, &code) && WIFEXITED(code) && WEXITSTATUS(code) == 42);
    CHECK(status_read(l->steps[0].output) == STEP_CANCELLED && status_read(l->steps[1].output) == STEP_CANCELLED);
    l->steps[1].settings = parse(&l->arena, "{}");
    run(l);
    CHECK(l->ok && runs(l, 1) == 2);
    close_lab(l);
}
