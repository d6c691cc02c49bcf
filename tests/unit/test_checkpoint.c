// Checkpoints: bytes come back, damage is seen and passed over, temporary ones go, a full disk leaves what was there.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "train/checkpoint.h"
#include "../test.h"

// An engine that is memory alone.
typedef struct shelf { engine g; float *at[16]; } shelf;

static float *place_of(engine *g, tensor t)
{
    shelf *s = (shelf *)g;
    int64_t n = shape_count(program_value(g->program, t)->shape);
    if (!s->at[t.id])
        s->at[t.id] = calloc((size_t)n, sizeof(float));
    return s->at[t.id];
}

static bool shelf_write(engine *g, tensor t, int64_t from, int64_t count, const void *bytes, err *e)
{
    (void)e;
    memcpy(place_of(g, t) + from, bytes, (size_t)count * sizeof(float));
    return true;
}

static bool shelf_read(engine *g, tensor t, int64_t from, int64_t count, void *to, err *e)
{
    (void)e;
    memcpy(to, place_of(g, t) + from, (size_t)count * sizeof(float));
    return true;
}

enum { BIG = 1200 * 1000 };         // more than one block of the writer

static void make_program(program *p, int64_t big)
{
    program_open(p, F32);
    program_tensor(p, WEIGHT, F32, "embed", SHAPE(big, 1));
    program_tensor(p, WEIGHT, F32, "norm", SHAPE(5));
    program_tensor(p, MOMENT, F32, "m.embed", SHAPE(big, 1));
    program_tensor(p, MOMENT, F32, "v.norm", SHAPE(5));
    program_tensor(p, INPUT, F32, "rate", SCALAR);
}

static shelf shelf_of(const program *p) { return (shelf){ .g = { .name = "shelf", .write = shelf_write, .read = shelf_read, .program = p } }; }

static void fill(shelf *s, float with)
{
    for (int32_t id = 1; id < s->g.program->value_count; id++)
        for (int64_t i = 0, n = shape_count(s->g.program->values[id].shape); i < n; i++)
            place_of(&s->g, (tensor){ id })[i] = with + (float)id + (float)(i % 1000) / 1024;
}

static bool equal(shelf *a, shelf *b, kind k)
{
    bool same = true;
    for (int32_t id = 1; id < a->g.program->value_count; id++)
        if (a->g.program->values[id].kind == k)
            same = same && !memcmp(place_of(&a->g, (tensor){ id }), place_of(&b->g, (tensor){ id }),
                                   (size_t)shape_count(a->g.program->values[id].shape) * sizeof(float));
    return same;
}

static void empty(shelf *s)
{
    for (size_t i = 0; i < COUNT(s->at); i++)
        free(s->at[i]);
    memset(s->at, 0, sizeof s->at);
}

static char folder[64];
static char *under(const char *fmt, long long k)
{
    static char path[4][160];
    static int turn_of;
    char *p = path[turn_of++ % 4], name[80];
    snprintf(name, sizeof name, fmt, k);
    snprintf(p, sizeof path[0], "%s/%s", folder, name);
    return p;
}

static void begin(void)
{
    snprintf(folder, sizeof folder, "/tmp/skiff-test-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
}

static void end(void)
{
    err e = { 0 };
    CHECK(folder_remove(folder, &e));
}

static void spoil(const char *path, off_t at)
{
    int fd = open(path, O_RDWR);
    char c = 0;
    CHECK(pread(fd, &c, 1, at) == 1);
    c ^= 1;
    CHECK(pwrite(fd, &c, 1, at) == 1);
    close(fd);
}

static char said[2048];
static void listen(void *self, log_level level, const char *line)
{
    (void)self, (void)level;
    size_t at = strlen(said);
    snprintf(said + at, sizeof said - at, "%s\n", line);
}

static bool save(shelf *s, int64_t step, bool temporary, err *e)
{
    arena a = { 0 };
    node *config = node_object(&a), *state = node_object(&a);
    node_put(&a, config, "seed", node_int(7));
    node_put(&a, state, "loss", node_float(2.5));
    bool ok = checkpoint_save(folder, &(checkpoint){ .step = step, .temporary = temporary, .config = config, .state = state }, &s->g, e);
    arena_close(&a);
    return ok;
}

static int64_t newest(void)
{
    arena a = { 0 };
    checkpoint c;
    bool found;
    err e = { 0 };
    CHECK(checkpoint_newest(&a, folder, &c, &found, &e));
    int64_t step = found ? c.step : -1;
    arena_close(&a);
    return step;
}

TEST(saved_and_loaded)
{
    program p;
    make_program(&p, BIG);
    shelf s = shelf_of(&p), t = shelf_of(&p);
    arena a = { 0 };
    err e = { 0 };
    checkpoint c;
    bool found;
    begin();
    fill(&s, 1);
    CHECK(save(&s, 30, false, &e));
    CHECK(checkpoint_newest(&a, folder, &c, &found, &e) && found);
    CHECK(c.step == 30 && !c.temporary);
    CHECK(node_is(node_get(c.config, "seed"), NODE_INT) && node_get(c.config, "seed")->integer == 7);
    CHECK(node_number(node_get(c.state, "loss")) == 2.5);
    CHECK(checkpoint_load(&c, &t.g, CHECKPOINT_WEIGHTS, &e));
    CHECK(equal(&s, &t, WEIGHT) && !equal(&s, &t, MOMENT));
    CHECK(checkpoint_load(&c, &t.g, CHECKPOINT_ALL, &e));
    CHECK(equal(&s, &t, MOMENT));

    program q;                      // another model
    make_program(&q, BIG - 1);
    shelf u = shelf_of(&q);
    CHECK(!checkpoint_load(&c, &u.g, CHECKPOINT_ALL, &e));
    char want[256];
    snprintf(want, sizeof want, "%s/checkpoints/step-30/weights.safetensors: shape or type of 'embed': the checkpoint is of another model", folder);
    CHECK_TEXT(e.text, want);
    empty(&u), empty(&s), empty(&t);
    program_close(&p), program_close(&q);
    arena_close(&a);
    end();
}

TEST(temporary_ones_go)
{
    program p;
    make_program(&p, 10);
    shelf s = shelf_of(&p);
    err e = { 0 };
    begin();
    CHECK(newest() == -1);
    CHECK(save(&s, 2, false, &e) && save(&s, 3, true, &e) && save(&s, 4, true, &e));
    CHECK(newest() == 4);
    CHECK(!file_exists(under("checkpoints/step-%lld", 3)));
    CHECK(save(&s, 6, false, &e));
    CHECK(!file_exists(under("checkpoints/step-%lld", 4)) && file_exists(under("checkpoints/step-%lld", 2)));
    CHECK(newest() == 6);
    CHECK(save(&s, 6, false, &e));              // again, over what is there
    CHECK(newest() == 6);
    empty(&s);
    program_close(&p);
    end();
}

TEST(damage_is_passed_over)
{
    program p;
    make_program(&p, 10);
    shelf s = shelf_of(&p);
    err e = { 0 };
    char want[512];
    begin();
    log_to(listen, NULL);
    for (int64_t k = 1; k <= 5; k++)
        CHECK(save(&s, k, false, &e));
    int64_t size;
    CHECK(file_size(under("checkpoints/step-%lld/moments.safetensors", 5), &size, &e));
    spoil(under("checkpoints/step-%lld/moments.safetensors", 5), size - 1);
    CHECK(newest() == 4);
    snprintf(want, sizeof want, "the checkpoint '%s/checkpoints/step-5' is damaged and passed over: %s/checkpoints/step-5/moments.safetensors: "
             "its SHA-256 is not the one in metadata.json: the file was changed\n", folder, folder);
    CHECK_TEXT(said, want);
    CHECK(truncate(under("checkpoints/step-%lld/weights.safetensors", 4), 100) == 0);
    CHECK(newest() == 3);
    CHECK(truncate(under("checkpoints/step-%lld/metadata.json", 3), 40) == 0);
    CHECK(newest() == 2);
    CHECK(unlink(under("checkpoints/step-%lld/metadata.json", 2)) == 0);
    CHECK(newest() == 1);
    CHECK(rename(under("checkpoints/step-%lld", 1), under("checkpoints/step-%lld", 9)) == 0);
    said[0] = 0;
    CHECK(newest() == -1);
    CHECK(strstr(said, "step-9' is passed over: it is of step 1") != NULL);
    CHECK(save(&s, 5, false, &e));              // takes the place of the damaged one
    CHECK(newest() == 5);
    log_to(NULL, NULL);
    empty(&s);
    program_close(&p);
    end();
}

// What a finished run is recognised by: no digest is made, but sizes count.
TEST(listed_by_size)
{
    program p;
    make_program(&p, 10);
    shelf s = shelf_of(&p);
    arena a = { 0 };
    err e = { 0 };
    checkpoint *c;
    int64_t count;
    begin();
    log_to(listen, NULL);
    CHECK(save(&s, 1, false, &e) && save(&s, 2, false, &e) && save(&s, 10, false, &e));
    CHECK(truncate(under("checkpoints/step-%lld/weights.safetensors", 2), 100) == 0);
    CHECK(checkpoint_list(&a, folder, &c, &count, &e) && count == 2 && c[0].step == 10 && c[1].step == 1);
    log_to(NULL, NULL);
    empty(&s);
    arena_close(&a);
    program_close(&p);
    end();
}

TEST(leftovers_go)
{
    err e = { 0 };
    begin();
    CHECK(folder_make(under("checkpoints/.step-%lld.writing", 7), &e));
    CHECK(file_write(under("checkpoints/.step-%lld.writing/weights.safetensors.tmp-1", 7), STR("x"), &e));
    CHECK(folder_make(under("checkpoints/.step-%lld.leaving", 3), &e));
    CHECK(newest() == -1);
    CHECK(!file_exists(under("checkpoints/.step-%lld.writing", 7)) && !file_exists(under("checkpoints/.step-%lld.leaving", 3)));
    end();
}

// A file may grow to `bytes` and no further, as on a disk that is full.
static void limit_files(rlim_t bytes)
{
    struct rlimit r;
    getrlimit(RLIMIT_FSIZE, &r);
    r.rlim_cur = bytes;
    CHECK(setrlimit(RLIMIT_FSIZE, &r) == 0);
}

TEST(full_disk)
{
    program p;
    make_program(&p, 100 * 1000);
    shelf s = shelf_of(&p), t = shelf_of(&p);
    arena a = { 0 };
    err e = { 0 };
    begin();
    signal(SIGXFSZ, SIG_IGN);
    fill(&s, 1);
    CHECK(save(&s, 1, true, &e));
    fill(&s, 2);
    for (rlim_t room = 0; room < 400 * 1000; room += 57 * 1000) {
        limit_files(room);
        CHECK(!save(&s, 2, false, &e));
        CHECK(e.code == ERR_IO);
        limit_files(RLIM_INFINITY);
        CHECK(strstr(e.text, "saving the checkpoint of step 2: cannot write '") == e.text);
        CHECK(!file_exists(under("checkpoints/.step-%lld.writing", 2)) && !file_exists(under("checkpoints/step-%lld", 2)));
    }
    checkpoint c;
    CHECK(checkpoint_open(&a, folder, &c, &e) && c.step == 1);
    CHECK(checkpoint_load(&c, &t.g, CHECKPOINT_ALL, &e));
    fill(&s, 1);
    CHECK(equal(&s, &t, WEIGHT) && equal(&s, &t, MOMENT));
    empty(&s), empty(&t);
    arena_close(&a);
    program_close(&p);
    end();
}

TEST(opened_by_folder)
{
    arena a = { 0 };
    err e = { 0 };
    checkpoint c;
    begin();
    char want[256];
    snprintf(want, sizeof want, "%s: expected a checkpoint (a folder step-<k>) or the output folder of a run, found neither", folder);
    CHECK(!checkpoint_open(&a, folder, &c, &e));
    CHECK_TEXT(e.text, want);
    arena_close(&a);
    end();
}
