// Locks of steps: leases that are renewed, given back, left behind, taken over by exactly one, and lost.
#include "../test.h"
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "run/record.h"

static char folder[64];

static char *output(arena *a) { return path_join(a, folder, "step-abc123"); }
static char *lease_file(arena *a) { return path_join(a, folder, ".step-abc123.lease"); }

// Leases alone, whose holders count as gone after half a second.
static void open_folder(void)
{
    strcpy(folder, "/tmp/skiff-lock-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    setenv("SKIFF_LOCKS", "lease", 1);
    setenv("SKIFF_LEASE_SECONDS", "0.05", 1);
}

static void close_folder(void)
{
    err e;
    arena a = {0};
    char **left;
    int64_t count = 0;
    CHECK(folder_list(&a, folder, &left, &count, &e));
    for (int64_t i = 0; i < count; i++)
        CHECK(!strcmp(left[i], ".step-abc123.lock"));   // nothing else stays
    CHECK(folder_remove(folder, &e));
    arena_close(&a);
    unsetenv("SKIFF_LOCKS");
    unsetenv("SKIFF_LEASE_SECONDS");
}

static void hush(void *self, log_level level, const char *line) { (void)self, (void)level, (void)line; }

static lock_answer try_now(lock **out)
{
    arena a = {0};
    err e = {0};
    *out = lock_open(output(&a), "step", &e);
    lock_answer answer = *out ? lock_try(*out, &e) : LOCK_FAILED;
    arena_close(&a);
    return answer;
}

// As a machine leaves it that is not this one: by rename, as all take it over, so that a renewal just then goes into the file replaced.
static void put_foreign(const char *token)
{
    arena a = {0};
    char *beside = arena_print(&a, "%s.foreign", lease_file(&a));
    FILE *f = fopen(beside, "w");
    CHECK(f && fprintf(f, "{\"machine\": \"elsewhere b p\", \"pid\": 1, \"start\": 1, \"executor\": 1, \"executor_start\": 1, \"token\": \"%s\", "
                         "\"beats\": 7}\n", token) > 0);
    fclose(f);
    CHECK(rename(beside, lease_file(&a)) == 0);
    arena_close(&a);
}

static double seconds_until_taken(lock *l, double most)
{
    double from = clock_now();
    err e = {0};
    while (clock_now() - from < most) {
        if (lock_try(l, &e) == LOCK_TAKEN)
            return clock_now() - from;
        usleep(5000);
    }
    return most;
}

TEST(one_at_a_time_and_given_back)
{
    for (int with_flock = 0; with_flock < 2; with_flock++) {
        lock *one, *two;
        err e = {0};
        open_folder();
        if (with_flock)
            unsetenv("SKIFF_LOCKS");
        CHECK(try_now(&one) == LOCK_TAKEN && lock_is_ours(one));
        CHECK(try_now(&two) == LOCK_BUSY && !lock_is_ours(two));
        CHECK(lock_keep(one, &e));
        CHECK(seconds_until_taken(two, 1) >= 1);        // twice as long as a silent one lasts: it is renewed
        CHECK(lock_is_ours(one));
        lock_rest(one);
        lock_close(one);
        CHECK(lock_try(two, &e) == LOCK_TAKEN);
        lock_close(two);
        close_folder();
    }
}

TEST(a_dead_holder_of_this_machine_is_followed_at_once)
{
    lock *one;
    open_folder();
    log_to(hush, NULL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(try_now(&one) != LOCK_TAKEN);
    int status = 1;
    siginfo_t ended;
    CHECK(waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT) == 0);
    CHECK(try_now(&one) == LOCK_TAKEN);                 // though nobody has waited for it: a zombie holds nothing
    CHECK(wait_for_end(pid, &status) && status == 0);
    lock_close(one);
    close_folder();
}

// The process of a step ends before its executor has written how: until then nobody may begin again.
TEST(an_executor_holds_it_until_the_end)
{
    lock *one, *two;
    err e = {0};
    open_folder();
    CHECK(try_now(&one) == LOCK_TAKEN);
    pid_t pid = fork();
    if (pid == 0) {
        bool ok = lock_keep(one, &e);
        lock_rest(one);
        _exit(!ok);
    }
    int status = 1;
    CHECK(wait_for_end(pid, &status) && status == 0);
    CHECK(try_now(&two) == LOCK_BUSY && lock_is_ours(one));
    lock_close(one);
    CHECK(lock_try(two, &e) == LOCK_TAKEN);
    lock_close(two);
    close_folder();
}

TEST(a_silent_holder_elsewhere_is_followed_after_a_while)
{
    lock *one;
    open_folder();
    log_to(hush, NULL);
    put_foreign("aa");
    CHECK(try_now(&one) == LOCK_BUSY);
    for (int i = 0; i < 8; i++) {                       // as long as it changes, it lives
        char token[16];
        usleep(100000);
        snprintf(token, sizeof token, "a%d", i);
        put_foreign(token);
        CHECK(lock_try(one, &(err){0}) == LOCK_BUSY);
    }
    double took = seconds_until_taken(one, 30);
    CHECK(took > 0.4 && took < 30);
    lock_close(one);
    // So is one that never wrote its name: a machine that went down in between.
    arena a = {0};
    int f = open(lease_file(&a), O_WRONLY | O_CREAT, 0666);
    close(f);
    CHECK(try_now(&one) == LOCK_BUSY);
    took = seconds_until_taken(one, 30);
    CHECK(took > 0.4 && took < 30);
    lock_close(one);
    // And one whose follower died before it followed.
    put_foreign("bb");
    f = open(arena_print(&a, "%s.bb-0", lease_file(&a)), O_WRONLY | O_CREAT, 0666);
    close(f);
    CHECK(try_now(&one) == LOCK_BUSY);
    took = seconds_until_taken(one, 30);
    CHECK(took > 0.8 && took < 30);
    lock_close(one);
    arena_close(&a);
    close_folder();
}

// Whoever waits was stopped (Ctrl-Z, a busy machine): the holder may have been, too, and is given time to be heard.
TEST(silence_counts_only_while_we_listen)
{
    lock *one;
    err e = {0};
    open_folder();
    log_to(hush, NULL);
    put_foreign("ee");
    CHECK(try_now(&one) == LOCK_BUSY);
    usleep(900000);                                     // eighteen periods
    CHECK(lock_try(one, &e) == LOCK_BUSY);
    put_foreign("ff");
    CHECK(lock_try(one, &e) == LOCK_BUSY);
    double took = seconds_until_taken(one, 30);
    CHECK(took > 0.4 && took < 30);
    lock_close(one);
    close_folder();
}

static bool still_foreign(void)
{
    arena a = {0};
    err e;
    str bytes = {0};
    bool ok = file_read(&a, lease_file(&a), &bytes, &e) && str_find(bytes, STR("\"cc\""), 0) < bytes.size;
    arena_close(&a);
    return ok;
}

// One of those that wait for a silent holder: 1 when it follows it, and still holds the lease when the others have given up.
static int race(int until)
{
    lock *mine;
    err e;
    lock_answer answer = try_now(&mine);
    for (double from = clock_now(); answer == LOCK_BUSY && still_foreign() && clock_now() - from < 20; usleep(1000))
        answer = lock_try(mine, &e);
    if (answer != LOCK_TAKEN)
        return 0;
    bool kept = lock_keep(mine, &e);
    poll(&(struct pollfd){ .fd = until, .events = POLLIN }, 1, 60000);      // two of them would wait for each other
    return kept && lock_is_ours(mine);
}

// Eight of them, ten times: each time exactly one.
TEST(exactly_one_takes_over)
{
    enum { RACERS = 8, ROUNDS = 10 };
    open_folder();
    setenv("SKIFF_LEASE_SECONDS", "0.15", 1);            // eight processes on few cores: none may be late by accident
    log_to(hush, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        arena a = {0};
        int winners = 0, tell[2], status;
        put_foreign("cc");
        CHECK(pipe(tell) == 0);
        for (int i = 0; i < RACERS; i++)
            if (!fork()) {
                close(tell[1]);
                _exit(race(tell[0]));
            }
        close(tell[0]);
        for (int i = 0; i < RACERS; i++) {
            if (i == RACERS - 1)
                close(tell[1]);                         // all but one are done
            CHECK(wait(&status) > 0 && WIFEXITED(status));
            winners += WEXITSTATUS(status);
        }
        CHECK(winners == 1);
        unlink(lease_file(&a));
        arena_close(&a);
    }
    close_folder();
}

// Holds it until it is killed; the caller goes on when it is held.
static pid_t hold(bool own_proc)
{
    int ends[2];
    char byte;
    CHECK(pipe(ends) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        lock *one;
        err e;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        bool ok = !own_proc || (unshare(CLONE_NEWNS) == 0 && mount("proc", "/proc", "proc", 0, NULL) == 0);
        ok = ok && try_now(&one) == LOCK_TAKEN && lock_keep(one, &e);
        (void)!write(ends[1], ok ? "y" : "n", 1);
        for (;;)
            pause();
    }
    close(ends[1]);                                     // so that one that died is noticed, and not waited for
    CHECK(read(ends[0], &byte, 1) == 1 && byte == 'y');
    close(ends[0]);
    return pid;
}

TEST(who_lost_it_is_told)
{
    err e = {0};
    arena a = {0};
    open_folder();
    log_to(hush, NULL);
    pid_t pid = hold(false);
    put_foreign("dd");
    int status = 0;
    CHECK(wait_for_end(pid, &status) && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    str bytes;
    CHECK(file_read(&a, lease_file(&a), &bytes, &e) && str_find(bytes, STR("dd"), 0) < bytes.size);     // the other's, untouched
    unlink(lease_file(&a));
    arena_close(&a);
    close_folder();
}

TEST(a_folder_that_cannot_be_written)
{
    err e = {0};
    setenv("SKIFF_LOCKS", "lease", 1);
    lock *l = lock_open("/proc/nowhere/step", "step", &e);
    CHECK(!l && strstr(e.text, "/proc/nowhere"));
    l = lock_open("/proc/step", "step", &e);
    CHECK(l && lock_try(l, &e) == LOCK_FAILED && strstr(e.text, "cannot write '/proc/.step.lease'"));
    lock_close(l);
    unsetenv("SKIFF_LOCKS");
}

// ---- several machines, and containers -------------------------------------------------------------------------------------

// `inside` as process 1 of other spaces of process numbers, mounts and names: a machine of its own to look at. -1: not allowed.
static int in_container(const char *name, int (*inside)(void))
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        if (unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0
            || sethostname(name, strlen(name)) != 0)
            _exit(77);
        pid_t first = fork();
        if (first == 0)
            _exit(inside());
        (void)!wait_for_end(first, &status);
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
    }
    (void)!wait_for_end(pid, &status);
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 99;
    if (code == 77)
        printf("left out: other machines are namespaces, which only root may make here\n");
    return code == 77 ? -1 : code;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

// The holder sees its own /proc, we see that of the machine, where its number is another process's or nobody's.
static int other_numbers(void)
{
    failures = 0;
    for (int own_proc = 0; own_proc < 2; own_proc++) {
        lock *two;
        pid_t pid = hold(own_proc);
        CHECK(try_now(&two) == LOCK_BUSY);
        CHECK(seconds_until_taken(two, 0.7) >= 0.7);
        end(pid);
        double took = seconds_until_taken(two, 30);     // not at once: nothing can be known of it
        CHECK(took > 0.3 && took < 30);
        lock_close(two);
    }
    return failures != 0;
}

// The same number lives here, too: 1.
static int other_machine(void)
{
    lock *two;
    failures = 0;
    CHECK(mount("proc", "/proc", "proc", 0, NULL) == 0 && getpid() == 1);
    CHECK(try_now(&two) == LOCK_BUSY);
    CHECK(seconds_until_taken(two, 0.7) >= 0.7);
    return failures != 0;
}

TEST(numbers_of_another_container_mean_nothing_here)
{
    open_folder();
    log_to(hush, NULL);
    CHECK(in_container("one", other_numbers) <= 0);
    close_folder();
}

TEST(two_machines_on_one_folder)
{
    open_folder();
    log_to(hush, NULL);
    pid_t pid = hold(false);
    CHECK(in_container("two", other_machine) <= 0);
    end(pid);
    lock *one;
    CHECK(try_now(&one) == LOCK_TAKEN);
    lock_close(one);
    close_folder();
}

static int pass_by(void)
{
    pid_t pid = hold(false);
    return pid <= 0;                                    // with process 1 all of the container ends, as a machine that loses its power
}

TEST(a_machine_that_went_down_is_followed_after_a_while)
{
    lock *one;
    open_folder();
    log_to(hush, NULL);
    if (in_container("three", pass_by) == 0) {
        CHECK(try_now(&one) == LOCK_BUSY);
        double took = seconds_until_taken(one, 30);
        CHECK(took > 0.3 && took < 30);
        lock_close(one);
    }
    close_folder();
}

