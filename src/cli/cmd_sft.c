// skiff sft: the whole pipeline in one line.
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/stop.h"

static int run(const args *a, err *e)
{
    const char *model, *data, *output;
    char *report = NULL;
    if (!arg_need(a, "model", &model, e) || !arg_need(a, "data", &data, e) || !arg_need(a, "output", &output, e))
        return 2;
    stop_cleanly_on_signals();
    skiff_sft_how how = { .resume = arg(a, "resume"), .restart = arg(a, "restart") };
    if (how.resume && how.restart) {
        fail(e, ERR_INPUT, "skiff sft: --resume goes on with the run in %s, --restart removes it: give one", output);
        return 2;
    }
    if (!skiff_sft(model, data, output, &how, a->options, &report, e))
        return stopped_code(e);
    print_report(a, report);
    free(report);
    return 0;
}

const command command_sft = {
    .name = "sft", .usage = "--model MODEL --data DATA --output DIR [option=value …]", .run = run, .options = true,
    .help = "The whole pipeline in one line: tokenize, train, export. Run again into the same --output, it resumes.",
    .flags = {
        { "model", "MODEL", "the base model: a Hugging Face folder, a .gguf, or org/name on the hub", false },
        { "data", "DATA", "chats: a file, folder or glob", false },
        { "output", "DIR", "where everything goes", false },
        { "resume", NULL, "go on with the run in --output although settings differ", false },
        { "restart", NULL, "remove what is in --output and begin anew", false },
    },
};
