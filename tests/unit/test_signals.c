// Ctrl-C and SIGTERM while a step runs: asked to stop it saves, the run ends, and the next one goes on.
#include "../test.h"
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "run/record.h"
#include "run/signals.h"

static volatile sig_atomic_t asked;
static void stop(void) { asked = 1; }

static bool run_until_asked(const exec_step *s, err *e)
{
    (void)s;
    raise(SIGTERM);
    return !asked || fail(e, ERR_INTERRUPTED, "stopped after step 3");
}

static bool run_plain(const exec_step *s, err *e)
{
    (void)s;
    (void)e;
    return true;
}

static bool run_killed(const exec_step *s, err *e)
{
    (void)s;
    (void)e;
    raise(SIGINT);
    return true;
}

static const step_kind saves = { .name = "saves", .version = 1, .run = run_until_asked, .stop = stop };
static const step_kind plain = { .name = "plain", .version = 1, .run = run_plain };
static const step_kind killed = { .name = "killed", .version = 1, .run = run_killed };

static void ignore(void *self, log_level level, const char *line)
{
    (void)self;
    (void)level;
    (void)line;
}

TEST(a_step_that_can_stop_is_asked_to)
{
    char prefix[] = "/tmp/skiff-signals-XXXXXX";
    arena a = {0};
    err e = {0};
    CHECK(mkdtemp(prefix) != NULL);
    node *empty = node_object(&a), *needs = node_object(&a), *of = node_object(&a);
    node_put(&a, of, "step", node_int(0));
    node_put(&a, of, "path", (node){ .kind = NODE_NULL });
    node_put(&a, needs, "of", *of);
    exec_step steps[] = { { .name = "a", .kind = &saves, .config = empty }, { .name = "b", .kind = &plain, .config = needs },
                          { .name = "c", .kind = &plain, .config = empty } };
    executor_options o = { .prefix = prefix };
    log_to(ignore, NULL);
    CHECK(executor_plan(&a, steps, 3, &o, &e));
    CHECK(!executor_run(&a, steps, 3, &o, NULL, &e));
    CHECK(e.code == ERR_INTERRUPTED && signals_caught() == SIGTERM);
    CHECK_TEXT(e.text, "interrupted: a: stopped after step 3");
    CHECK(status_read(steps[0].output) == STEP_CANCELLED);
    CHECK(status_read(steps[1].output) == STEP_NONE && status_read(steps[2].output) == STEP_NONE);     // nothing more was begun
    log_to(NULL, NULL);
    CHECK(folder_remove(prefix, &e));
    arena_close(&a);
}

TEST(a_step_that_cannot_ends_at_once)
{
    char prefix[] = "/tmp/skiff-signals-XXXXXX";
    arena a = {0};
    err e = {0};
    CHECK(mkdtemp(prefix) != NULL);
    exec_step steps[] = { { .name = "a", .kind = &killed, .config = node_object(&a) } };
    executor_options o = { .prefix = prefix };
    CHECK(executor_plan(&a, steps, 1, &o, &e));
    pid_t pid = fork();
    if (pid == 0) {
        log_to(ignore, NULL);
        (void)!executor_run(&a, steps, 1, &o, NULL, &e);
        _exit(0);
    }
    int status = 0;
    CHECK(wait_for_end(pid, &status) && WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    CHECK(status_read(steps[0].output) == STEP_RUNNING);
    lock *free_again = lock_open(steps[0].output, "a", &e);     // nobody holds it: the next run takes the step up
    CHECK(free_again && lock_try(free_again, &e) == LOCK_TAKEN);
    lock_close(free_again);
    CHECK(folder_remove(prefix, &e));
    arena_close(&a);
}
