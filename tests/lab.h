// A small experiment for tests of the executor: steps that write down that they ran, and what one run of it gives.
#pragma once
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "run/record.h"
#include "test.h"

// ---- kinds of steps for the tests: what they did is written down in a file of their output --------------------------------

static bool run_note(const exec_step *s, err *e)
{
    arena a = {0};
    const node *fails = node_get(s->settings, "fail"), *hangs = node_get(s->settings, "sleep");
    const char *log = path_join(&a, s->output, "runs");
    FILE *f = fopen(log, "a");
    bool ok = f != NULL && fputs("run\n", f) >= 0;
    if (f)
        fclose(f);
    if (node_is(hangs, NODE_INT))
        usleep((useconds_t)hangs->integer * 1000);
    arena_close(&a);
    if (node_is(fails, NODE_TEXT))
        return fail(e, ERR_IO, "%.*s", STR_ARG(fails->text));
    return ok || fail_io(e, "write", "runs");
}

static bool check_note(const exec_step *s, err *e)
{
    const node *refuse = node_get(s->settings, "refuse");
    return !node_is(refuse, NODE_TEXT) || fail(e, ERR_UNSUPPORTED, "%.*s", STR_ARG(refuse->text));
}

static bool note_inputs(const exec_step *s, arena *a, paths *out, err *e)
{
    const node *file = node_get(s->resolved, "file");
    (void)e;
    if (node_is(file, NODE_TEXT))
        ARENA_PUSH(a, out->items, out->count, arena_chars(a, file->text));
    return true;
}

static bool run_crash(const exec_step *s, err *e)
{
    (void)s;
    (void)e;
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
    return true;
}

static const step_kind note = { .name = "note", .version = 1, .run = run_note, .check = check_note, .inputs = note_inputs };
__attribute__((unused)) static const step_kind note2 = { .name = "note", .version = 2, .run = run_note, .check = check_note, .inputs = note_inputs };
__attribute__((unused)) static const step_kind mender = { .name = "note", .version = 1, .run = run_note, .inputs = note_inputs, .mends_itself = true };
__attribute__((unused)) static const step_kind crash = { .name = "crash", .version = 1, .run = run_crash };

// ---- a small experiment: a -> b -> c, and d alone -------------------------------------------------------------------------

typedef struct lab {
    arena arena;
    char prefix[64];
    exec_step steps[8];
    int count;
    executor_options options;
    const node *summary;
    err error;
    char log[4096];
    bool ok;
    int tell;                       // a pipe that gets a byte when a line of the log is
    const char *tell_when;
} lab;

static void quiet(void *self, log_level level, const char *line)
{
    lab *l = self;
    (void)level;
    size_t used = strlen(l->log);
    snprintf(l->log + used, sizeof l->log - used, "%s\n", line);
    if (l->tell_when && !strcmp(line, l->tell_when))
        (void)!write(l->tell, "", 1);
}

static const node *parse(arena *a, const char *json)
{
    const node *n = NULL;
    err e;
    if (!json_parse(a, str_of(json), (place){ .file = json }, &n, &e))
        fprintf(stderr, "%s\n", e.text);
    return n;
}

static int add(lab *l, const char *name, const step_kind *k, const char *config, const char *settings)
{
    l->steps[l->count] = (exec_step){ .name = name, .kind = k, .config = parse(&l->arena, config), .settings = parse(&l->arena, settings) };
    return l->count++;
}

static lab *open_lab(void)
{
    static lab l;
    l = (lab){ .options = { .script = "tests/lab.c" } };
    strcpy(l.prefix, "/tmp/skiff-executor-XXXXXX");
    CHECK(mkdtemp(l.prefix) != NULL);
    l.options.prefix = l.prefix;
    add(&l, "tokenized/a", &note, "{\"x\": 1}", "{}");
    add(&l, "tokenized/b", &note, "{\"from\": {\"step\": 0, \"path\": \"**/*.gz\"}, \"y\": 2}", "{}");
    add(&l, "checkpoints/c", &note, "{\"z\": [3, {\"step\": 1, \"path\": null}]}", "{}");
    add(&l, "d", &note, "{}", "{}");
    log_to(quiet, &l);
    return &l;
}

static void close_lab(lab *l)
{
    err e;
    log_to(NULL, NULL);
    CHECK(folder_remove(l->prefix, &e));
    arena_close(&l->arena);
}

static bool plan(lab *l) { return executor_plan(&l->arena, l->steps, l->count, &l->options, &l->error); }

static void run(lab *l)
{
    text t = {0};
    l->log[0] = 0;
    l->error = (err){0};
    l->ok = plan(l) && executor_run(&l->arena, l->steps, l->count, &l->options, &t, &l->error);
    l->summary = t.size ? parse(&l->arena, arena_chars(&l->arena, text_view(&t))) : NULL;
    text_close(&t);
}

__attribute__((unused))
static const char *in_summary(lab *l, int step, const char *key)
{
    const node *n = node_get(node_at(node_get(l->summary, "steps"), step), key);
    return node_is(n, NODE_TEXT) ? arena_chars(&l->arena, n->text) : "";
}

// How often the step ran into this output: lines of its file.
__attribute__((unused))
static int runs(lab *l, int step)
{
    str s;
    err e;
    if (!file_read(&l->arena, path_join(&l->arena, l->steps[step].output, "runs"), &s, &e))
        return 0;
    return (int)(s.size / 4);
}

__attribute__((unused))
static void put_file(const char *path, const char *chars)
{
    err e;
    CHECK(file_write(path, str_of(chars), &e));
}

__attribute__((unused))
static char *under(lab *l, const char *name) { return path_join(&l->arena, l->prefix, name); }
