// skiff train: a training step alone.
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/stop.h"

static volatile sig_atomic_t asked;

static void stop(int sig)
{
    if (asked)
        _exit(128 + sig);
    asked = sig;
    skiff_stop();
}

void stop_cleanly_on_signals(void)
{
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
}

int stopped_code(const err *e) { return e->code == ERR_INTERRUPTED && asked == SIGTERM ? 143 : skiff_exit_code(e); }

static int run(const args *a, err *e)
{
    const char *config;
    char *report = NULL;
    if (!word_need(a, 0, "CONFIG.yaml", &config, e))
        return 2;
    stop_cleanly_on_signals();
    if (!skiff_train(config, a->options, &report, e))
        return stopped_code(e);
    print_report(a, report);
    free(report);
    return 0;
}

const command command_train = {
    .name = "train", .usage = "CONFIG.yaml [option=value …]", .run = run, .options = true,
    .help = "A training step alone, from a token cache or chats. Started again, it goes on from its last checkpoint.",
};
