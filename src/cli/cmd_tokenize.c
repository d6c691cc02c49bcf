// skiff tokenize: chats to a token cache.
#include <stdlib.h>

#include "cli/commands.h"

static int run(const args *a, err *e)
{
    const char *data, *model, *output;
    char *report = NULL;
    if (!word_need(a, 0, "DATA", &data, e) || !arg_need(a, "model", &model, e) || !arg_need(a, "output", &output, e))
        return 2;
    if (!skiff_tokenize(data, model, output, a->options, &report, e))
        return skiff_exit_code(e);
    print_report(a, report);
    free(report);
    return 0;
}

const command command_tokenize = {
    .name = "tokenize", .usage = "DATA --model MODEL --output DIR", .run = run, .options = true,
    .help = "A token cache alone: chats rendered, tokenized and masked. An interrupted one goes on where it stopped.",
    .flags = {
        { "model", "MODEL", "whose tokenizer and chat template", false },
        { "output", "DIR", "where the cache is built", false },
    },
};
