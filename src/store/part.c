// Files while they are being downloaded.
#include "store/part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/util.h"

// Behind the parts' bytes.
typedef struct trailer { char magic[8]; uint32_t part_bytes, zero; } trailer;
static const trailer ours = { "skiffpt1", PART_BYTES, 0 };

bool partial_lock(partial *p, bool *busy, err *e)
{
    arena a = {0};
    *busy = false;
    p->lock = -1;
    if (!p->file->lock)
        return true;
    bool ok = folder_make(path_folder(&a, p->file->lock), e);
    arena_close(&a);
    TRY(ok);
    p->lock = open(p->file->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0664);
    if (p->lock < 0)
        return fail_io(e, "lock", p->file->lock);
    if (flock(p->lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    *busy = errno == EWOULDBLOCK || errno == EINTR;
    if (!*busy && (errno == ENOLCK || errno == ENOTSUP || errno == ENOSYS))
        return true;                                    // a file system without locks: each process writes what it checks
    bool failed = !*busy && !fail_io(e, "lock", p->file->lock);
    close(p->lock);
    p->lock = -1;
    return !failed;
}

// What is there of an earlier download, if it is one of this size.
static bool take_up(partial *p)
{
    trailer t;
    struct stat s;
    int64_t end = p->file->size + p->parts;
    if (p->file->size <= 0 || fstat(p->fd, &s) != 0 || s.st_size != end + (int64_t)sizeof t
        || pread(p->fd, &t, sizeof t, end) != (ssize_t)sizeof t || memcmp(&t, &ours, sizeof t)
        || pread(p->fd, p->state, (size_t)p->parts, p->file->size) != (ssize_t)p->parts)
        return false;
    for (int64_t i = 0; i < p->parts; i++) {
        p->state[i] = p->state[i] == PART_DONE ? PART_DONE : PART_MISSING;
        p->done += p->state[i] == PART_DONE;
    }
    return true;
}

static bool begin(partial *p, err *e)
{
    memset(p->state, PART_MISSING, (size_t)p->parts);
    p->done = 0;
    int64_t end = p->file->size + p->parts;
    if (ftruncate(p->fd, 0) != 0)
        return fail_io(e, "write", p->beside);
    if (p->file->size <= 0)
        return true;
    if (ftruncate(p->fd, end + (int64_t)sizeof ours) != 0)
        return fail_io(e, "write", p->beside);
    return partial_write(p, end, &ours, sizeof ours, e);
}

bool partial_open(arena *a, partial *p, err *e)
{
    int64_t size = p->file->size;
    p->beside = arena_print(a, "%s.skiff.incomplete", p->file->path);
    p->parts = size < 0 ? 1 : (size + PART_BYTES - 1) / PART_BYTES;
    p->done = 0;
    p->state = arena_alloc(a, (size_t)p->parts + 1);
    TRY(folder_make(path_folder(a, p->file->path), e));
    p->fd = open(p->beside, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (p->fd < 0)
        return fail_io(e, "write", p->beside);
    return take_up(p) || begin(p, e);
}

bool partial_write(partial *p, int64_t at, const void *bytes, size_t size, err *e)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = pwrite(p->fd, (const char *)bytes + done, size - done, at + (int64_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fail_io(e, "write", p->beside);
        done += (size_t)n;
    }
    return true;
}

bool partial_mark(partial *p, int64_t part, err *e)
{
    uint8_t done = PART_DONE;
    p->state[part] = PART_DONE;
    p->done++;
    return p->file->size < 0 || pwrite(p->fd, &done, 1, p->file->size + part) == 1 || fail_io(e, "write", p->beside);
}

bool partial_forget(partial *p, err *e) { return begin(p, e); }

int64_t partial_bytes(const partial *p, int64_t part)
{
    return p->file->size < 0 ? -1 : MIN((int64_t)PART_BYTES, p->file->size - part * PART_BYTES);
}

// ---- the end ------------------------------------------------------------------------------------------------------------

bool partial_verify(const partial *p, bool *same, err *e)
{
    const char *want = p->file->sha256 ? p->file->sha256 : p->file->git_sha1;
    char hex[SHA256_HEX + 1], head[64];
    struct stat s;
    *same = true;
    if (!want)
        return true;
    if (fstat(p->fd, &s) != 0)
        return fail_io(e, "read", p->beside);
    int64_t size = p->file->size < 0 ? s.st_size : p->file->size;
    digest *d = p->file->sha256 ? sha256_open() : sha1_open();
    if (!p->file->sha256)                               // as git names a file: its head, a zero, its bytes
        digest_add(d, head, (size_t)snprintf(head, sizeof head, "blob %lld", (long long)size) + 1);
    enum { BLOCK = 1 << 18 };
    char *block = malloc(BLOCK);
    int64_t at = 0;
    ssize_t n = block ? 1 : -1;
    for (; n > 0 && at < size; at += n)
        if ((n = pread(p->fd, block, (size_t)MIN((int64_t)BLOCK, size - at), at)) > 0)
            digest_add(d, block, (size_t)n);
    digest_close(d, hex);
    free(block);
    if (at < size)
        return fail_io(e, "read", p->beside);
    *same = !strcmp(hex, want);
    return true;
}

bool partial_finish(partial *p, err *e)
{
    arena a = {0};
    bool ok = (p->file->size < 0 || ftruncate(p->fd, p->file->size) == 0) && fsync(p->fd) == 0 && rename(p->beside, p->file->path) == 0;
    ok = (ok || fail_io(e, "write", p->file->path)) && folder_sync(path_folder(&a, p->file->path), e);
    arena_close(&a);
    return ok;
}

void partial_close(partial *p)
{
    if (p->fd >= 0)
        close(p->fd);
    if (p->lock >= 0)
        close(p->lock);                                 // which releases it
    p->fd = p->lock = -1;
}
