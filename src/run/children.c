// Several steps at once: each in a process of its own, so that a crash is one step's failure. What it found comes back through a pipe.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/decide.h"
#include "run/signals.h"

bool child_start(job *b, bool (*perform)(const exec_step *, err *), err *e)
{
    int ends[2];
    if (pipe(ends) != 0)
        return fail_io(e, "open", "a pipe");
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        (void)!fail_io(e, "start", "a process");
        close(ends[0]);
        close(ends[1]);
        return false;
    }
    if (pid == 0) {
        err mine = {0};
        close(ends[0]);
        // Ctrl-C at the terminal goes to us, and we pass it on once: a second signal would end the child at once.
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        setenv("SKIFF_PROGRESS", "0", 1);               // lines of several steps would mix
        mine.code = perform(b->step, &mine) ? ERR_NONE : mine.code;
        ssize_t n = write(ends[1], &mine, sizeof mine);
        _exit(n != sizeof mine);
    }
    close(ends[1]);
    b->pid = pid;
    b->pipe = ends[0];
    b->outcome = OUTCOME_RUNNING;
    return true;
}

static void finish(jobs *j, job *b, void (*settle)(jobs *, job *, bool ok, const err *))
{
    err e = {0};
    int status = 0;
    ssize_t n = read(b->pipe, &e, sizeof e);
    close(b->pipe);
    while (waitpid((pid_t)b->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (n != sizeof e && WIFSIGNALED(status) && signals_caught())
        fail(&e, ERR_INTERRUPTED, "interrupted");
    else if (n != sizeof e && WIFSIGNALED(status))
        fail(&e, ERR_BUG, "its process was ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (n != sizeof e)
        fail(&e, ERR_BUG, "its process ended with code %d and said nothing", WEXITSTATUS(status));
    settle(j, b, e.code == ERR_NONE, &e);
}

void children_wait(jobs *j, void (*settle)(jobs *, job *, bool ok, const err *))
{
    struct pollfd *waits = ARENA_ARRAY(j->arena, struct pollfd, j->count);
    nfds_t n = 0;
    for (int i = 0; i < j->count; i++)
        if (j->items[i].outcome == OUTCOME_RUNNING)
            waits[n++] = (struct pollfd){ .fd = j->items[i].pipe, .events = POLLIN };
    if (poll(waits, n, 1000) < 0 && errno != EINTR)
        return;
    for (int i = 0; i < j->count && signals_caught() && j->passed_on != signals_caught(); i++)
        if (j->items[i].outcome == OUTCOME_RUNNING)
            kill((pid_t)j->items[i].pid, signals_caught());
    j->passed_on = signals_caught();
    for (nfds_t k = 0; k < n; k++)
        for (int i = 0; i < j->count && waits[k].revents; i++)
            if (j->items[i].outcome == OUTCOME_RUNNING && j->items[i].pipe == waits[k].fd)
                finish(j, &j->items[i], settle);
}
