// skiff.h: experiments and plans.
#include <skiff/skiff.h>

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/api.h"
#include "api/pipeline.h"
#include "base/yaml.h"
#include "run/experiment.h"
#include "run/plan.h"
#include "run/settings.h"

bool skiff_run(const char *file, int argc, char **argv, int *exit_code, skiff_err *e)
{
    return run_experiment(file, argc, argv, exit_code, e);
}

// `skiff run FILE --plan` (or other flags, NULL at the end) in a process of its own (a .c experiment takes its process's place), its
// stdout as the report.
static bool ask_experiment(const char *file, const char *const *flags, const char *const *options, char **report, err *e)
{
    arena a = {0};
    text out = {0};
    int ends[2], status = 0, count = 0;
    if (pipe(ends) != 0)
        return fail_io(e, "read the answer of", file);
    pid_t child = fork();
    if (child == 0) {
        char **argv = NULL;
        int code = 1;
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        for (; *flags; flags++)
            ARENA_PUSH(&a, argv, count, arena_chars(&a, str_of(*flags)));
        for (; options && *options; options++)
            ARENA_PUSH(&a, argv, count, arena_chars(&a, str_of(*options)));
        if (!run_experiment(file, count, argv, &code, e) && *e->text)
            fprintf(stderr, "skiff: %s\n", e->text);
        fflush(stdout);
        _exit(code);
    }
    close(ends[1]);
    char block[4096];
    for (ssize_t n; child > 0 && (n = read(ends[0], block, sizeof block)) > 0;)
        text_bytes(&out, block, (size_t)n);
    close(ends[0]);
    bool ok = child > 0 ? waitpid(child, &status, 0) == child : fail_io(e, "start a process for", file);
    if (ok && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
        ok = false;                             // the child has said why
        *e = (err){ .code = WIFEXITED(status) && WEXITSTATUS(status) == 2 ? ERR_INPUT : ERR_IO };
    }
    if (ok)
        *report = out.chars;
    else
        text_close(&out);
    arena_close(&a);
    return ok;
}

static bool is_experiment(const char *path)
{
    arena a = {0};
    err ignored = {0};
    const node *top;
    bool is = str_ends(str_of(path), STR(".c")) || (yaml_read_file(&a, path, &top, &ignored) && node_get(top, "steps"));
    arena_close(&a);
    return is;
}

bool skiff_plan(const char *config, const char *const *options, char **report, skiff_err *e)
{
    arena a = {0};
    train_settings s;
    train_config c;
    train_plan p;
    if (is_experiment(config))
        return ask_experiment(config, (const char *const[]){ "--plan", NULL }, options, report, e);
    bool ok = train_settings_read(&a, config, options, &s, e) && train_config_fill(&s.sft, s.format.pack, &c, e)
           && bring_sizes(&a, "model_name_or_path", &c.model, e) && (api_train_data(&a, &s, false, &c, e) || err_while(e, "%s", config));
    if (ok && (ok = train_make_plan(&c, &p, e))) {
        ok = api_report(train_plan_node(&a, &c, &p), report, e);
    }
    arena_close(&a);
    return ok;
}

bool skiff_explain(const char *file, const skiff_explain_how *how, const char *const *options, char **report, skiff_err *e)
{
    char step[32];
    const char *flags[6] = { "--explain" };
    int count = 1;
    if (how && how->prefix) {
        flags[count++] = "--prefix";
        flags[count++] = how->prefix;
    }
    if (how && how->step > 0) {
        snprintf(step, sizeof step, "%lld", (long long)how->step);
        flags[count++] = "--explain_step";
        flags[count++] = step;
    }
    return ask_experiment(file, flags, options, report, e);
}
