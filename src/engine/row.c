// The check of each call against its row in the table: arity, types, shapes, constants, order.
#include "engine/row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct row { const char *name, *spec; } rows[] = {
#define X(id, spec, ...) { #id, spec },
    OPS(X)
#undef X
    [OP_LOOP] = { "loop", "" }, [OP_END] = { "end", "" },
};

const char *op_name(op o) { return rows[o].name; }
const char *row_spec(op o) { return rows[o].spec; }

const char *type_name(type t) { return (const char *const[]){ "F32", "BF16", "I32" }[t]; }

bool row_word(const char **spec, word *w)
{
    const char *s = *spec + strspn(*spec, " ");
    if (!*s)
        return false;
    *w = (word){ .use = ' ', .type = 'f' };
    w->optional = *s == '?';
    s += w->optional;
    if (strchr("=+~!", *s))
        w->use = *s++;
    if (s[1] == ':') {
        w->type = *s;
        s += 2;
    }
    w->dims = s;
    w->rank = *s == '*' ? -1 : *s == '.' ? 0 : (int)strcspn(s, " ");
    *spec = s + strcspn(s, " ");
    return true;
}

static void describe(const value *v, char *out, size_t room)
{
    int n = snprintf(out, room, "'%s', %s [", v->name, type_name(v->type));
    for (int d = 0; d < v->shape.rank && n < (int)room; d++)
        n += snprintf(out + n, room - (size_t)n, "%s%lld", d ? ", " : "", (long long)v->shape.dim[d]);
    if (n < (int)room)
        snprintf(out + n, room - (size_t)n, "]");
}

// "call 3, matmul: argument 2 ('x', F32 [4, 5]) …"
static bool wrong(program *p, const call *c, int i, const char *why)
{
    char what[160];
    describe(program_value(p, c->arg[i]), what, sizeof what);
    return fail(&p->error, ERR_BUG, "call %d, %s: argument %d (%s) %s; the row is \"%s\"", p->call_count,
                op_name(c->op), i + 1, what, why, rows[c->op].spec);
}

static bool bind_type(program *p, const call *c, int i, const word *w, int *h)
{
    type t = program_value(p, c->arg[i])->type;
    if (w->type == 'h' && *h < 0 && t != I32)
        *h = (int)t;
    if (w->type == 'f' ? t == F32 : w->type == 'i' ? t == I32 : w->type == 'a' ? t != I32 : (int)t == *h)
        return true;
    char why[64];
    snprintf(why, sizeof why, "should be %s", w->type == 'f' ? "F32" : w->type == 'i' ? "I32" : w->type == 'a' ? "F32 or BF16"
             : *h < 0 ? "F32 or BF16" : type_name((type)*h));
    return wrong(p, c, i, why);
}

static bool bind_shape(program *p, call *c, int i, const word *w)
{
    const shape *s = &program_value(p, c->arg[i])->shape;
    char why[64];
    if (w->rank < 0) {
        int64_t n = shape_count(*s);
        snprintf(why, sizeof why, "should have %lld elements", (long long)c->count);
        if (c->count && c->count != n)
            return wrong(p, c, i, why);
        c->count = n;
        return true;
    }
    snprintf(why, sizeof why, "should have %d dimensions", w->rank);
    if (s->rank != w->rank)
        return wrong(p, c, i, why);
    for (int d = 0; d < w->rank; d++) {
        int64_t *size = &c->dim[w->dims[d] - 'a'];
        snprintf(why, sizeof why, "should have %c = %lld", w->dims[d], (long long)*size);
        if (*size && *size != s->dim[d])
            return wrong(p, c, i, why);
        *size = s->dim[d];
    }
    return true;
}

static bool is_open(const program *p, int32_t id)
{
    for (int d = 0; d < p->depth; d++)
        if (p->open[d] == id)
            return true;
    return id == 0;
}

static bool bind_turns(program *p, const call *c, int i)
{
    for (tensor t = c->arg[i]; t.id; t = p->values[t.id].of)
        if (!is_open(p, p->values[t.id].at.loop))
            return fail(&p->error, ERR_BUG, "call %d, %s: '%s' is indexed by a loop that is closed", p->call_count,
                        op_name(c->op), program_value(p, t)->name);
    return true;
}

// What is written must not be another argument of the call: kernels say `restrict`.
static bool apart(program *p, const call *c)
{
    for (int i = 0; i < c->args; i++)
        for (int j = 0; j < c->args; j++)
            if (i != j && c->access[i] != ' ' && c->arg[i].id
                && program_base(p, c->arg[i]) == program_base(p, c->arg[j]))
                return fail(&p->error, ERR_BUG, "call %d, %s: '%s' is argument %d and %d", p->call_count,
                            op_name(c->op), program_value(p, c->arg[i])->name, i + 1, j + 1);
    return true;
}

// A matrix product reads both factors in one type; an F32 weight of a BF16 program counts as BF16.
type program_operand(const program *p, tensor t)
{
    const value *v = &p->values[program_base(p, t)];
    return p->compute == BF16 && v->kind == WEIGHT && v->type == F32 ? BF16 : v->type;
}

bool program_copied(const program *p, tensor base)
{
    const value *v = program_value(p, base);
    if (v->of.id || v->type != F32 || program_operand(p, base) != BF16)
        return false;
    for (int n = 0; n < p->call_count; n++) {
        const call *c = &p->calls[n];
        bool product = c->op == OP_matmul || c->op == OP_matmul_nt || c->op == OP_matmul_tn;
        if (product && (program_base(p, c->arg[1]) == base.id || program_base(p, c->arg[2]) == base.id))
            return true;
    }
    return false;
}

// What the letters cannot say: constants, and sizes that are products.
static bool fits(program *p, const call *c)
{
#define SIZE(letter) c->dim[#letter[0] - 'a']
    const char *why = NULL;
    const int64_t a = (int64_t)c->number[0], b = (int64_t)c->number[1];
    switch (c->op) {
    case OP_matmul: case OP_matmul_nt: case OP_matmul_tn:
        if (program_operand(p, c->arg[1]) != program_operand(p, c->arg[2])
            && !(c->op == OP_matmul_nt && program_operand(p, c->arg[1]) == F32))
            return wrong(p, c, 2, "is not of the type of argument 2");
        break;
    case OP_rope:
        if (a < 1 || b < 1 || SIZE(q) % (a + 2*b) || SIZE(q) / (a + 2*b) != 2 * SIZE(g))
            why = "q is not heads + 2 kv_heads times 2 g";
        break;
    case OP_attention: case OP_attention_backward: {
        int64_t size = a < 1 ? 0 : (SIZE(q) - SIZE(o)) / (2*a);
        if (size < 1 || SIZE(o) % size || SIZE(q) != SIZE(o) + 2*a*size || SIZE(o) / size % a || (SIZE(s) && SIZE(s) * size != SIZE(o)))
            why = "q, o, s and kv_heads do not fit each other";
        else if (b < 1 || SIZE(n) % b)
            why = "n is no multiple of seq";
        break;
    }
    case OP_attention_cached: {
        int64_t size = a < 1 || b < 1 ? 0 : SIZE(o) / a;
        if (size < 1 || SIZE(o) != a*size || SIZE(u) != 2*b*size || SIZE(q) != (a + 2*b) * size || a % b || SIZE(n) > SIZE(p))
            why = "n, p, q, o, u, heads and kv_heads do not fit each other";
        break;
    }
    case OP_swiglu: case OP_swiglu_backward:
        if (SIZE(e) != 2 * SIZE(f))
            why = "e is not 2 f";
        break;
    case OP_adamw: {
        const bool rounded = program_value(p, c->arg[1])->type == BF16 || program_value(p, c->arg[2])->type == BF16;
        if (rounded && SIZE(r) != 2)
            why = "moments in BF16 need a key of 2 words";
        break;
    }
    default:
        break;
    }
    return !why || fail(&p->error, ERR_BUG, "call %d, %s: %s", p->call_count, op_name(c->op), why);
#undef SIZE
}

bool row_bind(program *p, call *c, bool *wanted)
{
    const char *s = rows[c->op].spec;
    word w[MAX_ARGS];
    *wanted = false;
    c->args = 0;
    for (int i = 0; i < MAX_ARGS && row_word(&s, &w[i]); i++, c->args++) {
        c->access[i] = w[i].use == '~' ? (c->mode == ADD ? '+' : '=') : w[i].use;
        *wanted = *wanted || (w[i].use != ' ' && c->arg[i].id);
    }
    if (p->error.code || !*wanted)
        return !p->error.code;
    int h = -1;
    for (int i = 0; i < c->args; i++) {
        if (!c->arg[i].id && !w[i].optional)
            return fail(&p->error, ERR_BUG, "call %d, %s: no argument %d", p->call_count, op_name(c->op), i + 1);
        if (c->arg[i].id && (!bind_type(p, c, i, &w[i], &h) || !bind_shape(p, c, i, &w[i]) || !bind_turns(p, c, i)))
            return false;
    }
    return apart(p, c) && fits(p, c);
}

// What is made only inside a loop with a bound may not be made at all: it counts inside that loop only.
bool row_check_made(program *p)
{
    int32_t *made = calloc((size_t)p->value_count, sizeof *made);   // 1 + the call; 0: not made
    if (!made)
        return fail(&p->error, ERR_MEMORY, "no memory to check the program");
    for (int n = 0; n < p->call_count; n++) {
        const call *c = &p->calls[n];
        const loop *l = &p->loops[c->loop];
        if (c->op == OP_LOOP && l->bound.id && p->values[program_base(p, l->bound)].kind > STATE)
            fail(&p->error, ERR_BUG, "call %d, loop: its bound '%s' is not kept", n, program_value(p, l->bound)->name);
        if (c->op == OP_END && l->bound.id)
            for (int v = 0; v < p->value_count; v++)
                made[v] = made[v] > l->begin ? 0 : made[v];
        for (int i = 0; i < c->args; i++) {
            int32_t base = program_base(p, c->arg[i]);
            if (c->access[i] == '=')
                made[base] = made[base] ? made[base] : n + 1;
            else if (base && !made[base] && p->values[base].kind > STATE)
                fail(&p->error, ERR_BUG, "call %d, %s: '%s' is used before it is made", n, op_name(c->op), p->values[base].name);
        }
    }
    free(made);
    return !p->error.code;
}
