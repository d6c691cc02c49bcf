// skiff plan: memory, steps, tokens, time, before anything runs.
#include <stdlib.h>

#include "cli/commands.h"

static int run(const args *a, err *e)
{
    const char *config;
    char *report = NULL;
    if (!word_need(a, 0, "EXPERIMENT or CONFIG", &config, e))
        return 2;
    if (!skiff_plan(config, a->options, &report, e))
        return skiff_exit_code(e);
    print_report(a, report);
    free(report);
    return 0;
}

const command command_plan = {
    .name = "plan", .usage = "EXPERIMENT|CONFIG [option=value …]", .run = run, .options = true,
    .help = "What a run will need before anything runs: memory by kind, exact steps, tokens, estimated time.",
};
