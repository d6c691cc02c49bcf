// A disk that is full: of a few megabytes, in memory, made by root in a mount namespace of its own.
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/log.h"
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
