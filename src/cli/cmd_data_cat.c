// skiff data cat: rows of any readable file as JSON lines.
#include <stdio.h>

#include "cli/commands.h"

static bool print_row(void *self, const char *json, size_t size)
{
    (void)self;
    return fwrite(json, 1, size, stdout) == size && putchar('\n') != EOF;
}

static int run(const args *a, err *e)
{
    const char *data;
    int64_t limit;
    if (!word_need(a, 0, "DATA", &data, e) || !arg_int(a, "limit", 0, 0, &limit, e))
        return 2;
    return skiff_data_rows(data, limit, print_row, NULL, e) ? 0 : skiff_exit_code(e);
}

const command command_data_cat = {
    .name = "data cat", .usage = "DATA [--limit N]", .run = run,
    .help = "Rows of any readable file as JSON lines, as they stand in it.",
    .flags = { { "limit", "N", "at most so many rows", false } },
};
