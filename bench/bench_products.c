// Each matrix product of a training step alone, in the engine: GFLOP/s, and its share of the peak measured just before.
//     build/bench/bench_products [f32|bf16] [instruction set] [threads] [repeats] [part of a name]
#include "alone.h"

typedef struct work { const char *name; op op; mode mode; int64_t M, N, K; int times; } work;

// SmolLM2-135M, 2,048 tokens: forward, gradients of inputs, gradients of weights; the head in chunks of 512 rows.
static const work works[] = {
    { "qkv",           OP_matmul_nt, SET, 2048, 960, 576, 30 },   { "o",           OP_matmul_nt, ADD, 2048, 576, 576, 30 },
    { "gate, up",      OP_matmul_nt, SET, 2048, 3072, 576, 30 },  { "down",        OP_matmul_nt, ADD, 2048, 576, 1536, 30 },
    { "dx of qkv",     OP_matmul, SET, 2048, 576, 960, 30 },      { "dx of o",     OP_matmul, SET, 2048, 576, 576, 30 },
    { "dx of gate",    OP_matmul, SET, 2048, 576, 3072, 30 },     { "dx of down",  OP_matmul, SET, 2048, 1536, 576, 30 },
    { "dw of qkv",     OP_matmul_tn, ADD, 960, 576, 2048, 30 },   { "dw of o",     OP_matmul_tn, ADD, 576, 576, 2048, 30 },
    { "dw of gate",    OP_matmul_tn, ADD, 3072, 576, 2048, 30 },  { "dw of down",  OP_matmul_tn, ADD, 576, 1536, 2048, 30 },
    { "head",          OP_matmul_nt, SET, 512, 49152, 576, 4 },   { "dx of head",  OP_matmul, SET, 512, 576, 49152, 4 },
    { "dw of head",    OP_matmul_tn, ADD, 49152, 576, 512, 4 },
};

static double best_of(const work *w, type h, pool *threads, const char *isa, int repeats)
{
    program p;
    err e = {0};
    program_open(&p, h);
    const bool a_turned = w->op == OP_matmul_tn, b_turned = w->op == OP_matmul_nt;
    tensor a = program_tensor(&p, STATE, h, "a", a_turned ? SHAPE(w->K, w->M) : SHAPE(w->M, w->K));
    tensor b = program_tensor(&p, STATE, h, "b", b_turned ? SHAPE(w->N, w->K) : SHAPE(w->K, w->N));
    tensor y = program_tensor(&p, STATE, w->mode == ADD || w->N > 40000 || w->K > 40000 ? F32 : h, "y", SHAPE(w->M, w->N));
    (b_turned ? op_matmul_nt : a_turned ? op_matmul_tn : op_matmul)(&p, y, a, b, w->mode);
    must(program_finish(&p, &e), &e);
    engine *g = cpu_open(&p, &(cpu_options){ .pool = threads, .isa = isa }, &e);
    must(g, &e);
    fill_eighths(g, a, w->M * w->K, h);
    fill_eighths(g, b, w->N * w->K, h);
    const double best = best_step(g, repeats);
    g->close(g);
    program_close(&p);
    return best;
}

int main(int argc, char **argv)
{
    err e = {0};
    const type h = argc > 1 && strcmp(argv[1], "bf16") == 0 ? BF16 : F32;
    const char *isa = argc > 2 && strcmp(argv[2], "best") != 0 ? argv[2] : NULL;
    pool *threads = pool_open(argc > 3 ? atoi(argv[3]) : 0, &e);
    must(threads, &e);
    double whole = 0, ideal = 0;
    for (size_t i = 0; i < COUNT(works); i++) {
        const work *w = &works[i];
        if (argc > 5 && !strstr(w->name, argv[5]))
            continue;
        const double peak = cpu_peak_gflops(threads, isa, cpu_has_bf16(isa) ? h : F32);
        const double seconds = best_of(w, h, threads, isa, argc > 4 ? atoi(argv[4]) : 10);
        const double rate = 2.0 * (double)w->M * (double)w->N * (double)w->K / seconds * 1e-9;
        printf("%-12s %6lld x %5lld x %5lld  %8.2f ms  %7.1f GFLOP/s  %5.1f %% of %.0f\n", w->name, (long long)w->M, (long long)w->N,
               (long long)w->K, seconds * 1e3, rate, 100 * rate / peak, peak);
        whole += w->times * seconds, ideal += w->times * seconds * rate / peak;
    }
    printf("all products of a step of 2,048 tokens: %.2f s, %.1f %% of the peak\n", whole, 100 * ideal / whole);
    pool_close(threads);
}
