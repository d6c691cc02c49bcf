// A step in a process of its own, so that a crash is one step's failure and several run at once. What it says, how far it is and how
// it ended come back through a pipe, in records that are each one write, so that threads do not mix them.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/progress.h"
#include "run/decide.h"
#include "run/signals.h"

typedef enum report_kind { REPORT_LOG, REPORT_PROGRESS, REPORT_END } report_kind;

typedef struct report {
    uint16_t size;                  // of what is written: no more than the text needs
    uint8_t kind, what;             // what: level of the log line, kind of progress, code of the end
    int64_t done, total;
    char text[2100];
} report;

_Static_assert(sizeof(report) <= PIPE_BUF, "a record is written at once");

// ---- in the child -------------------------------------------------------------------------------------------------------

// A parent that is gone hears nothing; the step goes on until it is told to stop.
static bool send_report(int to, report_kind kind, int what, int64_t done, int64_t total, const char *words)
{
    report r = { .kind = (uint8_t)kind, .what = (uint8_t)what, .done = done, .total = total };
    snprintf(r.text, sizeof r.text, "%s", words ? words : "");
    r.size = (uint16_t)(offsetof(report, text) + strlen(r.text) + 1);
    ssize_t n;
    do
        n = write(to, &r, r.size);
    while (n < 0 && errno == EINTR);
    return n == r.size;
}

static void send_line(void *self, log_level level, const char *line) { send_report(*(int *)self, REPORT_LOG, level, 0, 0, line); }

static void send_progress(void *self, const progress_news *n)
{
    send_report(*(int *)self, REPORT_PROGRESS, n->kind, n->done, n->total, n->text);
}

_Noreturn static void work(jobs *j, job *b, bool (*perform)(job *, err *), int to, pid_t parent)
{
    err e = {0};
    // Ctrl-C at the terminal goes to the parent, which passes it on once: a second signal would end us at once. When the parent is
    // gone, that is such a signal, too.
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(1);
    signal(SIGTSTP, SIG_IGN);                           // the parent stops us when it is stopped
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < j->count; i++)
        if (&j->items[i] != b)
            lock_forget(j->items[i].lock);              // or a step would stay locked as long as we live
    log_to(send_line, &to);
    progress_to(send_progress, &to);
    bool ok = perform(b, &e);
    ok = send_report(to, REPORT_END, ok ? ERR_NONE : e.code, 0, 0, ok ? NULL : e.text);
    fflush(NULL);
    _exit(!ok);
}

// ---- in the parent ------------------------------------------------------------------------------------------------------

bool child_start(jobs *j, job *b, bool (*perform)(job *, err *), err *e)
{
    int ends[2];
    pid_t parent = getpid();
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fail_io(e, "open", "a pipe");
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        (void)!fail_io(e, "start", "a process");
        close(ends[0]);
        close(ends[1]);
        return false;
    }
    if (pid == 0) {
        close(ends[0]);
        work(j, b, perform, ends[1], parent);
    }
    setpgid(pid, pid);                                  // whoever comes first
    close(ends[1]);
    b->pid = pid;
    b->pipe = ends[0];
    b->heard = arena_alloc(j->arena, sizeof(report));
    b->heard_size = 0;
    b->line = progress_add(b->step->name);
    b->outcome = OUTCOME_RUNNING;
    signals_add_child(pid);
    progress_draw();
    return true;
}

static void take_report(job *b, const report *r, bool *ended, err *e)
{
    if (r->kind == REPORT_LOG) {
        log_say((log_level)r->what, "%s", r->text);
    } else if (r->kind == REPORT_PROGRESS) {
        progress_tell(b->line, &(progress_news){ (progress_kind)r->what, r->done, r->total, r->text });
    } else {
        *ended = true;
        *e = (err){0};
        if (r->what != ERR_NONE)
            fail(e, (err_code)r->what, "%s", r->text);
    }
}

// Reads what there is. False at the end of the pipe.
static bool hear(job *b, bool *ended, err *e)
{
    report r;
    while (!*ended) {
        ssize_t n = read(b->pipe, b->heard + b->heard_size, sizeof r - b->heard_size);
        if (n <= 0)
            return n < 0 && (errno == EAGAIN || errno == EINTR);
        b->heard_size += (size_t)n;
        while (b->heard_size >= offsetof(report, text)) {
            memcpy(&r, b->heard, b->heard_size);
            if (r.size < offsetof(report, text) || r.size > sizeof r)
                return false;                           // not a record of ours: the step is broken
            if (r.size > b->heard_size)
                break;
            take_report(b, &r, ended, e);
            b->heard_size -= r.size;
            memmove(b->heard, b->heard + r.size, b->heard_size);
        }
    }
    return false;
}

static void finish(jobs *j, job *b, bool said, err *e, void (*settle)(jobs *, job *, bool ok, const err *))
{
    int status = 0;
    close(b->pipe);
    while (waitpid((pid_t)b->pid, &status, 0) < 0 && errno == EINTR)
        ;
    signals_remove_child((pid_t)b->pid);
    progress_remove(b->line);
    if (!said && WIFSIGNALED(status) && (signals_caught() || WTERMSIG(status) == SIGTERM))
        fail(e, ERR_INTERRUPTED, "interrupted");
    else if (!said && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
        b->killed = true;
        fail(e, ERR_IO, "its process was killed: by hand, or because memory ran out; run it again to go on");
    } else if (!said && WIFSIGNALED(status))
        fail(e, ERR_BUG, "its process was ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (!said)
        fail(e, ERR_BUG, "its process ended with code %d and said nothing", WEXITSTATUS(status));
    settle(j, b, e->code == ERR_NONE, e);
}

void children_wait(jobs *j, int milliseconds, void (*settle)(jobs *, job *, bool ok, const err *))
{
    struct pollfd waits[256];
    job *of[256];
    nfds_t n = 0;
    for (int i = 0; i < j->count && n < 256; i++)
        if (j->items[i].outcome == OUTCOME_RUNNING) {
            of[n] = &j->items[i];
            waits[n++] = (struct pollfd){ .fd = j->items[i].pipe, .events = POLLIN };
        }
    if (poll(waits, n, milliseconds) < 0 && errno != EINTR)
        return;
    if (n && signals_caught() && !j->passed_on)
        log_info("stopping: steps at work keep what they have; again, and they end at once");
    for (nfds_t k = 0; k < n && signals_caught() && !j->passed_on; k++)
        kill((pid_t)of[k]->pid, SIGTERM);
    j->passed_on = signals_caught();
    for (nfds_t k = 0; k < n; k++) {
        bool said = false;
        err e = {0};
        if (!hear(of[k], &said, &e))
            finish(j, of[k], said, &e, settle);
    }
    progress_draw();
}
