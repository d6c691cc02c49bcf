// skiff.h: times the whole optimizer step on random ids.
#include <skiff/skiff.h>
#include <stdlib.h>

#include "api/api.h"
#include "api/bench.h"
#include "api/options.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/random.h"
#include "run/settings.h"
#include "train/memory.h"
#include "train/metrics.h"
#include "train/step.h"

enum { MOST_OPS = 64 };

enum { COUNTS = 3 };                // numbers of threads of which the bits are compared

typedef struct bench {
    arena arena;
    train_config c;
    model_config model;
    int64_t batch, seq;
    pool *pool;
    program program;
    step_config how;
    step step;
    engine *engine;
    int32_t *ids, *position, *start, *target;   // [batch, seq]
    double *seconds;                            // of each timed step
    int64_t planned;                            // peak expected of this process
    bool random;                                // weights
    bool compare;                               // the bits of a step
    int counts[COUNTS];
    char bits[COUNTS][SHA256_HEX + 1];          // digests of all that a step leaves
} bench;

static void fill_batch(bench *b)
{
    int64_t n = b->batch * b->seq;
    int32_t **arrays[] = { &b->ids, &b->position, &b->start, &b->target };
    for (size_t i = 0; i < COUNT(arrays); i++)
        *arrays[i] = ARENA_ARRAY(&b->arena, int32_t, n);
    key k = key_from_seed(1);
    for (int64_t i = 0; i < n; i++) {
        b->ids[i] = (int32_t)(key_bits(k, (uint64_t)i) % (uint64_t)b->model.vocab);
        b->position[i] = (int32_t)(i % b->seq);
    }
    for (int64_t i = 0; i < n; i++)
        b->target[i] = b->ids[(i + 1) % n];
}

static bool open_bench(bench *b, const char *path, err *e)
{
    TRY(model_config_read(&b->model, path, e));
    if (b->seq > b->model.max_positions)
        return fail(e, ERR_INPUT, "--seq %lld is more than the %lld positions of this model", (long long)b->seq,
                    (long long)b->model.max_positions);
    int64_t rows = b->c.micro_batch ? b->c.micro_batch : b->batch;
    if (b->batch % rows)
        return fail(e, ERR_INPUT, "--batch %lld is no multiple of micro_batch %lld", (long long)b->batch, (long long)rows);
    b->how = (step_config){
        .model = { .config = b->model, .rows = rows, .seq = b->seq, .recompute = b->c.recompute },
        .adamw = { .beta1 = 0.9f, .beta2 = 0.95f, .eps = 1e-8f }, .moments = b->c.moments, .micro = b->batch / rows,
    };
    memory_needs needs;
    TRY(memory_of_step(&b->how, b->c.compute, b->c.isa, b->c.threads, &needs, e));
    b->planned = needs.total + memory_of_process();
    b->random = bench_weights_missing(path);
    program_open(&b->program, b->c.compute);
    b->step = step_record(&b->program, &b->how, &b->arena);
    fill_batch(b);
    return program_finish(&b->program, e);
}

static bool open_engine(bench *b, const char *path, int threads, err *e)
{
    TRY(b->pool = pool_open(threads, e));
    TRY(b->engine = cpu_open(&b->program, &(cpu_options){ .pool = b->pool, .isa = b->c.isa, .profile = true }, e));
    return bench_load_weights(path, &b->model, &b->step.w, b->engine, b->pool, e);
}

static void close_engine(bench *b)
{
    if (b->engine)
        b->engine->close(b->engine);
    pool_close(b->pool);
    b->engine = NULL;
    b->pool = NULL;
}

static bool one_step(bench *b, int64_t number, err *e)
{
    step_numbers n = { .rate = 1e-5, .clip = 1, .number = number, .trained = b->batch * b->seq };
    return step_write(b->engine, &b->step, &b->how, b->ids, b->position, b->start, b->target, &n, e) && b->engine->step(b->engine, e);
}

// Of weights, moments and results, as they are after a step.
static void digest_of(const bench *b, char *hex)
{
    digest *d = sha256_open();
    for (int32_t i = 1; i < b->program.value_count; i++) {
        const tensor t = { i };
        const value *v = program_value(&b->program, t);
        if (!v->of.id && kind_kept(v->kind) && v->kind != INPUT)
            digest_add(d, b->engine->address(b->engine, t), (size_t)program_bytes(&b->program, t));
    }
    digest_close(d, hex);
}

// The first step from the same weights with one thread, with as many as are asked for, and with one more.
static bool compare_bits(bench *b, const char *path, err *e)
{
    for (int i = 0; i < COUNTS; i++) {
        TRY(open_engine(b, path, i == 0 ? b->c.threads : i == 1 ? 1 : b->counts[0] + 1, e));
        TRY(one_step(b, 1, e));
        b->counts[i] = pool_threads(b->pool);
        digest_of(b, b->bits[i]);
        close_engine(b);
    }
    return true;
}

static node *same_bits(bench *b)
{
    node *out = node_object(&b->arena), *counts = node_list(&b->arena);
    bool same = true;
    for (int i = 0; i < COUNTS; i++) {
        node_add(&b->arena, counts, node_int(b->counts[i]));
        same = same && strcmp(b->bits[i], b->bits[0]) == 0;
    }
    node_put(&b->arena, out, "same_bits", node_bool(same));
    node_put(&b->arena, out, "with_threads", *counts);
    return out;
}

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double flops_of_step(const bench *b)
{
    int64_t n = b->batch * b->seq;
    return flops_needed(&b->model, n, b->batch * (b->seq * (b->seq + 1) / 2), n);
}

static node *parts(bench *b, int64_t steps)
{
    op_time times[MOST_OPS];
    int n = engine_times(b->engine, times, MOST_OPS);
    node *out = node_object(&b->arena);
    for (int i = 0; i < n; i++)
        node_put(&b->arena, out, times[i].name, node_float(times[i].seconds / (double)steps));
    return out;
}

static bool report_bench(bench *b, int64_t steps, double peak, double idle, char **report, err *e)
{
    arena *a = &b->arena;
    node *out = node_object(a), *all = node_list(a);
    for (int64_t i = 0; i < steps; i++)
        node_add(a, all, node_float(b->seconds[i]));
    qsort(b->seconds, (size_t)steps, sizeof *b->seconds, by_number);
    double median = b->seconds[steps / 2], count = (double)(b->batch * b->seq);
    node_put(a, out, "tokens_per_second", node_float(count / median));
    node_put(a, out, "tokens_per_second_best", node_float(count / b->seconds[0]));
    node_put(a, out, "mfu_causal", node_float(100 * flops_of_step(b) / median / (1e9 * peak)));
    node_put(a, out, "peak_gflops", node_float(peak));
    node_put(a, out, "peak_memory_bytes", node_int(memory_peak()));
    node_put(a, out, "planned_memory_bytes", node_int(b->planned));
    node_put(a, out, "precision", node_text(b->c.compute == BF16 ? STR("bf16") : STR("f32")));
    node_put(a, out, "kernels", node_text(str_of(b->c.isa ? b->c.isa : cpu_isas()[0])));
    node_put(a, out, "weights", node_text(b->random ? STR("random") : STR("of the model")));
    node_put(a, out, "threads", node_int(pool_threads(b->pool)));
    node_put(a, out, "micro_batch", node_int(b->how.model.rows));
    node_put(a, out, "idle_percent", node_float(100 * idle));
    if (b->compare)
        node_put(a, out, "deterministic", *same_bits(b));
    node_put(a, out, "step_seconds", *all);
    node_put(a, out, "parts", *parts(b, steps));
    return api_report(out, report, e);
}

static bool run_bench(bench *b, const char *path, int64_t steps, char **report, err *e)
{
    TRY(open_bench(b, path, e));
    TRY(!b->compare || compare_bits(b, path, e));
    TRY(open_engine(b, path, b->c.threads, e));
    b->seconds = ARENA_ARRAY(&b->arena, double, steps);
    TRY(one_step(b, 1, e));
    const double before = cpu_peak_gflops(b->pool, b->c.isa, b->c.compute);
    engine_times_clear(b->engine);
    pool_time(b->pool);
    for (int64_t i = 0; i < steps; i++) {
        double begun = clock_now();
        TRY(one_step(b, i + 2, e));
        b->seconds[i] = clock_now() - begun;
    }
    // A virtual machine may take a core away for longer than it is measured: of two moments the better one.
    const double idle = pool_idle(b->pool), after = cpu_peak_gflops(b->pool, b->c.isa, b->c.compute);
    return report_bench(b, steps, MAX(before, after), idle, report, e);
}

bool skiff_bench(const char *model_path, int64_t rows, int64_t seq, int64_t steps, const char *const *options, char **report,
                 skiff_err *e)
{
    bench b = { .batch = rows, .seq = seq };
    api_options o;
    bool ok = api_options_read("bench", options, &b.arena, &o, e) && bring_local(&b.arena, "model", &model_path, e);
    o.sft.model_name_or_path = model_path;
    o.sft.train_batch_size = rows;
    b.compare = ok && api_option_given(options, "deterministic") && o.sft.deterministic;
    ok = ok && train_config_fill(&o.sft, 1, &b.c, e) && run_bench(&b, model_path, steps, report, e);
    close_engine(&b);
    program_close(&b.program);
    arena_close(&b.arena);
    return ok;
}
