// skiff eval: loss over the trained tokens.
#include <stdlib.h>

#include "cli/commands.h"

static int run(const args *a, err *e)
{
    const char *model, *data;
    char *report = NULL;
    if (!arg_need(a, "model", &model, e) || !arg_need(a, "data", &data, e))
        return 2;
    if (!skiff_eval(model, data, arg(a, "per-row"), a->options, &report, e))
        return skiff_exit_code(e);
    print_report(a, report);
    free(report);
    return 0;
}

const command command_eval = {
    .name = "eval", .usage = "--model MODEL --data DATA [--per-row]", .run = run, .options = true,
    .help = "The loss of a model over the trained tokens of chats or of a token cache.",
    .flags = {
        { "model", "MODEL", "the model", false },
        { "data", "DATA", "chats, or a token cache made with the model's tokenizer", false },
        { "per-row", NULL, "the loss of each conversation too", false },
    },
};
