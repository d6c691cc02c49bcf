// The executor on steps of its own: versions, what runs and what is skipped, failures, flags, locks.
#include "../lab.h"
#include <fcntl.h>
#include <sys/stat.h>

// ---- versions -------------------------------------------------------------------------------------------------------------

TEST(versions_and_paths)
{
    lab *l = open_lab();
    CHECK(plan(l));
    CHECK_TEXT(l->steps[0].version, "{\"code\": 1, \"config\": {\"x\": 1}, \"dependencies\": [], \"kind\": \"note\", \"name\": \"tokenized/a\"}");
    CHECK_TEXT(l->steps[0].hash, "22f67d");
    CHECK_TEXT(l->steps[0].output, arena_print(&l->arena, "%s/tokenized/a-22f67d", l->prefix));
    CHECK(strstr(l->steps[1].version, "\"from\": \"DEP[0]/**/*.gz\""));
    CHECK(l->steps[1].dep_count == 1 && l->steps[1].deps[0] == 0 && l->steps[2].deps[0] == 1);
    const node *from = node_get(l->steps[1].resolved, "from");
    CHECK_TEXT(arena_chars(&l->arena, from->text), arena_print(&l->arena, "%s/**/*.gz", l->steps[0].output));
    close_lab(l);
}

static const char *hash_of_c(lab *l)
{
    CHECK(plan(l));
    return arena_chars(&l->arena, str_of(l->steps[2].hash));
}

TEST(what_changes_a_version)
{
    lab *l = open_lab();
    const char *before = hash_of_c(l);
    l->options.prefix = "/elsewhere";
    CHECK_TEXT(hash_of_c(l), before);                   // not where it lies
    l->steps[0].settings = parse(&l->arena, "{\"threads\": 3}");
    CHECK_TEXT(hash_of_c(l), before);                   // not what is ignored
    l->steps[2].config = parse(&l->arena, "{ \"z\" : [ 3 , { \"path\": null, \"step\" : 1 } ] }");
    CHECK_TEXT(hash_of_c(l), before);                   // not how it is written
    l->steps[0].config = parse(&l->arena, "{\"x\": 2}");
    CHECK(strcmp(hash_of_c(l), before));                // what a dependency's dependency is
    l->steps[0].config = parse(&l->arena, "{\"x\": 1}");
    CHECK_TEXT(hash_of_c(l), before);
    l->steps[1].kind = &note2;
    CHECK(strcmp(hash_of_c(l), before));                // the version of its code
    l->steps[1].kind = &note;
    l->steps[0].name = "tokenized/other";
    CHECK(strcmp(hash_of_c(l), before));                // a name
    l->steps[0].name = "tokenized/a";
    l->steps[0].pinned = "raw/a";
    CHECK_TEXT(hash_of_c(l), before);                   // not a pinned path
    CHECK_TEXT(l->steps[0].output, "/elsewhere/raw/a");
    l->steps[0].declared = parse(&l->arena, "{}");
    CHECK(strcmp(hash_of_c(l), before));                // only what is declared counts, where that is said
    l->options.prefix = l->prefix;
    close_lab(l);
}

TEST(keys_are_sorted_before_dependencies_are_numbered)
{
    lab *l = open_lab();
    l->steps[2].config = parse(&l->arena, "{\"b\": {\"step\": 1, \"path\": \"p\"}, \"a\": {\"step\": 0, \"path\": \"q\"}}");
    CHECK(plan(l));
    CHECK(strstr(l->steps[2].version, "\"config\": {\"a\": \"DEP[0]/q\", \"b\": \"DEP[1]/p\"}"));
    CHECK(l->steps[2].deps[0] == 0 && l->steps[2].deps[1] == 1);
    close_lab(l);
}

TEST(steps_that_need_themselves)
{
    lab *l = open_lab();
    l->steps[0].config = parse(&l->arena, "{\"x\": {\"step\": 2, \"path\": null}}");
    CHECK(!plan(l));
    CHECK(l->error.code == ERR_INPUT);
    CHECK_TEXT(l->error.text, "step 'tokenized/a' depends on itself");
    close_lab(l);
}

TEST(the_prefix)
{
    unsetenv("SKIFF_PREFIX");
    unsetenv("MARIN_PREFIX");
    CHECK_TEXT(executor_prefix(&(executor_options){0}), "./out");
    setenv("MARIN_PREFIX", "/marin", 1);
    CHECK_TEXT(executor_prefix(&(executor_options){0}), "/marin");
    setenv("SKIFF_PREFIX", "/skiff", 1);
    CHECK_TEXT(executor_prefix(&(executor_options){0}), "/skiff");
    CHECK_TEXT(executor_prefix(&(executor_options){ .prefix = "/flag" }), "/flag");
    unsetenv("SKIFF_PREFIX");
    unsetenv("MARIN_PREFIX");
}

// ---- runs -----------------------------------------------------------------------------------------------------------------

TEST(what_is_done_is_skipped)
{
    lab *l = open_lab();
    run(l);
    CHECK(l->ok);
    for (int i = 0; i < 4; i++) {
        CHECK(runs(l, i) == 1);
        CHECK_TEXT(in_summary(l, i, "status"), "SUCCESS");
        CHECK_TEXT(in_summary(l, i, "action"), "run");
        CHECK_TEXT(in_summary(l, i, "reason"), "never run");
        CHECK(status_read(l->steps[i].output) == STEP_SUCCESS);
    }
    run(l);
    CHECK(l->ok);
    for (int i = 0; i < 4; i++) {
        CHECK(runs(l, i) == 1);
        CHECK_TEXT(in_summary(l, i, "status"), "SUCCESS");
        CHECK_TEXT(in_summary(l, i, "action"), "skip");
    }
    // A changed option: that step and what depends on it, elsewhere.
    l->steps[1].config = parse(&l->arena, "{\"from\": {\"step\": 0, \"path\": \"**/*.gz\"}, \"y\": 3}");
    run(l);
    CHECK(runs(l, 0) == 1 && runs(l, 1) == 1 && runs(l, 2) == 1);
    CHECK_TEXT(in_summary(l, 0, "action"), "skip");
    CHECK_TEXT(in_summary(l, 1, "action"), "run");
    CHECK_TEXT(in_summary(l, 2, "action"), "run");
    CHECK_TEXT(in_summary(l, 3, "action"), "skip");
    close_lab(l);
}

TEST(status_files)
{
    lab *l = open_lab();
    run(l);
    str s;
    err e;
    const char *path = path_join(&l->arena, l->steps[0].output, ".executor_status");
    CHECK(file_read(&l->arena, path, &s, &e));
    CHECK(strstr(s.at, "\"status\": \"RUNNING\", \"message\": null}\n") && strstr(s.at, "\"status\": \"SUCCESS\", \"message\": null}\n"));
    CHECK(!strncmp(s.at, "{\"date\": \"20", 12));
    // A line cut short by a crash says nothing, and the next one stands on its own.
    FILE *f = fopen(path, "a");
    fputs("{\"date\": \"2026", f);
    fclose(f);
    CHECK(status_read(l->steps[0].output) == STEP_SUCCESS);
    CHECK(status_append(l->steps[0].output, STEP_FAILED, "a \"reason\"", &e));
    CHECK(status_read(l->steps[0].output) == STEP_FAILED);
    CHECK(file_read(&l->arena, path, &s, &e));
    CHECK(strstr(s.at, "2026\n{\"date\"") && strstr(s.at, "\"status\": \"FAILED\", \"message\": \"a \\\"reason\\\"\"}\n"));
    CHECK(status_read("/nowhere") == STEP_NONE);
    close_lab(l);
}

TEST(info_files)
{
    lab *l = open_lab();
    const char *file = under(l, "chats.jsonl");
    put_file(file, "one");
    l->steps[0].config = parse(&l->arena, arena_print(&l->arena, "{\"file\": \"%s\"}", file));
    run(l);
    const node *info, *experiment;
    err e = {0};
    CHECK(json_read_file(&l->arena, path_join(&l->arena, l->steps[0].output, ".executor_info"), &info, &e));
    CHECK(str_is(node_get(info, "name")->text, "tokenized/a") && str_is(node_get(info, "version")->text, l->steps[0].version));
    CHECK(str_is(node_get(node_at(node_get(info, "inputs"), 0), "sha256")->text,
                 "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"));
    CHECK(json_read_file(&l->arena, path_join(&l->arena, l->steps[2].output, ".executor_info"), &info, &e));
    CHECK(str_is(node_at(node_get(info, "dependencies"), 0)->text, l->steps[1].output));
    const char *path = arena_chars(&l->arena, node_get(l->summary, "experiment")->text);
    CHECK(!strncmp(path, under(l, "experiments/lab-"), strlen(under(l, "experiments/lab-"))));
    CHECK(json_read_file(&l->arena, path, &experiment, &e));
    CHECK(node_get(experiment, "steps")->list.count == 4 && str_is(node_get(experiment, "caller_path")->text, "tests/lab.c"));
    close_lab(l);
}

TEST(failures_stop_only_what_needs_them)
{
    lab *l = open_lab();
    l->steps[0].settings = parse(&l->arena, "{\"fail\": \"disk full\"}");
    run(l);
    CHECK(!l->ok && l->error.code == ERR_IO);
    CHECK_TEXT(l->error.text, "3 of 4 steps failed: tokenized/a: disk full");
    CHECK_TEXT(in_summary(l, 0, "status"), "FAILED");
    CHECK_TEXT(in_summary(l, 0, "message"), "disk full");
    CHECK_TEXT(in_summary(l, 1, "status"), "DEP_FAILED");
    CHECK_TEXT(in_summary(l, 1, "message"), "needs 'tokenized/a', which failed");
    CHECK_TEXT(in_summary(l, 2, "status"), "DEP_FAILED");
    CHECK_TEXT(in_summary(l, 3, "status"), "SUCCESS");
    CHECK(status_read(l->steps[0].output) == STEP_FAILED && status_read(l->steps[1].output) == STEP_DEP_FAILED);

    // What failed is not tried again unless asked.
    l->steps[0].settings = parse(&l->arena, "{}");
    run(l);
    CHECK(!l->ok && runs(l, 0) == 1);
    CHECK(strstr(l->error.text, "tokenized/a: failed in an earlier run: mend the cause, then --force_run_failed"));
    l->options.force_run_failed = true;
    run(l);
    CHECK(l->ok && runs(l, 0) == 2 && runs(l, 1) == 1 && runs(l, 2) == 1 && runs(l, 3) == 1);
    close_lab(l);
}

TEST(what_cannot_run_is_said_before_anything_does)
{
    lab *l = open_lab();
    l->steps[2].settings = parse(&l->arena, "{\"refuse\": \"not built yet\"}");
    l->steps[2].at = (place){ .file = "x.c:12" };
    run(l);
    CHECK(!l->ok && l->error.code == ERR_UNSUPPORTED);
    CHECK_TEXT(l->error.text, "x.c:12: checkpoints/c: not built yet");
    CHECK(runs(l, 0) == 0 && !file_exists(l->steps[0].output));
    l->steps[2].settings = parse(&l->arena, "{}");
    l->steps[0].config = parse(&l->arena, "{\"file\": \"/nowhere/chats.jsonl\"}");
    run(l);
    CHECK(!l->ok && l->error.code == ERR_INPUT);
    CHECK_TEXT(l->error.text, "tokenized/a: cannot read '/nowhere/chats.jsonl': No such file or directory");
    close_lab(l);
}

TEST(changed_inputs_run_again)
{
    lab *l = open_lab();
    const char *file = under(l, "chats.jsonl");
    l->steps[0].kind = &mender;
    l->steps[0].config = parse(&l->arena, arena_print(&l->arena, "{\"file\": \"%s\"}", file));
    put_file(file, "one");
    run(l);
    CHECK(l->ok);
    put_file(file, "one");                              // another time and inode, the same content
    run(l);
    CHECK(runs(l, 0) == 1 && runs(l, 1) == 1);
    put_file(file, "two");
    run(l);
    CHECK(l->ok && runs(l, 0) == 2);                    // mends itself: goes on in place
    CHECK_TEXT(in_summary(l, 0, "reason"), arena_print(&l->arena, "'%s' has changed", file));
    CHECK(runs(l, 1) == 1);                             // afresh: what was there is aside
    CHECK_TEXT(in_summary(l, 1, "action"), "run afresh");
    CHECK_TEXT(in_summary(l, 1, "reason"), "what it depends on has changed");
    CHECK_TEXT(in_summary(l, 3, "action"), "skip");
    run(l);
    CHECK(runs(l, 0) == 2 && runs(l, 1) == 1);
    // A step that failed on its input is tried again once that has changed.
    l->steps[0].settings = parse(&l->arena, "{\"fail\": \"row 3\"}");
    put_file(file, "three");
    run(l);
    CHECK(!l->ok);
    l->steps[0].settings = parse(&l->arena, "{}");
    run(l);
    CHECK(!l->ok && runs(l, 0) == 3);
    put_file(file, "four");
    run(l);
    CHECK(l->ok && runs(l, 0) == 4);
    close_lab(l);
}

TEST(digests_are_remembered_by_size_time_and_inode)
{
    lab *l = open_lab();
    const char *file = under(l, "big");
    struct stat s;
    l->steps[0].config = parse(&l->arena, arena_print(&l->arena, "{\"file\": \"%s\"}", file));
    put_file(file, "one");
    CHECK(stat(file, &s) == 0);
    run(l);
    // The same size, time and inode with other bytes: not looked at, which shows that the second run hashes nothing.
    int f = open(file, O_WRONLY);
    CHECK(write(f, "two", 3) == 3);
    struct timespec times[2] = { s.st_atim, s.st_mtim };
    CHECK(futimens(f, times) == 0);
    close(f);
    run(l);
    CHECK_TEXT(in_summary(l, 0, "action"), "skip");
    close_lab(l);
}

// ---- what flags ask for ---------------------------------------------------------------------------------------------------

TEST(forced_steps_begin_from_nothing)
{
    lab *l = open_lab();
    const char *force[] = { "tokenized/b", NULL };
    run(l);
    l->options.force_run = force;
    run(l);
    CHECK(l->ok);
    CHECK_TEXT(in_summary(l, 0, "action"), "skip");
    CHECK_TEXT(in_summary(l, 1, "action"), "run afresh");
    CHECK_TEXT(in_summary(l, 2, "action"), "run afresh");
    CHECK_TEXT(in_summary(l, 3, "action"), "skip");
    CHECK(runs(l, 1) == 1 && runs(l, 2) == 1);          // the older run is aside
    char **aside;
    int64_t count;
    err e;
    CHECK(file_glob(&l->arena, arena_print(&l->arena, "%s.aside-*/runs", l->steps[1].output), &aside, &count, &e) && count == 1);
    force[0] = arena_print(&l->arena, "tokenized/b-%s", l->steps[1].hash);
    run(l);
    CHECK_TEXT(in_summary(l, 1, "action"), "run afresh");
    force[0] = "all";
    run(l);
    CHECK_TEXT(in_summary(l, 3, "action"), "run afresh");
    force[0] = "tokenized/bb";
    run(l);
    CHECK(!l->ok && l->error.code == ERR_INPUT);
    CHECK_TEXT(l->error.text, "--force_run: there is no step 'tokenized/bb'; did you mean 'tokenized/b' or 'tokenized/a'?");
    force[0] = "xyz";
    run(l);
    CHECK_TEXT(l->error.text, "--force_run: there is no step 'xyz'; there are 'tokenized/a', 'tokenized/b', 'checkpoints/c', 'd'");
    close_lab(l);
}

TEST(only_some_steps)
{
    lab *l = open_lab();
    const char *only[] = { "^tok.*b$", NULL };
    l->options.run_only = only;
    run(l);
    CHECK(l->ok && runs(l, 0) == 1 && runs(l, 1) == 1 && runs(l, 2) == 0 && runs(l, 3) == 0);
    CHECK_TEXT(in_summary(l, 2, "action"), "not asked for");
    CHECK_TEXT(in_summary(l, 2, "status"), "NONE");
    // The dependencies of a finished step are not looked after.
    CHECK(unlink(path_join(&l->arena, l->steps[0].output, ".executor_status")) == 0);
    run(l);
    CHECK(l->ok && runs(l, 0) == 1);
    only[0] = "(";
    run(l);
    CHECK_TEXT(l->error.text, "--run_only: '(': character 2: missing closing parenthesis");
    only[0] = "nothing";
    run(l);
    CHECK_TEXT(l->error.text, "--run_only: 'nothing' matches no step");
    close_lab(l);
}

TEST(dry_runs_make_nothing_of_the_steps)
{
    lab *l = open_lab();
    l->options.dry_run = true;
    l->steps[2].settings = parse(&l->arena, "{\"refuse\": \"not built yet\"}");
    run(l);
    CHECK(l->ok);
    for (int i = 0; i < 4; i++) {
        CHECK(!file_exists(l->steps[i].output));
        CHECK_TEXT(in_summary(l, i, "action"), "run");
        CHECK_TEXT(in_summary(l, i, "status"), "NONE");
    }
    CHECK(strstr(l->log, "tokenized/a: run (never run): "));
    close_lab(l);
}

TEST(deleted_status_goes_on_in_place)
{
    lab *l = open_lab();
    run(l);
    CHECK(unlink(path_join(&l->arena, l->steps[1].output, ".executor_status")) == 0);
    run(l);
    CHECK(l->ok && runs(l, 1) == 2 && runs(l, 0) == 1);
    CHECK(runs(l, 2) == 1);                             // made from the same: still good
    CHECK_TEXT(in_summary(l, 1, "reason"), "its status was deleted");
    close_lab(l);
}

TEST(a_killed_run_goes_on)
{
    lab *l = open_lab();
    err e;
    run(l);
    CHECK(status_append(l->steps[2].output, STEP_RUNNING, NULL, &e));   // as kill -9 leaves it
    run(l);
    CHECK(l->ok && runs(l, 2) == 2);
    CHECK_TEXT(in_summary(l, 2, "reason"), "was interrupted before");
    close_lab(l);
}

TEST(steps_written_twice_run_once)
{
    lab *l = open_lab();
    add(l, "d", &note, "{}", "{}");
    add(l, "after", &note, "{\"of\": {\"step\": 4, \"path\": null}}", "{}");
    run(l);
    CHECK(l->ok && l->steps[4].same_as == 3 && runs(l, 3) == 1 && runs(l, 5) == 1);
    CHECK(strstr(l->log, "d is written twice with the same version; it runs once"));
    CHECK_TEXT(in_summary(l, 4, "action"), "same as another");
    close_lab(l);
}

TEST(two_executors_do_not_run_a_step_at_once)
{
    lab *l = open_lab();
    err e;
    CHECK(plan(l));
    lock *held = lock_open(l->steps[0].output, "a", &e);
    CHECK(held && lock_try(held, &e) == LOCK_TAKEN);
    int ends[2];
    char said;
    CHECK(pipe(ends) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        l->tell = ends[1], l->tell_when = "tokenized/a: waiting, another run of it is at work";
        run(l);                                         // waits for the lock that the parent holds
        _exit(l->ok && !strcmp(in_summary(l, 0, "reason"), "done by another run") ? 0 : 1);
    }
    close(ends[1]);                                     // so that one that ended is noticed, and not waited for
    CHECK(read(ends[0], &said, 1) == 1);
    close(ends[0]);
    // The parent does the step meanwhile.
    inputs in = {0};
    digests d = { .arena = &l->arena };
    CHECK(status_read(l->steps[0].output) == STEP_NONE);
    CHECK(folder_make(l->steps[0].output, &e));
    CHECK(digests_of(&d, &(paths){0}, &in, &e));
    CHECK(status_append(l->steps[0].output, STEP_SUCCESS, NULL, &e));
    CHECK(lock_is_ours(held));
    lock_close(held);
    int status = 0;
    CHECK(wait_for_end(pid, &status) && status == 0);
    CHECK(runs(l, 0) == 0 && runs(l, 1) == 1);
    close_lab(l);
}

TEST(a_prefix_that_cannot_be_written)
{
    lab *l = open_lab();
    const char *file = under(l, "file");
    put_file(file, "x");
    l->options.prefix = path_join(&l->arena, file, "below");
    run(l);
    CHECK(!l->ok && l->error.code == ERR_INPUT);
    CHECK(strstr(l->error.text, "the prefix for outputs (--prefix or SKIFF_PREFIX): "));
    l->options.prefix = l->prefix;
    close_lab(l);
}

TEST(a_second_run_is_quick)
{
    lab *l = open_lab();
    run(l);
    double best = 1;
    for (int i = 0; i < 10; i++) {                      // the machine may be busy
        double from = clock_now();
        run(l);
        best = fmin(best, clock_now() - from);
    }
    CHECK(best < 0.1);
    close_lab(l);
}
