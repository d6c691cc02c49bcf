// The judge: an engine that computes in double, with no tricks. Every tensor has memory of its own, so that a
// mistake in the plan shows as a difference; scratch and outputs start each step as NaN, so that using what was
// not made shows too.
#include "engine/cpu/ref.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cpu/bf16.h"
#include "engine/cpu/walk.h"
#include "engine/engine.h"

typedef struct ref {
    engine engine;
    walk walk;
} ref;

static bool run(void *self, const call *c, err *e)
{
    const ref *r = self;
    void *at[MAX_ARGS];
    for (int i = 0; i < c->args; i++)
        at[i] = walk_address(&r->walk, c->arg[i]);
    TRY(walk_check_indices(r->walk.p, c, at, e));
    ref_ops[c->op](c, at);
    return true;
}

static void poison(const ref *r)
{
    for (int32_t i = 1; i < r->walk.p->value_count; i++) {
        const value *v = &r->walk.p->values[i];
        int64_t n = v->of.id || v->type == I32 || v->kind <= STATE ? 0 : shape_count(v->shape);
        for (int64_t j = 0; j < n; j++)
            ((double *)r->walk.base[i])[j] = NAN;
    }
}

static bool ref_step(engine *g, err *e)
{
    ref *r = (ref *)g;
    poison(r);
    return walk_step(&r->walk, run, r, e);
}

static bool ref_write(engine *g, tensor t, int64_t from_element, int64_t count, const void *from, err *e)
{
    const ref *r = (const ref *)g;
    void *to = walk_elements(&r->walk, t, from_element, count, e);
    if (!to)
        return false;
    type k = program_value(g->program, t)->type;
    for (int64_t i = 0; i < count; i++)
        if (k == F32)
            ((double *)to)[i] = (double)((const float *)from)[i];
        else if (k == BF16)
            ((double *)to)[i] = (double)bf16_to_float(((const uint16_t *)from)[i]);
        else
            ((int32_t *)to)[i] = ((const int32_t *)from)[i];
    return true;
}

static bool ref_read(engine *g, tensor t, int64_t from_element, int64_t count, void *to, err *e)
{
    const ref *r = (const ref *)g;
    const void *from = walk_elements(&r->walk, t, from_element, count, e);
    if (!from)
        return false;
    type k = program_value(g->program, t)->type;
    for (int64_t i = 0; i < count; i++)
        if (k == F32)
            ((float *)to)[i] = (float)((const double *)from)[i];
        else if (k == BF16)
            ((uint16_t *)to)[i] = bf16_from_float((float)((const double *)from)[i]);
        else
            ((int32_t *)to)[i] = ((const int32_t *)from)[i];
    return true;
}

static double *doubles(engine *g, tensor t, err *e)
{
    if (program_value(g->program, t)->type == I32) {
        fail(e, ERR_BUG, "'%s' holds whole numbers, not double", program_value(g->program, t)->name);
        return NULL;
    }
    return (double *)walk_elements(&((ref *)g)->walk, t, 0, shape_count(program_value(g->program, t)->shape), e);
}

bool ref_write_double(engine *g, tensor t, const double *from, err *e)
{
    double *to = doubles(g, t, e);
    if (to)
        memcpy(to, from, sizeof *to * (size_t)shape_count(program_value(g->program, t)->shape));
    return to;
}

bool ref_read_double(engine *g, tensor t, double *to, err *e)
{
    const double *from = doubles(g, t, e);
    if (from)
        memcpy(to, from, sizeof *to * (size_t)shape_count(program_value(g->program, t)->shape));
    return from;
}

static void ref_prepare(engine *g) { (void)g; }

static void *ref_address(engine *g, tensor t)
{
    (void)g, (void)t;               // nothing lies there in its own type
    return NULL;
}

static void ref_close(engine *g)
{
    ref *r = (ref *)g;
    for (int32_t i = 0; r->walk.base && i < r->walk.p->value_count; i++)
        free(r->walk.base[i]);
    walk_close(&r->walk);
    free(r);
}

static bool reserve(ref *r, const program *p, err *e)
{
    TRY(walk_open(&r->walk, p, e));
    r->walk.size[F32] = r->walk.size[BF16] = sizeof(double);
    for (int32_t i = 1; i < p->value_count; i++) {
        const value *v = &p->values[i];
        size_t bytes = (size_t)(shape_count(v->shape) * r->walk.size[v->type]);
        if (!v->of.id && !(r->walk.base[i] = calloc(1, bytes)))
            return fail(e, ERR_MEMORY, "the ref engine: no memory for '%s', %zu bytes", v->name, bytes);
    }
    return true;
}

engine *ref_open(const program *p, err *e)
{
    ref *r = calloc(1, sizeof *r);
    if (!r) {
        fail(e, ERR_MEMORY, "no memory to open the ref engine");
        return NULL;
    }
    r->engine = (engine){ "ref", ref_write, ref_read, ref_step, ref_prepare, ref_address, ref_close, p, NULL };
    if (reserve(r, p, e))
        return &r->engine;
    ref_close(&r->engine);
    return NULL;
}
