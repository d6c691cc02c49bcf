// The CPU engine: walks the list and calls the kernels of one instruction set. All memory is one reservation: what is
// kept (and not shared with another engine), BF16 copies of weights, scratch, and the kernels' working room. Copies are made where
// the set multiplies BF16; elsewhere products widen what they pack anyway, and round weights on the way, to the same bits.
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "engine/cpu/cost.h"
#include "engine/cpu/kernels.h"
#include "engine/cpu/matmul.h"
#include "engine/cpu/reserve.h"
#include "engine/cpu/walk.h"
#include "engine/engine.h"

enum { LINE = 64 };

typedef struct cpu {
    engine engine;
    walk walk;
    const isa *isa;
    pool *pool;
    reserve memory;
    uint16_t **copy;                // by value: the BF16 copy of a weight, NULL for others
    char *work, *room;              // scratch, and behind it the kernels' working room; may be the other engine's
    size_t work_size;
    matmul *matmul;
    atomic_bool stale;              // a weight with a copy was written
    bool profile;
    op_time times[OP_LOOP];
} cpu;

static const char cpu_name[] = "cpu";

// Where a weight's BF16 copy lies, at the same element as the tensor itself.
static uint16_t *copy_of(const cpu *c, tensor t)
{
    int32_t base = program_base(c->walk.p, t);
    uint16_t *copy = c->copy[base];
    return copy ? copy + ((float *)walk_address(&c->walk, t) - (float *)(void *)c->walk.base[base]) : NULL;
}

static bool is_product(op o) { return o == OP_matmul || o == OP_matmul_nt || o == OP_matmul_tn; }

static bool run(void *self, const call *k, err *e)
{
    cpu *c = self;
    task t = { .c = k, .pool = c->pool, .room = c->room };
    for (int i = 0; i < k->args; i++) {
        t.at[i] = walk_address(&c->walk, k->arg[i]);
        t.bf16[i] = program_value(c->walk.p, k->arg[i])->type == BF16;
    }
    TRY(walk_check_indices(c->walk.p, k, t.at, e));
    for (int i = 1; i < 3 && is_product(k->op); i++) {
        uint16_t *copy = copy_of(c, k->arg[i]);
        if (copy)
            t.at[i] = copy, t.bf16[i] = true;
        t.rounded[i] = !copy && !t.bf16[i] && program_operand(c->walk.p, k->arg[i]) == BF16;
    }
    if (k->op == OP_adamw)
        t.copy = copy_of(c, k->arg[0]);
    double begin = c->profile ? clock_now() : 0;
    bool good = true;
    if (!matmul_run(c->matmul, k - c->walk.p->calls, &t, &good))
        c->isa->kernels[k->op].run(&t);
    if (!good)
        return fail(e, ERR_BUG, "%s: oneDNN refused the product", op_name(k->op));
    if (c->profile) {
        op_time *o = &c->times[k->op];
        *o = (op_time){ op_name(k->op), o->calls + 1, o->seconds + clock_now() - begin,
                        o->flops + cost_flops(k), o->bytes + cost_bytes(c->walk.p, k) };
    }
    return true;
}

static void cpu_prepare(engine *g)
{
    cpu *c = (cpu *)g;
    for (int32_t i = 1; i < c->walk.p->value_count; i++) {
        call k = { .op = OP_copy, .count = shape_count(c->walk.p->values[i].shape) };
        task t = { .c = &k, .at = { c->copy[i], c->walk.base[i] }, .bf16 = { true, false }, .pool = c->pool };
        if (c->copy[i])
            c->isa->kernels[OP_copy].run(&t);
    }
    c->stale = false;
}

static bool cpu_step(engine *g, err *e)
{
    cpu *c = (cpu *)g;
    reserve_wait(&c->memory);
    if (c->stale)
        cpu_prepare(g);
    return walk_step(&c->walk, run, c, e);
}

static bool cpu_write(engine *g, tensor t, int64_t from_element, int64_t count, const void *from, err *e)
{
    cpu *c = (cpu *)g;
    char *to = walk_elements(&c->walk, t, from_element, count, e);
    if (!to)
        return false;
    memcpy(to, from, (size_t)(count * type_size(program_value(g->program, t)->type)));
    if (c->copy[program_base(g->program, t)])
        c->stale = true;
    return true;
}

static bool cpu_read(engine *g, tensor t, int64_t from_element, int64_t count, void *to, err *e)
{
    const char *from = walk_elements(&((cpu *)g)->walk, t, from_element, count, e);
    if (from)
        memcpy(to, from, (size_t)(count * type_size(program_value(g->program, t)->type)));
    return from;
}

static void *cpu_address(engine *g, tensor t)
{
    err e = {0};
    return t.id ? walk_elements(&((cpu *)g)->walk, t, 0, 0, &e) : NULL;
}

static void cpu_close(engine *g)
{
    cpu *c = (cpu *)g;
    matmul_close(c->matmul);
    walk_close(&c->walk);
    reserve_close(&c->memory);
    free(c->copy);
    free(c);
}

// The other engine's tensor of the same name, type and shape; {0}: none.
static tensor shared(const engine *other, const value *v)
{
    if (!other || (v->kind != WEIGHT && v->kind != MOMENT && v->kind != STATE))
        return (tensor){0};
    tensor t = program_find(other->program, v->name);
    const value *o = program_value(other->program, t);
    bool same = t.id && o->kind == v->kind && o->type == v->type && o->shape.rank == v->shape.rank;
    for (int i = 0; same && i < v->shape.rank; i++)
        same = o->shape.dim[i] == v->shape.dim[i];
    return same ? t : (tensor){0};
}

static size_t lines(int64_t bytes) { return (size_t)(bytes + LINE - 1) / LINE * LINE; }

// Gives every kept base its place; with `at` NULL only counts. Returns the bytes needed.
static size_t place_kept(cpu *c, const cpu *other, char *at)
{
    const program *p = c->walk.p;
    size_t used = 0;
    for (int32_t i = 1; i < p->value_count; i++) {
        const value *v = &p->values[i];
        if (v->of.id || !kind_kept(v->kind))
            continue;
        tensor o = shared(other ? &other->engine : NULL, v);
        bool copied = c->isa->bf16 && program_copied(p, (tensor){ i });
        c->walk.base[i] = o.id ? other->walk.base[o.id] : at ? at + used : NULL;
        used += o.id ? 0 : lines(program_bytes(p, (tensor){ i }));
        if (o.id && other->copy[o.id]) {
            c->copy[i] = other->copy[o.id];         // also where only adamw needs it: copies stay true
        } else if (copied) {
            c->copy[i] = at ? (uint16_t *)(void *)(at + used) : NULL;
            c->stale = true;
            used += lines(2 * shape_count(v->shape));
        }
    }
    return used;
}

static void place_work(cpu *c, char *at)
{
    const program *p = c->walk.p;
    for (int32_t i = 1; i < p->value_count; i++)
        if (!p->values[i].of.id && !kind_kept(p->values[i].kind))
            c->walk.base[i] = at + p->values[i].offset;
    c->work = at;
    c->room = at + lines(p->scratch);
}

static size_t room_bytes(const cpu *c, int threads)
{
    int64_t most = matmul_room(c->matmul);
    for (int n = 0; n < c->walk.p->call_count; n++) {
        const call *k = &c->walk.p->calls[n];
        if (k->op >= OP_LOOP || !c->isa->kernels[k->op].room || matmul_has(c->matmul, n))
            continue;
        int64_t bytes = c->isa->kernels[k->op].room(k, threads);
        most = MAX(most, bytes);
    }
    return lines(most);
}

// All but memory.
static bool open_tables(cpu *c, const char *set, int threads, err *e)
{
    const program *p = c->engine.program;
    TRY(c->isa = isa_find(set, e));
    TRY(walk_open(&c->walk, p, e));
    if (!(c->copy = calloc((size_t)p->value_count, sizeof *c->copy)))
        return fail(e, ERR_MEMORY, "no memory to open the engine");
    TRY(matmul_open(&c->matmul, p, c->isa, set != NULL, threads, e));
    c->work_size = lines(p->scratch) + room_bytes(c, threads);
    return true;
}

static bool open_all(cpu *c, const cpu_options *o, err *e)
{
    const int threads = pool_threads(c->pool);
    if (o->share && o->share->name != cpu_name)
        return fail(e, ERR_BUG, "a cpu engine cannot share the memory of engine '%s'", o->share->name);
    TRY(open_tables(c, o->isa, threads, e));
    const cpu *other = (const cpu *)o->share;
    const bool shared_work = other && c->work_size <= other->work_size;     // nothing in it lives from step to step
    const size_t kept = place_kept(c, other, NULL);
    TRY(reserve_open(&c->memory, kept + (shared_work ? 0 : c->work_size), c->pool, e));
    place_kept(c, other, c->memory.at);
    place_work(c, shared_work ? other->work : c->memory.at + kept);
    log_debug("cpu: instruction set %s, %d threads, %.2f GB", c->isa->name, threads, (double)c->memory.size * 1e-9);
    return true;
}

engine *cpu_open(const program *p, const cpu_options *o, err *e)
{
    cpu *c = calloc(1, sizeof *c);
    if (!c) {
        fail(e, ERR_MEMORY, "no memory to open the engine");
        return NULL;
    }
    c->engine = (engine){ cpu_name, cpu_write, cpu_read, cpu_step, cpu_prepare, cpu_address, cpu_close, p, o->pool };
    c->pool = o->pool;
    c->profile = o->profile;
    if (open_all(c, o, e))
        return &c->engine;
    cpu_close(&c->engine);
    return NULL;
}

bool cpu_bytes(const program *p, const char *set, int threads, cpu_room *bytes, err *e)
{
    cpu *c = calloc(1, sizeof *c);
    if (!c)
        return fail(e, ERR_MEMORY, "no memory to open the engine");
    c->engine = (engine){ .name = cpu_name, .program = p };
    const bool ok = open_tables(c, set, threads, e);
    if (ok)
        *bytes = (cpu_room){ (int64_t)place_kept(c, NULL, NULL), (int64_t)c->work_size, c->isa->bf16 ? program_copies(p) : 0 };
    cpu_close(&c->engine);
    return ok;
}

int engine_times(const engine *g, op_time *out, int room)
{
    int n = 0;
    for (int i = 0; g->name == cpu_name && i < OP_LOOP; i++)
        if (((const cpu *)g)->times[i].calls && n < room)
            out[n++] = ((const cpu *)g)->times[i];
    return n;
}

void engine_times_clear(engine *g)
{
    if (g->name == cpu_name)
        memset(((cpu *)g)->times, 0, sizeof ((cpu *)g)->times);
}
