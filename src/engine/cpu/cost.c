// What calls cost. Attention counts as causal over whole rows: segments make it less.
#include "engine/cpu/cost.h"

#define SIZE(letter) (double)c->dim[#letter[0] - 'a']

double cost_flops(const call *c)
{
    switch (c->op) {
    case OP_matmul: case OP_matmul_nt: case OP_matmul_tn:
        return 2 * SIZE(m) * SIZE(n) * SIZE(k);
    case OP_attention:
        return 4 * SIZE(n) * SIZE(o) * ((double)c->number[1] + 1) / 2;
    case OP_attention_backward:
        return 10 * SIZE(n) * SIZE(o) * ((double)c->number[1] + 1) / 2;
    default:
        return 0;
    }
}

double cost_bytes(const program *p, const call *c)
{
    double sum = 0;
    for (int i = 0; i < c->args; i++) {
        double bytes = c->arg[i].id ? (double)program_bytes(p, c->arg[i]) : 0;
        sum += c->access[i] == '+' || c->access[i] == '!' ? 2 * bytes : bytes;
    }
    return sum;
}
