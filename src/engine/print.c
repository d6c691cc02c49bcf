// A program as text: the list (`skiff plan --list`) and the memory (`skiff plan`).
#include <stdio.h>

#include "engine/program.h"

static void print_tensor(const program *p, tensor t, text *out)
{
    const value *v = program_value(p, t);
    text_add(out, "%s", t.id ? v->name : "-");
    for (; v->of.id; v = program_value(p, v->of))
        v->at.loop ? text_add(out, "[i%d]", v->at.loop) : text_add(out, "[%lld]", (long long)v->at.at);
}

static void print_call(const program *p, const call *c, text *out)
{
    static const char *const verb[] = { ['='] = "=", ['+'] = "+=", ['!'] = "~=" };
    bool reading = false;
    for (int i = 0; i < c->args; i++) {
        if (c->access[i] == ' ' && !reading) {
            text_add(out, " %s %s", verb[(int)c->access[0]], op_name(c->op));
            reading = true;
        }
        text_add(out, i ? " " : "");
        print_tensor(p, c->arg[i], out);
    }
    if (!reading)
        text_add(out, " %s %s", verb[(int)c->access[0]], op_name(c->op));
    if (c->op == OP_set)
        text_add(out, " %g", (double)c->number[0]);
    text_add(out, "\n");
}

static void print_loop(const program *p, const call *c, text *out)
{
    const loop *l = &p->loops[c->loop];
    text_add(out, "loop i%d over %lld", c->loop, (long long)l->count);
    if (l->bound.id) {
        text_add(out, ", at most ");
        print_tensor(p, l->bound, out);
    }
    text_add(out, "%s\n", l->order == REVERSE ? ", last to first" : "");
}

void program_print(const program *p, text *out)
{
    int depth = 0;
    for (int n = 0; n < p->call_count; n++) {
        const call *c = &p->calls[n];
        depth -= c->op == OP_END;
        text_add(out, "%4d  %*s", n, 4 * depth, "");
        if (c->op == OP_LOOP)
            print_loop(p, c, out);
        else if (c->op == OP_END)
            text_add(out, "end i%d\n", c->loop);
        else
            print_call(p, c, out);
        depth += c->op == OP_LOOP;
    }
}

// Bytes of weights that matrix products read as BF16: the engine keeps a copy of each.
int64_t program_copies(const program *p)
{
    int64_t sum = 0;
    for (int32_t v = 1; v < p->value_count; v++)
        if (program_copied(p, (tensor){ v }))
            sum += 2 * shape_count(p->values[v].shape);
    return sum;
}

void program_print_plan(const program *p, text *out)
{
    static const char *const names[KINDS] = { "inputs", "weights", "moments", "state", "outputs", "gradients", "activations" };
    int64_t sum[KINDS] = {0}, copies = program_copies(p);
    for (int v = 1; v < p->value_count; v++)
        if (!p->values[v].of.id)
            sum[p->values[v].kind] += program_bytes(p, (tensor){ v });
    for (int k = 0; k < KINDS; k++)
        if (sum[k])
            text_add(out, "%-26s %12lld bytes\n", names[k], (long long)sum[k]);
    text_add(out, "%-26s %12lld bytes\n", "weights' bf16 copies", (long long)copies);
    text_add(out, "%-26s %12lld bytes\n", "kept from step to step", (long long)p->kept);
    text_add(out, "%-26s %12lld bytes\n", "scratch, each its own", (long long)p->unshared);
    text_add(out, "%-26s %12lld bytes\n", "scratch, shared by life", (long long)p->scratch);
    text_add(out, "%-26s %12lld bytes\n", "reserved", (long long)(p->kept + copies + p->scratch));
}
