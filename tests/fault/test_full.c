// A disk that is full: of a few megabytes, in memory, made by root in a mount namespace of its own.
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/log.h"
#include "data/transform.h"
#include "train/checkpoint.h"
#include "../test.h"
#include "../tiny.h"

static void quiet(void *self, log_level level, const char *line) { (void)self, (void)level, (void)line; }

static bool own_disk(const char *path, int kilobytes)
{
    char size[32];
    snprintf(size, sizeof size, "size=%dk", kilobytes);
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return false;
    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
    return mkdir(path, 0777) == 0 && mount("none", path, "tmpfs", 0, size) == 0;
}

// With less and less room, the run fails where it will; with more room it goes on and ends as an uninterrupted one.
TEST(a_full_disk)
{
    tiny t;
    err e = { 0 };
    train_result whole, r = { 0 };
    char disk[96], output[128], step[2][160];
    CHECK(tiny_open(&t, &e));
    log_to(quiet, NULL);
    CHECK(train_run(&t.c, &whole, &e));
    snprintf(disk, sizeof disk, "%s/disk", t.folder);
    snprintf(output, sizeof output, "%s/out", disk);
    if (!own_disk(disk, 16)) {
        failures++;
        fprintf(stderr, "cannot mount a small disk (%s): this test needs root or user namespaces\n", strerror(errno));
        tiny_close(&t);
        return;
    }
    t.c.output = output;
    int failed = 0;
    bool ok = false;
    for (int kilobytes = 16; !ok && kilobytes < 4000; kilobytes += kilobytes / 4) {
        char size[32];
        snprintf(size, sizeof size, "size=%dk", kilobytes);
        CHECK(mount("none", disk, "tmpfs", MS_REMOUNT, size) == 0);
        e = (err){ 0 };
        ok = train_run(&t.c, &r, &e);
        failed += !ok;
        if (ok)
            break;
        CHECK(e.code == ERR_IO && strstr(e.text, "No space left on device"));
        arena a = { 0 };
        checkpoint c;
        bool found;
        err why = { 0 };
        char **left;
        int64_t count = 0;
        const char *checkpoints = path_join(&a, output, "checkpoints");
        if (file_exists(checkpoints))
            CHECK(folder_list(&a, checkpoints, &left, &count, &why));
        for (int64_t i = 0; i < count; i++)
            CHECK(left[i][0] != '.');           // nothing half-written
        CHECK(checkpoint_newest(&a, output, &c, &found, &why));
        arena_close(&a);
    }
    CHECK(ok && failed > 3 && r.loss == whole.loss);
    snprintf(step[0], sizeof step[0], "%s/checkpoints/step-8", t.output);
    snprintf(step[1], sizeof step[1], "%s/checkpoints/step-8", output);
    CHECK(same_file(step[0], step[1], "weights.safetensors"));
    log_to(NULL, NULL);
    umount(disk);
    tiny_close(&t);
}

// ---- tokens and chats ----------------------------------------------------------------------------------------------------

static bool tokenize(const tiny *t, const char *output, err *e)
{
    arena a = { 0 };
    cache_totals totals = { 0 };
    const char *chats = path_join(&a, t->folder, "raw/train/rows.jsonl");
    tokenizer *k = tokenizer_open(t->model, e);
    bool ok = k && cache_build(output, "tiny", &chats, 1, k, &(cache_options){ .threads = 1, .shard_rows = 200 }, &totals, e);
    tokenizer_close(k);
    arena_close(&a);
    return ok;
}

static bool transform(const tiny *t, const char *output, err *e)
{
    static const char *const none[] = { NULL };
    arena a = { 0 };
    transform_totals totals;
    const transform_options o = { .source = "org/tiny", .subsets = none, .splits = none, .metadata = none, .threads = 1 };
    bool ok = transform_build(output, "tiny", path_join(&a, t->folder, "raw"), &o, &totals, e);
    arena_close(&a);
    return ok;
}

static void find(arena *a, const char *folder, const char *pattern, char ***files, int64_t *count)
{
    err e = { 0 };
    CHECK(file_glob(a, path_join(a, folder, pattern), files, count, &e));
}

// Every file of `from` stands in `to`, with the same bytes, and none more.
static void check_same(const char *from, const char *to)
{
    arena a = { 0 };
    err e = { 0 };
    char **x = NULL, **y = NULL;
    int64_t m = 0, n = 0;
    find(&a, from, "**/*", &x, &m);
    find(&a, to, "**/*", &y, &n);
    CHECK(m == n && m > 3);
    for (int64_t i = 0; i < MIN(m, n); i++) {
        str one, two;
        CHECK(!strcmp(x[i] + strlen(from), y[i] + strlen(to)));
        CHECK(file_is_folder(x[i]) || (file_read(&a, x[i], &one, &e) && file_read(&a, y[i], &two, &e) && str_equal(one, two)));
    }
    arena_close(&a);
}

// The rows of a transformation hold when it began: that of `from` goes on in `to` before its first row.
static bool begin_as(const char *from, const char *to, err *e)
{
    arena a = { 0 };
    str all;
    const char *state = path_join(&a, from, ".transform");
    bool ok = true;
    if (file_exists(state))
        ok = file_read(&a, state, &all, e) && folder_make(to, e)
          && file_write(path_join(&a, to, ".transform"), str_slice(all, 0, str_find(all, STR("\n"), 0) + 1), e);
    arena_close(&a);
    return ok;
}

// As above: one line each time, nothing half-written, what is done stays, and the end is that of a disk with room.
static void fill_up(bool (*make)(const tiny *, const char *, err *))
{
    tiny t;
    err e = { 0 };
    arena a = { 0 };
    char **files = NULL;
    int64_t count = 0, before = 0, grew = 0;
    CHECK(tiny_open(&t, &e));
    log_to(quiet, NULL);
    const char *disk = path_join(&a, t.folder, "disk"), *output = path_join(&a, disk, "out"), *whole = path_join(&a, t.folder, "whole");
    for (int i = 0; i < 3; i++) {
        const char *split = path_join(&a, t.folder, i == 0 ? "raw/train" : i == 1 ? "raw/test" : "raw/validation");
        CHECK(folder_make(split, &e) && tiny_chats(path_join(&a, split, "rows.jsonl"), 2000, (uint64_t)i, &e));
    }
    int failed = 0;
    bool ok = !own_disk(disk, 16);
    CHECK(!ok);                                         // needs root or user namespaces
    for (int kilobytes = 16; !ok && kilobytes < 8000; kilobytes += kilobytes / 4) {
        CHECK(mount("none", disk, "tmpfs", MS_REMOUNT, arena_print(&a, "size=%dk", kilobytes)) == 0);
        e = (err){ 0 };
        ok = make(&t, output, &e);
        failed += !ok;
        CHECK(ok || (e.code == ERR_IO && strstr(e.text, "No space left on device") && !strchr(e.text, '\n')));
        find(&a, output, "**/*.tmp-*", &files, &count);
        CHECK(count == 0);
        find(&a, output, "**/*", &files, &count);
        CHECK(count >= before);
        grew += !ok && count > before;
        before = count;
    }
    CHECK(ok && failed > 3 && grew > 1);
    CHECK(begin_as(output, whole, &e) && make(&t, whole, &e));
    check_same(whole, output);
    umount(disk);
    log_to(NULL, NULL);
    arena_close(&a);
    tiny_close(&t);
}

TEST(a_full_disk_while_tokenizing) { fill_up(tokenize); }
TEST(a_full_disk_while_transforming) { fill_up(transform); }
