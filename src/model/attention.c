// The attention half of a layer.   x += attention(rope(h Wqkv^T)) Wo^T,   h = rmsnorm(x)
#include <math.h>

#include "model/layer.h"

static float scale(const model_config *c) { return (float)(1 / sqrt((double)c->head_size)); }

void attention_inner(program *p, const model *m, const layer_weights *w, const attention_saved *s,
                     const model_inputs *in, tensor x)
{
    const model_config *c = &m->config;
    op_rmsnorm(p, s->h, s->r, x, w->attn_norm, (float)c->norm_eps);
    op_matmul_nt(p, s->qkv, s->h, w->qkv, SET);
    op_rope(p, s->qkv, in->position, in->cos, in->sin, (int)c->heads, (int)c->kv_heads, 1);
    if (s->cache.id)
        op_attention_cached(p, s->out, s->cache, s->qkv, s->at, (int)c->heads, (int)c->kv_heads, scale(c));
    else
        op_attention(p, s->out, s->lse, s->qkv, in->start, (int)c->kv_heads, m->seq, scale(c));
}

void attention_forward(program *p, const model *m, const layer_weights *w, const attention_saved *s,
                       const model_inputs *in, tensor x)
{
    op_copy(p, s->x, x);
    attention_inner(p, m, w, s, in, x);
    op_matmul_nt(p, x, s->out, w->o, ADD);                      // the residual: x += …
}

// The same lines from the bottom up. Gradients inside the layer are SET where they are first made; those of
// weights are ADDed to where micro-batches follow each other.
void attention_backward(program *p, const model *m, const layer_weights *w, const attention_saved *s, const model_inputs *in,
                        const layer_weights *dw, const layer_gradients *d, tensor dx)
{
    const model_config *c = &m->config;
    tensor dy = stream_gradient(p, d->dy, dx);
    op_matmul_tn(p, dw->o, dy, s->out, d->weights);
    op_matmul(p, d->out, dy, w->o, SET);
    op_attention_backward(p, d->qkv, d->delta, d->out, s->qkv, s->out, s->lse, in->start, (int)c->kv_heads, m->seq, scale(c));
    op_rope(p, d->qkv, in->position, in->cos, in->sin, (int)c->heads, (int)c->kv_heads, -1);
    op_matmul_tn(p, dw->qkv, d->qkv, s->h, d->weights);
    op_matmul(p, d->h, d->qkv, w->qkv, SET);
    op_rmsnorm_backward(p, dx, dw->attn_norm, d->h, s->r, s->x, w->attn_norm, ADD);
}
