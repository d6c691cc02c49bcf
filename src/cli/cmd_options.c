// skiff options: the table of options as a page.
#include <stdlib.h>

#include "cli/commands.h"

static int run(const args *a, err *e)
{
    (void)a;
    char *page = skiff_options_help(NULL);
    if (!page) {
        fail(e, ERR_MEMORY, "no memory for the table of options");
        return 1;
    }
    fputs(page, stdout);
    free(page);
    return 0;
}

const command command_options = {
    .name = "options", .usage = "", .run = run,
    .help = "Every option there is, as a page of Markdown (docs/options.md).",
};
