// One run of a step at a time. Two locks, taken in this order: flock, which the system gives back with the process, and a lease (lease.h),
// which also works where several machines share the folder. SKIFF_LOCKS=lease leaves out flock.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "run/lease.h"
#include "run/record.h"

struct lock {
    arena arena;
    const char *path;
    int file;                       // flock'ed; -1
    bool without_flock;
    lease lease;
};

// Beside the output, not in it: the output may be moved aside while the lock is held.
lock *lock_open(const char *output, const char *name, err *e)
{
    const char *setting = getenv("SKIFF_LOCKS");
    lock *l = calloc(1, sizeof *l);
    if (!l) {
        fail(e, ERR_MEMORY, "no memory for the lock of '%s'", output);
        return NULL;
    }
    const char *folder = path_folder(&l->arena, output);
    l->path = path_join(&l->arena, folder, arena_print(&l->arena, ".%s.lock", path_name(output)));
    l->lease.path = path_join(&l->arena, folder, arena_print(&l->arena, ".%s.lease", path_name(output)));
    l->lease.name = arena_chars(&l->arena, str_of(name));
    l->lease.file = l->file = -1;
    l->without_flock = setting && !strcmp(setting, "lease");
    if (folder_make(folder, e))
        return l;
    lock_close(l);
    return NULL;
}

// Some shared folders have no flock; there the lease is all.
static lock_answer try_flock(lock *l, err *e)
{
    if (l->without_flock || l->file >= 0)
        return LOCK_TAKEN;
    int f = open(l->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (f < 0) {
        (void)!fail_io(e, "write", l->path);
        return LOCK_FAILED;
    }
    if (flock(f, LOCK_EX | LOCK_NB) == 0) {
        l->file = f;
        return LOCK_TAKEN;
    }
    int why = errno;
    close(f);
    if (why == EWOULDBLOCK || why == EINTR)
        return LOCK_BUSY;
    l->without_flock = true;
    return LOCK_TAKEN;
}

static void give_flock_back(lock *l)
{
    if (l->file < 0)
        return;
    flock(l->file, LOCK_UN);                            // for processes of other steps that hold a copy, too
    close(l->file);
    l->file = -1;
}

lock_answer lock_try(lock *l, err *e)
{
    lock_answer answer = try_flock(l, e);
    if (answer == LOCK_TAKEN)
        answer = lease_try(&l->lease, e);
    if (answer != LOCK_TAKEN)
        give_flock_back(l);
    return answer;
}

bool lock_is_ours(const lock *l) { return lease_is_ours(&l->lease); }
bool lock_keep(lock *l, err *e) { return lease_keep(&l->lease, e); }
void lock_rest(lock *l) { lease_rest(&l->lease); }

void lock_close(lock *l)
{
    if (!l)
        return;
    lease_rest(&l->lease);
    lease_give_back(&l->lease);
    give_flock_back(l);
    arena_close(&l->arena);
    free(l);
}

void lock_forget(lock *l)
{
    if (!l)
        return;
    if (l->file >= 0)
        close(l->file);
    if (l->lease.held)
        close(l->lease.file);
    arena_close(&l->arena);
    free(l);
}
