// Files and folders; writing beside and renaming.
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

bool file_exists(const char *path) { return access(path, F_OK) == 0; }

bool file_is_folder(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

bool file_size(const char *path, int64_t *size, err *e)
{
    struct stat s;
    if (stat(path, &s) != 0)
        return fail_io(e, "read", path);
    *size = s.st_size;
    return true;
}

// Opens for reading. A folder or a missing file is the user's mistake.
static int open_to_read(const char *path, struct stat *s, err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        (void)!fail_io(e, "read", path);
        if (errno == ENOENT || errno == EACCES || errno == ENOTDIR)
            e->code = ERR_INPUT;
        return -1;
    }
    if (fstat(fd, s) == 0 && S_ISDIR(s->st_mode)) {
        fail(e, ERR_INPUT, "'%s' is a folder, expected a file", path);
        close(fd);
        return -1;
    }
    return fd;
}

bool file_map(const char *path, mapped *out, err *e)
{
    struct stat s = {0};
    *out = (mapped){ { "", 0 } };
    int fd = open_to_read(path, &s, e);
    if (fd < 0)
        return false;
    if (s.st_size > 0) {
        void *p = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED) {
            (void)!fail_io(e, "map", path);
            close(fd);
            return false;
        }
        out->bytes = (str){ p, (size_t)s.st_size };
    }
    close(fd);
    return true;
}

static void advise(str bytes, int advice)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), at = (uintptr_t)bytes.at / page * page;
    if (bytes.size)
        madvise((void *)at, (uintptr_t)bytes.at + bytes.size - at, advice);
}

void file_forget(str bytes) { advise(bytes, MADV_DONTNEED); }
void file_expect(str bytes) { advise(bytes, MADV_WILLNEED); }

void file_unmap(mapped *m)
{
    if (m->bytes.size)
        munmap((void *)(uintptr_t)m->bytes.at, m->bytes.size);
    *m = (mapped){0};
}

bool file_read(arena *a, const char *path, str *out, err *e)
{
    struct stat s = {0};
    int fd = open_to_read(path, &s, e);
    if (fd < 0)
        return false;
    FILE *f = fdopen(fd, "rb");
    text all = {0};
    char block[1 << 14];
    for (size_t n; f && (n = fread(block, 1, sizeof block, f));)
        text_bytes(&all, block, n);
    bool ok = f && !ferror(f);
    if (!ok)
        (void)!fail_io(e, "read", path);
    f ? fclose(f) : close(fd);
    ok = ok && text_ok(&all, e);
    if (ok)
        *out = arena_str(a, text_view(&all));
    text_close(&all);
    return ok;
}

// ---- writing ----

bool writer_open(writer *w, const char *path, err *e)
{
    size_t size = strlen(path) + 32;
    *w = (writer){ .path = strdup(path), .beside = malloc(size) };
    if (!w->path || !w->beside) {
        writer_drop(w);
        return fail(e, ERR_MEMORY, "no memory to write '%s'", path);
    }
    snprintf(w->beside, size, "%s.tmp-%ld", path, (long)getpid());
    w->f = fopen(w->beside, "wbe");
    if (w->f)
        return true;
    (void)!fail_io(e, "write", path);
    if (errno == EACCES || errno == ENOENT || errno == ENOTDIR || errno == EROFS)
        e->code = ERR_INPUT;
    writer_drop(w);
    return false;
}

void writer_put(writer *w, const void *bytes, size_t size)
{
    if (!w->failed && size && fwrite(bytes, 1, size, w->f) != size) {
        w->failed = true;
        w->error = errno;
    }
}

static void release(writer *w)
{
    free(w->path);
    free(w->beside);
    *w = (writer){0};
}

bool writer_commit(writer *w, err *e)
{
    if (!w->failed && (fflush(w->f) != 0 || fsync(fileno(w->f)) != 0)) {
        w->failed = true;
        w->error = errno;
    }
    if (fclose(w->f) != 0 && !w->failed) {
        w->failed = true;
        w->error = errno;
    }
    w->f = NULL;
    if (!w->failed && rename(w->beside, w->path) != 0) {
        w->failed = true;
        w->error = errno;
    }
    if (w->failed) {
        unlink(w->beside);
        errno = w->error;
        (void)!fail_io(e, "write", w->path);
        release(w);
        return false;
    }
    arena a = {0};
    bool ok = folder_sync(path_folder(&a, w->path), e);
    arena_close(&a);
    release(w);
    return ok;
}

void writer_drop(writer *w)
{
    if (w->f) {
        fclose(w->f);
        unlink(w->beside);
    }
    release(w);
}

bool file_write(const char *path, str bytes, err *e)
{
    writer w;
    TRY(writer_open(&w, path, e));
    writer_put(&w, bytes.at, bytes.size);
    return writer_commit(&w, e);
}

// ---- folders ----

bool folder_make(const char *path, err *e)
{
    char *copy = strdup(path);
    if (!copy)
        return fail(e, ERR_MEMORY, "no memory to make '%s'", path);
    for (char *p = copy + 1; *copy; p++) {
        if (*p != '/' && *p)
            continue;
        char was = *p;
        *p = 0;
        bool made = mkdir(copy, 0777) == 0 || errno == EEXIST;
        int why = errno;
        *p = was;
        if (!made && !file_is_folder(copy)) {
            errno = why;
            (void)!fail_io(e, "make the folder", path);
            if (why == EACCES || why == EROFS || why == ENOTDIR || why == ENOENT)
                e->code = ERR_INPUT;
            free(copy);
            return false;
        }
        if (!was)
            break;
    }
    free(copy);
    return file_is_folder(path) || fail(e, ERR_INPUT, "cannot make the folder '%s': a file of that name is in the way", path);
}

bool folder_sync(const char *path, err *e)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_io(e, "open the folder", path);
    bool ok = fsync(fd) == 0 || errno == EINVAL || fail_io(e, "write the folder", path);
    close(fd);
    return ok;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

bool folder_list(arena *a, const char *path, char ***names, int64_t *count, err *e)
{
    DIR *d = opendir(path);
    char **list = NULL;
    int64_t n = 0;
    if (!d)
        return fail_io(e, "list the folder", path);
    for (struct dirent *f; (f = readdir(d));)
        if (strcmp(f->d_name, ".") && strcmp(f->d_name, ".."))
            ARENA_PUSH(a, list, n, arena_chars(a, str_of(f->d_name)));
    closedir(d);
    if (n)
        qsort(list, (size_t)n, sizeof *list, by_name);
    *names = list;
    *count = n;
    return true;
}

bool folder_remove(const char *path, err *e)
{
    struct stat s;
    if (lstat(path, &s) != 0)
        return errno == ENOENT || fail_io(e, "remove", path);
    if (!S_ISDIR(s.st_mode))
        return unlink(path) == 0 || errno == ENOENT || fail_io(e, "remove", path);
    arena a = {0};
    char **names;
    int64_t count;
    bool ok = folder_list(&a, path, &names, &count, e);
    for (int64_t i = 0; ok && i < count; i++)
        ok = folder_remove(path_join(&a, path, names[i]), e);
    arena_close(&a);
    return ok && (rmdir(path) == 0 || errno == ENOENT || fail_io(e, "remove", path));
}

// ---- paths ----

char *path_join(arena *a, const char *folder, const char *name)
{
    size_t n = strlen(folder);
    if (name[0] == '/' || n == 0)
        return arena_chars(a, str_of(name));
    return arena_print(a, "%s%s%s", folder, folder[n - 1] == '/' ? "" : "/", name);
}

const char *path_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *path_folder(arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return arena_chars(a, STR("."));
    return slash == path ? arena_chars(a, STR("/")) : arena_chars(a, (str){ path, (size_t)(slash - path) });
}
