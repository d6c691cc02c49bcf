// Signals while steps run.
#include "run/signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>

enum { MOST_CHILDREN = 256 };

// Handlers know nothing else: these belong to the process, as its signals do.
static volatile sig_atomic_t caught;
static void (*volatile stop_now)(void);
static volatile pid_t children[MOST_CHILDREN];
static struct sigaction before_int, before_term, before_stop;

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

static void tell_children(int signal)
{
    for (int i = 0; i < MOST_CHILDREN; i++)
        if (children[i] > 0)
            kill(children[i], signal);
}

static void on_stop(int signal)
{
    int kept = errno;
    (void)signal;
    tell_children(SIGSTOP);
    raise(SIGSTOP);
    tell_children(SIGCONT);                             // we are back
    errno = kept;
}

void signals_open(void)
{
    struct sigaction ours = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    struct sigaction stops = { .sa_handler = on_stop, .sa_flags = SA_RESTART };
    sigemptyset(&ours.sa_mask);
    sigemptyset(&stops.sa_mask);
    caught = 0;
    sigaction(SIGINT, &ours, &before_int);
    sigaction(SIGTERM, &ours, &before_term);
    sigaction(SIGTSTP, &stops, &before_stop);
}

void signals_close(void)
{
    sigaction(SIGINT, &before_int, NULL);
    sigaction(SIGTERM, &before_term, NULL);
    sigaction(SIGTSTP, &before_stop, NULL);
    stop_now = NULL;
}

void signals_during(void (*stop)(void)) { stop_now = stop; }
int signals_caught(void) { return caught; }

void signals_add_child(pid_t pid)
{
    for (int i = 0; i < MOST_CHILDREN; i++)
        if (!children[i]) {
            children[i] = pid;
            return;
        }
}

void signals_remove_child(pid_t pid)
{
    for (int i = 0; i < MOST_CHILDREN; i++)
        if (children[i] == pid)
            children[i] = 0;
}
