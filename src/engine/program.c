// Recording: tensors, views, loops and calls.
#include "engine/program.h"

#include <stdlib.h>
#include <string.h>

#include "engine/row.h"

// Room for one more. Arrays double when their count is a power of two.
static bool grow(program *p, void *array, int count, size_t size)
{
    if (count & (count - 1))
        return true;
    void *more = realloc(*(void **)array, (count ? 2 * (size_t)count : 1) * size);
    if (!more)
        return fail(&p->error, ERR_MEMORY, "no memory to record the program");
    *(void **)array = more;
    return true;
}

static tensor add_value(program *p, value v)
{
    if (p->error.code || !grow(p, &p->values, p->value_count, sizeof v))
        return (tensor){0};
    p->values[p->value_count] = v;
    return (tensor){ p->value_count++ };
}

static void add_call(program *p, call c)
{
    if (p->error.code || !grow(p, &p->calls, p->call_count, sizeof c))
        return;
    p->calls[p->call_count++] = c;
}

static int32_t add_loop(program *p, loop l)
{
    if (p->error.code || !grow(p, &p->loops, p->loop_count, sizeof l))
        return 0;
    p->loops[p->loop_count] = l;
    return p->loop_count++;
}

void program_open(program *p, type compute)
{
    *p = (program){ .compute = compute };
    add_value(p, (value){ .name = "none" });
    add_loop(p, (loop){ .begin = -1 });
    if (compute != F32 && compute != BF16)
        fail(&p->error, ERR_BUG, "a program computes in F32 or BF16");
}

void program_close(program *p)
{
    free(p->values);
    free(p->calls);
    free(p->loops);
    *p = (program){0};
}

tensor program_tensor(program *p, kind k, type t, const char *name, shape s)
{
    for (int i = 0; i < s.rank; i++)
        if (s.dim[i] < 1)
            fail(&p->error, ERR_BUG, "'%s': dimension %d is %lld", name, i, (long long)s.dim[i]);
    return add_value(p, (value){ .name = name, .kind = k, .type = t, .shape = s });
}

tensor program_like(program *p, kind k, const char *name, tensor t)
{
    if (!t.id)
        return t;
    const value *v = program_value(p, t);
    return program_tensor(p, k, v->type, name, v->shape);
}

tensor program_find(const program *p, const char *name)
{
    for (int32_t i = 1; i < p->value_count; i++)
        if (!p->values[i].of.id && strcmp(p->values[i].name, name) == 0)
            return (tensor){ i };
    return (tensor){0};
}

tensor program_at(program *p, tensor stack, turn i)
{
    if (!stack.id || p->error.code)
        return (tensor){0};
    value v = p->values[stack.id];
    int64_t count = i.loop ? p->loops[i.loop].count : i.at + 1;
    if (v.shape.rank == 0 || count > v.shape.dim[0] || (!i.loop && i.at < 0)) {
        fail(&p->error, ERR_BUG, "'%s': an index up to %lld is past its end", v.name, (long long)count - 1);
        return (tensor){0};
    }
    v.shape = shape_inner(v.shape);
    v.of = stack;
    v.at = i;
    return add_value(p, v);
}

int32_t program_base(const program *p, tensor t)
{
    while (p->values[t.id].of.id)
        t = p->values[t.id].of;
    return t.id;
}

static turn begin(program *p, loop l)
{
    l.begin = p->call_count;
    if (l.count < 1 || p->depth == MAX_DEPTH) {
        fail(&p->error, ERR_BUG, "a loop of %lld turns at depth %d", (long long)l.count, p->depth);
        return (turn){0};
    }
    int32_t id = add_loop(p, l);
    add_call(p, (call){ .op = OP_LOOP, .loop = id });
    p->open[p->depth++] = id;
    return (turn){ .loop = id, .left = 1 };
}

turn program_loop(program *p, int64_t n, order o)
{
    if (p->unroll)
        return (turn){ .left = n, .at = o == REVERSE ? n : -1, .step = o == REVERSE ? -1 : 1 };
    return begin(p, (loop){ .count = n, .order = o });
}

turn program_loop_bound(program *p, int64_t n, tensor bound)
{
    const value *v = program_value(p, bound);
    if (!p->error.code && (!bound.id || v->type != I32 || v->shape.rank))
        fail(&p->error, ERR_BUG, "call %d, loop: its bound '%s' is no I32 scalar", p->call_count, v->name);
    if (p->error.code)
        return (turn){0};
    return begin(p, (loop){ .count = n, .bound = bound });
}

bool program_more(program *p, turn *i)
{
    if (i->left-- > 0) {
        i->at += i->step;
        return true;
    }
    if (i->loop && !p->error.code) {
        p->depth--;
        p->loops[i->loop].end = p->call_count;
        add_call(p, (call){ .op = OP_END, .loop = i->loop });
    }
    return false;
}

void program_call(program *p, call c)
{
    bool wanted;
    if (row_bind(p, &c, &wanted) && wanted)
        add_call(p, c);
}

bool program_finish(program *p, err *e)
{
    if (!p->error.code && p->depth)
        fail(&p->error, ERR_BUG, "a loop is not closed");
    if (!p->error.code && row_check_made(p))
        program_plan(p);
    if (p->error.code)
        *e = p->error;
    return !p->error.code;
}
