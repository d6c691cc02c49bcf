// executor_main: flags, overrides, the graph, the run; and `skiff run` of a file.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/util.h"
#include "run/experiment.h"
#include "run/explain.h"
#include "run/plan.h"
#include "run/signals.h"

enum { MOST_CONCURRENT = 256 };

static int exit_code_of(const err *e)
{
    switch (e->code) {
    case ERR_NONE:
        return 0;
    case ERR_INPUT:
    case ERR_UNSUPPORTED:
        return 2;
    case ERR_INTERRUPTED:
        return signals_caught() == SIGTERM ? 143 : 130;
    default:
        return 1;
    }
}

// One mistake is the error; several are said, and the error counts them.
static bool no_mistakes(const char *script, err *e)
{
    const experiment *x = experiment_current();
    if (x->mistake_count == 1)
        *e = x->mistakes[0];
    for (int i = 0; i < x->mistake_count && x->mistake_count > 1; i++)
        log_say(LOG_ERROR, "%s", x->mistakes[i].text);
    if (x->mistake_count > 1)
        fail(e, ERR_INPUT, "%s: %d mistakes; nothing was run", script, x->mistake_count);
    return !x->mistake_count;
}

static void warn_of_unused(void)
{
    const experiment *x = experiment_current();
    for (int i = 0; i < x->step_count; i++)
        if (x->steps[i]->index < 0 && x->steps[i]->what != WHAT_MIXTURE)
            log_warning("%s: '%s' is in no list of executor_main and nothing needs it: it does not run", x->steps[i]->at.file,
                        x->steps[i]->known_as);
}

// Two different steps must not write into one folder.
static bool outputs_differ(const exec_step *steps, int count, err *e)
{
    for (int i = 0; i < count; i++)
        for (int k = 0; k < i; k++)
            if (!strcmp(steps[i].output, steps[k].output) && strcmp(steps[i].version, steps[k].version))
                return fail_at(e, steps[i].at, "'%s' and '%s' have the same output '%s'", steps[k].name, steps[i].name, steps[i].output);
    return true;
}

// Buckets are not written yet; a folder called "gs:" is not what was meant. A dry run may show the paths.
static bool prefix_is_local(const struct skiff_executor_options *flags, err *e)
{
    const char *const places[] = { executor_prefix(&(executor_options){ .prefix = flags->prefix }), flags->executor_info_base_path };
    for (size_t i = 0; i < COUNT(places) && !flags->dry_run; i++)
        if (places[i] && strstr(places[i], "://"))
            return fail(e, ERR_UNSUPPORTED, "'%s': writing to %.*s:// is not built yet; give a local folder with %s", places[i],
                        (int)(strstr(places[i], "://") - places[i]), places[i],
                        i ? "--executor_info_base_path" : "--prefix or SKIFF_PREFIX");
    return true;
}

static bool run(int argc, char **argv, const char *script, const skiff_main_args *args, err *e)
{
    experiment *x = experiment_current();
    struct skiff_executor_options flags;
    const char **overrides;
    exec_step *steps;
    int count;
    text summary = {0};
    TRY(executor_flags(argc, argv, &x->arena, &flags, &overrides, e) && prefix_is_local(&flags, e));
    TRY(experiment_override(overrides, e));
    experiment_graph(args, flags.local, &x->arena, &steps, &count);
    TRY(no_mistakes(script, e));
    if (!count)
        return fail(e, ERR_INPUT, "%s: executor_main has no steps: .steps = { … }", script);
    warn_of_unused();
    executor_options o = {
        .prefix = flags.prefix, .info_base = flags.executor_info_base_path, .script = script, .description = args->description,
        .dry_run = flags.dry_run, .force_run_failed = flags.force_run_failed, .force_run = flags.force_run,
        .run_only = flags.run_only, .skip_checks = flags.skip_checks,
        .max_concurrent = flags.max_concurrent == SKIFF_INT_UNSET ? MOST_CONCURRENT : (int)flags.max_concurrent,
    };
    TRY(executor_plan(&x->arena, steps, count, &o, e) && outputs_differ(steps, count, e));
    bool ok = flags.explain ? experiment_explain(&x->arena, steps, count, &o, flags.explain_step, &summary, e)
            : flags.plan    ? experiment_plan(&x->arena, steps, count, &summary, e)
                            : executor_run(&x->arena, steps, count, &o, &summary, e);
    if ((flags.json || flags.plan || flags.explain) && summary.size && (printf("%s\n", summary.chars) < 0 || fflush(stdout) != 0) && ok)
        ok = fail_io(e, "write", "stdout");
    text_close(&summary);
    return ok;
}

int skiff_executor_main(int argc, char **argv, const char *script, skiff_main_args args)
{
    err e = {0};
    bool ok = run(argc > 0 ? argc - 1 : 0, argc > 0 ? argv + 1 : argv, script, &args, &e);
    if (!ok)                                            // this is the program's main: as `skiff` itself says it
        fprintf(stderr, "skiff: %s\n", e.text);
    return ok ? 0 : exit_code_of(&e);
}

// ---- skiff run ----------------------------------------------------------------------------------------------------------

static bool run_program(const char *source, int argc, char **argv, err *e)
{
    arena a = {0};
    const char *binary;
    bool ok = experiment_compile(source, &a, &binary, e);
    if (ok) {
        char **all = ARENA_ARRAY(&a, char *, argc + 2);
        all[0] = arena_chars(&a, str_of(binary));
        for (int i = 0; i < argc; i++)
            all[i + 1] = argv[i];
        fflush(NULL);
        execv(binary, all);
        ok = fail_io(e, "run", binary);
    }
    arena_close(&a);
    return ok;
}

// No such file: perhaps it is the guide's name of one that is there, or a flag that stands before it.
static bool no_experiment(const char *path, err *e)
{
    static const char *const endings[] = { ".c", ".yaml" };
    arena a = {0};
    const char *name = strrchr(path, '/') ? strrchr(path, '/') : path, *dot = strrchr(name, '.'), *found = NULL;
    for (size_t i = 0; i < COUNT(endings) && dot && !found; i++) {
        const char *other = arena_print(&a, "%.*s%s", (int)(dot - path), path, endings[i]);
        found = file_exists(other) ? other : NULL;
    }
    if (path[0] == '-')
        fail(e, ERR_INPUT, "the experiment stands before the flags: skiff run EXPERIMENT %.80s", path);
    else
        fail(e, ERR_INPUT, "there is no experiment '%s'%s%s%s", path, found ? "; there is '" : "", found ? found : "", found ? "'" : "");
    arena_close(&a);
    return false;
}

bool run_experiment(const char *path, int argc, char **argv, int *exit_code, err *e)
{
    str name = str_of(path);
    skiff_main_args args;
    bool ok;
    if (!file_exists(path))
        ok = no_experiment(path, e);
    else if (str_ends(name, STR(".c")))
        ok = run_program(path, argc, argv, e);          // does not come back when all is well
    else if (!str_ends(name, STR(".yaml")) && !str_ends(name, STR(".yml")))
        ok = fail(e, ERR_INPUT, "'%s': an experiment is a .c or a .yaml file", path);
    else
        ok = experiment_read_yaml(path, &args, e) && run(argc, argv, path, &args, e);
    *exit_code = ok ? 0 : exit_code_of(e);
    return ok;
}
