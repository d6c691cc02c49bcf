// The model: gradients are slopes, whatever is kept, recomputed, unrolled, cut into chunks, packed or frozen.
#include "../test.h"
#include "../net.h"

static step_config shown(void)
{
    step_config c = small;
    c.show_gradients = true;
    return c;
}

static double loss_at(net *n, tensor w, const double *values)
{
    err e = {0};
    must(ref_write_double(n->g, w, values, &e), &e);
    must(n->g->step(n->g, &e), &e);
    return get_double(n, n->s.loss);
}

// Every gradient against central differences, in double. One net gives gradients, another (a loss alone) the differences.
static void check_slopes(const step_config *c, bool unroll)
{
    const tokens t = make_tokens();
    step_config only = *c;
    only.loss_only = true;
    only.show_gradients = false;
    net n, f;
    net_open(&n, c, REF, F32, unroll);
    net_open(&f, &only, REF, F32, false);
    one_step(&n, &t, 0, 0, 1);
    one_step(&f, &t, 0, 0, 1);
    CHECK(get_double(&n, n.s.loss) == get_double(&f, f.s.loss));
    for (int w = 0; w < WEIGHTS; w++) {
        if (!n.s.w.at[w].id)
            continue;
        const int64_t count = count_of(&n, n.s.w.at[w]);
        double *at = read_doubles(&n, n.s.w.at[w]), *got = read_doubles(&n, n.s.dw.at[w]);
        double *want = malloc((size_t)count * sizeof *want);
        for (int64_t i = 0; i < count; i++) {
            const double before = at[i], h = 1e-5;
            at[i] = before + h;
            const double up = loss_at(&f, f.s.w.at[w], at);
            at[i] = before - h;
            want[i] = (up - loss_at(&f, f.s.w.at[w], at)) / (2 * h);
            at[i] = before;
        }
        loss_at(&f, f.s.w.at[w], at);
        const double off = apart(got, want, count);
        if (!(off < 1e-7))
            fprintf(stderr, "%s: off by %g\n", weight_name((weight_id)w), off);
        CHECK(off < 1e-7);
        free(at);
        free(got);
        free(want);
    }
    net_close(&n);
    net_close(&f);
}

TEST(gradients_are_slopes)
{
    step_config c = shown();
    check_slopes(&c, false);
}

TEST(gradients_are_slopes_when_the_head_is_the_embedding)
{
    step_config c = shown();
    c.model.config.tied = true;
    check_slopes(&c, false);
}

TEST(gradients_are_slopes_without_loops)
{
    step_config c = shown();
    check_slopes(&c, true);
}

TEST(gradients_are_slopes_with_rope_scaled)
{
    step_config c = shown();
    c.model.config.rope.kind = ROPE_LLAMA3;
    c.model.config.rope.factor = 8;
    c.model.config.rope.low = 1;
    c.model.config.rope.high = 4;
    c.model.config.rope.original = 16;
    check_slopes(&c, false);
}

// ---- the same step recorded in different ways ------------------------------------------------------------------------

// Two steps with an update between them; then loss, gradients and weights of both must agree within `tolerance` (0: every bit).
static void check_same(const step_config *a, const step_config *b, which on, type compute, bool unroll_b, double tolerance)
{
    const tokens t = make_tokens();
    net x, y;
    net_open(&x, a, on, compute, false);
    net_open(&y, b, on, compute, unroll_b);
    for (int k = 1; k <= 2; k++) {
        one_step(&x, &t, 1e-3, 1, k);
        one_step(&y, &t, 1e-3, 1, k);
        for (int i = -1; i < 2 * WEIGHTS; i++) {
            const tensor p = i < 0 ? x.s.loss : i < WEIGHTS ? x.s.dw.at[i] : x.s.w.at[i - WEIGHTS];
            const tensor q = i < 0 ? y.s.loss : i < WEIGHTS ? y.s.dw.at[i] : y.s.w.at[i - WEIGHTS];
            CHECK(!p.id == !q.id);
            if (!p.id)
                continue;
            const int64_t count = count_of(&x, p);
            double *got = calloc((size_t)count, sizeof *got), *want = calloc((size_t)count, sizeof *want);
            float *g = read_floats(&y, q), *w = read_floats(&x, p);
            for (int64_t j = 0; j < count; j++) {
                got[j] = (double)g[j];
                want[j] = (double)w[j];
            }
            const double off = apart(got, want, count);
            if (!(off <= tolerance))
                fprintf(stderr, "step %d, %s: off by %g\n", k, program_value(&x.p, p)->name, off);
            CHECK(off <= tolerance);
            CHECK(tolerance > 0 || memcmp(g, w, (size_t)count * sizeof *g) == 0);
            free(got);
            free(want);
            free(g);
            free(w);
        }
    }
    net_close(&x);
    net_close(&y);
}

static void check_recompute(which on, type compute)
{
    step_config none = shown(), cheap = shown(), block = shown();
    none.model.recompute = RECOMPUTE_NONE;
    cheap.model.recompute = RECOMPUTE_CHEAP;
    block.model.recompute = RECOMPUTE_BLOCK;
    check_same(&none, &cheap, on, compute, false, 0);
    check_same(&none, &block, on, compute, false, 0);
}

TEST(recomputing_changes_no_bit)             { check_recompute(REF, F32); }
TEST(recomputing_changes_no_bit_f32)         { check_recompute(CPU, F32); }
TEST(recomputing_changes_no_bit_bf16)        { check_recompute(CPU, BF16); }

TEST(recomputing_saves_memory)
{
    int64_t scratch[3];
    for (int i = 0; i < 3; i++) {
        step_config c = small;
        c.model.config.layers = 24;
        c.model.recompute = (recompute)i;
        net n;
        net_open(&n, &c, REF, BF16, false);
        scratch[i] = n.p.scratch;
        net_close(&n);
    }
    CHECK(scratch[RECOMPUTE_CHEAP] < scratch[RECOMPUTE_NONE]);
    CHECK(scratch[RECOMPUTE_BLOCK] < scratch[RECOMPUTE_CHEAP]);
}

static void check_unrolled(which on, type compute)
{
    for (int i = 0; i < 3; i++) {
        step_config c = shown();
        c.model.recompute = (recompute)i;
        check_same(&c, &c, on, compute, true, 0);
    }
}

TEST(loops_change_no_bit)                    { check_unrolled(REF, F32); }
TEST(loops_change_no_bit_f32)                { check_unrolled(CPU, F32); }
TEST(loops_change_no_bit_bf16)               { check_unrolled(CPU, BF16); }

static void check_chunks(which on, double tolerance)
{
    step_config one = shown();
    for (int size = 1; size <= ROWS * SEQ; size += 4) {
        step_config c = shown();
        one.model.head_chunk = 0;                       // all at once
        c.model.head_chunk = size;
        check_same(&one, &c, on, F32, false, tolerance);
    }
}

TEST(chunks_of_the_head_change_nothing)      { check_chunks(REF, 1e-6); }      // one float's rounding: read as float32
TEST(chunks_of_the_head_change_nothing_f32)  { check_chunks(CPU, 1e-5); }

// 100 layers or 2: the list has the same length.
TEST(the_list_does_not_grow_with_layers_or_micro_batches)
{
    step_config c = small;
    net few, many;
    net_open(&few, &c, REF, F32, false);
    c.model.config.layers = 9;
    c.micro = 5;
    net_open(&many, &c, REF, F32, false);
    CHECK(few.p.call_count == many.p.call_count);
    net_close(&few);
    net_close(&many);
}

// ---- segments --------------------------------------------------------------------------------------------------------

// Two conversations in one row, with padding, against each in a row of its own.
static void check_packed(which on, double tolerance)
{
    step_config c = small;
    c.loss_only = true;
    c.micro = 1;
    c.model.rows = 1;
    net n;
    net_open(&n, &c, on, F32, false);
    enum { A = 2, B = 3 };                              // tokens of the two
    const int32_t ids[SEQ] = { 3, 7, 1, 12, 5, 0 }, target[SEQ] = { 7, -1, 12, 5, 9, -1 };
    const int32_t position[SEQ] = { 0, 1, 0, 1, 2, 0 }, start[SEQ] = { 0, 0, 2, 2, 2, 5 };
    const int32_t alone[SEQ] = { 0, 1, 2, 3, 4, 5 }, none[SEQ] = {0};
    const step_numbers numbers = { .trained = 4 };
    float packed[SEQ], a[SEQ], b[SEQ];
    err e = {0};
    must(step_write(n.g, &n.s, &c, ids, position, start, target, &numbers, &e) && n.g->step(n.g, &e)
         && step_read_nll(n.g, &n.s, &c, packed, &e), &e);

    int32_t own[SEQ] = { ids[0], ids[1] }, want[SEQ] = { target[0], target[1], -1, -1, -1, -1 };
    must(step_write(n.g, &n.s, &c, own, alone, none, want, &numbers, &e) && n.g->step(n.g, &e)
         && step_read_nll(n.g, &n.s, &c, a, &e), &e);
    for (int i = 0; i < SEQ; i++) {
        own[i] = i < B ? ids[A + i] : 0;
        want[i] = i < B ? target[A + i] : -1;
    }
    must(step_write(n.g, &n.s, &c, own, alone, none, want, &numbers, &e) && n.g->step(n.g, &e)
         && step_read_nll(n.g, &n.s, &c, b, &e), &e);
    const float unpacked[SEQ] = { a[0], a[1], b[0], b[1], b[2], 0 };
    CHECK_CLOSE(packed, unpacked, SEQ, (float)tolerance);
    CHECK(packed[0] > 0 && packed[1] == 0 && packed[4] > 0 && packed[5] == 0);
    net_close(&n);
}

TEST(packed_loss_is_unpacked_loss)           { check_packed(REF, 1e-7); }
TEST(packed_loss_is_unpacked_loss_f32)       { check_packed(CPU, 1e-5); }

// ---- what is not recorded --------------------------------------------------------------------------------------------

static int calls_of(const program *p, op o)
{
    int count = 0;
    for (int i = 0; i < p->call_count; i++)
        count += p->calls[i].op == o;
    return count;
}

TEST(evaluation_does_no_work_for_gradients)
{
    step_config c = small;
    c.loss_only = true;
    net n;
    net_open(&n, &c, REF, BF16, false);
    for (int32_t i = 1; i < n.p.value_count; i++)
        CHECK(n.p.values[i].kind != GRADIENT && n.p.values[i].kind != MOMENT);
    CHECK(calls_of(&n.p, OP_copy) == 0 && calls_of(&n.p, OP_matmul_tn) == 0 && calls_of(&n.p, OP_matmul) == 0);
    CHECK(calls_of(&n.p, OP_matmul_nt) == 5);
    net_close(&n);
}

TEST(a_float32_program_copies_no_gradient)
{
    net f, b;
    net_open(&f, &small, REF, F32, false);
    net_open(&b, &small, REF, BF16, false);
    CHECK(calls_of(&f.p, OP_copy) == 2);                // the stream that each half of a layer saves
    CHECK(calls_of(&b.p, OP_copy) == 4);
    net_close(&f);
    net_close(&b);
}

TEST(a_frozen_weight_has_no_gradient_and_stays)
{
    const tokens t = make_tokens();
    for (int w = 0; w < WEIGHTS; w++) {
        step_config c = small;
        c.frozen = 1u << w;
        net n, all;
        net_open(&n, &c, REF, F32, false);
        net_open(&all, &small, REF, F32, false);
        CHECK(!n.s.dw.at[w].id && !n.s.m.at[w].id && !n.s.v.at[w].id);
        CHECK(n.p.kept < all.p.kept);
        // op_set, grad_done, sumsq, adamw; and what made the gradient, unless it comes with that of the norm's input
        const bool norm = w == W_ATTN_NORM || w == W_MLP_NORM || w == W_NORM;
        CHECK(n.p.call_count == all.p.call_count - (norm ? 4 : 5));
        double *before = read_doubles(&n, n.s.w.at[w]);
        const double first = one_step(&n, &t, 1e-2, 1, 1);
        CHECK(one_step(&n, &t, 1e-2, 1, 2) < first);
        double *after = read_doubles(&n, n.s.w.at[w]);
        CHECK(memcmp(before, after, (size_t)count_of(&n, n.s.w.at[w]) * sizeof *after) == 0);
        free(before);
        free(after);
        net_close(&n);
        net_close(&all);
    }
}

// ---- rope ------------------------------------------------------------------------------------------------------------

#include "../golden/rope.h"

TEST(rope_tables_are_those_of_transformers)
{
    for (size_t k = 0; k < COUNT(rope_cases); k++) {
        const struct rope_case *r = &rope_cases[k];
        model_config c = { .head_size = r->head_size, .rope_theta = r->theta };
        c.rope.kind = r->kind;
        c.rope.factor = r->factor;
        c.rope.low = r->low;
        c.rope.high = r->high;
        c.rope.original = r->original;
        enum { POSITIONS = 101 };
        float cosines[POSITIONS * 64], sines[POSITIONS * 64];
        model_rope_tables(&c, POSITIONS, cosines, sines);
        const int64_t half = r->head_size / 2;
        for (int64_t j = 0; j < half; j++) {
            CHECK(cosines[j] == 1 && sines[j] == 0);
            const double angle = 100 * r->frequency[j];
            CHECK(fabs((double)cosines[100 * half + j] - cos(angle)) < 2e-5);      // float32 frequencies, times 100
            CHECK(fabs((double)sines[100 * half + j] - sin(angle)) < 2e-5);
            if (r->frequency[j] < 1e-3)         // slow pairs: the angle itself, to five digits
                CHECK(fabs((double)sines[100 * half + j] / sin(angle) - 1) < 1e-5);
        }
    }
}
