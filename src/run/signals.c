// Signals while steps run.
#include "run/signals.h"

#include <signal.h>
#include <stddef.h>

// Handlers know nothing else: these belong to the process, as its signals do.
static volatile sig_atomic_t caught;
static void (*volatile stop_now)(void);
static struct sigaction before_int, before_term;

static void on_signal(int signal)
{
    void (*stop)(void) = stop_now;
    if (caught || !stop) {                              // a step that is killed goes on from where it was the next time
        struct sigaction plain = { .sa_handler = SIG_DFL };
        sigaction(signal, &plain, NULL);
        raise(signal);
        return;
    }
    caught = signal;
    stop();
}

void signals_open(void)
{
    struct sigaction ours = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    sigemptyset(&ours.sa_mask);
    caught = 0;
    sigaction(SIGINT, &ours, &before_int);
    sigaction(SIGTERM, &ours, &before_term);
}

void signals_close(void)
{
    sigaction(SIGINT, &before_int, NULL);
    sigaction(SIGTERM, &before_term, NULL);
    stop_now = NULL;
}

void signals_during(void (*stop)(void)) { stop_now = stop; }
int signals_caught(void) { return caught; }
