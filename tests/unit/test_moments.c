// AdamW's moments in BF16: rounded at random, by numbers of each step, weight and place.
#include "ops.h"

static int32_t a_key(const char *name, int64_t i) { (void)name; return i ? 77 : -5; }

// An update, on a CPU engine or in double.
typedef struct update { program p; engine *g; tensor m, v, dw, key; } update;

enum { ELEMENTS = 70001 };          // more than a tile

static void update_open(update *u, const char *isa, type moments, const adamw *o)
{
    err e = {0};
    program *p = &u->p;
    program_open(p, F32);
    const shape s = SHAPE(ELEMENTS);
    u->m = program_tensor(p, MOMENT, moments, "m", s), u->v = program_tensor(p, MOMENT, moments, "v", s);
    u->dw = in(p, F32, "dw", s), u->key = in(p, I32, "key", SHAPE(2));
    op_adamw(p, program_tensor(p, WEIGHT, F32, "w", s), u->m, u->v, u->dw, in(p, F32, "rate", SCALAR), in(p, F32, "r", SCALAR),
             in(p, F32, "r", SCALAR), in(p, F32, "scale", SCALAR), in(p, F32, "finite", SCALAR), u->key, o);
    must(program_finish(p, &e), &e);
    u->g = isa ? cpu_open(p, &(cpu_options){ .isa = isa }, &e) : ref_open(p, &e);
    must(u->g, &e);
    static const op_case filled = { "update", NULL, a_key, 0, 0 };
    fill(u->g, &filled);
}

static void update_step(update *u, uint32_t number)
{
    err e = {0};
    must(u->g->write(u->g, u->key, 0, 2, (uint32_t[]){ 9, number }, &e) && u->g->step(u->g, &e), &e);
}

static void update_close(update *u)
{
    u->g->close(u->g);
    program_close(&u->p);
}

// Between neighbours in BF16.
static float spacing(float x) { return ldexpf(1, ilogbf(x) - 7); }

TEST(moments_are_rounded_to_a_neighbour_and_to_neither_side)
{
    static const adamw o = { 0.9f, 0.95f, 1e-8f, 0.1f, 0 };
    for (const char *const *isa = cpu_isas(); *isa; isa++) {
        update cpu, ref;
        update_open(&cpu, *isa, BF16, &o);
        update_open(&ref, NULL, F32, &o);
        update_step(&cpu, 1);
        update_step(&ref, 1);
        const tensor both[] = { cpu.m, cpu.v };
        for (int k = 0; k < 2; k++) {
            float *got = floats(cpu.g, both[k].id), *want = floats(ref.g, both[k].id);
            double off = 0;
            int64_t wrong = 0, up = 0;
            for (int64_t i = 0; i < ELEMENTS; i++) {
                const float d = (got[i] - want[i]) / spacing(want[i]);
                wrong += !(fabsf(d) < 1.001f);
                up += d > 0;
                off += (double)d / ELEMENTS;
            }
            CHECK(wrong == 0);
            CHECK(fabs(off) < 0.01 && up > ELEMENTS / 3 && up < 2 * ELEMENTS / 3);
            free(got);
            free(want);
        }
        float *got = floats(cpu.g, program_find(&cpu.p, "w").id), *want = floats(ref.g, program_find(&ref.p, "w").id);
        CHECK_CLOSE(got, want, ELEMENTS, 2e-6f);
        free(got);
        free(want);
        update_close(&cpu);
        update_close(&ref);
    }
}

// With beta2 = 0.999 a change is a tenth of the distance to the neighbour: rounding to nearest would stand still.
TEST(small_changes_of_moments_add_up)
{
    static const adamw o = { 0.999f, 0.999f, 1e-8f, 0, 0 };
    enum { STEPS = 300 };
    err e = {0};
    update u;
    update_open(&u, cpu_isas()[0], BF16, &o);
    float *dw = malloc(sizeof *dw * ELEMENTS);
    uint16_t *start = malloc(sizeof *start * ELEMENTS);
    for (int i = 0; i < ELEMENTS; i++)
        dw[i] = 1, start[i] = bf16_from_float(0.5f);
    must(u.g->write(u.g, u.dw, 0, ELEMENTS, dw, &e) && u.g->write(u.g, u.m, 0, ELEMENTS, start, &e)
         && u.g->write(u.g, u.v, 0, ELEMENTS, start, &e), &e);
    must(u.g->write(u.g, program_find(&u.p, "scale"), 0, 1, &(float){ 1 }, &e), &e);
    for (uint32_t k = 1; k <= STEPS; k++)
        update_step(&u, k);
    const double want = 1 - 0.5 * pow(0.999, STEPS);
    const tensor both[] = { u.m, u.v };
    for (int k = 0; k < 2; k++) {
        float *got = floats(u.g, both[k].id), least = 1, most = 0;
        double mean = 0;
        for (int i = 0; i < ELEMENTS; i++)
            mean += (double)got[i] / ELEMENTS, least = fminf(least, got[i]), most = fmaxf(most, got[i]);
        CHECK(fabs(mean / want - 1) < 1e-3);
        CHECK((double)least > 0.75 * want && (double)most < 1.25 * want);
        free(got);
    }
    free(dw);
    free(start);
    update_close(&u);
}

// Another number of threads, and the same again, is checked for every operation above; here that step and weight matter.
TEST(each_step_and_each_weight_is_rounded_by_numbers_of_its_own)
{
    uint16_t *m[3];
    for (int k = 0; k < 3; k++) {
        const adamw o = { 0.9f, 0.95f, 1e-8f, 0, k == 2 };
        err e = {0};
        update u;
        update_open(&u, cpu_isas()[0], BF16, &o);
        update_step(&u, k == 1 ? 2 : 1);
        m[k] = malloc(sizeof **m * ELEMENTS);
        must(u.g->read(u.g, u.m, 0, ELEMENTS, m[k], &e), &e);
        update_close(&u);
    }
    for (int k = 1; k < 3; k++) {
        int64_t same = 0;
        for (int i = 0; i < ELEMENTS; i++)
            same += m[0][i] == m[k][i];
        CHECK(same > ELEMENTS / 2 && same < 5 * ELEMENTS / 6);  // two thirds on average: p^2 + (1 - p)^2 over all p
    }
    for (int k = 0; k < 3; k++)
        free(m[k]);
}

TEST(moments_in_bf16_need_a_key)
{
    static const adamw o = { 0.9f, 0.95f, 1e-8f, 0, 0 };
    err e = {0};
    program p;
    program_open(&p, F32);
    tensor one = in(&p, F32, "one", SCALAR);
    op_adamw(&p, program_tensor(&p, WEIGHT, F32, "w", SHAPE(3)), program_tensor(&p, MOMENT, F32, "m", SHAPE(3)),
             program_tensor(&p, MOMENT, BF16, "v", SHAPE(3)), in(&p, F32, "dw", SHAPE(3)), one, one, one, one, one, (tensor){0}, &o);
    CHECK(!program_finish(&p, &e) && e.code == ERR_BUG);
    CHECK_TEXT(e.text, "call 0, adamw: moments in BF16 need a key of 2 words");
    program_close(&p);
}
