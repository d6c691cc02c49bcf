// skiff datasets: the table of known datasets.
#include <stdlib.h>

#include "cli/commands.h"

static int run(const args *a, err *e)
{
    char *page = skiff_datasets(a->json);
    if (!page) {
        fail(e, ERR_MEMORY, "no memory for the table of datasets");
        return 1;
    }
    printf("%s%s", page, a->json ? "\n" : "");
    free(page);
    return 0;
}

const command command_datasets = {
    .name = "datasets", .usage = "", .run = run,
    .help = "The datasets that get_instruction_dataset knows, as a page of Markdown (docs/datasets.md).",
};
