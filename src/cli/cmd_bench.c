// skiff bench: times the whole optimizer step.
#include <stdlib.h>

#include "cli/commands.h"

static int run(const args *a, err *e)
{
    const char *model;
    char *report = NULL;
    int64_t batch, seq, steps;
    if (!arg_need(a, "model", &model, e) || !arg_int(a, "batch", 4, 1, &batch, e) || !arg_int(a, "seq", 512, 2, &seq, e)
        || !arg_int(a, "steps", 5, 1, &steps, e))
        return 2;
    if (!skiff_bench(model, batch, seq, steps, a->options, &report, e))
        return skiff_exit_code(e);
    print_report(a, report);
    free(report);
    return 0;
}

const command command_bench = {
    .name = "bench", .usage = "--model MODEL [--batch B] [--seq T] [--steps N]", .run = run, .options = true,
    .help = "Times the whole optimizer step: random ids, one segment a row, every position trained, clipping and AdamW included. A folder "
            "with a config.json alone is timed with random weights.",
    .flags = {
        { "model", "MODEL", "the model", false },
        { "batch", "B", "rows of a step (4)", false },
        { "seq", "T", "tokens of a row (512)", false },
        { "steps", "N", "steps timed, after one that is not (5)", false },
    },
};
