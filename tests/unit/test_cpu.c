// The CPU engine around its kernels: memory, sharing, copies of weights, loops, threads, errors.
#include "engine/cpu/reserve.h"
#include "ops.h"

static const adamw adam = { 0.9f, 0.95f, 1e-8f, 0, 0 };


static engine *opened(program *p, const cpu_options *o)
{
    err e = {0};
    must(program_finish(p, &e), &e);
    engine *g = cpu_open(p, o, &e);
    must(g, &e);
    return g;
}

static void put(engine *g, const char *name, float x)
{
    err e = {0};
    tensor t = program_find(g->program, name);
    int64_t n = shape_count(program_value(g->program, t)->shape);
    float *all = malloc(sizeof x * (size_t)n);
    for (int64_t i = 0; i < n; i++)
        all[i] = x;
    must(g->write(g, t, 0, n, all, &e), &e);
    free(all);
}

static void put_whole(engine *g, const char *name, int32_t x)
{
    err e = {0};
    must(g->write(g, program_find(g->program, name), 0, 1, &x, &e), &e);
}

static float get(engine *g, const char *name)
{
    err e = {0};
    float x = NAN;
    must(g->read(g, program_find(g->program, name), 0, 1, &x, &e), &e);
    return x;
}

// y = x w in BF16 from an F32 weight; with `train`, w moves afterwards.
static void record_product(program *p, bool train)
{
    program_open(p, BF16);
    tensor w = program_tensor(p, WEIGHT, F32, "w", SHAPE(3, 2)), x = in(p, BF16, "x", SHAPE(1, 3));
    op_matmul(p, out(p, F32, "y", SHAPE(1, 2)), x, w, SET);
    if (train)
        op_adamw(p, w, program_tensor(p, MOMENT, F32, "m", SHAPE(3, 2)), program_tensor(p, MOMENT, F32, "v", SHAPE(3, 2)),
            in(p, F32, "dw", SHAPE(3, 2)),
                 in(p, F32, "rate", SCALAR), in(p, F32, "c1", SCALAR), in(p, F32, "c2", SCALAR), in(p, F32, "scale", SCALAR),
                     in(p, F32, "finite", SCALAR), (tensor){0}, &adam);
}

static void put_product(engine *g, bool train)
{
    err e = {0};
    uint16_t one[3] = { 0x3f80, 0x3f80, 0x3f80 };
    must(g->write(g, program_find(g->program, "x"), 0, 3, one, &e), &e);
    if (!train)
        return;
    put(g, "dw", 1);
    put(g, "rate", 0.5f);
    put(g, "c1", 10);
    put(g, "c2", 20);
    put(g, "scale", 1);
    put(g, "finite", 1);
}

TEST(copies_of_weights_follow_writes_and_adamw)
{
    err e = {0};
    program p;
    record_product(&p, true);
    engine *g = opened(&p, &(cpu_options){0});
    put_product(g, true);
    put(g, "w", 2);
    must(g->step(g, &e), &e);
    CHECK(get(g, "y") == 6);                        // written, not prepared: step does that
    must(g->step(g, &e), &e);
    CHECK_CLOSE(&(float){ get(g, "y") }, &(float){ 4.5f }, 1, 1e-2f);       // 3 * (2 - 0.5)
    float before = get(g, "w");
    put(g, "finite", 0);
    must(g->step(g, &e) && g->step(g, &e), &e);
    CHECK(get(g, "w") == before);
    put(g, "w", 4);
    must(g->step(g, &e), &e);
    CHECK(get(g, "y") == 12);                       // written between steps
    put(g, "w", before);
    *(float *)g->address(g, program_find(&p, "w")) = 0;
    g->prepare(g);
    must(g->step(g, &e), &e);
    CHECK_CLOSE(&(float){ get(g, "y") }, &(float){ 2 * before }, 1, 1e-2f);
    g->close(g);
    program_close(&p);
}

TEST(engines_share_weights_and_their_copies)
{
    err e = {0};
    program train, use;
    record_product(&train, true);
    record_product(&use, false);
    engine *a = opened(&train, &(cpu_options){0}), *b = opened(&use, &(cpu_options){ .share = a });
    put_product(a, true);
    put_product(b, false);
    CHECK(b->address(b, program_find(&use, "w")) == a->address(a, program_find(&train, "w")));
    CHECK(b->address(b, program_find(&use, "x")) != a->address(a, program_find(&train, "x")));
    put(a, "w", 2);
    must(a->step(a, &e) && b->step(b, &e), &e);
    CHECK_CLOSE(&(float){ get(b, "y") }, &(float){ 4.5f }, 1, 1e-2f);       // after a's update
    put(b, "w", 1);
    must(a->step(a, &e), &e);
    must(b->step(b, &e), &e);
    CHECK(get(b, "w") == get(a, "w"));
    b->close(b);
    a->close(a);
    program_close(&train);
    program_close(&use);
}

TEST(a_state_of_another_shape_is_not_shared)
{
    program p, q;
    program_open(&p, F32);
    program_open(&q, F32);
    op_set(&p, program_tensor(&p, STATE, F32, "s", SHAPE(3)), 1);
    op_set(&q, program_tensor(&q, STATE, F32, "s", SHAPE(4)), 1);
    engine *a = opened(&p, &(cpu_options){0}), *b = opened(&q, &(cpu_options){ .share = a });
    CHECK(b->address(b, program_find(&q, "s")) != a->address(a, program_find(&p, "s")));
    b->close(b);
    a->close(a);
    program_close(&p);
    program_close(&q);
}

// Each turn adds x to sum; saved is a stack.
static void record_turns(program *p, bool unroll)
{
    program_open(p, F32);
    p->unroll = unroll;
    tensor sum = out(p, F32, "sum", SCALAR), x = in(p, F32, "xs", SHAPE(5, 3)), saved = program_tensor(p, ACTIVATION, F32,
        "saved", SHAPE(5, 3));
    tensor last = out(p, F32, "last", SHAPE(3)), some = out(p, F32, "some", SCALAR), most = in(p, I32, "most", SCALAR);
    op_set(p, sum, 0);
    op_set(p, some, 0);
    LOOP (p, i, 5, FORWARD)
        op_copy(p, program_at(p, saved, i), program_at(p, x, i));
    LOOP (p, i, 5, REVERSE) {
        op_sumsq(p, sum, program_at(p, saved, i));
        op_copy(p, last, program_at(p, saved, i));
    }
    LOOP_BOUND (p, i, 5, most)
        op_sumsq(p, some, program_at(p, x, i));
}

TEST(loops_run_forward_backward_unrolled_and_with_a_bound)
{
    for (int unroll = 0; unroll < 2; unroll++) {
        err e = {0};
        program p;
        float x[15], last[3];
        record_turns(&p, unroll);
        engine *g = opened(&p, &(cpu_options){0});
        for (int i = 0; i < 15; i++)
            x[i] = (float)(i / 3 + 1);
        must(g->write(g, program_find(&p, "xs"), 0, 15, x, &e), &e);
        static const int32_t bounds[] = { 0, 2, 5, 9, -3 };
        static const float want[] = { 0, 15, 165, 165, 0 };
        for (size_t i = 0; i < COUNT(bounds); i++) {
            put_whole(g, "most", bounds[i]);
            must(g->step(g, &e) && g->read(g, program_find(&p, "last"), 0, 3, last, &e), &e);
            CHECK(get(g, "sum") == 165 && last[0] == 1);
            CHECK(get(g, "some") == want[i]);
        }
        g->close(g);
        program_close(&p);
    }
}

// A chain through scratch that shares memory by lifetime; the ref engine gives every tensor its own.
static void record_chain(program *p, bool unroll)
{
    program_open(p, F32);
    p->unroll = unroll;
    tensor x = in(p, F32, "x", SHAPE(6, 9)), w = program_tensor(p, WEIGHT, F32, "w", SHAPE(4, 9, 9)),
        saved = program_tensor(p, ACTIVATION, F32, "saved", SHAPE(4, 6, 9));
    tensor h = program_tensor(p, ACTIVATION, F32, "h", SHAPE(6, 9)), g = program_tensor(p, GRADIENT, F32, "g", SHAPE(6, 9)),
        other = program_tensor(p, GRADIENT, F32, "other", SHAPE(6, 9));
    tensor dw = out(p, F32, "dw", SHAPE(4, 9, 9)), y = out(p, F32, "y", SHAPE(6, 9)), late = program_tensor(p, ACTIVATION,
        F32, "late", SHAPE(6, 9));
    op_copy(p, h, x);
    op_copy(p, late, x);
    LOOP (p, i, 4, FORWARD) {
        op_copy(p, program_at(p, saved, i), h);
        op_matmul(p, h, program_at(p, saved, i), program_at(p, w, i), ADD);
    }
    op_copy(p, g, h);
    LOOP (p, i, 4, REVERSE) {
        op_matmul_tn(p, program_at(p, dw, i), program_at(p, saved, i), g, SET);
        op_matmul_nt(p, other, g, program_at(p, w, i), SET);
        op_copy(p, g, other);
    }
    op_matmul(p, g, late, program_at(p, w, (turn){ .at = 0 }), ADD);
    op_copy(p, y, g);
}

TEST(memory_shared_by_lifetime_changes_no_result)
{
    static const op_case chain = { .name = "chain" };
    for (int unroll = 0; unroll < 2; unroll++) {
        err e = {0};
        program p;
        record_chain(&p, unroll);
        engine *g = opened(&p, &(cpu_options){0}), *r = ref_open(&p, &e);
        must(r, &e);
        CHECK(p.scratch < p.unshared);
        fill(g, &chain);
        fill(r, &chain);
        must(g->step(g, &e) && r->step(r, &e), &e);
        for (int k = 0; k < 2; k++) {
            tensor t = program_find(&p, k ? "y" : "dw");
            float *got = floats(g, t.id), *want = floats(r, t.id);
            CHECK_CLOSE(got, want, shape_count(program_value(&p, t)->shape), 1e-5f);
            free(got);
            free(want);
        }
        g->close(g);
        r->close(r);
        program_close(&p);
    }
}

TEST(runs_of_elements_are_written_and_read)
{
    err e = {0};
    program p;
    program_open(&p, BF16);
    tensor x = in(&p, BF16, "x", SHAPE(4, 3)), s = program_tensor(&p, ACTIVATION, F32, "scratch", SHAPE(2));
    tensor row = program_at(&p, x, (turn){ .at = 2 });
    op_set(&p, s, 0);
    engine *g = opened(&p, &(cpu_options){0});
    engine *r = ref_open(&p, &e);
    must(r, &e);
    for (int k = 0; k < 2; k++) {
        engine *h = k ? r : g;
        uint16_t some_halves[3] = { 0x3f80, 0x7fc0, 0x8001 }, back[12], want[12] = { 0, 0, 0, 0, 0, 0, 0x3f80, 0x7fc0, 0x8001, 0, 0, 0 };
        must(h->write(h, row, 0, 3, some_halves, &e) && h->read(h, x, 0, 12, back, &e), &e);
        CHECK(memcmp(back, want, sizeof want) == 0);
        must(h->read(h, x, 7, 1, back, &e), &e);
        CHECK(back[0] == 0x7fc0);
        CHECK(!h->read(h, x, 7, 6, back, &e));
        CHECK_TEXT(e.text, "'x' has 12 elements: no 6 of them from 7 on");
        CHECK(!h->write(h, x, -1, 1, back, &e) && !h->write(h, x, 12, INT64_MAX, back, &e));
        CHECK(!h->read(h, s, 0, 1, back, &e));
        CHECK_TEXT(e.text, "'scratch' is not kept after a step");
    }
    CHECK(g->address(g, s) == NULL && r->address(r, x) == NULL);
    CHECK((char *)g->address(g, row) == (char *)g->address(g, x) + 12);
    g->close(g);
    r->close(r);
    program_close(&p);
}

static err index_mistake(void (*record)(program *p), const char *name, int32_t x)
{
    err e = {0}, e2 = {0};
    program p;
    program_open(&p, F32);
    record(&p);
    engine *g = opened(&p, &(cpu_options){0}), *r = ref_open(&p, &e);
    must(r, &e);
    tensor t = program_find(&p, name);
    int64_t last = shape_count(program_value(&p, t)->shape) - 1;
    must(g->write(g, t, last, 1, &x, &e) && r->write(r, t, last, 1, &x, &e), &e);
    CHECK(!g->step(g, &e));
    CHECK(!r->step(r, &e2));
    CHECK_TEXT(e.text, e2.text);
    g->close(g);
    r->close(r);
    program_close(&p);
    return e;
}

static void embeds(program *p)  { op_embed(p, out(p, F32, "x", SHAPE(3, 4)), in(p, F32, "table", SHAPE(5, 4)), in(p, I32,
    "ids", SHAPE(3))); }
static void gathers(program *p) { op_gather(p, out(p, F32, "y", SHAPE(3, 4)), in(p, F32, "x", SHAPE(5, 4)), in(p, I32,
    "index", SHAPE(3))); }
static void attends(program *p)
{
    op_attention(p, out(p, F32, "o", SHAPE(4, 2)), (tensor){0}, in(p, F32, "qkv", SHAPE(4, 6)), in(p, I32, "start", SHAPE(4)), 1, 2, 1);
}
static void remembers(program *p)
{
    op_attention_cached(p, out(p, F32, "o", SHAPE(4, 2)), program_tensor(p, STATE, F32, "cache", SHAPE(6, 4)), in(p, F32,
        "qkv", SHAPE(4, 6)), in(p, I32, "at", SCALAR), 1, 1, 1);
}
static void loses(program *p)
{
    op_cross_entropy(p, out(p, F32, "nll", SHAPE(3)), (tensor){0}, (tensor){0}, in(p, F32, "x", SHAPE(3, 7)), in(p, I32,
        "target", SHAPE(3)), in(p, F32, "weight", SCALAR), 0);
}
static void rotates(program *p)
{
    op_rope(p, program_tensor(p, STATE, F32, "qkv", SHAPE(3, 12)), in(p, I32, "position", SHAPE(3)), in(p, F32, "cos",
        SHAPE(9, 2)), in(p, F32, "sin", SHAPE(9, 2)), 1, 1, 1);
}

TEST(an_index_out_of_range_is_an_error_not_a_crash)
{
    CHECK_TEXT(index_mistake(embeds, "ids", 5).text, "embed: 'ids'[2] is 5, expected 0 to 4");
    CHECK_TEXT(index_mistake(embeds, "ids", -1).text, "embed: 'ids'[2] is -1, expected 0 to 4");
    CHECK_TEXT(index_mistake(gathers, "index", 5).text, "gather: 'index'[2] is 5, expected -2147483648 to 4");
    CHECK_TEXT(index_mistake(attends, "start", 2).text, "attention: 'start'[3] is 2, expected 0 to 1");
    CHECK_TEXT(index_mistake(remembers, "at", 3).text, "attention_cached: 'at'[0] is 3, expected 0 to 2");
    CHECK_TEXT(index_mistake(loses, "target", 7).text, "cross_entropy: 'target'[2] is 7, expected -2147483648 to 6");
    CHECK_TEXT(index_mistake(rotates, "position", 9).text, "rope: 'position'[2] is 9, expected 0 to 8");
}

TEST(a_nan_or_infinity_reaches_the_loss)
{
    for (const char *const *isa = cpu_isas(); *isa; isa++)
        for (int k = 0; k < 2; k++) {
            err e = {0};
            program p;
            program_open(&p, F32);
            tensor loss = out(&p, F32, "loss", SCALAR), gu = in(&p, F32, "gu", SHAPE(1, 40)), y = out(&p, F32, "y", SHAPE(1, 20));
            op_swiglu(&p, y, gu);
            op_set(&p, loss, 0);
            op_cross_entropy(&p, (tensor){0}, loss, (tensor){0}, y, in(&p, I32, "target", SHAPE(1)), in(&p, F32, "weight", SCALAR), 0);
            engine *g = opened(&p, &(cpu_options){ .isa = *isa });
            put(g, "weight", 1);
            put(g, "gu", 1);
            must(g->write(g, gu, 19, 1, &(float){ k ? NAN : INFINITY }, &e), &e);
            must(g->step(g, &e), &e);
            CHECK(!isfinite(get(g, "loss")));
            g->close(g);
            program_close(&p);
        }
}

// y = gate * sigmoid(gate) at the ends of float: no NaN, no overflow on the way.
TEST(swiglu_is_right_at_the_ends)
{
    static const float gate[] = { -1000, -200, -104, -90, -88, -1e-30f, 0, 1e-30f, 20, 90, 1000, 3e38f };
    for (const char *const *isa = cpu_isas(); *isa; isa++) {
        err e = {0};
        program p;
        float gu[2 * COUNT(gate)], got[COUNT(gate)], want[COUNT(gate)];
        program_open(&p, F32);
        op_swiglu(&p, out(&p, F32, "y", SHAPE(1, COUNT(gate))), in(&p, F32, "gu", SHAPE(1, 2 * COUNT(gate))));
        engine *g = opened(&p, &(cpu_options){ .isa = *isa });
        for (size_t i = 0; i < COUNT(gate); i++) {
            gu[i] = gate[i], gu[COUNT(gate) + i] = 1;
            want[i] = (float)((double)gate[i] / (1 + exp(-(double)gate[i])));
        }
        must(g->write(g, program_find(&p, "gu"), 0, 2 * COUNT(gate), gu, &e), &e);
        must(g->step(g, &e) && g->read(g, program_find(&p, "y"), 0, COUNT(gate), got, &e), &e);
        for (size_t i = 0; i < COUNT(gate); i++)
            CHECK(fabsf(got[i] - want[i]) <= 1e-6f * fabsf(want[i]) + 1e-36f);
        g->close(g);
        program_close(&p);
    }
}

TEST(times_and_work_are_kept_by_operation)
{
    err e = {0};
    program p;
    op_time times[8];
    program_open(&p, F32);
    op_matmul(&p, out(&p, F32, "y", SHAPE(2, 3)), in(&p, F32, "a", SHAPE(2, 4)), in(&p, F32, "b", SHAPE(4, 3)), SET);
    engine *g = opened(&p, &(cpu_options){ .profile = true });
    must(g->step(g, &e) && g->step(g, &e), &e);
    CHECK(engine_times(g, times, 8) == 1 && times[0].calls == 2 && times[0].flops == 96 && times[0].bytes == 208);
    CHECK_TEXT(times[0].name, "matmul");
    engine_times_clear(g);
    CHECK(engine_times(g, times, 8) == 0);
    g->close(g);
    program_close(&p);
}

TEST(instruction_sets)
{
    err e = {0};
    program p;
    program_open(&p, F32);
    op_set(&p, out(&p, F32, "y", SCALAR), 1);
    must(program_finish(&p, &e), &e);
    CHECK(!cpu_open(&p, &(cpu_options){ .isa = "sse9" }, &e) && e.code == ERR_INPUT);
    CHECK_TEXT(e.text, "instruction set 'sse9': expected amx, avx512bf16, avx512, avx2, neon or generic");
    const char *const *isa = cpu_isas();
    CHECK(cpu_has_bf16(NULL) == cpu_has_bf16(isa[0]) && !cpu_has_bf16("generic"));
    while (isa[1])
        isa++;
    CHECK_TEXT(*isa, "generic");
    CHECK(cpu_peak_gflops(NULL, NULL, F32) > 0);
    engine *r = ref_open(&p, &e);
    must(r, &e);
    CHECK(!cpu_open(&p, &(cpu_options){ .share = r }, &e));
    CHECK_TEXT(e.text, "a cpu engine cannot share the memory of engine 'ref'");
    r->close(r);
    program_close(&p);
}

TEST(more_memory_than_there_is_is_an_ordinary_error)
{
    err e = {0};
    program p;
    program_open(&p, F32);
    op_set(&p, out(&p, F32, "y", SHAPE(1 << 20, 1 << 20)), 1);
    must(program_finish(&p, &e), &e);
    CHECK(!cpu_open(&p, &(cpu_options){0}, &e) && e.code == ERR_MEMORY);
    CHECK(strstr(e.text, "this needs 4398.05 GB of memory, "));
    program_close(&p);
}

// Pages are touched while others write to them, and what was written stays; nothing is left of those that are closed at once.
TEST(memory_is_used_while_it_is_touched)
{
    enum { SIZE = (200 << 20) + 1234 };
    err e = {0};
    pool *threads = pool_open(3, &e);
    for (int round = 0; round < 4; round++) {
        reserve r;
        int64_t wrong = 0;
        must(reserve_open(&r, SIZE, threads, &e), &e);
        for (size_t at = 0; at < SIZE && round; at += 4096)
            wrong += r.at[at] != 0, r.at[at] = (char)(1 + at / 4096 % 100);
        if (round == 2)
            reserve_wait(&r);
        reserve_wait(&r);
        for (size_t at = 0; at < SIZE && round; at++)
            wrong += r.at[at] != (at % 4096 ? 0 : (char)(1 + at / 4096 % 100));
        CHECK(wrong == 0);
        reserve_close(&r);
        must(reserve_open(&r, SIZE, round % 2 ? threads : NULL, &e), &e);
        reserve_close(&r);
        CHECK(!r.at && !r.touching);
    }
    CHECK(!reserve_open(&(reserve){0}, (size_t)1 << 60, threads, &e) && e.code == ERR_MEMORY);
    pool_close(threads);
}
