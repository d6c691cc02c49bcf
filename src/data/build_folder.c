// The folder of a cache that is being built: its lock, what an interrupted build left in it, and beginning anew.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/util.h"
#include "data/build.h"

static bool is_half(const char *name) { return strstr(name, ".tmp-") != NULL; }

static bool is_own(const char *name)
{
    const str s = str_of(name);
    if (str_begins(s, STR("shard-")))
        return str_ends(s, STR(".tok")) || is_half(name);
    return !strcmp(name, LEDGER_NAME) || (str_begins(s, STR(LEDGER_NAME)) && is_half(name));
}

static bool remove_files(const char *folder, bool halves_only, err *e)
{
    arena a = {0};
    char **names;
    int64_t count;
    bool ok = folder_list(&a, folder, &names, &count, e);
    for (int64_t i = 0; ok && i < count; i++)
        if (is_own(names[i]) && (!halves_only || is_half(names[i])) && unlink(path_join(&a, folder, names[i])) != 0)
            ok = fail_io(e, "remove", path_join(&a, folder, names[i]));
    arena_close(&a);
    return ok;
}

static int open_lock(const char *path, err *e)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd >= 0)
        return fd;
    const bool users = errno == EACCES || errno == EROFS;
    (void)!fail_io(e, "write", path);
    if (users)
        e->code = ERR_INPUT;
    return -1;
}

// Did a builder that gave up remove the file between our opening and locking it?
static bool is_gone(int fd, const char *path)
{
    struct stat ours, there;
    return fstat(fd, &ours) != 0 || stat(path, &there) != 0 || ours.st_ino != there.st_ino || ours.st_dev != there.st_dev;
}

// Two builders of one folder would undo each other's work. The lock is the file's, so it ends with the process, however that ends.
bool build_lock(build *b, err *e)
{
    const char *path = path_join(&b->arena, b->folder, ".lock");
    for (;;) {
        if ((b->lock = open_lock(path, e)) < 0)
            return false;
        if (flock(b->lock, LOCK_EX | LOCK_NB) == 0) {
            if (!is_gone(b->lock, path))
                return true;
            close(b->lock);
            continue;
        }
        if (errno == EWOULDBLOCK)
            return fail(e, ERR_IO, "another process is building the token cache '%s'; wait for it, or name another folder", b->folder);
        return errno == ENOLCK || errno == EOPNOTSUPP || fail_io(e, "lock", path);      // a file system without locks
    }
}

bool build_remove_own(const char *folder, err *e) { return remove_files(folder, false, e); }

// The first thing that differs from what the cache was made of, by name.
static const char *difference(const ledger *old, const ledger *new)
{
    for (int64_t i = 0; i < new->settings->object.count; i++) {
        const member *m = &new->settings->object.members[i];
        const node *was = NULL;
        for (int64_t k = 0; k < old->settings->object.count && !was; k++)
            if (str_equal(old->settings->object.members[k].key, m->key))
                was = &old->settings->object.members[k].value;
        if (!was || !node_equal(was, &m->value))
            return m->key.at;
    }
    return "the data";
}

bool build_open_folder(build *b, err *e)
{
    ledger old;
    err why = {0};
    arena a = {0};
    const char *path = path_join(&b->arena, b->folder, LEDGER_NAME);
    bool same = false, there = file_exists(path), ok = true;
    if (there && !ledger_read(&a, b->folder, &old, &why))
        log_warning("%s; the cache is begun anew", why.text);
    else if (there && !(same = !strcmp(old.key, b->ledger.key)))
        log_info("the token cache '%s' is begun anew: %s changed", b->folder, difference(&old, &b->ledger));
    ok = remove_files(b->folder, same, e);
    if (ok && (!same || old.finished))
        ok = ledger_write(b->folder, &b->ledger, e);
    arena_close(&a);
    return ok;
}

bool build_add_shard(build *b, int64_t index, const built_shard *s, err *e)
{
    if (index >= b->shard_room) {
        const int64_t room = MAX(2 * b->shard_room, index + 64);
        built_shard *more = realloc(b->shards, sizeof *more * (size_t)room);
        if (!more)
            return fail(e, ERR_MEMORY, "no memory for %lld shards", (long long)room);
        memset(more + b->shard_room, 0, sizeof *more * (size_t)(room - b->shard_room));
        b->shards = more;
        b->shard_room = room;
    }
    b->shards[index] = *s;
    b->shard_count = MAX(b->shard_count, index + 1);
    return true;
}

// ---- shards that are whole ----

typedef struct found { build *b; char **paths; int64_t *index; built_shard *shards; } found;

static void check_tile(void *self, int64_t i, int thread)
{
    found *f = self;
    mapped m = {0};
    shard s;
    err ignored = {0};
    (void)thread;
    if (file_map(f->paths[i], &m, &ignored) && shard_parse(m.bytes, f->paths[i], &s, &ignored)
        && shard_check_digest(m.bytes, f->paths[i], &ignored) && !memcmp(s.head.key, f->b->ledger.key, SHA256_HEX)
        && s.head.index == f->index[i]) {
        f->shards[i] = (built_shard){ .done = true, .rows = s.head.rows, .count = s.head.count, .info = s.info };
        memcpy(f->shards[i].digest, s.digest, sizeof s.digest);
    }
    file_unmap(&m);
}

bool build_find_shards(build *b, err *e)
{
    char **names, end;
    int64_t count, n = 0;
    arena a = {0};
    found f = { .b = b };
    TRY(folder_list(&b->arena, b->folder, &names, &count, e));
    f.paths = ARENA_ARRAY(&a, char *, count + 1);
    f.index = ARENA_ARRAY(&a, int64_t, count + 1);
    for (int64_t i = 0; i < count; i++) {
        long long index;
        char name[32];
        if (sscanf(names[i], "shard-%lld.tok%c", &index, &end) != 1 || index < 0)
            continue;
        shard_name(index, name);
        if (strcmp(name, names[i]))
            continue;
        f.index[n] = index;
        f.paths[n++] = path_join(&a, b->folder, names[i]);
    }
    f.shards = ARENA_ARRAY(&a, built_shard, n + 1);
    pool_run(b->pool, n, check_tile, &f);
    bool ok = true;
    for (int64_t i = 0; ok && i < n; i++)
        ok = f.shards[i].done ? build_add_shard(b, f.index[i], &f.shards[i], e)
                              : unlink(f.paths[i]) == 0 || fail_io(e, "remove", f.paths[i]);
    arena_close(&a);
    return ok;
}

