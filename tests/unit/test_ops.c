// Every operation on every instruction set of this CPU against the formulas in double, at odd sizes.
#include "ops.h"

static int32_t none(const char *name, int64_t i) { (void)name, (void)i; return 0; }

static void r_set(program *p, type h)
{
    op_set(p, out(p, h, "y", SHAPE(70001)), 0.5f);
    op_set(p, out(p, h, "zero", SHAPE(131)), 0);
}
static void r_copy(program *p, type h)
{
    op_copy(p, out(p, h, "y", SHAPE(70001)), in(p, F32, "x", SHAPE(70001)));
    op_copy(p, out(p, F32, "z", SHAPE(37)), in(p, h, "x", SHAPE(37)));
    op_copy(p, out(p, h, "same", SHAPE(37)), in(p, h, "x", SHAPE(37)));
}

// Sizes that are no multiples of any block, with more than one tile, chunk of k and strip.
static void products(program *p, type h, int64_t M, int64_t N, int64_t K)
{
    tensor a = in(p, h, "a", SHAPE(M, K)), at = in(p, h, "at", SHAPE(K, M)), b = in(p, h, "b", SHAPE(K, N)), bt = in(p, h,
        "bt", SHAPE(N, K));
    tensor y = out(p, F32, "y", SHAPE(M, N)), yh = out(p, h, "yh", SHAPE(M, N)), y2 = out(p, F32, "y2", SHAPE(M, N)),
        y3 = out(p, h, "y3", SHAPE(M, N));
    op_matmul(p, y, a, b, SET);
    op_matmul_nt(p, yh, a, bt, SET);
    op_matmul_tn(p, y2, at, b, SET);
    op_matmul_tn(p, y2, at, b, ADD);
    op_matmul_nt(p, y2, a, bt, ADD);
    op_matmul(p, y3, a, b, SET);
    op_matmul(p, y3, a, b, ADD);
}
static void r_matmul(program *p, type h)        { products(p, h, 37, 53, 29); }
static void r_matmul_one(program *p, type h)    { products(p, h, 1, 70, 100); }
static void r_matmul_even(program *p, type h)   { products(p, h, 320, 832, 64); }
static void r_matmul_panels(program *p, type h) { products(p, h, 64, 144, 700); }         // nothing but whole panels, of 48 or 16 columns
static void r_matmul_large(program *p, type h)  { products(p, h, 301, 811, 130); }
static void r_matmul_deep(program *p, type h)   { products(p, h, 33, 31, 4500); }
static void r_matmul_wide(program *p, type h)
{
    op_matmul_nt(p, out(p, F32, "y", SHAPE(3, 9001)), in(p, h, "a", SHAPE(3, 40)), in(p, h, "b", SHAPE(9001, 40)), SET);
    op_matmul_tn(p, out(p, F32, "z", SHAPE(9001, 35)), in(p, h, "c", SHAPE(17, 9001)), in(p, h, "d", SHAPE(17, 35)), SET);
}
static void r_matmul_weight(program *p, type h)
{
    tensor w = program_tensor(p, WEIGHT, F32, "w", SHAPE(2, 40, 33));
    op_matmul_nt(p, out(p, h, "y", SHAPE(5, 40)), in(p, h, "x", SHAPE(5, 33)), program_at(p, w, (turn){ .at = 1 }), SET);
}
// A few rows: the shortest way, which reads b as it lies. Each factor has a type of its own.
static void r_matmul_few(program *p, type h)
{
    static const char *const names[5][3] = { { "a1", "y1", "z1" }, { "a2", "y2", "z2" }, { "a7", "y7", "z7" }, { "a13", "y13", "z13" },
                                             { "a61", "y61", "z61" } };
    static const int64_t rows[5] = { 1, 2, 7, 13, 61 };
    tensor b = in(p, BF16, "b", SHAPE(267, 339)), c = in(p, F32, "c", SHAPE(35, 64));
    for (int i = 0; i < 5; i++) {
        tensor z = out(p, F32, names[i][2], SHAPE(rows[i], 35)), a = in(p, h, names[i][0], SHAPE(rows[i], 339));
        op_matmul_nt(p, out(p, h, names[i][1], SHAPE(rows[i], 267)), a, b, SET);
        op_matmul_nt(p, z, in(p, F32, "short", SHAPE(rows[i], 64)), c, SET);
        op_matmul_nt(p, z, in(p, F32, "more", SHAPE(rows[i], 64)), c, ADD);
    }
    op_matmul_nt(p, out(p, F32, "many", SHAPE(65, 267)), in(p, F32, "x", SHAPE(65, 339)), b, SET);
    op_matmul_nt(p, out(p, F32, "long rows", SHAPE(11, 5)), in(p, h, "long x", SHAPE(11, 9001)), in(p, BF16, "long b", SHAPE(5, 9001)), SET);
}
static void r_embed(program *p, type h)
{
    op_embed(p, out(p, F32, "of its own type", SHAPE(50, 67)), in(p, h, "halves", SHAPE(11, 67)), in(p, I32, "ids", SHAPE(50)));
    tensor ids = in(p, I32, "ids", SHAPE(50)), dx = in(p, F32, "dx", SHAPE(50, 67)), d = out(p, F32, "d", SHAPE(11, 67));
    op_embed(p, out(p, F32, "x", SHAPE(50, 67)), in(p, F32, "table", SHAPE(11, 67)), ids);
    op_set(p, d, 0.25f);
    op_embed_backward(p, d, dx, ids);
}
static int32_t ids_of(const char *name, int64_t i) { (void)name; return (int32_t)(i * i % 11); }

static void r_rmsnorm(program *p, type h)
{
    tensor x = in(p, F32, "x", SHAPE(70, 57)), w = in(p, F32, "w", SHAPE(57)), dy = in(p, h, "dy", SHAPE(70, 57)), r = in(p,
        F32, "r", SHAPE(70));
    tensor dx = out(p, F32, "dx", SHAPE(70, 57)), dw = out(p, F32, "dw", SHAPE(57)), only = out(p, F32, "only", SHAPE(57));
    op_rmsnorm(p, out(p, h, "y", SHAPE(70, 57)), out(p, F32, "made r", SHAPE(70)), x, w, 1e-5f);
    op_rmsnorm(p, out(p, h, "y without r", SHAPE(70, 57)), (tensor){0}, x, w, 1e-5f);
    op_rmsnorm_again(p, out(p, h, "again", SHAPE(70, 57)), r, x, w);
    op_set(p, dw, 0.5f);
    op_set(p, only, 0);
    op_rmsnorm_backward(p, dx, dw, dy, r, x, w, SET);
    op_rmsnorm_backward(p, dx, (tensor){0}, dy, r, x, w, ADD);
    op_rmsnorm_backward(p, (tensor){0}, only, dy, r, x, w, SET);
}

static void r_rope(program *p, type h)
{
    // In place: from a state, so that both engines begin with the same numbers.
    tensor qkv = program_tensor(p, STATE, h, "qkv", SHAPE(9, 8 * 10)), cosine = in(p, F32, "cos", SHAPE(20, 5)), sine = in(p,
        F32, "sin", SHAPE(20, 5));
    op_rope(p, qkv, in(p, I32, "position", SHAPE(9)), cosine, sine, 4, 2, 1);
    tensor back = program_tensor(p, STATE, h, "back", SHAPE(9, 8 * 10));
    op_rope(p, back, in(p, I32, "position", SHAPE(9)), cosine, sine, 4, 2, -1);
}
static int32_t positions(const char *name, int64_t i) { (void)name; return (int32_t)(i * 7 % 20); }

static void r_swiglu(program *p, type h)
{
    tensor gu = in(p, h, "gu", SHAPE(13, 94)), dy = in(p, h, "dy", SHAPE(13, 47));
    op_swiglu(p, out(p, h, "y", SHAPE(13, 47)), gu);
    op_swiglu_backward(p, out(p, h, "dgu", SHAPE(13, 94)), dy, gu);
}

static void r_gather(program *p, type h)
{
    tensor index = in(p, I32, "index", SHAPE(9)), dx = out(p, h, "dx", SHAPE(30, 45));
    op_gather(p, out(p, h, "y", SHAPE(9, 45)), in(p, h, "x", SHAPE(30, 45)), index);
    op_set(p, dx, 0);
    op_scatter(p, dx, in(p, F32, "dy", SHAPE(9, 45)), index);
    op_scatter(p, dx, in(p, h, "dyh", SHAPE(9, 45)), index);
}
static int32_t some_index(const char *name, int64_t i) { (void)name; return i % 4 == 3 ? -1 : (int32_t)(3 * i); }

static void losses(program *p, type h, float z)
{
    tensor logits = in(p, F32, "logits", SHAPE(21, 333)), target = in(p, I32, "target", SHAPE(21)), weight = in(p, F32, "weight", SCALAR);
    tensor loss = out(p, F32, "loss", SCALAR), none_wanted = {0};
    op_set(p, loss, 1);
    op_cross_entropy(p, out(p, F32, "nll", SHAPE(21)), loss, out(p, h, "dlogits", SHAPE(21, 333)), logits, target, weight, z);
    op_cross_entropy(p, none_wanted, loss, none_wanted, logits, target, weight, z);
    tensor over = program_tensor(p, STATE, F32, "over", SHAPE(21, 333));
    op_cross_entropy_over(p, out(p, F32, "nll of over", SHAPE(21)), loss, over, target, weight, z);
    op_cross_entropy(p, out(p, F32, "nll only", SHAPE(21)), none_wanted, none_wanted, logits, target, weight, z);
}
static void r_cross_entropy(program *p, type h) { losses(p, h, 0); }
static void r_z_loss(program *p, type h)        { losses(p, h, 0.01f); }
static int32_t targets(const char *name, int64_t i) { (void)name; return i % 5 == 2 ? -1 : (int32_t)(i * 31 % 333); }

static void r_sumsq(program *p, type h)
{
    (void)h;
    tensor sum = out(p, F32, "sum", SCALAR);
    op_set(p, sum, 2);
    op_sumsq(p, sum, in(p, F32, "x", SHAPE(3, 50001)));
    op_sumsq(p, sum, in(p, F32, "y", SHAPE(7)));
}

static void r_clip_made(program *p, type h)
{
    tensor zero = out(p, F32, "none", SCALAR);
    op_set(p, zero, 0);
    (void)h;
    op_clip_scale(p, out(p, F32, "scale", SCALAR), out(p, F32, "finite", SCALAR), zero, in(p, F32, "v", SCALAR), in(p, F32,
        "loss", SCALAR));
}

static void r_adamw(program *p, type h)
{
    static const adamw o = { 0.9f, 0.95f, 1e-8f, 0.1f, 0 };
    tensor w = program_tensor(p, WEIGHT, F32, "w", SHAPE(3, 50, 450)), m = program_tensor(p, MOMENT, F32, "m", SHAPE(3, 50, 450));
    tensor v = program_tensor(p, MOMENT, F32, "v", SHAPE(3, 50, 450)), dw = in(p, F32, "dw", SHAPE(3, 50, 450));
    tensor rate = in(p, F32, "rate", SCALAR), c1 = in(p, F32, "v", SCALAR), c2 = in(p, F32, "v", SCALAR), scale = in(p, F32,
        "scale", SCALAR);
    op_adamw(p, w, m, v, dw, rate, c1, c2, scale, in(p, F32, "finite", SCALAR), (tensor){0}, &o);
    // The copy that products read is renewed: this y comes from the new w.
    op_matmul_nt(p, out(p, F32, "y", SHAPE(7, 50)), in(p, h, "x", SHAPE(7, 450)), program_at(p, w, (turn){ .at = 2 }), SET);
}

// Moments in BF16: both, or one of them.
static void r_adamw_small(program *p, type h)
{
    static const adamw o = { 0.9f, 0.95f, 1e-8f, 0.1f, 3 };
    static const char *const names[3][3] = { { "w", "m", "dw" }, { "w1", "m1", "dw1" }, { "w2", "m2", "dw2" } };
    (void)h;
    for (int i = 0; i < 3; i++) {
        const shape s = SHAPE(3, 50, 450);
        tensor w = program_tensor(p, WEIGHT, F32, names[i][0], s), m = program_tensor(p, MOMENT, i == 2 ? F32 : BF16, names[i][1], s);
        tensor v = program_tensor(p, MOMENT, i == 1 ? F32 : BF16, "v", s), c = in(p, F32, "v", SCALAR);
        op_adamw(p, w, m, v, in(p, F32, names[i][2], s), in(p, F32, "rate", SCALAR), c, c, in(p, F32, "scale", SCALAR),
                 in(p, F32, "finite", SCALAR), in(p, I32, "key", SHAPE(2)), &o);
    }
}
static int32_t a_key(const char *name, int64_t i) { (void)name; return i ? 77 : -5; }

// Two rows of 150 tokens with segments, heads of 24.
static void r_attention(program *p, type h)
{
    tensor qkv = in(p, h, "qkv", SHAPE(300, 8 * 24)), start = in(p, I32, "start", SHAPE(300)), dout = in(p, h, "dout", SHAPE(300, 4 * 24));
    tensor o = out(p, h, "o", SHAPE(300, 4 * 24)), lse = out(p, F32, "lse", SHAPE(300, 4));
    op_attention(p, o, lse, qkv, start, 2, 150, 0.7f);
    op_attention(p, out(p, h, "o without lse", SHAPE(300, 4 * 24)), (tensor){0}, qkv, start, 2, 150, 0.7f);
    op_attention_backward(p, out(p, h, "dqkv", SHAPE(300, 8 * 24)), out(p, F32, "delta", SHAPE(300, 4)), dout, qkv, o, lse,
        start, 2, 150, 0.7f);
}
static int32_t starts(const char *name, int64_t i)
{
    (void)name;
    return (int32_t)(i >= 150 ? i % 150 / 97 * 97 : i < 10 ? 0 : i < 140 ? 10 : i);
}
// Rows of several blocks, cut into parts; each token sees from anywhere on, so that no group of queries or keys is seen as a whole.
static void r_attention_long(program *p, type h)
{
    tensor qkv = in(p, h, "qkv", SHAPE(331, 5 * 40)), start = in(p, I32, "start", SHAPE(331)), dout = in(p, h, "dout", SHAPE(331, 3 * 40));
    tensor o = out(p, h, "o", SHAPE(331, 3 * 40)), lse = out(p, F32, "lse", SHAPE(331, 3));
    op_attention(p, o, lse, qkv, start, 1, 331, 0.3f);
    op_attention_backward(p, out(p, h, "dqkv", SHAPE(331, 5 * 40)), out(p, F32, "delta", SHAPE(331, 3)), dout, qkv, o, lse, start, 1, 331,
        0.3f);
}
static int32_t scattered(const char *name, int64_t i) { (void)name; return (int32_t)(i * 7919 % 1009 % (i + 1)); }
static int32_t short_segments(const char *name, int64_t i) { (void)name; return (int32_t)(i / 37 * 37); }

static void r_attention_one(program *p, type h)
{
    tensor qkv = in(p, h, "qkv", SHAPE(3, 3 * 5)), start = in(p, I32, "start", SHAPE(3));
    tensor o = out(p, h, "o", SHAPE(3, 5)), lse = out(p, F32, "lse", SHAPE(3, 1));
    op_attention(p, o, lse, qkv, start, 1, 1, 0.3f);
    op_attention_backward(p, out(p, h, "dqkv", SHAPE(3, 15)), out(p, F32, "delta", SHAPE(3, 1)), in(p, h, "dout", SHAPE(3,
        5)), qkv, o, lse, start, 1, 1, 0.3f);
}
static void r_attention_cached(program *p, type h)
{
    tensor cache = program_tensor(p, STATE, h, "cache", SHAPE(40, 2 * 2 * 18));
    op_attention_cached(p, out(p, h, "o", SHAPE(5, 4 * 18)), cache, in(p, h, "qkv", SHAPE(5, 8 * 18)), in(p, I32, "at",
        SCALAR), 4, 2, 0.4f);
}
static int32_t at_31(const char *name, int64_t i) { (void)name, (void)i; return 31; }

static const op_case cases[] = {
    { "set", r_set, none, 0, 0 }, { "copy", r_copy, none, 0, 0 },
    { "matmul", r_matmul, none, 1e-6f, 6e-3f }, { "matmul_one", r_matmul_one, none, 1e-6f, 6e-3f }, { "matmul_even",
        r_matmul_even, none, 1e-6f, 6e-3f },
    { "matmul_panels", r_matmul_panels, none, 1e-6f, 6e-3f },
    { "matmul_large", r_matmul_large, none, 1e-6f, 6e-3f }, { "matmul_deep", r_matmul_deep, none, 1e-6f, 6e-3f },
    { "matmul_wide", r_matmul_wide, none, 1e-6f, 1e-6f }, { "matmul_weight", r_matmul_weight, none, 1e-6f, 6e-3f },
    { "matmul_few", r_matmul_few, none, 1e-6f, 6e-3f },
    { "embed", r_embed, ids_of, 1e-6f, 1e-6f }, { "rmsnorm", r_rmsnorm, none, 2e-6f, 4e-3f }, { "rope", r_rope, positions, 1e-6f, 4e-3f },
    { "swiglu", r_swiglu, none, 1e-6f, 4e-3f }, { "gather", r_gather, some_index, 0, 4e-3f },
    { "cross_entropy", r_cross_entropy, targets, 2e-6f, 4e-3f }, { "cross_entropy with z", r_z_loss, targets, 2e-6f, 4e-3f },
    { "sumsq", r_sumsq, none, 1e-6f, 1e-6f },
    { "clip", r_clip_made, none, 1e-6f, 1e-6f }, { "adamw", r_adamw, none, 2e-6f, 6e-3f },
    { "adamw_small", r_adamw_small, a_key, 8e-3f, 8e-3f },
    { "attention", r_attention, starts, 4e-6f, 2e-2f }, { "attention_one", r_attention_one, none, 4e-6f, 1e-2f },
    { "attention_long", r_attention_long, none, 4e-6f, 2e-2f }, { "attention_long of segments", r_attention_long, short_segments, 4e-6f, 2e-2f },
    { "attention_long, scattered", r_attention_long, scattered, 4e-6f, 2e-2f },
    { "attention_cached", r_attention_cached, at_31, 2e-6f, 6e-3f },
};

static void check_case(const op_case *o, type h, const char *isa, pool *threads)
{
    err e = {0};
    program p;
    program_open(&p, h);
    o->record(&p, h);
    must(program_finish(&p, &e), &e);
    engine *g = cpu_open(&p, &(cpu_options){ .isa = isa, .pool = threads }, &e), *r = ref_open(&p, &e);
    must(g && r, &e);
    fill(g, o);
    fill(r, o);
    must(g->step(g, &e), &e);
    must(r->step(r, &e), &e);
    for (int32_t t = 1; t < p.value_count; t++) {
        const value *v = &p.values[t];
        if (v->of.id || v->type == I32 || !kind_kept(v->kind) || v->kind == INPUT)
            continue;
        float *got = floats(g, t), *want = floats(r, t);
        int before = failures;
        CHECK_CLOSE(got, want, shape_count(v->shape), h == BF16 ? o->bf16 : o->f32);
        if (failures > before)
            fprintf(stderr, "  that is %s of %s, %s, %s\n", v->name, o->name, isa, type_name(h));
        free(got);
        free(want);
    }
    g->close(g);
    r->close(r);
    program_close(&p);
}

// OPS=:rope:swiglu: are those two alone, for machines that are slow.
static bool is_wanted(const char *only, const char *name)
{
    const char *at = only;
    for (const size_t size = strlen(name); at && (at = strstr(at, name)); at++)
        if (at > only && at[-1] == ':' && at[size] == ':')
            break;
    return !only || at;
}

TEST(every_instruction_set_agrees_with_the_formulas)
{
    err e = {0};
    pool *threads = pool_open(3, &e);
    must(threads, &e);
    const char *only = getenv("OPS");
    size_t found = 0, named = 0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const bool wanted = is_wanted(only, cases[i].name);
        found += wanted;
        for (const char *const *isa = cpu_isas(); wanted && *isa; isa++)
            for (int bf16 = 0; bf16 < 2; bf16++)
                check_case(&cases[i], bf16 ? BF16 : F32, *isa, threads);
    }
    for (const char *at = only; at && (at = strchr(at, ':')) && at[1]; at++)
        named++;
    CHECK(found == (only ? named : COUNT(cases)));      // no name is misspelt
    pool_close(threads);
}

// All that a case leaves, as bytes one after another, computed with so many threads.
static uint8_t *bits(const op_case *o, type h, const char *isa, int count, int64_t *size)
{
    err e = {0};
    program p;
    program_open(&p, h);
    o->record(&p, h);
    must(program_finish(&p, &e), &e);
    pool *threads = pool_open(count, &e);
    must(threads, &e);
    engine *g = cpu_open(&p, &(cpu_options){ .isa = isa, .pool = threads }, &e);
    must(g, &e);
    fill(g, o);
    must(g->step(g, &e), &e);
    uint8_t *all = malloc((size_t)p.kept);
    *size = 0;
    for (int32_t t = 1; t < p.value_count; t++)
        if (!p.values[t].of.id && kind_kept(p.values[t].kind)) {
            must(g->read(g, (tensor){ t }, 0, shape_count(p.values[t].shape), all + *size, &e), &e);
            *size += program_bytes(&p, (tensor){ t });
        }
    g->close(g);
    pool_close(threads);
    program_close(&p);
    return all;
}

TEST(the_number_of_threads_changes_no_bit)
{
    for (const char *const *isa = cpu_isas(); *isa; isa++)
        for (size_t i = 0; i < COUNT(cases); i++)
            for (int bf16 = 0; bf16 < 2; bf16++) {
                int64_t n, m;
                uint8_t *one = bits(&cases[i], bf16 ? BF16 : F32, *isa, 1, &n), *four = bits(&cases[i], bf16 ? BF16 : F32, *isa, 4, &m);
                CHECK(n == m && memcmp(one, four, (size_t)n) == 0);
                free(one);
                free(four);
            }
}

// Sums in two chunks of k, columns that are no whole panels, and more tiles for more threads: each column's sums stay the same.
static void r_matmul_cut(program *p, type h)
{
    op_matmul_nt(p, out(p, F32, "y", SHAPE(32, 1811)), in(p, h, "a", SHAPE(32, 2080)), in(p, h, "b", SHAPE(1811, 2080)), SET);
}

TEST(products_that_are_cut_for_more_threads_keep_their_bits)
{
    static const op_case cut = { "matmul_cut", r_matmul_cut, none, 0, 0 };
    for (const char *const *isa = cpu_isas(); *isa; isa++)
        for (int bf16 = 0; bf16 < 2; bf16++) {
            int64_t n, m;
            uint8_t *one = bits(&cut, bf16 ? BF16 : F32, *isa, 1, &n), *many = bits(&cut, bf16 ? BF16 : F32, *isa, 16, &m);
            CHECK(n == m && memcmp(one, many, (size_t)n) == 0);
            free(one);
            free(many);
        }
}

// Rows of the same numbers in products of more and of fewer rows.
static const int64_t alike[] = { ROWS_ALIKE, 1, 2, 5, 8, 9, 16, 17, 61 };

static void r_matmul_alike(program *p, type h)
{
    static const char *const names[COUNT(alike)][2] = {
        { "y64", "z64" }, { "y1", "z1" }, { "y2", "z2" }, { "y5", "z5" }, { "y8", "z8" }, { "y9", "z9" }, { "y16", "z16" }, { "y17", "z17" }, { "y61", "z61" },
    };
    const tensor b = in(p, BF16, "b", SHAPE(77, 339)), c = in(p, h, "c", SHAPE(77, 339));
    for (size_t i = 0; i < COUNT(alike); i++) {
        const tensor x = in(p, h, "x", SHAPE(alike[i], 339));
        op_matmul_nt(p, out(p, F32, names[i][0], SHAPE(alike[i], 77)), x, b, SET);
        op_matmul_nt(p, out(p, F32, names[i][1], SHAPE(alike[i], 77)), x, c, SET);
    }
}

TEST(a_row_has_the_same_bits_however_many_there_are)
{
    static const op_case all = { "matmul_alike", r_matmul_alike, none, 0, 0 };
    err e = {0};
    for (const char *const *isa = cpu_isas(); *isa; isa++)
        for (type h = F32; h <= BF16; h++) {
            program p;
            program_open(&p, h);
            r_matmul_alike(&p, h);
            must(program_finish(&p, &e), &e);
            engine *g = cpu_open(&p, &(cpu_options){ .isa = *isa }, &e);
            must(g, &e);
            fill(g, &all);
            must(g->step(g, &e), &e);
            for (size_t i = 1; i < COUNT(alike); i++)
                for (int k = 0; k < 2; k++) {
                    char name[8];
                    snprintf(name, sizeof name, "%c%d", "yz"[k], (int)alike[i]);
                    float *got = floats(g, program_find(&p, name).id), *want = floats(g, program_find(&p, k ? "z64" : "y64").id);
                    CHECK(alike[i] < cpu_least_alike(*isa, h) || memcmp(got, want, sizeof *got * (size_t)alike[i] * 77) == 0);
                    free(got);
                    free(want);
                }
            g->close(g);
            program_close(&p);
        }
}

// ---- weights that count as BF16 --------------------------------------------------------------------------------------

// An F32 weight of a BF16 program is read as its rounded copy would be: few rows, more of them, a whole product, either factor.
static void r_matmul_rounded(program *p, type h)
{
    static const char *const names[3][3] = { { "x1", "y1", "z1" }, { "x9", "y9", "z9" }, { "x200", "y200", "z200" } };
    static const int64_t rows[3] = { 1, 9, 200 };
    tensor w = program_tensor(p, WEIGHT, F32, "w", SHAPE(77, 339)), back = program_tensor(p, WEIGHT, F32, "back", SHAPE(339, 77));
    tensor half = out(p, h, "half", SHAPE(77, 339)), half_back = out(p, h, "half back", SHAPE(339, 77));
    op_copy(p, half, w);
    op_copy(p, half_back, back);
    for (int i = 0; i < 3; i++) {
        tensor x = in(p, h, names[i][0], SHAPE(rows[i], 339)), y = out(p, F32, names[i][1], SHAPE(rows[i], 77));
        tensor z = out(p, F32, names[i][2], SHAPE(rows[i], 77));
        op_matmul_nt(p, y, x, w, SET);
        op_matmul(p, y, x, back, ADD);
        op_matmul_nt(p, z, x, half, SET);
        op_matmul(p, z, x, half_back, ADD);
    }
    tensor left = in(p, h, "left", SHAPE(77, 50)), turned = in(p, h, "turned", SHAPE(50, 339));
    op_matmul_tn(p, out(p, F32, "y of tn", SHAPE(339, 50)), w, left, SET);
    op_matmul_tn(p, out(p, F32, "z of tn", SHAPE(339, 50)), half, left, SET);
    op_matmul_nt(p, out(p, F32, "y of nt", SHAPE(77, 50)), w, turned, SET);
    op_matmul_nt(p, out(p, F32, "z of nt", SHAPE(77, 50)), half, turned, SET);
}

// Numbers with bits below BF16's, ties among them.
static void fill_long(engine *g, const char *name)
{
    err e = {0};
    tensor t = program_find(g->program, name);
    const int64_t n = shape_count(program_value(g->program, t)->shape);
    float *x = malloc(sizeof *x * (size_t)n);
    for (int64_t i = 0; i < n; i++)
        x[i] = some(name, i) * (1 + 1 / 256.0f + (float)(i % 7 - 3) / 4096);
    must(g->write(g, t, 0, n, x, &e), &e);
    free(x);
}

TEST(weights_are_rounded_as_their_copies_would_be)
{
    static const op_case none_of = { "matmul_rounded", r_matmul_rounded, none, 0, 0 };
    static const char *const pairs[][2] = { { "y1", "z1" }, { "y9", "z9" }, { "y200", "z200" }, { "y of tn", "z of tn" }, { "y of nt", "z of nt" } };
    err e = {0};
    for (const char *const *isa = cpu_isas(); *isa; isa++) {
        program p;
        program_open(&p, BF16);
        r_matmul_rounded(&p, BF16);
        must(program_finish(&p, &e), &e);
        engine *g = cpu_open(&p, &(cpu_options){ .isa = *isa }, &e);
        must(g, &e);
        fill(g, &none_of);
        fill_long(g, "w");
        fill_long(g, "back");
        must(g->step(g, &e), &e);
        cpu_room room;
        must(cpu_bytes(&p, *isa, 1, &room, &e), &e);
        CHECK(room.copies == (cpu_has_bf16(*isa) ? 2 * 2 * 77 * 339 : 0));
        for (size_t i = 0; i < COUNT(pairs); i++) {
            const tensor y = program_find(&p, pairs[i][0]);
            float *got = floats(g, y.id), *want = floats(g, program_find(&p, pairs[i][1]).id);
            CHECK(memcmp(got, want, sizeof *got * (size_t)shape_count(program_value(&p, y)->shape)) == 0);
            free(got);
            free(want);
        }
        g->close(g);
        program_close(&p);
    }
}
