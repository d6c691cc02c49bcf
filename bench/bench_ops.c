// Times of every operation at the shapes of SmolLM2-135M: one optimizer step of 4 rows of 512 tokens, recorded here
// by hand so that it needs no model code. Prints the step's best time and, by operation, where it goes.
//     build/bench/bench_ops [bf16|f32] [instruction set] [threads] [steps]
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "engine/engine.h"

enum { L = 30, D = 576, HEADS = 9, KV = 3, SIZE = 64, Q = (HEADS + 2*KV) * SIZE, O = HEADS * SIZE, F = 1536, V = 49152,
    ROWS = 4, SEQ = 512, N = ROWS*SEQ, C = 512 };

typedef struct step {
    program p;
    tensor ids, position, start, index, target, chunks, cosine, sine, weight, rate, c1, c2, limit;
    tensor loss, sumsq, scale, finite;
    tensor w[7], dw[7];             // embed, norm 1, qkv, o, norm 2, gate_up, down
} step;

static const char *const names[7][4] = {
    { "embed", "d.embed", "m.embed", "v.embed" }, { "norm1", "d.norm1", "m.norm1", "v.norm1" }, { "qkv", "d.qkv", "m.qkv", "v.qkv" },
    { "o", "d.o", "m.o", "v.o" }, { "norm2", "d.norm2", "m.norm2", "v.norm2" }, { "gate_up", "d.gate_up", "m.gate_up", "v.gate_up" },
    { "down", "d.down", "m.down", "v.down" },
};

static tensor scalar(program *p, kind k, const char *name) { return program_tensor(p, k, F32, name, SCALAR); }

static void make(step *s)
{
    program *p = &s->p;
    const shape shapes[7] = { SHAPE(V, D), SHAPE(L, D), SHAPE(L, Q, D), SHAPE(L, D, O), SHAPE(L, D), SHAPE(L, 2*F, D), SHAPE(L, D, F) };
    s->ids = program_tensor(p, INPUT, I32, "ids", SHAPE(N)), s->position = program_tensor(p, INPUT, I32, "position", SHAPE(N));
    s->start = program_tensor(p, INPUT, I32, "start", SHAPE(N)), s->chunks = program_tensor(p, INPUT, I32, "chunks", SCALAR);
    s->index = program_tensor(p, INPUT, I32, "index", SHAPE(N/C, C)), s->target = program_tensor(p, INPUT, I32, "target", SHAPE(N/C, C));
    s->cosine = program_tensor(p, INPUT, F32, "cos", SHAPE(SEQ, SIZE/2)), s->sine = program_tensor(p, INPUT, F32, "sin",
        SHAPE(SEQ, SIZE/2));
    s->weight = scalar(p, INPUT, "weight"), s->rate = scalar(p, INPUT, "rate"), s->c1 = scalar(p, INPUT, "c1"),
        s->c2 = scalar(p, INPUT, "c2");
    s->limit = scalar(p, INPUT, "limit"), s->loss = scalar(p, OUTPUT, "loss"), s->sumsq = scalar(p, OUTPUT, "sumsq");
    s->scale = scalar(p, OUTPUT, "scale"), s->finite = scalar(p, OUTPUT, "finite");
    for (int i = 0; i < 7; i++) {
        s->w[i] = program_tensor(p, WEIGHT, F32, names[i][0], shapes[i]);
        s->dw[i] = program_tensor(p, GRADIENT, F32, names[i][1], shapes[i]);
    }
}

static void record(step *s, type h)
{
    program *p = &s->p;
    program_open(p, h);
    make(s);
    tensor x = program_tensor(p, ACTIVATION, F32, "x", SHAPE(N, D)), xs = program_tensor(p, ACTIVATION, F32, "xs", SHAPE(L, 2,
        N, D)), r = program_tensor(p, ACTIVATION, F32, "r", SHAPE(L, 2, N));
    tensor qkv = program_tensor(p, ACTIVATION, h, "qkv", SHAPE(L, N, Q)), o = program_tensor(p, ACTIVATION, h, "att", SHAPE(L,
        N, O)), lse = program_tensor(p, ACTIVATION, F32, "lse", SHAPE(L, N, HEADS));
    tensor gu = program_tensor(p, ACTIVATION, h, "gu", SHAPE(L, N, 2*F)), act = program_tensor(p, ACTIVATION, h, "act",
        SHAPE(N, F)), y = program_tensor(p, ACTIVATION, h, "y", SHAPE(N, D));
    tensor dx = program_tensor(p, GRADIENT, F32, "dx", SHAPE(N, D)), dy = program_tensor(p, GRADIENT, h, "dy", SHAPE(N, D)),
        dxh = program_tensor(p, GRADIENT, h, "dxh", SHAPE(N, D));
    tensor dact = program_tensor(p, GRADIENT, h, "dact", SHAPE(N, F)), dgu = program_tensor(p, GRADIENT, h, "dgu", SHAPE(N,
        2*F)), dqkv = program_tensor(p, GRADIENT, h, "dqkv", SHAPE(N, Q));
    tensor dout = program_tensor(p, GRADIENT, h, "dout", SHAPE(N, O)), delta = program_tensor(p, GRADIENT, F32, "delta", SHAPE(N, HEADS));
    tensor hc = program_tensor(p, ACTIVATION, h, "hc", SHAPE(C, D)), logits = program_tensor(p, ACTIVATION, F32, "logits",
        SHAPE(C, V)), dlogits = program_tensor(p, GRADIENT, h, "dlogits", SHAPE(C, V)), dhc = program_tensor(p, GRADIENT, F32,
            "dhc", SHAPE(C, D));
    static const adamw adam = { 0.9f, 0.95f, 1e-8f, 0.1f, 0 };
    const turn one = { .at = 0 }, two = { .at = 1 };
    const float scale = 0.125f;
    op_set(p, s->loss, 0);
    op_set(p, s->sumsq, 0);
    for (int i = 0; i < 7; i++)
        op_set(p, s->dw[i], 0);
    op_embed(p, x, s->w[0], s->ids);
    LOOP (p, l, L, FORWARD) {
        tensor x1 = program_at(p, program_at(p, xs, l), one), x2 = program_at(p, program_at(p, xs, l), two),
            r1 = program_at(p, program_at(p, r, l), one), r2 = program_at(p, program_at(p, r, l), two);
        tensor q = program_at(p, qkv, l), at = program_at(p, o, l), g = program_at(p, gu, l);
        op_copy(p, x1, x);
        op_rmsnorm(p, y, r1, x, program_at(p, s->w[1], l), 1e-5f);
        op_matmul_nt(p, q, y, program_at(p, s->w[2], l), SET);
        op_rope(p, q, s->position, s->cosine, s->sine, HEADS, KV, 1);
        op_attention(p, at, program_at(p, lse, l), q, s->start, KV, SEQ, scale);
        op_matmul_nt(p, x, at, program_at(p, s->w[3], l), ADD);
        op_copy(p, x2, x);
        op_rmsnorm(p, y, r2, x, program_at(p, s->w[4], l), 1e-5f);
        op_matmul_nt(p, g, y, program_at(p, s->w[5], l), SET);
        op_swiglu(p, act, g);
        op_matmul_nt(p, x, act, program_at(p, s->w[6], l), ADD);
    }
    op_copy(p, y, x);
    op_set(p, dy, 0);
    LOOP_BOUND (p, c, N/C, s->chunks) {
        op_gather(p, hc, y, program_at(p, s->index, c));
        op_matmul_nt(p, logits, hc, s->w[0], SET);
        op_cross_entropy(p, (tensor){0}, s->loss, dlogits, logits, program_at(p, s->target, c), s->weight, 0);
        op_matmul_tn(p, s->dw[0], dlogits, hc, ADD);
        op_matmul(p, dhc, dlogits, s->w[0], SET);
        op_scatter(p, dy, dhc, program_at(p, s->index, c));
    }
    op_copy(p, dx, dy);
    LOOP (p, l, L, REVERSE) {
        tensor x1 = program_at(p, program_at(p, xs, l), one), x2 = program_at(p, program_at(p, xs, l), two),
            r1 = program_at(p, program_at(p, r, l), one), r2 = program_at(p, program_at(p, r, l), two);
        tensor q = program_at(p, qkv, l), at = program_at(p, o, l), g = program_at(p, gu, l);
        op_copy(p, dxh, dx);
        op_swiglu(p, act, g);
        op_matmul_tn(p, program_at(p, s->dw[6], l), dxh, act, ADD);
        op_matmul(p, dact, dxh, program_at(p, s->w[6], l), SET);
        op_swiglu_backward(p, dgu, dact, g);
        op_rmsnorm_again(p, y, r2, x2, program_at(p, s->w[4], l));
        op_matmul_tn(p, program_at(p, s->dw[5], l), dgu, y, ADD);
        op_matmul(p, dy, dgu, program_at(p, s->w[5], l), SET);
        op_rmsnorm_backward(p, dx, program_at(p, s->dw[4], l), dy, r2, x2, program_at(p, s->w[4], l), ADD);
        op_copy(p, dxh, dx);
        op_matmul_tn(p, program_at(p, s->dw[3], l), dxh, at, ADD);
        op_matmul(p, dout, dxh, program_at(p, s->w[3], l), SET);
        op_attention_backward(p, dqkv, delta, dout, q, at, program_at(p, lse, l), s->start, KV, SEQ, scale);
        op_rope(p, dqkv, s->position, s->cosine, s->sine, HEADS, KV, -1);
        op_rmsnorm_again(p, y, r1, x1, program_at(p, s->w[1], l));
        op_matmul_tn(p, program_at(p, s->dw[2], l), dqkv, y, ADD);
        op_matmul(p, dy, dqkv, program_at(p, s->w[2], l), SET);
        op_rmsnorm_backward(p, dx, program_at(p, s->dw[1], l), dy, r1, x1, program_at(p, s->w[1], l), ADD);
    }
    op_embed_backward(p, s->dw[0], dx, s->ids);
    for (int i = 0; i < 7; i++)
        op_sumsq(p, s->sumsq, s->dw[i]);
    op_clip_scale(p, s->scale, s->finite, s->limit, s->sumsq, s->loss);
    for (int i = 0; i < 7; i++)
        op_adamw(p, s->w[i], program_like(p, MOMENT, names[i][2], s->w[i]), program_like(p, MOMENT, names[i][3], s->w[i]), s->dw[i],
                 s->rate, s->c1, s->c2, s->scale, s->finite, (tensor){0}, &adam);
}

static void must(bool ok, const err *e)
{
    if (!ok)
        fprintf(stderr, "%s\n", e->text), exit(1);
}

static void fill(engine *g, const step *s)
{
    int32_t *ids = g->address(g, s->ids), *position = g->address(g, s->position), *index = g->address(g, s->index),
        *target = g->address(g, s->target);
    for (int i = 0; i < N; i++)
        ids[i] = i * 7919 % V, position[i] = i % SEQ, index[i] = i, target[i] = (i + 1) * 7919 % V;
    for (int i = 0; i < 7; i++) {
        float *w = g->address(g, s->w[i]);
        uint32_t seed = 1;
        for (int64_t j = 0; j < shape_count(program_value(&s->p, s->w[i])->shape); j++)
            seed = seed * 1664525u + 1013904223u, w[j] = i == 1 || i == 4 ? 1 : ((float)(seed >> 8) / 8388608.0f - 1) * 0.05f;
    }
    *(int32_t *)g->address(g, s->chunks) = N / C;
    *(float *)g->address(g, s->weight) = 1.0f / N;
    *(float *)g->address(g, s->rate) = 1e-5f;
    *(float *)g->address(g, s->c1) = *(float *)g->address(g, s->c2) = 1;
    float *cosine = g->address(g, s->cosine);
    for (int i = 0; i < SEQ * SIZE / 2; i++)
        cosine[i] = 1;
    g->prepare(g);
}

int main(int argc, char **argv)
{
    static step s;
    err e = {0};
    const type h = argc > 1 && strcmp(argv[1], "f32") == 0 ? F32 : BF16;
    const char *isa = argc > 2 && strcmp(argv[2], "best") != 0 ? argv[2] : NULL;
    pool *threads = pool_open(argc > 3 ? atoi(argv[3]) : 0, &e);
    must(threads, &e);
    record(&s, h);
    must(program_finish(&s.p, &e), &e);
    engine *g = cpu_open(&s.p, &(cpu_options){ .pool = threads, .isa = isa, .profile = true }, &e);
    must(g, &e);
    fill(g, &s);
    double best = 1e9;
    op_time times[64];
    int count = 0;
    for (int i = 0; i < (argc > 4 ? atoi(argv[4]) : 4); i++) {
        engine_times_clear(g);
        double begin = clock_now();
        must(g->step(g, &e), &e);
        double seconds = clock_now() - begin;
        printf("step %d: loss %.4f, %.3f s, %.0f tokens/s\n", i, (double)*(float *)g->address(g, s.loss), seconds, N / seconds);
        if (seconds < best)
            best = seconds, count = engine_times(g, times, COUNT(times));
    }
    for (int i = 0; i < count; i++)
        printf("%-20s %5lld calls %8.1f ms %8.0f GFLOP/s %6.1f GB/s\n", times[i].name, (long long)times[i].calls, times[i].seconds * 1e3,
               times[i].flops / times[i].seconds * 1e-9, times[i].bytes / times[i].seconds * 1e-9);
    printf("kept %.2f GB, copies %.2f GB, scratch %.2f GB\n", (double)s.p.kept * 1e-9, (double)program_copies(&s.p) * 1e-9,
        (double)s.p.scratch * 1e-9);
    g->close(g);
    program_close(&s.p);
    pool_close(threads);
}
