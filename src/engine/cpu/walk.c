// Walks the list of a program. Indices that a call reads are checked before it runs: kernels trust them.
#include "engine/cpu/walk.h"

#include <stdlib.h>

#include "base/util.h"

bool walk_open(walk *w, const program *p, err *e)
{
    *w = (walk){ p, calloc((size_t)p->value_count, sizeof(char *)), calloc((size_t)p->loop_count, sizeof(int64_t)),
                 calloc((size_t)p->loop_count, sizeof(int64_t)), {0} };
    for (int t = 0; t < TYPES; t++)
        w->size[t] = type_size((type)t);
    return (w->base && w->turn && w->turns) || fail(e, ERR_MEMORY, "no memory to open the engine");
}

void walk_close(walk *w)
{
    free(w->base);
    free(w->turn);
    free(w->turns);
    *w = (walk){0};
}

void *walk_address(const walk *w, tensor t)
{
    const value *v = program_value(w->p, t);
    if (!v->of.id)
        return w->base[t.id];
    int64_t i = v->at.loop ? w->turn[v->at.loop] : v->at.at;
    return (char *)walk_address(w, v->of) + i * shape_count(v->shape) * w->size[v->type];
}

// At the begin of a loop: false when it has no turns.
static bool enter(walk *w, int32_t id)
{
    const loop *l = &w->p->loops[id];
    int64_t n = l->count;
    if (l->bound.id) {
        int64_t bound = *(const int32_t *)walk_address(w, l->bound);
        n = MAX(0, MIN(n, bound));
    }
    w->turns[id] = n;
    w->turn[id] = l->order == REVERSE ? n - 1 : 0;
    return n > 0;
}

// Moves to the next index; false after the last.
static bool next(walk *w, int32_t id)
{
    w->turn[id] += w->p->loops[id].order == REVERSE ? -1 : 1;
    return w->turn[id] >= 0 && w->turn[id] < w->turns[id];
}

bool walk_step(walk *w, walk_call *run, void *self, err *e)
{
    for (int n = 0; n < w->p->call_count; n++) {
        const call *c = &w->p->calls[n];
        const loop *l = &w->p->loops[c->loop];
        if (c->op == OP_LOOP)
            n = enter(w, c->loop) ? n : l->end;
        else if (c->op == OP_END)
            n = next(w, c->loop) ? l->begin : n;
        else
            TRY(run(self, c, e));
    }
    return true;
}

static bool within(const program *p, const call *c, int arg, const int32_t *i, int64_t n, int64_t least, int64_t below, err *e)
{
    for (int64_t j = 0; j < n; j++)
        if (i[j] < least || i[j] >= below)
            return fail(e, ERR_BUG, "%s: '%s'[%lld] is %d, expected %lld to %lld", op_name(c->op), program_value(p, c->arg[arg])->name,
                        (long long)j, i[j], (long long)least, (long long)below - 1);
    return true;
}

// A token sees the tokens of its row from start[i] up to itself.
static bool starts_within(const program *p, const call *c, int arg, const int32_t *start, int64_t n, int64_t seq, err *e)
{
    for (int64_t j = 0; j < n; j++)
        if (start[j] < 0 || start[j] > j % seq)
            return fail(e, ERR_BUG, "%s: '%s'[%lld] is %d, expected 0 to %lld", op_name(c->op), program_value(p, c->arg[arg])->name,
                        (long long)j, start[j], (long long)(j % seq));
    return true;
}

bool walk_check_indices(const program *p, const call *c, void *const *at, err *e)
{
#define SIZE(letter) c->dim[#letter[0] - 'a']
    switch (c->op) {
    case OP_embed:              return within(p, c, 2, at[2], SIZE(n), 0, SIZE(v), e);
    case OP_embed_backward:     return within(p, c, 2, at[2], SIZE(n), 0, SIZE(v), e);
    case OP_rope:               return within(p, c, 1, at[1], SIZE(n), 0, SIZE(p), e);
    case OP_attention:          return starts_within(p, c, 3, at[3], SIZE(n), (int64_t)c->number[1], e);
    case OP_attention_backward: return starts_within(p, c, 6, at[6], SIZE(n), (int64_t)c->number[1], e);
    case OP_attention_cached:   return within(p, c, 3, at[3], 1, 0, SIZE(p) - SIZE(n) + 1, e);
    case OP_gather:             return within(p, c, 2, at[2], SIZE(c), INT32_MIN, SIZE(n), e);
    case OP_scatter:            return within(p, c, 2, at[2], SIZE(c), INT32_MIN, SIZE(n), e);
    case OP_cross_entropy_over: return within(p, c, 3, at[3], SIZE(c), INT32_MIN, SIZE(v), e);
    case OP_cross_entropy:      return within(p, c, 4, at[4], SIZE(c), INT32_MIN, SIZE(v), e);
    default:                    return true;
    }
#undef SIZE
}

char *walk_elements(const walk *w, tensor t, int64_t from, int64_t count, err *e)
{
    const value *v = program_value(w->p, t);
    const value *base = &w->p->values[program_base(w->p, t)];
    int64_t all = shape_count(v->shape);
    if (!t.id || !kind_kept(base->kind)) {
        fail(e, ERR_BUG, "'%s' is not kept after a step", v->name);
        return NULL;
    }
    for (const value *u = v; u->of.id; u = program_value(w->p, u->of))
        if (u->at.loop) {
            fail(e, ERR_BUG, "'%s' is indexed by a loop: no place between steps", v->name);
            return NULL;
        }
    if (from < 0 || count < 0 || from > all || count > all - from) {
        fail(e, ERR_BUG, "'%s' has %lld elements: no %lld of them from %lld on", v->name, (long long)all, (long long)count,
            (long long)from);
        return NULL;
    }
    return (char *)walk_address(w, t) + from * w->size[v->type];
}
