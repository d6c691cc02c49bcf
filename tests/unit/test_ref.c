// The formulas themselves: every backward is the slope of its forward, in double; and a few values known by hand.
#include <stdlib.h>

#include "../test.h"
#include "engine/engine.h"

static void must(bool ok, const err *e)
{
    if (!ok)
        fprintf(stderr, "%s\n", e->text), exit(1);
}

// A forward whose result y is weighed with dy, and the backward that makes dx (of x) and dw (of w) from dy.
typedef struct slope {
    const char *name;
    void (*forward)(program *p);    // makes OUTPUT "y" from INPUTs "x", maybe "w"
    void (*both)(program *p);       // makes OUTPUTs "dx", maybe "dw" from the same and "dy"
    const char *of[2], *gradient[2];
} slope;

static tensor in(program *p, const char *name, shape s)    { return program_tensor(p, INPUT, F32, name, s); }
static tensor whole(program *p, const char *name, shape s) { return program_tensor(p, INPUT, I32, name, s); }
static tensor out(program *p, const char *name, shape s)   { return program_tensor(p, OUTPUT, F32, name, s); }
static const tensor nothing = {0};

static void f_matmul(program *p)    { op_matmul(p, out(p, "y", SHAPE(3, 5)), in(p, "x", SHAPE(3, 4)), in(p, "w", SHAPE(4, 5)), SET); }
static void b_matmul(program *p)
{
    tensor x = in(p, "x", SHAPE(3, 4)), w = in(p, "w", SHAPE(4, 5)), dy = in(p, "dy", SHAPE(3, 5));
    op_matmul_nt(p, out(p, "dx", SHAPE(3, 4)), dy, w, SET);
    op_matmul_tn(p, out(p, "dw", SHAPE(4, 5)), x, dy, SET);
}
static void f_embed(program *p)     { op_embed(p, out(p, "y", SHAPE(6, 3)), in(p, "w", SHAPE(4, 3)), whole(p, "ids", SHAPE(6))); }
static void b_embed(program *p)
{
    tensor dw = out(p, "dw", SHAPE(4, 3));
    op_set(p, dw, 0);
    op_embed_backward(p, dw, in(p, "dy", SHAPE(6, 3)), whole(p, "ids", SHAPE(6)));
}
static void f_rmsnorm(program *p)   { op_rmsnorm(p, out(p, "y", SHAPE(3, 7)), nothing, in(p, "x", SHAPE(3, 7)), in(p, "w",
    SHAPE(7)), 0.1f); }
static void b_rmsnorm(program *p)
{
    tensor x = in(p, "x", SHAPE(3, 7)), w = in(p, "w", SHAPE(7)), r = out(p, "r", SHAPE(3)), dw = out(p, "dw", SHAPE(7));
    op_rmsnorm(p, out(p, "y", SHAPE(3, 7)), r, x, w, 0.1f);
    op_set(p, dw, 0);
    op_rmsnorm_backward(p, out(p, "dx", SHAPE(3, 7)), dw, in(p, "dy", SHAPE(3, 7)), r, x, w, SET);
}
static void rope(program *p, tensor y, float sign)
{
    op_rope(p, y, whole(p, "position", SHAPE(4)), in(p, "cos", SHAPE(9, 2)), in(p, "sin", SHAPE(9, 2)), 2, 1, sign);
}
static void f_rope(program *p)
{
    tensor y = out(p, "y", SHAPE(4, 16));
    op_copy(p, y, in(p, "x", SHAPE(4, 16)));
    rope(p, y, 1);
}
static void b_rope(program *p)
{
    tensor dx = out(p, "dx", SHAPE(4, 16));
    op_copy(p, dx, in(p, "dy", SHAPE(4, 16)));
    rope(p, dx, -1);
}
static void f_attention(program *p)
{
    op_attention(p, out(p, "y", SHAPE(10, 12)), nothing, in(p, "x", SHAPE(10, 24)), whole(p, "start", SHAPE(10)), 2, 5, 0.9f);
}
static void b_attention(program *p)
{
    tensor x = in(p, "x", SHAPE(10, 24)), y = out(p, "y", SHAPE(10, 12)), lse = out(p, "lse", SHAPE(10, 4)), start = whole(p,
        "start", SHAPE(10));
    op_attention(p, y, lse, x, start, 2, 5, 0.9f);
    op_attention_backward(p, out(p, "dx", SHAPE(10, 24)), out(p, "delta", SHAPE(10, 4)), in(p, "dy", SHAPE(10, 12)), x, y,
        lse, start, 2, 5, 0.9f);
}
static void f_swiglu(program *p)    { op_swiglu(p, out(p, "y", SHAPE(3, 4)), in(p, "x", SHAPE(3, 8))); }
static void b_swiglu(program *p)    { op_swiglu_backward(p, out(p, "dx", SHAPE(3, 8)), in(p, "dy", SHAPE(3, 4)), in(p, "x", SHAPE(3, 8))); }
static void f_gather(program *p)    { op_gather(p, out(p, "y", SHAPE(4, 3)), in(p, "x", SHAPE(7, 3)), whole(p, "index", SHAPE(4))); }
static void b_gather(program *p)
{
    tensor dx = out(p, "dx", SHAPE(7, 3));
    op_set(p, dx, 0);
    op_scatter(p, dx, in(p, "dy", SHAPE(4, 3)), whole(p, "index", SHAPE(4)));
}
static void loss_forward(program *p, float z)
{
    tensor y = out(p, "y", SCALAR), weight = out(p, "weight", SCALAR);
    op_set(p, y, 0);
    op_set(p, weight, 0.37f);
    op_cross_entropy(p, nothing, y, nothing, in(p, "x", SHAPE(5, 7)), whole(p, "target", SHAPE(5)), weight, z);
}
static void loss_backward(program *p, float z)
{
    tensor weight = out(p, "weight", SCALAR);
    op_copy(p, weight, in(p, "dy", SCALAR));        // dlogits have the weight in them
    tensor all = out(p, "all", SCALAR);
    op_set(p, all, 0.37f);
    tensor dx = out(p, "dx", SHAPE(5, 7));
    op_cross_entropy(p, nothing, nothing, dx, in(p, "x", SHAPE(5, 7)), whole(p, "target", SHAPE(5)), all, z);
}
static void f_cross_entropy(program *p) { loss_forward(p, 0); }
static void b_cross_entropy(program *p) { loss_backward(p, 0); }
static void f_z_loss(program *p)        { loss_forward(p, 0.3f); }
static void b_z_loss(program *p)        { loss_backward(p, 0.3f); }

static const slope slopes[] = {
    { "matmul", f_matmul, b_matmul, { "x", "w" }, { "dx", "dw" } },
    { "embed", f_embed, b_embed, { "w" }, { "dw" } },
    { "rmsnorm", f_rmsnorm, b_rmsnorm, { "x", "w" }, { "dx", "dw" } },
    { "rope", f_rope, b_rope, { "x" }, { "dx" } },
    { "attention", f_attention, b_attention, { "x" }, { "dx" } },
    { "swiglu", f_swiglu, b_swiglu, { "x" }, { "dx" } },
    { "gather", f_gather, b_gather, { "x" }, { "dx" } },
    { "cross_entropy", f_cross_entropy, b_cross_entropy, { "x" }, { "dx" } },
    { "cross_entropy with z", f_z_loss, b_z_loss, { "x" }, { "dx" } },
};

static int32_t whole_of(const char *name, int64_t i)
{
    return strcmp(name, "ids") == 0 ? (int32_t)(i * i % 4) : strcmp(name, "position") == 0 ? (int32_t)(i * 5 % 9)
         : strcmp(name, "start") == 0 ? (int32_t)(i % 5 < 3 ? 0 : i < 5 ? 3 : 1) : strcmp(name,
             "index") == 0 ? (int32_t)(i == 2 ? -1 : 2 * i)
         : (int32_t)(i == 3 ? -1 : i * 3 % 7);      // target
}

static double value_of(const char *name, int64_t i) { return sin(1.7 * (double)(i * i) + 5 * name[0] + name[1]); }

static void fill(engine *g)
{
    err e = {0};
    for (int32_t t = 1; t < g->program->value_count; t++) {
        const value *v = &g->program->values[t];
        int64_t n = shape_count(v->shape);
        int32_t whole_numbers[256];
        double numbers[256];
        for (int64_t i = 0; i < n && i < 256; i++)
            whole_numbers[i] = whole_of(v->name, i), numbers[i] = value_of(v->name, i);
        if (v->kind == INPUT && v->type == I32)
            must(g->write(g, (tensor){ t }, 0, n, whole_numbers, &e), &e);
        else if (v->kind == INPUT)
            must(ref_write_double(g, (tensor){ t }, numbers, &e), &e);
    }
}

static engine *opened(program *p, void (*record)(program *p))
{
    err e = {0};
    program_open(p, F32);
    record(p);
    must(program_finish(p, &e), &e);
    engine *g = ref_open(p, &e);
    must(g, &e);
    fill(g);
    return g;
}

// sum of y * dy after a step, with element j of `of` changed by h.
static double weighed(engine *g, tensor of, int64_t j, double h)
{
    err e = {0};
    double x[256], y[256], sum = 0;
    tensor t = program_find(g->program, "y");
    must(ref_read_double(g, of, x, &e), &e);
    double before = x[j];
    x[j] += h;
    must(ref_write_double(g, of, x, &e), &e);
    must(g->step(g, &e), &e);
    must(ref_read_double(g, t, y, &e), &e);
    x[j] = before;
    must(ref_write_double(g, of, x, &e), &e);
    for (int64_t i = 0; i < shape_count(program_value(g->program, t)->shape); i++)
        sum += y[i] * value_of("dy", i);
    return sum;
}

static void check_slope(const slope *s)
{
    err e = {0};
    program pf, pb;
    engine *f = opened(&pf, s->forward), *b = opened(&pb, s->both);
    must(b->step(b, &e), &e);
    for (int k = 0; k < 2 && s->of[k]; k++) {
        double gradient[256];
        float got[256], want[256];
        tensor of = program_find(&pf, s->of[k]);
        int64_t n = shape_count(program_value(&pf, of)->shape);
        must(ref_read_double(b, program_find(&pb, s->gradient[k]), gradient, &e), &e);
        for (int64_t j = 0; j < n; j++) {
            // The loss's dy is a scalar that is not in its gradient: it is weighed here.
            double scale = strncmp(s->name, "cross_entropy", 13) == 0 ? value_of("dy", 0) : 1;
            got[j] = (float)(gradient[j] * scale);
            want[j] = (float)((weighed(f, of, j, 1e-5) - weighed(f, of, j, -1e-5)) / 2e-5);
        }
        int before = failures;
        CHECK_CLOSE(got, want, n, 1e-6f);
        if (failures > before)
            fprintf(stderr, "  that is %s of %s\n", s->gradient[k], s->name);
    }
    f->close(f);
    b->close(b);
    program_close(&pf);
    program_close(&pb);
}

TEST(every_backward_is_the_slope_of_its_forward)
{
    for (size_t i = 0; i < COUNT(slopes); i++)
        check_slope(&slopes[i]);
}

TEST(rmsnorm_again_is_rmsnorm)
{
    err e = {0};
    program p;
    program_open(&p, F32);
    tensor x = in(&p, "x", SHAPE(3, 7)), w = in(&p, "w", SHAPE(7)), r = out(&p, "r", SHAPE(3)), y = out(&p, "y", SHAPE(3, 7)),
        again = out(&p, "again", SHAPE(3, 7));
    op_rmsnorm(&p, y, r, x, w, 0.1f);
    op_rmsnorm_again(&p, again, r, x, w);
    must(program_finish(&p, &e), &e);
    engine *g = ref_open(&p, &e);
    must(g, &e);
    fill(g);
    double a[21], b[21];
    must(g->step(g, &e) && ref_read_double(g, y, a, &e) && ref_read_double(g, again, b, &e), &e);
    CHECK(memcmp(a, b, sizeof a) == 0);
    g->close(g);
    program_close(&p);
}

// w = 1, dw = 0.5, m = v = 0, rate 0.1, step 1: m/(1-b1) = g, v/(1-b2) = g^2, so w -= 0.1 * (g / (|g| + eps) + decay * w).
TEST(adamw_takes_the_first_step_of_the_book)
{
    static const adamw o = { 0.9f, 0.95f, 1e-8f, 0.1f, 0 };
    err e = {0};
    for (int finite = 0; finite < 2; finite++) {
        program p;
        program_open(&p, F32);
        tensor w = program_tensor(&p, WEIGHT, F32, "w", SHAPE(1)), m = program_tensor(&p, MOMENT, F32, "m", SHAPE(1)),
            v = program_tensor(&p, MOMENT, F32, "v", SHAPE(1));
        tensor dw = in(&p, "dw", SHAPE(1)), rate = in(&p, "rate", SCALAR), c1 = in(&p, "c1", SCALAR), c2 = in(&p, "c2",
            SCALAR), scale = in(&p, "scale", SCALAR), f = in(&p, "finite", SCALAR);
        op_adamw(&p, w, m, v, dw, rate, c1, c2, scale, f, (tensor){0}, &o);
        must(program_finish(&p, &e), &e);
        engine *g = ref_open(&p, &e);
        must(g, &e);
        const tensor t[] = { w, dw, rate, c1, c2, scale, f };
        const double n[] = { 1, 0.5, 0.1, 1 / (1 - (double)0.9f), 1 / (1 - (double)0.95f), 1, finite };
        for (size_t i = 0; i < COUNT(t); i++)
            must(ref_write_double(g, t[i], &n[i], &e), &e);
        double got, mean, square;
        must(g->step(g, &e) && ref_read_double(g, w, &got, &e) && ref_read_double(g, m, &mean, &e) && ref_read_double(g, v,
            &square, &e), &e);
        CHECK(fabs(got - (finite ? 1 - 0.1 * (1 + 0.1) : 1)) < 1e-7);
        CHECK(fabs(mean - (finite ? 0.05 : 0)) < 1e-7 && fabs(square - (finite ? 0.0125 : 0)) < 1e-7);
        g->close(g);
        program_close(&p);
    }
}

static void clip(double limit, double sumsq, double loss, double *scale, double *finite)
{
    err e = {0};
    program p;
    program_open(&p, F32);
    tensor s = out(&p, "scale", SCALAR), f = out(&p, "finite", SCALAR), l = in(&p, "limit", SCALAR), q = in(&p, "sumsq",
        SCALAR), n = in(&p, "loss", SCALAR);
    op_clip_scale(&p, s, f, l, q, n);
    must(program_finish(&p, &e), &e);
    engine *g[2] = { ref_open(&p, &e), cpu_open(&p, &(cpu_options){0}, &e) };
    must(g[0] && g[1], &e);
    for (int i = 0; i < 2; i++) {
        float in3[3] = { (float)limit, (float)sumsq, (float)loss }, got[2];
        must(g[i]->write(g[i], l, 0, 1, &in3[0], &e) && g[i]->write(g[i], q, 0, 1, &in3[1], &e) && g[i]->write(g[i], n, 0, 1,
            &in3[2], &e), &e);
        must(g[i]->step(g[i], &e) && g[i]->read(g[i], s, 0, 1, &got[0], &e) && g[i]->read(g[i], f, 0, 1, &got[1], &e), &e);
        if (i == 0)
            *scale = (double)got[0], *finite = (double)got[1];
        else
            CHECK(*finite == (double)got[1] && (*finite == 0 || fabs(*scale - (double)got[0]) < 1e-6));
        g[i]->close(g[i]);
    }
    program_close(&p);
}

TEST(clipping_and_what_is_not_finite)
{
    double s, f;
    clip(1, 16, 2, &s, &f);
    CHECK(s == 0.25 && f == 1);
    clip(8, 16, 2, &s, &f);
    CHECK(s == 1 && f == 1);
    clip(0, 16, 2, &s, &f);
    CHECK(s == 1 && f == 1);
    clip(1, 0, 2, &s, &f);
    CHECK(s == 1 && f == 1);
    clip(1, INFINITY, 2, &s, &f);
    CHECK(f == 0);
    clip(1, NAN, 2, &s, &f);
    CHECK(f == 0);
    clip(1, 1, NAN, &s, &f);
    CHECK(f == 0);
}
