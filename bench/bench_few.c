// The products of generation alone: all of a SmolLM2-135M pass but the head's, float32 rows times weights in the type of a file, each
// layer's weights its own, so that they come from memory. Tokens a second, GFLOP/s, and GB/s of weights, by the number of rows.
//     build/bench/bench_few [f32|bf16] [instruction set] [threads] [repeats] [rows…]
#include "alone.h"

enum { LAYERS = 30, PRODUCTS = 4 };

static const struct { const char *name; int64_t N, K; mode mode; } works[PRODUCTS] = {
    { "qkv", 960, 576, SET }, { "o", 576, 576, ADD }, { "gate, up", 3072, 576, SET }, { "down", 576, 1536, ADD },
};

// The best time of a pass of `rows`.
static double best_of(int64_t rows, type h, pool *threads, const char *isa, int repeats)
{
    program p;
    err e = {0};
    tensor x[PRODUCTS], w[PRODUCTS], y[PRODUCTS];
    program_open(&p, F32);
    for (int i = 0; i < PRODUCTS; i++) {
        x[i] = program_tensor(&p, STATE, F32, "x", SHAPE(rows, works[i].K));
        w[i] = program_tensor(&p, STATE, h, "w", SHAPE(LAYERS, works[i].N, works[i].K));
        y[i] = program_tensor(&p, STATE, F32, "y", SHAPE(rows, works[i].N));
    }
    LOOP (&p, layer, LAYERS, FORWARD)
        for (int i = 0; i < PRODUCTS; i++)
            op_matmul_nt(&p, y[i], x[i], program_at(&p, w[i], layer), works[i].mode);
    must(program_finish(&p, &e), &e);
    engine *g = cpu_open(&p, &(cpu_options){ .pool = threads, .isa = isa }, &e);
    must(g, &e);
    for (int i = 0; i < PRODUCTS; i++) {
        fill_eighths(g, x[i], rows * works[i].K, F32);
        fill_eighths(g, w[i], LAYERS * works[i].N * works[i].K, h);
    }
    const double best = best_step(g, repeats);
    g->close(g);
    program_close(&p);
    return best;
}

static void measure(int64_t rows, type h, pool *threads, const char *isa, int repeats)
{
    const double seconds = best_of(rows, h, threads, isa, repeats);
    double weights = 0;
    for (int i = 0; i < PRODUCTS; i++)
        weights += LAYERS * (double)works[i].N * (double)works[i].K;
    printf("%4lld rows  %8.2f ms  %7.1f tokens/s  %6.1f GFLOP/s  %5.1f GB/s\n", (long long)rows, seconds * 1e3, (double)rows / seconds,
           2 * weights * (double)rows / seconds * 1e-9, (h == F32 ? 4 : 2) * weights / seconds * 1e-9);
}

int main(int argc, char **argv)
{
    static const int64_t usual[] = { 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256 };
    err e = {0};
    const type h = argc > 1 && strcmp(argv[1], "f32") == 0 ? F32 : BF16;
    const char *isa = argc > 2 && strcmp(argv[2], "best") != 0 ? argv[2] : NULL;
    const int repeats = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 5;
    pool *threads = pool_open(argc > 3 ? (int)strtol(argv[3], NULL, 10) : 0, &e);
    must(threads, &e);
    printf("peak %.0f GFLOP/s\n", cpu_peak_gflops(threads, isa, F32));
    for (size_t i = 0; argc <= 5 && i < COUNT(usual); i++)
        measure(usual[i], h, threads, isa, repeats);
    for (int i = 5; i < argc; i++)
        measure(strtol(argv[i], NULL, 10), h, threads, isa, repeats);
    pool_close(threads);
}
