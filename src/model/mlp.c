// The feed-forward half of a layer.   x += (silu(gate) * up) Wdown^T,   gate and up side by side: h Wgate_up^T,   h = rmsnorm(x)
#include "model/layer.h"

void mlp_inner(program *p, const model *m, const layer_weights *w, const mlp_saved *s, tensor x)
{
    op_rmsnorm(p, s->h, s->r, x, w->mlp_norm, (float)m->config.norm_eps);
    op_matmul_nt(p, s->gu, s->h, w->gate_up, SET);
    op_swiglu(p, s->act, s->gu);
}

void mlp_forward(program *p, const model *m, const layer_weights *w, const mlp_saved *s, tensor x)
{
    op_copy(p, s->x, x);
    mlp_inner(p, m, w, s, x);
    op_matmul_nt(p, x, s->act, w->down, ADD);                   // the residual: x += …
}

void mlp_backward(program *p, const layer_weights *w, const mlp_saved *s, const layer_weights *dw, const layer_gradients *d,
                  tensor dx)
{
    tensor dy = stream_gradient(p, d->dy, dx);
    op_matmul_tn(p, dw->down, dy, s->act, d->weights);
    op_matmul(p, d->act, dy, w->down, SET);
    op_swiglu_backward(p, d->gu, d->act, s->gu);
    op_matmul_tn(p, dw->gate_up, d->gu, s->h, d->weights);
    op_matmul(p, d->h, d->gu, w->gate_up, SET);
    op_rmsnorm_backward(p, dx, dw->mlp_norm, d->h, s->r, s->x, w->mlp_norm, ADD);
}
