// The optimizer step: splits, updates, evaluation, what goes wrong; and a tiny Llama against torch's numbers.
#include "../test.h"
#include "../net.h"
#include "../golden/tiny_llama.h"

// ---- any split into micro-batches ------------------------------------------------------------------------------------

static void check_split(which on, double tolerance)
{
    const tokens t = make_tokens();
    step_config split = small, whole = small;
    split.show_gradients = whole.show_gradients = true;
    whole.micro = 1;
    whole.model.rows = MICRO * ROWS;
    split.micro = MICRO * ROWS;
    split.model.rows = 1;
    net x, y;
    net_open(&x, &split, on, F32, false);
    net_open(&y, &whole, on, F32, false);
    const double got = one_step(&x, &t, 0, 0, 1), want = one_step(&y, &t, 0, 0, 1);
    CHECK(fabs(got - want) <= 1e-6 * want);
    for (int w = 0; w < WEIGHTS; w++) {
        const int64_t count = count_of(&x, x.s.dw.at[w]);
        double off;
        if (on == REF) {
            double *a = read_doubles(&x, x.s.dw.at[w]), *b = read_doubles(&y, y.s.dw.at[w]);
            off = apart(a, b, count);
            free(a);
            free(b);
        } else {
            float *a = read_floats(&x, x.s.dw.at[w]), *b = read_floats(&y, y.s.dw.at[w]);
            CHECK_CLOSE(a, b, count, (float)tolerance);
            off = 0;
            free(a);
            free(b);
        }
        if (!(off <= tolerance))
            fprintf(stderr, "%s: off by %g\n", weight_name((weight_id)w), off);
        CHECK(off <= tolerance);
    }
    net_close(&x);
    net_close(&y);
}

TEST(any_split_into_micro_batches_is_the_same_step)      { check_split(REF, 1e-12); }
TEST(any_split_into_micro_batches_is_the_same_step_f32)  { check_split(CPU, 1e-5); }

// ---- updates ---------------------------------------------------------------------------------------------------------

TEST(training_learns_and_the_program_stays)
{
    const tokens t = make_tokens();
    for (int i = 0; i < 2; i++) {
        net n;
        net_open(&n, &small, CPU, i ? BF16 : F32, false);
        const int calls = n.p.call_count;
        const double first = one_step(&n, &t, 1e-2, 1, 1);
        double last = first;
        for (int k = 2; k <= 20; k++)
            last = one_step(&n, &t, 1e-2, 1, k);
        CHECK(last < 0.7 * first);
        CHECK(n.p.call_count == calls);
        net_close(&n);
    }
}

// Losses step by step beside those of float32 moments.
TEST(moments_in_bf16_train_as_well)
{
    const tokens t = make_tokens();
    for (int i = 0; i < 2; i++) {
        step_config c = small;
        c.moments = BF16;
        net full, half;
        net_open(&full, &small, CPU, i ? BF16 : F32, false);
        net_open(&half, &c, CPU, i ? BF16 : F32, false);
        double worst = 0;
        for (int k = 1; k <= 40; k++) {
            const double want = one_step(&full, &t, 2e-3, 1, k), got = one_step(&half, &t, 2e-3, 1, k);
            worst = fmax(worst, fabs(got / want - 1));
        }
        CHECK(worst > 0 && worst < 5e-3);
        net_close(&full);
        net_close(&half);
    }
}

// What is neither input nor output of two engines' programs has the same bytes.
static bool same_bytes(const net *n, tensor t, const float *before)
{
    float *now = read_floats(n, t);
    const bool same = memcmp(now, before, (size_t)count_of(n, t) * sizeof *now) == 0;
    free(now);
    return same;
}

TEST(what_is_not_finite_changes_nothing_and_is_told)
{
    const tokens t = make_tokens();
    for (int on = REF; on <= CPU; on++) {
        net n;
        net_open(&n, &small, (which)on, F32, false);
        one_step(&n, &t, 1e-2, 1, 1);
        CHECK(get(&n, n.s.finite) == 1);

        err e = {0};
        float *gain = read_floats(&n, n.s.w.at[W_NORM]);
        gain[3] = NAN;
        must(n.g->write(n.g, n.s.w.at[W_NORM], 0, count_of(&n, n.s.w.at[W_NORM]), gain, &e), &e);
        n.g->prepare(n.g);
        const model_weights *const all[3] = { &n.s.w, &n.s.m, &n.s.v };
        float *before[3][WEIGHTS];
        for (int k = 0; k < 3; k++)
            for (int w = 0; w < WEIGHTS; w++)
                before[k][w] = read_floats(&n, all[k]->at[w]);
        CHECK(isnan(one_step(&n, &t, 1e-2, 1, 2)));
        CHECK(get(&n, n.s.finite) == 0);
        for (int k = 0; k < 3; k++)
            for (int w = 0; w < WEIGHTS; w++) {
                CHECK(same_bytes(&n, all[k]->at[w], before[k][w]));
                free(before[k][w]);
            }
        free(gain);
        net_close(&n);
    }
}

// With no gradient only decay moves weights, and only those that decay.
TEST(decay_is_for_matrices_that_are_no_embeddings)
{
    tokens t = make_tokens();
    for (int i = 0; i < TOKENS; i++)
        t.target[i] = -1;
    t.trained = 0;
    net n;
    net_open(&n, &small, CPU, F32, false);
    float *before[WEIGHTS];
    for (int w = 0; w < WEIGHTS; w++)
        before[w] = read_floats(&n, n.s.w.at[w]);
    CHECK(one_step(&n, &t, 0.5, 1, 1) == 0);
    CHECK(get(&n, n.s.finite) == 1 && get(&n, n.s.sumsq) == 0);
    for (int w = 0; w < WEIGHTS; w++) {
        const bool decays = w == W_QKV || w == W_O || w == W_GATE_UP || w == W_DOWN || w == W_HEAD;
        const int64_t count = count_of(&n, n.s.w.at[w]);
        for (int64_t i = 0; decays && i < count; i++)
            before[w][i] *= 1 - 0.5f * 0.1f;
        float *after = read_floats(&n, n.s.w.at[w]);
        CHECK_CLOSE(after, before[w], count, 1e-6f);
        CHECK(decays || same_bytes(&n, n.s.w.at[w], before[w]));
        free(after);
        free(before[w]);
    }
    net_close(&n);
}

TEST(clipping_scales_by_the_norm_of_all_gradients)
{
    const tokens t = make_tokens();
    step_config c = small;
    c.show_gradients = true;
    net n;
    net_open(&n, &c, REF, F32, false);
    one_step(&n, &t, 0, 0, 1);
    CHECK(get(&n, n.s.scale) == 1);                     // limit 0: off
    double sum = 0;
    for (int w = 0; w < WEIGHTS; w++) {
        double *g = read_doubles(&n, n.s.dw.at[w]);
        for (int64_t i = 0; i < count_of(&n, n.s.dw.at[w]); i++)
            sum += g[i] * g[i];
        free(g);
    }
    CHECK(fabs(get_double(&n, n.s.sumsq) / sum - 1) < 1e-12);
    one_step(&n, &t, 0, 0.25, 1);
    CHECK(fabs(get_double(&n, n.s.scale) * sqrt(sum) / 0.25 - 1) < 1e-12);
    one_step(&n, &t, 0, 1e6, 1);
    CHECK(get(&n, n.s.scale) == 1);
    net_close(&n);
}

// ---- evaluation ------------------------------------------------------------------------------------------------------

static void check_evaluation(which on, type compute)
{
    const tokens t = make_tokens();
    step_config only = small;
    only.loss_only = true;
    net n, f;
    net_open(&n, &small, on, compute, false);
    net_open(&f, &only, on, compute, false);
    const double want = one_step(&n, &t, 1e-2, 1, 1), got = one_step(&f, &t, 0, 0, 0);
    CHECK(got == want);
    CHECK(one_step(&f, &t, 0, 0, 0) == got);            // nothing was changed

    float nll[TOKENS];
    double sum = 0;
    err e = {0};
    must(step_read_nll(f.g, &f.s, &f.c, nll, &e), &e);
    for (int i = 0; i < TOKENS; i++) {
        CHECK((t.target[i] >= 0) == (nll[i] > 0));
        sum += (double)nll[i];
    }
    CHECK(fabs(sum / (double)t.trained / got - 1) < 1e-6);

    // fewer trained tokens after more: nothing is left of the step before
    tokens one = t;
    for (int i = 0; i < TOKENS; i++)
        one.target[i] = i == 8 ? 5 : -1;
    one.trained = 1;
    const double alone = one_step(&f, &one, 0, 0, 0);
    must(step_read_nll(f.g, &f.s, &f.c, nll, &e), &e);
    for (int i = 0; i < TOKENS; i++)
        CHECK(i == 8 ? fabs((double)nll[i] / alone - 1) < 1e-6 : nll[i] == 0);
    net_close(&n);
    net_close(&f);
}

TEST(evaluation_is_the_loss_and_changes_nothing)         { check_evaluation(REF, F32); }
TEST(evaluation_is_the_loss_and_changes_nothing_f32)     { check_evaluation(CPU, F32); }
TEST(evaluation_is_the_loss_and_changes_nothing_bf16)    { check_evaluation(CPU, BF16); }

TEST(loss_of_each_token_needs_a_program_for_it)
{
    net n;
    net_open(&n, &small, REF, F32, false);
    float nll[TOKENS];
    err e = {0};
    CHECK(!step_read_nll(n.g, &n.s, &n.c, nll, &e) && e.code == ERR_BUG);
    CHECK_TEXT(e.text, "the loss of each token is made by a step of loss_only or keep_nll");
    net_close(&n);
}

// Loss per token kept while training: the same steps, bit for bit, and losses whose mean is the step's.
TEST(keeping_the_loss_of_each_token_changes_nothing)
{
    const tokens t = make_tokens();
    for (int i = 0; i < 2; i++) {
        step_config keeping = small;
        keeping.keep_nll = true;
        net n, k;
        net_open(&n, &small, CPU, i ? BF16 : F32, false);
        net_open(&k, &keeping, CPU, i ? BF16 : F32, false);
        for (int step_number = 1; step_number <= 3; step_number++) {
            err e = {0};
            float nll[TOKENS];
            double sum = 0;
            const double want = one_step(&n, &t, 1e-2, 1, step_number), got = one_step(&k, &t, 1e-2, 1, step_number);
            must(step_read_nll(k.g, &k.s, &k.c, nll, &e), &e);
            for (int j = 0; j < TOKENS; j++)
                sum += (double)nll[j];
            CHECK(got == want && fabs(sum / (double)t.trained / got - 1) < 1e-6);
        }
        for (int w = 0; w < WEIGHTS; w++) {
            float *weights = read_floats(&n, n.s.w.at[w]);
            CHECK(same_bytes(&k, k.s.w.at[w], weights));
            free(weights);
        }
        net_close(&n);
        net_close(&k);
    }
}

// ---- bad batches -----------------------------------------------------------------------------------------------------

TEST(a_batch_that_does_not_fit_the_model_is_told)
{
    static const struct { int field, at; int32_t value; const char *text; } cases[] = {
        { 0, 3, 13, "token 3 of the batch: its id is 13, expected 0 to 12; was it tokenized for this model?" },
        { 0, 0, -1, "token 0 of the batch: its id is -1, expected 0 to 12; was it tokenized for this model?" },
        { 1, 4, SEQ, "token 4 of the batch: its position is 6, expected 0 to 5; was it tokenized for this model?" },
        { 2, 8, 3, "token 8 of the batch: its segment begins at 3 of its row, expected 0 to 2" },
        { 2, 8, -1, "token 8 of the batch: its segment begins at -1 of its row, expected 0 to 2" },
        { 3, TOKENS - 1, 13, "token 23 of the batch: its target is 13, expected -1 to 12; was it tokenized for this model?" },
        { 3, 1, -2, "token 1 of the batch: its target is -2, expected -1 to 12; was it tokenized for this model?" },
    };
    net n;
    net_open(&n, &small, REF, F32, false);
    for (size_t i = 0; i < COUNT(cases); i++) {
        tokens t = make_tokens();
        int32_t *const fields[] = { t.ids, t.position, t.start, t.target };
        fields[cases[i].field][cases[i].at] = cases[i].value;
        err e = {0};
        CHECK(!step_write(n.g, &n.s, &n.c, t.ids, t.position, t.start, t.target, &(step_numbers){ .number = 1 }, &e));
        CHECK(e.code == ERR_INPUT);
        CHECK_TEXT(e.text, cases[i].text);
    }
    net_close(&n);
}

// ---- against torch ---------------------------------------------------------------------------------------------------

static tokens tiny_tokens(int32_t *ids, int32_t *position, int32_t *start, int32_t *target)
{
    tokens t = {0};
    for (int i = 0; i < TINY_ROWS * TINY_SEQ; i++) {
        ids[i] = position[i] = 0;
        start[i] = i % TINY_SEQ;
        target[i] = -1;
    }
    for (size_t k = 0; k < COUNT(tiny_segments); k++) {
        const int *s = tiny_segments[k];
        for (int j = s[1]; j < s[2]; j++) {
            const int i = s[0] * TINY_SEQ + j;
            ids[i] = (int32_t)(mixed((uint32_t)i, 100) % 97);
            position[i] = j - s[1];
            start[i] = s[1];
            target[i] = j + 1 < s[2] && mixed((uint32_t)i, 101) % 3 ? (int32_t)(mixed((uint32_t)i + 1, 100) % 97) : -1;
            t.trained += target[i] >= 0;
        }
    }
    return t;
}

static void check_gradient(const net *n, const struct tiny_case *want, int w, double tolerance)
{
    if (!n->s.dw.at[w].id)
        return;
    float *g = read_floats(n, n->s.dw.at[w]);
    double dot = 0, sumsq = 0;
    for (int64_t i = 0; i < count_of(n, n->s.dw.at[w]); i++) {
        dot += (double)g[i] * ((double)(mixed((uint32_t)i, 200) >> 8) / 16777216.0 - 0.5);
        sumsq += (double)g[i] * (double)g[i];
    }
    const double norm = sqrt(want->gradient[w].sumsq);
    if (!(fabs(dot - want->gradient[w].dot) < tolerance * norm && fabs(sqrt(sumsq) - norm) < tolerance * norm))
        fprintf(stderr, "%s: dot %g, want %g; norm %g, want %g\n", weight_name((weight_id)w), dot, want->gradient[w].dot,
                sqrt(sumsq), norm);
    CHECK(fabs(dot - want->gradient[w].dot) < tolerance * norm);
    CHECK(fabs(sqrt(sumsq) - norm) < tolerance * norm);
    free(g);
}

static void check_tiny(which on, type compute, double loss_tolerance, double tolerance)
{
    enum { N = TINY_ROWS * TINY_SEQ };
    int32_t ids[N], position[N], start[N], target[N];
    const tokens t = tiny_tokens(ids, position, start, target);
    for (size_t k = 0; k < COUNT(tiny_cases); k++) {
        const struct tiny_case *want = &tiny_cases[k];
        step_config c = small;
        c.model = (model){ .config = TINY_CONFIG, .rows = 1, .seq = TINY_SEQ, .head_chunk = 7, .recompute = RECOMPUTE_CHEAP };
        c.micro = TINY_ROWS;
        c.show_gradients = true;
        c.model.config.tied = want->tied;
        c.model.config.rope.kind = want->kind;
        c.model.config.rope.factor = want->factor;
        c.model.config.rope.low = want->low;
        c.model.config.rope.high = want->high;
        c.model.config.rope.original = want->original;
        net n;
        net_open(&n, &c, on, compute, false);
        CHECK(t.trained == want->trained);
        for (int i = 0; i < TINY_STEPS; i++) {
            err e = {0};
            const step_numbers numbers = { .rate = 0.01, .clip = 1, .number = i + 1, .trained = t.trained };
            must(step_write(n.g, &n.s, &c, ids, position, start, target, &numbers, &e) && n.g->step(n.g, &e), &e);
            const double loss = get(&n, n.s.loss);
            if (!(fabs(loss / want->loss[i] - 1) < loss_tolerance))
                fprintf(stderr, "step %d: loss %.9g, want %.9g\n", i, loss, want->loss[i]);
            CHECK(fabs(loss / want->loss[i] - 1) < loss_tolerance);
            if (i)
                continue;
            CHECK(fabs(sqrt(get(&n, n.s.sumsq)) / want->norm - 1) < tolerance);
            for (int w = 0; w < WEIGHTS; w++)
                check_gradient(&n, want, w, tolerance);
        }
        net_close(&n);
    }
}

TEST(a_tiny_llama_follows_torch)             { check_tiny(REF, F32, 1e-6, 2e-6); }
TEST(a_tiny_llama_follows_torch_f32)         { check_tiny(CPU, F32, 1e-5, 1e-5); }
TEST(a_tiny_llama_follows_torch_bf16)        { check_tiny(CPU, BF16, 2e-2, 2e-2); }
