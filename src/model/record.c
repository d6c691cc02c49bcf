// The whole model: weights, what is kept for backward, the layers as a loop, forward and backward.
#include <stddef.h>

#include "base/util.h"
#include "model/layer.h"

model_weights model_make_weights(program *p, const model_config *c, type matrices)
{
    model_weights w = {0};
    for (int i = 0; i < WEIGHTS; i++) {
        shape s = weight_shape(c, (weight_id)i);
        if (s.rank)
            w.at[i] = program_tensor(p, WEIGHT, weight_is_matrix((weight_id)i) ? matrices : F32, weight_name((weight_id)i), s);
    }
    return w;
}

model_weights model_make_like(program *p, kind k, type t, const model_weights *w, const char *prefix, unsigned frozen, arena *a)
{
    model_weights like = {0};
    for (int i = 0; i < WEIGHTS; i++)
        if (w->at[i].id && !(frozen >> i & 1))
            like.at[i] = program_tensor(p, k, t, arena_print(a, "%s%s", prefix, weight_name((weight_id)i)),
                                        program_value(p, w->at[i])->shape);
    return like;
}

layer_weights layer_weights_at(program *p, const model_weights *w, turn layer)
{
    return (layer_weights){
        .attn_norm = program_at(p, w->at[W_ATTN_NORM], layer),
        .qkv       = program_at(p, w->at[W_QKV], layer),
        .o         = program_at(p, w->at[W_O], layer),
        .mlp_norm  = program_at(p, w->at[W_MLP_NORM], layer),
        .gate_up   = program_at(p, w->at[W_GATE_UP], layer),
        .down      = program_at(p, w->at[W_DOWN], layer),
    };
}

// What a layer saves: its place in layer_saved, its type, its columns, up to which mode of recomputing it is kept for every
// layer (what is not kept is scratch, made again in backward), and whether backward alone reads it.
typedef enum width { ONE, HIDDEN, QKV, HEADS_OUT, HEADS, FFN, FFN2 } width;
static const struct saved_row {
    const char *name;
    size_t at;
    bool f32;
    width width;
    recompute until;
    bool backward;
} saved_rows[] = {
    { "attn.x",   offsetof(layer_saved, attention.x),   true,  HIDDEN,    RECOMPUTE_BLOCK, true  },
    { "attn.r",   offsetof(layer_saved, attention.r),   true,  ONE,       RECOMPUTE_CHEAP, true  },
    { "attn.h",   offsetof(layer_saved, attention.h),   false, HIDDEN,    RECOMPUTE_NONE,  false },
    { "attn.qkv", offsetof(layer_saved, attention.qkv), false, QKV,       RECOMPUTE_CHEAP, false },
    { "attn.out", offsetof(layer_saved, attention.out), false, HEADS_OUT, RECOMPUTE_CHEAP, false },
    { "attn.lse", offsetof(layer_saved, attention.lse), true,  HEADS,     RECOMPUTE_CHEAP, true  },
    { "mlp.x",    offsetof(layer_saved, mlp.x),         true,  HIDDEN,    RECOMPUTE_CHEAP, true  },
    { "mlp.r",    offsetof(layer_saved, mlp.r),         true,  ONE,       RECOMPUTE_CHEAP, true  },
    { "mlp.h",    offsetof(layer_saved, mlp.h),         false, HIDDEN,    RECOMPUTE_NONE,  false },
    { "mlp.gu",   offsetof(layer_saved, mlp.gu),        false, FFN2,      RECOMPUTE_CHEAP, false },
    { "mlp.act",  offsetof(layer_saved, mlp.act),       false, FFN,       RECOMPUTE_NONE,  false },
};

static tensor *saved_tensor(layer_saved *s, const struct saved_row *r) { return (tensor *)((char *)s + r->at); }

static shape rows_of(const model *m, width w)
{
    const model_config *c = &m->config;
    const int64_t n = m->rows * m->seq, columns[] = {
        [ONE] = 1, [HIDDEN] = c->hidden, [QKV] = (c->heads + 2 * c->kv_heads) * c->head_size,
        [HEADS_OUT] = c->heads * c->head_size, [HEADS] = c->heads, [FFN] = c->ffn, [FFN2] = 2 * c->ffn,
    };
    return w == ONE ? SHAPE(n) : SHAPE(n, columns[w]);
}

struct model_saved {
    layer_saved forward, again;     // stacks, the same in both; or scratch, each its own so that neither outlives its loop
    bool save;
    recompute recompute;
    tensor x;                       // the stream, in the end
};

static bool kept(const model_saved *s, const struct saved_row *r) { return s->save && s->recompute <= r->until; }

static void make_saved(program *p, const model *m, model_saved *s)
{
    for (size_t i = 0; i < COUNT(saved_rows); i++) {
        const struct saved_row *r = &saved_rows[i];
        const shape one = rows_of(m, r->width);
        const type t = r->f32 ? F32 : p->compute;
        tensor *forward = saved_tensor(&s->forward, r), *again = saved_tensor(&s->again, r);
        if (kept(s, r)) {
            *forward = *again = program_tensor(p, ACTIVATION, t, r->name, shape_stack(m->config.layers, one));
            continue;
        }
        if (!r->backward)
            *forward = program_tensor(p, ACTIVATION, t, r->name, one);
        if (s->save)
            *again = program_tensor(p, ACTIVATION, t, r->name, one);
    }
}

static layer_saved saved_at(program *p, const model_saved *s, layer_saved of, turn layer)
{
    for (size_t i = 0; i < COUNT(saved_rows); i++)
        if (kept(s, &saved_rows[i])) {
            tensor *t = saved_tensor(&of, &saved_rows[i]);
            *t = program_at(p, *t, layer);
        }
    return of;
}

tensor stream_gradient(program *p, tensor dy, tensor dx)
{
    op_copy(p, dy, dx);
    return dy.id ? dy : dx;
}

model_saved *model_record_forward(program *p, const model *m, const model_weights *w, const model_inputs *in, bool save, arena *a)
{
    model_saved *s = ARENA_NEW(a, model_saved);
    *s = (model_saved){ .save = save, .recompute = m->recompute };
    make_saved(p, m, s);
    s->x = program_tensor(p, ACTIVATION, F32, "stream", rows_of(m, HIDDEN));

    op_embed(p, s->x, w->at[W_EMBED], in->ids);
    LOOP (p, layer, m->config.layers, FORWARD) {
        layer_weights wl = layer_weights_at(p, w, layer);
        layer_saved sl = saved_at(p, s, s->forward, layer);
        attention_forward(p, m, &wl, &sl.attention, in, s->x);
        mlp_forward(p, m, &wl, &sl.mlp, s->x);
    }
    return s;
}

// Makes again what of a layer was not kept: the forward's own lines, so the same bits.
static void layer_again(program *p, const model *m, const layer_weights *w, const layer_saved *s, const model_inputs *in)
{
    const attention_saved *attn = &s->attention;
    const mlp_saved *mlp = &s->mlp;
    switch (m->recompute) {
    case RECOMPUTE_NONE:
        break;
    case RECOMPUTE_CHEAP:
        op_rmsnorm_again(p, attn->h, attn->r, attn->x, w->attn_norm);
        op_rmsnorm_again(p, mlp->h, mlp->r, mlp->x, w->mlp_norm);
        op_swiglu(p, mlp->act, mlp->gu);
        break;
    case RECOMPUTE_BLOCK:
        attention_inner(p, m, w, attn, in, attn->x);
        op_copy(p, mlp->x, attn->x);
        op_matmul_nt(p, mlp->x, attn->out, w->o, ADD);
        mlp_inner(p, m, w, mlp, mlp->x);
        break;
    }
}

static layer_gradients make_gradients(program *p, const model *m, mode weights)
{
    const type t = p->compute;
    return (layer_gradients){
        .dy    = t == F32 ? (tensor){0} : program_tensor(p, GRADIENT, t, "d.y", rows_of(m, HIDDEN)),
        .h     = program_tensor(p, GRADIENT, t, "d.h", rows_of(m, HIDDEN)),
        .qkv   = program_tensor(p, GRADIENT, t, "d.qkv.rows", rows_of(m, QKV)),
        .out   = program_tensor(p, GRADIENT, t, "d.out", rows_of(m, HEADS_OUT)),
        .delta = program_tensor(p, GRADIENT, F32, "d.delta", rows_of(m, HEADS)),
        .gu    = program_tensor(p, GRADIENT, t, "d.gu", rows_of(m, FFN2)),
        .act   = program_tensor(p, GRADIENT, t, "d.act", rows_of(m, FFN)),
        .weights = weights,
    };
}

void model_record_loss(program *p, const model *m, const model_weights *w, const model_inputs *in, const model_saved *s,
                       tensor loss, tensor nll, tensor weight, const model_weights *dw, mode how)
{
    if (!dw) {
        head_loss(p, m, w, in, s->x, loss, nll, weight, NULL, (tensor){0});
        return;
    }
    const tensor dx = program_tensor(p, GRADIENT, F32, "d.stream", rows_of(m, HIDDEN));
    const layer_gradients d = make_gradients(p, m, how);
    const weight_id head = head_weight(w), added[] = { W_ATTN_NORM, W_MLP_NORM, W_NORM, head };
    for (size_t i = 0; how == SET && i < COUNT(added); i++)
        op_set(p, dw->at[added[i]], 0);
    head_loss(p, m, w, in, s->x, loss, nll, weight, dw, dx);
    LOOP (p, layer, m->config.layers, REVERSE) {
        layer_weights wl = layer_weights_at(p, w, layer), dwl = layer_weights_at(p, dw, layer);
        layer_saved sl = saved_at(p, s, s->again, layer);
        layer_again(p, m, &wl, &sl, in);
        mlp_backward(p, &wl, &sl.mlp, &dwl, &d, dx);
        attention_backward(p, m, &wl, &sl.attention, in, &dwl, &d, dx);
    }
    if (how == SET && head != W_EMBED)
        op_set(p, dw->at[W_EMBED], 0);
    op_embed_backward(p, dw->at[W_EMBED], dx, in->ids);
}

void model_record_cached(program *p, const model *m, const model_weights *w, const model_inputs *in,
                         tensor cache, tensor at, tensor last, tensor logits)
{
    model_saved s = {0};
    make_saved(p, m, &s);
    s.forward.attention.at = at;
    s.x = program_tensor(p, ACTIVATION, F32, "stream", rows_of(m, HIDDEN));
    tensor y = program_tensor(p, ACTIVATION, p->compute, "head.y", rows_of(m, HIDDEN));
    tensor row = program_tensor(p, ACTIVATION, p->compute, "head.rows", SHAPE(1, m->config.hidden));

    op_embed(p, s.x, w->at[W_EMBED], in->ids);
    LOOP (p, layer, m->config.layers, FORWARD) {
        layer_weights wl = layer_weights_at(p, w, layer);
        layer_saved sl = s.forward;
        sl.attention.cache = program_at(p, cache, layer);
        attention_forward(p, m, &wl, &sl.attention, in, s.x);
        mlp_forward(p, m, &wl, &sl.mlp, s.x);
    }
    op_rmsnorm(p, y, (tensor){0}, s.x, w->at[W_NORM], (float)m->config.norm_eps);
    LOOP_BOUND (p, wanted, 1, in->chunks) {
        (void)wanted;
        op_gather(p, row, y, last);
        op_matmul_nt(p, logits, row, w->at[head_weight(w)], SET);
    }
}
