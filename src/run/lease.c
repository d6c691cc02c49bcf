// Leases. The holder writes a counter into the file every few seconds. One that waits and sees nothing change for LEASE_MISSED
// periods of its own clock in which it looked, or that the holder's process on this machine is gone, takes over: it replaces the
// file by rename.
// Whoever removes or replaces the lease of token T first makes the file <lease>.T-0 (O_EXCL), so that there is one such, and looks
// again whether T still holds; when its maker died in between, the next one is T-1, after as long a time.
// A holder that comes back late finds another token in the file and stops.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/util.h"
#include "run/lease.h"

enum { LEASE_MISSED = 10 };

// Seconds between two renewals.
static double period(void)
{
    const char *said = getenv("SKIFF_LEASE_SECONDS");
    double seconds = said ? strtod(said, NULL) : 0;
    return seconds >= 0.01 && seconds <= 3600 ? seconds : 3;
}

// While we did not look ourselves (stopped, or on a machine too busy) the holder may have been in the same state: of each such pause
// one period counts.
static bool is_too_long(silence *s)
{
    double now = clock_now();
    if (s->looked_at)
        s->seconds += MIN(now - s->looked_at, period());
    s->looked_at = now;
    return s->seconds > LEASE_MISSED * period();
}

// ---- who holds it -------------------------------------------------------------------------------------------------------

// A line of a small file of the system, without its end; "" when there is none.
static void read_line(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "r");
    out[0] = 0;
    if (f && fgets(out, (int)size, f))
        out[strcspn(out, "\n")] = 0;
    if (f)
        fclose(f);
}

// When the process (its number, or "self") began, in ticks since the machine did: tells two of the same number apart. 0: there is none, or
// it has ended. -1: it is there, or may be, and cannot be looked at.
static long long process_start(const char *process)
{
    char path[64], line[1024];
    long long ticks = 0;
    snprintf(path, sizeof path, "/proc/%s/stat", process);
    read_line(path, line, sizeof line);
    if (!line[0])                                       // other users' processes may be hidden
        return kill((pid_t)strtol(process, NULL, 10), 0) == 0 || errno != ESRCH ? -1 : 0;
    char *at = strrchr(line, ')');                      // the name before it may hold anything
    if (!at || at[1] != ' ' || at[2] == 'Z' || at[2] == 'X')
        return 0;
    at += 2;
    for (int field = 3; at && field < 22; field++)
        at = (at = strchr(at, ' ')) ? at + 1 : NULL;
    if (at)
        ticks = strtoll(at, NULL, 10);
    return ticks;
}

// Two processes: the one that works, and the executor that waits for it, and then writes how it ended. They may be the same.
typedef struct holder { char machine[160]; long pid, executor; long long start, executor_start; char token[33]; } holder;

// Processes can be told apart where machine, its last start, the space of process numbers (containers) and that of times are the same.
static void this_machine(char out[160])
{
    char host[64] = "", boot[48], space[24] = "", times[24] = "";
    gethostname(host, sizeof host - 1);
    read_line("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
    (void)!readlink("/proc/self/ns/pid", space, sizeof space - 1);
    (void)!readlink("/proc/self/ns/time", times, sizeof times - 1);
    for (char *p = host; *p; p++)
        if (*p == '"' || *p == '\\')
            *p = '_';
    snprintf(out, 160, "%s %s %s %s", host, boot, space, times);
}

static bool read_holder(const char *bytes, holder *h)
{
    arena a = {0};
    const node *n;
    str machine, token;
    int64_t pid, start, executor, executor_start;
    err e;
    bool ok = json_parse(&a, str_of(bytes), (place){0}, &n, &e) && node_want_text(n, "", "machine", &machine, &e)
           && node_want_text(n, "", "token", &token, &e) && node_want_int(n, "", "pid", &pid, &e)
           && node_want_int(n, "", "start", &start, &e) && node_want_int(n, "", "executor", &executor, &e)
           && node_want_int(n, "", "executor_start", &executor_start, &e) && machine.size < sizeof h->machine
           && token.size < sizeof h->token;
    *h = (holder){0};
    if (ok) {
        memcpy(h->machine, machine.at, machine.size);
        memcpy(h->token, token.at, token.size);
        h->pid = (long)pid;
        h->start = start;
        h->executor = (long)executor;
        h->executor_start = executor_start;
    }
    arena_close(&a);
    return ok;
}

// A container may see the /proc of another space of numbers, where its own mean other processes.
static bool knows_processes(void)
{
    char self[24] = "";
    return readlink("/proc/self", self, sizeof self - 1) > 0 && strtol(self, NULL, 10) == (long)getpid();
}

static bool is_gone(long pid, long long start)
{
    char process[24];
    snprintf(process, sizeof process, "%ld", pid);
    long long now = process_start(process);
    return now >= 0 && now != start;
}

static bool is_dead(const holder *h)
{
    char machine[160];
    this_machine(machine);
    if (strcmp(machine, h->machine) || h->start <= 0 || h->executor_start <= 0 || !knows_processes())
        return false;
    return is_gone(h->pid, h->start) && is_gone(h->executor, h->executor_start);
}

// ---- the file -----------------------------------------------------------------------------------------------------------

// False when there is none. What cannot be read counts as being there: nobody takes over what they cannot see.
static bool look(const char *path, char bytes[LEASE_SIZE])
{
    memset(bytes, 0, LEASE_SIZE);
    int f = open(path, O_RDONLY | O_CLOEXEC);           // opened anew each time: shared folders then ask the server
    if (f < 0)
        return errno != ENOENT;
    (void)!read(f, bytes, LEASE_SIZE - 1);
    close(f);
    return true;
}

static bool write_into(lease *l, int f)
{
    char machine[160], bytes[LEASE_SIZE];
    this_machine(machine);
    memset(bytes, ' ', sizeof bytes);
    int n = snprintf(bytes, sizeof bytes, "{\"machine\": \"%s\", \"pid\": %ld, \"start\": %lld, \"executor\": %ld, "
                     "\"executor_start\": %lld, \"token\": \"%s\", \"beats\": %lld}",
                     machine, (long)getpid(), process_start("self"), l->executor, l->executor_start, l->token, (long long)l->beats++);
    bytes[n] = ' ';
    bytes[LEASE_SIZE - 1] = '\n';
    return pwrite(f, bytes, LEASE_SIZE, 0) == LEASE_SIZE && fsync(f) == 0;
}

static void begin_holding(lease *l)
{
    l->executor = (long)getpid();
    l->executor_start = process_start("self");
    unsigned char random[16];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        for (size_t i = 0; i < sizeof random; i++)
            random[i] = (unsigned char)((uint64_t)(clock_now() * 1e9) >> 8 * (i % 8) ^ (uint64_t)getpid() >> 8 * (i % 4));
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(l->token + 2 * i, 3, "%02x", random[i]);
}

bool lease_is_ours(const lease *l)
{
    char bytes[LEASE_SIZE];
    holder h;
    return l->held && look(l->path, bytes) && (!bytes[0] || (read_holder(bytes, &h) && !strcmp(h.token, l->token)));
}

// ---- taking it over -----------------------------------------------------------------------------------------------------

static bool claim_path(const lease *l, const char *token, int n, char out[4096])
{
    return snprintf(out, 4096, "%s.%s-%d", l->path, *token ? token : "broken", n) < 4096;
}

// The only one that may remove or replace the lease of `token`: true, and the lease is still that one's.
static bool claim(lease *l, const char *token)
{
    char path[4096], bytes[LEASE_SIZE];
    holder h;
    if (!claim_path(l, token, l->claims, path))
        return false;
    int f = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (f < 0) {
        if (errno == EEXIST && is_too_long(&l->claim_silent)) {
            l->claims++;                                // who made it is gone
            l->claim_silent = (silence){0};
        }
        return false;
    }
    close(f);
    if (look(l->path, bytes) && (read_holder(bytes, &h) ? !strcmp(h.token, token) : !*token))
        return true;
    unlink(path);
    return false;
}

static void unclaim(lease *l, const char *token)
{
    char path[4096];
    for (int n = 0; n <= l->claims; n++)
        if (claim_path(l, token, n, path))
            unlink(path);
    l->claims = 0;
    l->claim_silent = (silence){0};
}

static lock_answer refuse(lease *l, int f, const char *path, err *e)
{
    (void)!fail_io(e, "write", path);
    if (f >= 0)
        close(f);
    l->held = false;
    return LOCK_FAILED;
}

static lock_answer take_over(lease *l, const char *token, const char *why, err *e)
{
    char beside[4096];
    if (!claim(l, token))
        return LOCK_BUSY;
    begin_holding(l);
    snprintf(beside, sizeof beside, "%s.%s", l->path, l->token);
    int f = open(beside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    bool ok = f >= 0 && write_into(l, f) && rename(beside, l->path) == 0;
    if (!ok) {
        lock_answer failed = refuse(l, f, beside, e);
        unlink(beside);
        unclaim(l, token);
        return failed;
    }
    unclaim(l, token);
    l->file = f;
    l->held = true;
    log_info("%s: its lease is taken over: %s", l->name, why);
    return LOCK_TAKEN;
}

// A new one, where there is none.
static lock_answer create(lease *l, err *e)
{
    begin_holding(l);
    int f = open(l->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (f < 0)
        return errno == EEXIST ? LOCK_BUSY : refuse(l, -1, l->path, e);
    l->held = true;
    l->file = f;
    if (!write_into(l, f)) {
        lock_answer failed = refuse(l, f, l->path, e);
        unlink(l->path);
        return failed;
    }
    if (lease_is_ours(l))
        return LOCK_TAKEN;
    close(f);                                           // we were so slow that it passed for left behind
    l->held = false;
    return LOCK_BUSY;
}

lock_answer lease_try(lease *l, err *e)
{
    char bytes[LEASE_SIZE], why[96];
    holder h;
    if (!look(l->path, bytes))
        return create(l, e);
    bool known = read_holder(bytes, &h);
    if (!l->silent.looked_at || memcmp(bytes, l->seen, LEASE_SIZE)) {
        if (strcmp(h.token, l->seen_token)) {
            memcpy(l->seen_token, h.token, sizeof h.token);
            l->claims = 0;
            l->claim_silent = (silence){0};
        }
        memcpy(l->seen, bytes, LEASE_SIZE);
        l->silent = (silence){0};
    }
    if (known && is_dead(&h)) {
        snprintf(why, sizeof why, "process %ld, which held it, is gone", h.pid);
        return take_over(l, h.token, why, e);
    }
    if (!is_too_long(&l->silent))
        return LOCK_BUSY;
    snprintf(why, sizeof why, "its holder was not heard of for %.0f s", l->silent.seconds);
    return take_over(l, h.token, why, e);
}

// ---- keeping it ---------------------------------------------------------------------------------------------------------

static void *keep(void *self)
{
    lease *l = self;
    pthread_mutex_lock(&l->mutex);
    while (!l->closing) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        long nanoseconds = until.tv_nsec + (long)(period() * 1e9);
        until.tv_sec += nanoseconds / 1000000000;
        until.tv_nsec = nanoseconds % 1000000000;
        pthread_cond_timedwait(&l->wake, &l->mutex, &until);
        if (l->closing)
            break;
        if (!lease_is_ours(l)) {
            log_warning("%s: another run has taken it over, since this one was not heard of for a while; this one stops", l->name);
            kill(getpid(), SIGTERM);
            break;
        }
        (void)write_into(l, l->file);                   // when it fails, others wait, and then take over
    }
    pthread_mutex_unlock(&l->mutex);
    return NULL;
}

bool lease_keep(lease *l, err *e)
{
    pthread_condattr_t by;
    sigset_t all, before;
    pthread_mutex_init(&l->mutex, NULL);
    pthread_condattr_init(&by);
    pthread_condattr_setclock(&by, CLOCK_MONOTONIC);
    pthread_cond_init(&l->wake, &by);
    pthread_condattr_destroy(&by);
    l->closing = false;
    if (!write_into(l, l->file))                        // with the number of this process
        return fail_io(e, "write", l->path);
    sigfillset(&all);                                   // signals are for the thread that works
    pthread_sigmask(SIG_SETMASK, &all, &before);
    l->keeping = pthread_create(&l->thread, NULL, keep, l) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return l->keeping || fail(e, ERR_MEMORY, "cannot start the thread that renews '%s'", l->path);
}

void lease_rest(lease *l)
{
    if (!l->keeping)
        return;
    pthread_mutex_lock(&l->mutex);
    l->closing = true;
    pthread_cond_signal(&l->wake);
    pthread_mutex_unlock(&l->mutex);
    pthread_join(l->thread, NULL);
    pthread_mutex_destroy(&l->mutex);
    pthread_cond_destroy(&l->wake);
    l->keeping = false;
}

void lease_give_back(lease *l)
{
    if (!l->held)
        return;
    if (claim(l, l->token)) {
        unlink(l->path);
        unclaim(l, l->token);
    }
    close(l->file);
    l->held = false;
}
