// For tests of experiments: what is said, outputs in a folder of the test, versions of all steps.
#pragma once
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "run/experiment.h"

static char said[8192];

static void listen(void *self, log_level level, const char *line)
{
    (void)self;
    (void)level;
    size_t used = strlen(said);
    snprintf(said + used, sizeof said - used, "%s\n", line);
}

__attribute__((unused)) static void begin(void)
{
    experiment_forget();
    said[0] = 0;
    log_to(listen, NULL);
}

static char folder[64];

static void remove_folder(void)
{
    err e;
    (void)!folder_remove(folder, &e);
}

__attribute__((unused)) static const char *in_folder(arena *a, const char *name)
{
    if (!folder[0]) {
        strcpy(folder, "/tmp/skiff-experiment-XXXXXX");
        CHECK(mkdtemp(folder) != NULL);
        atexit(remove_folder);
    }
    return path_join(a, folder, name);
}

// What executor_main prints on stderr is added to `said`.
__attribute__((unused)) static int run_main(skiff_main_args args, const char *const *flags)
{
    char *argv[16] = { (char *)"experiment" };
    int argc = 1;
    for (; flags && flags[argc - 1]; argc++)
        argv[argc] = (char *)flags[argc - 1];
    arena a = {0};
    setenv("SKIFF_PREFIX", in_folder(&a, "out"), 1);
    fflush(stderr);
    FILE *file = tmpfile();
    int kept = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    int code = skiff_executor_main(argc, argv, "experiments/x.c", args);
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(file);
    size_t used = strlen(said), more = fread(said + used, 1, sizeof said - used - 1, file);
    said[used + more] = 0;
    fclose(file);
    arena_close(&a);
    return code;
}

__attribute__((unused)) static void versions_of(arena *a, const skiff_main_args *args, const char **out, int room)
{
    exec_step *steps;
    int count;
    err e;
    experiment_graph(args, false, a, &steps, &count);
    CHECK(count == room && executor_plan(a, steps, count, &(executor_options){ .prefix = "/p" }, &e));
    for (int i = 0; i < count && i < room; i++)
        out[i] = steps[i].version;
}
