// Recording, its checks, and the plan of memory.
#include <stdlib.h>

#include "../test.h"
#include "engine/engine.h"

static void must(bool ok, const err *e)
{
    if (!ok)
        fprintf(stderr, "%s\n", e->text), exit(1);
}

// Records what `body` says and returns its mistake.
static err mistake(void (*body)(program *p))
{
    err e = {0};
    program p;
    program_open(&p, BF16);
    body(&p);
    CHECK(!program_finish(&p, &e));
    program_close(&p);
    return e;
}

static tensor matrix(program *p, const char *name, int64_t n, int64_t m)
{
    return program_tensor(p, MOMENT, F32, name, SHAPE(n, m));
}

static tensor of(program *p, kind k, type t, const char *name, shape s) { return program_tensor(p, k, t, name, s); }

static void wrong_size(program *p) { op_matmul(p, matrix(p, "y", 2, 3), matrix(p, "a", 2, 4), matrix(p, "b", 5, 3), SET); }
static void wrong_rank(program *p) { op_matmul(p, matrix(p, "y", 2, 3), matrix(p, "a", 2, 4), of(p, INPUT, F32, "b", SHAPE(4)), SET); }
static void wrong_count(program *p) { op_copy(p, matrix(p, "y", 2, 3), matrix(p, "x", 3, 3)); }
static void same_twice(program *p)
{
    tensor a = matrix(p, "a", 2, 2);
    op_matmul(p, a, a, matrix(p, "b", 2, 2), SET);
}
static void views_of_one(program *p)
{
    tensor a = of(p, MOMENT, F32, "a", SHAPE(2, 3));
    op_copy(p, program_at(p, a, (turn){ .at = 0 }), program_at(p, a, (turn){ .at = 1 }));
}
static void not_whole(program *p) { op_embed(p, matrix(p, "x", 2, 3), matrix(p, "table", 5, 3), of(p, INPUT, F32, "ids", SHAPE(2))); }
static void not_float(program *p) { op_sumsq(p, of(p, OUTPUT, F32, "sum", SCALAR), of(p, INPUT, BF16, "x", SHAPE(2))); }
static void not_any(program *p)   { op_copy(p, of(p, OUTPUT, F32, "y", SHAPE(2)), of(p, INPUT, I32, "x", SHAPE(2))); }
static void mixed(program *p)     { op_swiglu(p, of(p, OUTPUT, BF16, "y", SHAPE(2, 3)), of(p, INPUT, F32, "gu", SHAPE(2, 6))); }
static void factors(program *p)   { op_matmul(p, matrix(p, "y", 2, 3), of(p, INPUT, BF16, "a", SHAPE(2, 4)), matrix(p, "b", 4, 3), SET); }
static void never_made(program *p) { op_copy(p, of(p, OUTPUT, F32, "y", SHAPE(4)), of(p, ACTIVATION, F32, "x", SHAPE(4))); }
static void added_first(program *p) { op_sumsq(p, of(p, OUTPUT, F32, "sum", SCALAR), matrix(p, "x", 2, 2)); }
static void maybe_made(program *p)
{
    tensor x = of(p, ACTIVATION, F32, "x", SHAPE(4));
    LOOP_BOUND (p, i, 3, of(p, INPUT, I32, "chunks", SCALAR))
        op_set(p, x, 1);
    op_copy(p, of(p, OUTPUT, F32, "y", SHAPE(4)), x);
}
static void float_bound(program *p)
{
    LOOP_BOUND (p, i, 3, of(p, INPUT, F32, "chunks", SCALAR))
        op_set(p, matrix(p, "x", 2, 2), 1);
}
static void past_the_end(program *p)
{
    tensor a = matrix(p, "a", 2, 2);
    LOOP (p, i, 3, FORWARD)
        op_set(p, program_at(p, a, i), 1);
}
static void after_the_loop(program *p)
{
    tensor a = matrix(p, "a", 2, 2), escaped = {0};
    LOOP (p, i, 2, FORWARD)
        escaped = program_at(p, a, i);
    op_set(p, escaped, 1);
}
static void missing(program *p)  { op_matmul(p, matrix(p, "y", 2, 3), matrix(p, "a", 2, 4), (tensor){0}, SET); }
static void empty(program *p)    { matrix(p, "a", 2, 0); }
static void odd_heads(program *p)
{
    op_attention(p, of(p, OUTPUT, F32, "out", SHAPE(4, 6)), (tensor){0}, of(p, INPUT, F32, "qkv", SHAPE(4, 11)),
                 of(p, INPUT, I32, "start", SHAPE(4)), 1, 2, 1);
}
static void odd_seq(program *p)
{
    op_attention(p, of(p, OUTPUT, F32, "out", SHAPE(4, 6)), (tensor){0}, of(p, INPUT, F32, "qkv", SHAPE(4, 10)),
                 of(p, INPUT, I32, "start", SHAPE(4)), 1, 3, 1);
}
static void odd_gate(program *p) { op_swiglu(p, of(p, OUTPUT, F32, "y", SHAPE(2, 3)), of(p, INPUT, F32, "gu", SHAPE(2, 5))); }

TEST(mistakes_are_told_with_names)
{
    CHECK_TEXT(mistake(wrong_size).text, "call 0, matmul: argument 3 ('b', F32 [5, 3]) should have k = 4; the row is \"~a:mn  a:mk a:kn\"");
    CHECK_TEXT(mistake(wrong_rank).text,
        "call 0, matmul: argument 3 ('b', F32 [4]) should have 2 dimensions; the row is \"~a:mn  a:mk a:kn\"");
    CHECK_TEXT(mistake(wrong_count).text, "call 0, copy: argument 2 ('x', F32 [3, 3]) should have 6 elements; the row is \"=a:* a:*\"");
    CHECK_TEXT(mistake(same_twice).text, "call 0, matmul: 'a' is argument 1 and 2");
    CHECK_TEXT(mistake(views_of_one).text, "call 0, copy: 'a' is argument 1 and 2");
    CHECK_TEXT(mistake(not_whole).text, "call 0, embed: argument 3 ('ids', F32 [2]) should be I32; the row is \"=nd  a:vd i:n\"");
    CHECK_TEXT(mistake(not_float).text, "call 0, sumsq: argument 2 ('x', BF16 [2]) should be F32; the row is \"+.  *\"");
    CHECK_TEXT(mistake(not_any).text, "call 0, copy: argument 2 ('x', I32 [2]) should be F32 or BF16; the row is \"=a:* a:*\"");
    CHECK_TEXT(mistake(mixed).text, "call 0, swiglu: argument 2 ('gu', F32 [2, 6]) should be BF16; the row is \"=h:nf  h:ne\"");
    CHECK_TEXT(mistake(factors).text,
        "call 0, matmul: argument 3 ('b', F32 [4, 3]) is not of the type of argument 2; the row is \"~a:mn  a:mk a:kn\"");
    CHECK_TEXT(mistake(never_made).text, "call 0, copy: 'x' is used before it is made");
    CHECK_TEXT(mistake(added_first).text, "call 0, sumsq: 'sum' is used before it is made");
    CHECK_TEXT(mistake(maybe_made).text, "call 3, copy: 'x' is used before it is made");
    CHECK_TEXT(mistake(float_bound).text, "call 0, loop: its bound 'chunks' is no I32 scalar");
    CHECK_TEXT(mistake(past_the_end).text, "'a': an index up to 2 is past its end");
    CHECK_TEXT(mistake(after_the_loop).text, "call 2, set: 'a' is indexed by a loop that is closed");
    CHECK_TEXT(mistake(missing).text, "call 0, matmul: no argument 3");
    CHECK_TEXT(mistake(empty).text, "'a': dimension 1 is 0");
    CHECK_TEXT(mistake(odd_heads).text, "call 0, attention: q, o, s and kv_heads do not fit each other");
    CHECK_TEXT(mistake(odd_seq).text, "call 0, attention: n is no multiple of seq");
    CHECK_TEXT(mistake(odd_gate).text, "call 0, swiglu: e is not 2 f");
}

TEST(the_first_mistake_is_kept_and_recording_goes_on)
{
    err e = {0};
    program p;
    program_open(&p, F32);
    op_copy(&p, matrix(&p, "y", 2, 3), matrix(&p, "x", 3, 3));
    tensor t = program_like(&p, GRADIENT, "d.y", matrix(&p, "later", 2, 2));
    LOOP (&p, i, 2, FORWARD)
        op_set(&p, program_at(&p, t, i), 1);
    CHECK(!program_finish(&p, &e));
    CHECK(strstr(e.text, "call 0, copy") && e.code == ERR_BUG);
    program_close(&p);
}

TEST(a_call_without_a_wanted_result_is_not_recorded)
{
    err e = {0};
    program p;
    program_open(&p, F32);
    tensor a = matrix(&p, "a", 2, 2);
    op_matmul(&p, (tensor){0}, a, a, ADD);
    op_rmsnorm_backward(&p, (tensor){0}, (tensor){0}, a, of(&p, INPUT, F32, "r", SHAPE(2)), a, of(&p, INPUT, F32, "w", SHAPE(2)), SET);
    CHECK(p.call_count == 0);
    must(program_finish(&p, &e), &e);
    program_close(&p);
}

TEST(an_f32_weight_is_a_bf16_operand_in_a_bf16_program_only)
{
    for (int bf16 = 0; bf16 < 2; bf16++) {
        program p;
        program_open(&p, bf16 ? BF16 : F32);
        tensor w = of(&p, WEIGHT, F32, "w", SHAPE(2, 4, 3)), x = of(&p, INPUT, bf16 ? BF16 : F32, "x", SHAPE(5, 3));
        tensor y = of(&p, OUTPUT, F32, "y", SHAPE(5, 4)), norm = of(&p, WEIGHT, F32, "norm", SHAPE(3));
        op_matmul_nt(&p, y, x, program_at(&p, w, (turn){ .at = 1 }), SET);
        CHECK(p.error.code == 0 && program_operand(&p, w) == (bf16 ? BF16 : F32));
        CHECK(program_copied(&p, w) == bf16 && !program_copied(&p, norm));
        CHECK(program_copies(&p) == (bf16 ? 48 : 0));
        program_close(&p);
    }
}

TEST(tensors_are_found_by_name)
{
    program p;
    program_open(&p, F32);
    tensor a = matrix(&p, "a", 2, 3), b = matrix(&p, "b", 4, 4);
    program_at(&p, b, (turn){ .at = 1 });
    CHECK(program_find(&p, "a").id == a.id && program_find(&p, "b").id == b.id && program_find(&p, "c").id == 0);
    CHECK(program_bytes(&p, a) == 24 && program_bytes(&p, of(&p, INPUT, BF16, "h", SHAPE(3))) == 6);
    program_close(&p);
}

// Layers that save a stack in a forward loop and read it in a backward one.
static tensor record_layers(program *p)
{
    tensor x = of(p, INPUT, F32, "x", SHAPE(4, 8)), w = of(p, WEIGHT, F32, "w", SHAPE(3, 8, 8)), saved = of(p, ACTIVATION,
        F32, "saved", SHAPE(3, 4, 8));
    tensor h = of(p, ACTIVATION, F32, "h", SHAPE(4, 8)), g = of(p, GRADIENT, F32, "g", SHAPE(4, 8)), dw = of(p, OUTPUT, F32,
        "dw", SHAPE(3, 8, 8));
    tensor other = of(p, GRADIENT, F32, "other", SHAPE(4, 8)), sum = of(p, OUTPUT, F32, "sum", SCALAR);
    op_copy(p, h, x);
    LOOP (p, i, 3, FORWARD) {
        op_copy(p, program_at(p, saved, i), h);
        op_matmul(p, h, program_at(p, saved, i), program_at(p, w, i), ADD);
    }
    op_copy(p, g, h);
    LOOP (p, i, 3, REVERSE) {
        op_matmul_tn(p, program_at(p, dw, i), program_at(p, saved, i), g, SET);
        op_matmul_nt(p, other, g, program_at(p, w, i), SET);
        op_copy(p, g, other);
    }
    op_set(p, sum, 0);
    op_sumsq(p, sum, g);
    return dw;
}

// No two values that live at the same time overlap; all lie within what is planned, on cache lines.
static void check_plan(const program *p)
{
    for (int i = 1; i < p->value_count; i++) {
        const value *a = &p->values[i];
        if (a->of.id || (!kind_kept(a->kind) && a->last < 0))
            continue;
        int64_t end = a->offset + program_bytes(p, (tensor){ i });
        CHECK(a->offset % 64 == 0 && end <= (kind_kept(a->kind) ? p->kept : p->scratch));
        for (int j = i + 1; j < p->value_count; j++) {
            const value *b = &p->values[j];
            if (b->of.id || kind_kept(a->kind) != kind_kept(b->kind) || (!kind_kept(b->kind) && b->last < 0))
                continue;
            bool together = kind_kept(a->kind) || (a->first <= b->last && b->first <= a->last);
            CHECK(!together || end <= b->offset || b->offset + program_bytes(p, (tensor){ j }) <= a->offset);
        }
    }
}

TEST(memory_is_shared_by_lifetime_and_never_at_the_same_time)
{
    for (int unroll = 0; unroll < 2; unroll++) {
        err e = {0};
        program p;
        program_open(&p, F32);
        p.unroll = unroll;
        record_layers(&p);
        must(program_finish(&p, &e), &e);
        check_plan(&p);
        CHECK(p.scratch < p.unshared);
        CHECK(p.loop_count == (unroll ? 1 : 3));
        program_close(&p);
    }
}

TEST(recording_twice_gives_the_same_list)
{
    program p[2];
    text t[2] = {0};
    err e = {0};
    for (int i = 0; i < 2; i++) {
        program_open(&p[i], F32);
        record_layers(&p[i]);
        must(program_finish(&p[i], &e), &e);
        program_print(&p[i], &t[i]);
        program_close(&p[i]);
    }
    CHECK_TEXT(t[0].chars, t[1].chars);
    CHECK_TEXT(t[0].chars,
               "   0  h = copy x\n"
               "   1  loop i1 over 3\n"
               "   2      saved[i1] = copy h\n"
               "   3      h += matmul saved[i1] w[i1]\n"
               "   4  end i1\n"
               "   5  g = copy h\n"
               "   6  loop i2 over 3, last to first\n"
               "   7      dw[i2] = matmul_tn saved[i2] g\n"
               "   8      other = matmul_nt g w[i2]\n"
               "   9      g = copy other\n"
               "  10  end i2\n"
               "  11  sum = set 0\n"
               "  12  sum += sumsq g\n");
    text_close(&t[0]);
    text_close(&t[1]);
}

TEST(the_plan_is_printed)
{
    err e = {0};
    program p;
    text t = {0};
    program_open(&p, F32);
    record_layers(&p);
    must(program_finish(&p, &e), &e);
    program_print_plan(&p, &t);
    CHECK_TEXT(t.chars,
               "inputs                              128 bytes\n"
               "weights                             768 bytes\n"
               "outputs                             772 bytes\n"
               "gradients                           256 bytes\n"
               "activations                         512 bytes\n"
               "weights' bf16 copies                  0 bytes\n"
               "kept from step to step             1728 bytes\n"
               "scratch, each its own               768 bytes\n"
               "scratch, shared by life             640 bytes\n"
               "reserved                           2368 bytes\n");
    text_close(&t);
    program_close(&p);
}

TEST(a_loop_carries_what_crosses_its_turns_or_its_ends)
{
    err e = {0};
    program p;
    program_open(&p, F32);
    tensor x = of(&p, INPUT, F32, "x", SHAPE(3, 2)), sum = of(&p, OUTPUT, F32, "sum", SCALAR);
    tensor local = of(&p, ACTIVATION, F32, "local", SHAPE(2)), final = of(&p, ACTIVATION, F32, "final", SHAPE(2));
    tensor full = of(&p, ACTIVATION, F32, "full", SHAPE(3, 2)), part = of(&p, ACTIVATION, F32, "part", SHAPE(3, 2));
    tensor chunks = of(&p, INPUT, I32, "chunks", SCALAR), some = of(&p, ACTIVATION, F32, "some", SHAPE(3, 2));
    op_set(&p, sum, 0);
    op_set(&p, some, 0);
    LOOP (&p, outer, 2, FORWARD) {
        LOOP (&p, i, 3, FORWARD) {
            op_copy(&p, local, program_at(&p, x, i));
            op_copy(&p, final, local);
            op_copy(&p, program_at(&p, full, i), local);
        }
        LOOP_BOUND (&p, i, 3, chunks)
            op_copy(&p, program_at(&p, some, i), program_at(&p, x, i));
        op_set(&p, program_at(&p, part, (turn){ .at = 1 }), 1);
        op_sumsq(&p, sum, full);
        op_sumsq(&p, sum, part);
        op_sumsq(&p, sum, some);
    }
    op_sumsq(&p, sum, final);
    must(program_finish(&p, &e), &e);
    CHECK(program_carries(&p, 1, local.id) == 0 && program_carries(&p, 2, local.id) == 0);
    CHECK(program_carries(&p, 1, final.id) == 1 && program_carries(&p, 2, final.id) == 1);
    CHECK(program_carries(&p, 1, full.id)  == 0 && program_carries(&p, 2, full.id)  == 1);
    CHECK(program_carries(&p, 1, part.id)  == 1 && program_carries(&p, 2, part.id)  == 0);
    CHECK(program_carries(&p, 1, some.id)  == 1 && program_carries(&p, 3, some.id)  == 1);
    CHECK(program_carries(&p, 1, sum.id)   == 1 && program_carries(&p, 2, sum.id)   == 0);
    CHECK(program_writes(&p, 2, full.id) && !program_writes(&p, 3, full.id));
    program_close(&p);
}
