// For tests/peers/test_step.py: steps of a model on batches from a file; losses, and the gradients of the first step.
//     step_dump MODEL BATCHES OUT f32|bf16 ROWS SEQ MICRO STEPS RATE DECAY Z
// BATCHES: int32, for each step ids, position, start, target, each [MICRO * ROWS * SEQ]. OUT: a folder that exists; losses.f32 and
// d.<weight>.f32 of every weight, stacked as in the program, raw float32.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "engine/engine.h"
#include "train/step.h"

static void must(bool ok, const err *e)
{
    if (!ok) {
        fprintf(stderr, "step_dump: %s\n", e->text);
        exit(1);
    }
}

static FILE *open_file(const char *folder, const char *name, const char *how)
{
    char path[4096];
    snprintf(path, sizeof path, "%s%s%s", folder, *name ? "/" : "", name);
    FILE *f = fopen(path, how);
    if (!f) {
        perror(path);
        exit(1);
    }
    return f;
}

static void put(FILE *f, const void *bytes, size_t size)
{
    if (fwrite(bytes, 1, size, f) != size) {
        perror("step_dump");
        exit(1);
    }
}

static void dump(engine *g, tensor t, const char *folder)
{
    enum { PART = 1 << 20 };
    static float part[PART];
    err e = {0};
    char name[64];
    const value *v = program_value(g->program, t);
    snprintf(name, sizeof name, "%s.f32", v->name);
    FILE *f = open_file(folder, name, "wb");
    const int64_t count = shape_count(v->shape);
    for (int64_t at = 0; at < count; at += PART) {
        const int64_t n = count - at < PART ? count - at : PART;
        must(g->read(g, t, at, n, part, &e), &e);
        put(f, part, (size_t)n * sizeof *part);
    }
    fclose(f);
}

int main(int argc, char **argv)
{
    if (argc != 12) {
        fprintf(stderr, "usage: step_dump MODEL BATCHES OUT f32|bf16 ROWS SEQ MICRO STEPS RATE DECAY Z\n");
        return 2;
    }
    err e = {0};
    arena a = {0};
    step_config c = {
        .model = { .rows = atol(argv[5]), .seq = atol(argv[6]), .recompute = RECOMPUTE_CHEAP, .z_loss = (float)atof(argv[11]) },
        .adamw = { .beta1 = 0.9f, .beta2 = 0.95f, .eps = 1e-8f, .decay = (float)atof(argv[10]) },
        .micro = atol(argv[7]),
        .show_gradients = true,
    };
    must(model_config_read(&c.model.config, argv[1], &e), &e);
    program p;
    program_open(&p, strcmp(argv[4], "bf16") == 0 ? BF16 : F32);
    const step s = step_record(&p, &c, &a);
    must(program_finish(&p, &e), &e);
    pool *threads = pool_open(0, &e);
    must(threads, &e);
    engine *g = cpu_open(&p, &(cpu_options){ .pool = threads }, &e);
    must(g, &e);
    must(model_load(argv[1], &c.model.config, &s.w, g, &e), &e);
    g->prepare(g);

    FILE *batches = open_file(argv[2], "", "rb"), *losses = open_file(argv[3], "losses.f32", "wb");
    const size_t n = (size_t)(c.micro * c.model.rows * c.model.seq);
    int32_t *b = malloc(4 * n * sizeof *b);
    for (int64_t k = 1; k <= atol(argv[8]); k++) {
        if (!b || fread(b, sizeof *b, 4 * n, batches) != 4 * n) {
            fprintf(stderr, "step_dump: the file of batches is too short\n");
            return 1;
        }
        step_numbers numbers = { .rate = atof(argv[9]), .clip = 1, .number = k };
        for (size_t i = 0; i < n; i++)
            numbers.trained += b[3*n + i] >= 0;
        float loss;
        must(step_write(g, &s, &c, b, b + n, b + 2*n, b + 3*n, &numbers, &e) && g->step(g, &e)
             && g->read(g, s.loss, 0, 1, &loss, &e), &e);
        put(losses, &loss, sizeof loss);
        for (int w = 0; w < WEIGHTS && k == 1; w++)
            if (s.dw.at[w].id)
                dump(g, s.dw.at[w], argv[3]);
    }
    fclose(losses);
    fclose(batches);
    free(b);
    g->close(g);
    pool_close(threads);
    program_close(&p);
    arena_close(&a);
    return 0;
}
