// Memory from the list: how long each value lives, and where it lies. Two values may share memory
// when no call lies between the first and last of both.
#include <stdlib.h>

#include "engine/program.h"

enum { ALIGN = 64 };                // bytes: a cache line, a vector

static bool inside(const loop *l, int n) { return n > l->begin && n < l->end; }

// Does setting this argument set all of its base, as seen from outside the loops within `outer`?
// A view does when each of its indices is a loop inside `outer` that visits every element.
static bool sets_all(const program *p, const loop *outer, const call *c, int i)
{
    if (c->access[i] != '=')
        return false;
    for (const value *v = program_value(p, c->arg[i]); v->of.id; v = program_value(p, v->of)) {
        const loop *l = &p->loops[v->at.loop];
        if (!v->at.loop || l->bound.id || !inside(outer, l->begin) || l->count != program_value(p, v->of)->shape.dim[0])
            return false;
    }
    return true;
}

bool program_carries(const program *p, int32_t id, int32_t base)
{
    const loop *l = &p->loops[id];
    bool met = false, carries = kind_kept(p->values[base].kind);
    for (int n = 0; n < p->call_count; n++)
        for (int i = 0; i < p->calls[n].args; i++) {
            if (program_base(p, p->calls[n].arg[i]) != base)
                continue;
            if (!inside(l, n))
                carries = true;
            else if (!met)
                carries = !sets_all(p, l, &p->calls[n], i) || carries;
            met = met || inside(l, n);
        }
    return met && carries;
}

bool program_writes(const program *p, int32_t id, int32_t base)
{
    for (int n = p->loops[id].begin; n < p->loops[id].end; n++)
        for (int i = 0; i < p->calls[n].args; i++)
            if (p->calls[n].access[i] != ' ' && program_base(p, p->calls[n].arg[i]) == base)
                return true;
    return false;
}

// From the first call that names the value to the last, and all of every loop that carries it.
static void lifetimes(program *p)
{
    for (int v = 0; v < p->value_count; v++)
        p->values[v].first = p->call_count, p->values[v].last = -1;
    for (int n = 0; n < p->call_count; n++)
        for (int i = 0; i < p->calls[n].args; i++) {
            value *v = &p->values[program_base(p, p->calls[n].arg[i])];
            if (v->last < 0)
                v->first = n;
            v->last = n;
        }
    for (int32_t l = 1; l < p->loop_count; l++)
        for (int v = 1; v < p->value_count; v++)
            if (!p->values[v].of.id && !kind_kept(p->values[v].kind) && program_carries(p, l, v)) {
                if (p->loops[l].begin < p->values[v].first) p->values[v].first = p->loops[l].begin;
                if (p->loops[l].end > p->values[v].last)    p->values[v].last = p->loops[l].end;
            }
}

static int64_t room(const value *v)
{
    return (type_size(v->type) * shape_count(v->shape) + ALIGN - 1) / ALIGN * ALIGN;
}

static int larger_first(const void *a, const void *b)
{
    const value *x = *(value *const *)a, *y = *(value *const *)b;
    int64_t n = room(x), m = room(y);
    return n != m ? (n < m ? 1 : -1) : (x > y) - (x < y);
}

// The lowest place where the value meets none of those that were placed and live at the same time.
static int64_t lowest(value *const *placed, int count, const value *v)
{
    int64_t at = 0;
    for (int i = 0; i < count; i++) {
        const value *o = placed[i];
        bool together = o->first <= v->last && v->first <= o->last;
        if (together && at < o->offset + room(o) && o->offset < at + room(v)) {
            at = o->offset + room(o);
            i = -1;                 // moved up: look at all of them again
        }
    }
    return at;
}

void program_plan(program *p)
{
    value **scratch = malloc(sizeof *scratch * (size_t)p->value_count);
    int count = 0;
    if (!scratch) {
        fail(&p->error, ERR_MEMORY, "no memory to plan the program");
        return;
    }
    lifetimes(p);
    p->kept = p->scratch = p->unshared = 0;
    for (value *v = p->values + 1; v < p->values + p->value_count; v++) {
        if (v->of.id)
            continue;
        if (kind_kept(v->kind)) {
            v->offset = p->kept;
            p->kept += room(v);
        } else if (v->last >= 0) {
            scratch[count++] = v;
        }
    }
    qsort(scratch, (size_t)count, sizeof *scratch, larger_first);
    for (int i = 0; i < count; i++) {
        value *v = scratch[i];
        v->offset = lowest(scratch, i, v);
        if (v->offset + room(v) > p->scratch)
            p->scratch = v->offset + room(v);
        p->unshared += room(v);
    }
    free(scratch);
}
