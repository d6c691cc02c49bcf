// skiff doctor: what this machine can do.
#include <stdlib.h>

#include "cli/commands.h"

static int run(const args *a, err *e)
{
    char *report = NULL;
    if (!skiff_doctor(&report, e))
        return skiff_exit_code(e);
    print_report(a, report);
    free(report);
    return 0;
}

const command command_doctor = {
    .name = "doctor", .usage = "", .run = run,
    .help = "What this machine can do: CPU and kernels chosen, memory, engines, the hub, "
            "which credentials are present (never their values).",
};
