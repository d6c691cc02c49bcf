// Attention alone, in the engine, forward and backward: GFLOP/s of what is not masked, and their share of the peak measured just before.
//     build/bench/bench_attention [f32|bf16] [instruction set] [threads] [repeats] [part of a name]
#include "alone.h"

typedef struct work { const char *name; int64_t rows, seq, heads, kv_heads, size, segment; } work;

static const work works[] = {           // segment: tokens of a conversation, of which a row holds several
    { "SmolLM2, 4 rows",      4, 512, 9, 3, 64, 512 },   { "SmolLM2, 1 row",         1, 2048, 9, 3, 64, 2048 },
    { "SmolLM2, 8 rows",      8, 128, 9, 3, 64, 128 },   { "SmolLM2, packed",        4, 512, 9, 3, 64, 150 },
    { "SmolLM2, long packed", 1, 2048, 9, 3, 64, 300 },  { "heads of 128, grouped",  1, 1024, 8, 2, 128, 1024 },
    { "heads of 80",          1, 1024, 8, 8, 80, 1024 },
};

typedef struct bench { program p; tensor qkv, out, lse, dout, dqkv, delta, start; engine *g; } bench;

static void make(bench *b, const work *w, type h, bool backward)
{
    const int64_t n = w->rows * w->seq, o = w->heads * w->size, q = o + 2 * w->kv_heads * w->size;
    program *p = &b->p;
    const float scale = 0.125f;
    program_open(p, h);
    b->qkv = program_tensor(p, STATE, h, "qkv", SHAPE(n, q)), b->start = program_tensor(p, INPUT, I32, "start", SHAPE(n));
    b->out = program_tensor(p, STATE, h, "out", SHAPE(n, o)), b->lse = program_tensor(p, STATE, F32, "lse", SHAPE(n, w->heads));
    b->dout = program_tensor(p, STATE, h, "dout", SHAPE(n, o));
    b->dqkv = program_tensor(p, STATE, h, "dqkv", SHAPE(n, q)), b->delta = program_tensor(p, STATE, F32, "delta", SHAPE(n, w->heads));
    if (backward)
        op_attention_backward(p, b->dqkv, b->delta, b->dout, b->qkv, b->out, b->lse, b->start, (int)w->kv_heads, w->seq, scale);
    else
        op_attention(p, b->out, b->lse, b->qkv, b->start, (int)w->kv_heads, w->seq, scale);
}

static void fill(engine *g, tensor t, type h)
{
    void *at = g->address(g, t);
    uint32_t seed = 1;
    for (int64_t i = 0; i < shape_count(program_value(g->program, t)->shape); i++) {
        seed = seed * 1664525u + 1013904223u;
        put(at, i, (float)(seed >> 8) / 8388608.0f - 1, h);
    }
}

static double best_of(const work *w, type h, bool backward, pool *threads, const char *isa, int repeats)
{
    bench b;
    err e = {0};
    make(&b, w, h, backward);
    must(program_finish(&b.p, &e), &e);
    b.g = cpu_open(&b.p, &(cpu_options){ .pool = threads, .isa = isa }, &e);
    must(b.g, &e);
    fill(b.g, b.qkv, h);
    if (backward)
        fill(b.g, b.out, h), fill(b.g, b.dout, h);
    for (int64_t i = 0; i < w->rows * w->seq; i++) {
        ((int32_t *)b.g->address(b.g, b.start))[i] = (int32_t)(i % w->seq / w->segment * w->segment);
        for (int64_t s = 0; s < w->heads; s++)
            ((float *)b.g->address(b.g, b.lse))[i * w->heads + s] = 6;
    }
    const double best = best_step(b.g, repeats);
    b.g->close(b.g);
    program_close(&b.p);
    return best;
}

// Multiply-adds of the pairs of tokens that see each other: 2 products forward, 5 backward.
static double flops(const work *w, bool backward)
{
    double pairs = 0;
    for (int64_t i = 0; i < w->seq; i++)
        pairs += (double)(i % w->segment + 1);
    return (backward ? 10 : 4) * pairs * (double)(w->rows * w->heads * w->size);
}

int main(int argc, char **argv)
{
    err e = {0};
    const type h = argc > 1 && strcmp(argv[1], "bf16") == 0 ? BF16 : F32;
    const char *isa = argc > 2 && strcmp(argv[2], "best") != 0 ? argv[2] : NULL;
    pool *threads = pool_open(argc > 3 ? atoi(argv[3]) : 0, &e);
    must(threads, &e);
    for (size_t i = 0; i < COUNT(works); i++)
        for (int backward = 0; backward < 2; backward++) {
            const work *w = &works[i];
            if (argc > 5 && !strstr(w->name, argv[5]))
                continue;
            const double peak = cpu_peak_gflops(threads, isa, cpu_has_bf16(isa) ? h : F32);
            const double seconds = best_of(w, h, backward, threads, isa, argc > 4 ? atoi(argv[4]) : 10);
            const double rate = flops(w, backward) / seconds * 1e-9;
            printf("%-22s %-8s %8.2f ms  %7.1f GFLOP/s  %5.1f %% of %.0f\n", w->name, backward ? "backward" : "forward", seconds * 1e3, rate,
                   100 * rate / peak, peak);
        }
    pool_close(threads);
}
