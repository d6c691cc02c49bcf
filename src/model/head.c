// The end of the model: final norm, logits and loss of the trained positions, a chunk of them at a time, since logits are the
// largest tensor there is; in float32 their gradient takes their place. Loss and gradients are made in one pass; chunks without
// a trained position are skipped at run time.
#include "base/util.h"
#include "model/layer.h"

int64_t model_head_chunk(const model *m) { return MIN(m->head_chunk > 0 ? m->head_chunk : 512, m->rows * m->seq); }

int64_t model_chunks(const model *m)
{
    const int64_t size = model_head_chunk(m);
    return (m->rows * m->seq + size - 1) / size;
}

weight_id head_weight(const model_weights *w) { return w->at[W_HEAD].id ? W_HEAD : W_EMBED; }

// Scratch of one chunk, and of all rows before and after.
typedef struct head_scratch { tensor y, r, rows, logits, dlogits, drows, dy; } head_scratch;

static head_scratch make_scratch(program *p, const model *m, bool backward)
{
    const int64_t n = m->rows * m->seq, D = m->config.hidden, V = m->config.vocab, c = model_head_chunk(m);
    head_scratch s = {
        .y      = program_tensor(p, ACTIVATION, p->compute, "head.y", SHAPE(n, D)),
        .rows   = program_tensor(p, ACTIVATION, p->compute, "head.rows", SHAPE(c, D)),
        .logits = program_tensor(p, ACTIVATION, F32, "head.logits", SHAPE(c, V)),
    };
    if (!backward)
        return s;
    s.r       = program_tensor(p, ACTIVATION, F32, "head.r", SHAPE(n));
    s.dlogits = p->compute == F32 ? s.logits : program_tensor(p, GRADIENT, p->compute, "d.head.logits", SHAPE(c, V));
    s.drows   = program_tensor(p, GRADIENT, p->compute, "d.head.rows", SHAPE(c, D));
    s.dy      = program_tensor(p, GRADIENT, p->compute, "d.head.y", SHAPE(n, D));
    return s;
}

void head_loss(program *p, const model *m, const model_weights *w, const model_inputs *in, tensor x,
               tensor loss, tensor nll, tensor weight, const model_weights *dw, tensor dx)
{
    const weight_id id = head_weight(w);
    const tensor head = w->at[id], dhead = dw ? dw->at[id] : (tensor){0};
    const head_scratch s = make_scratch(p, m, dw);

    op_rmsnorm(p, s.y, s.r, x, w->at[W_NORM], (float)m->config.norm_eps);
    op_set(p, nll, 0);                              // chunks that are skipped make nothing
    op_set(p, s.dy, 0);
    LOOP_BOUND (p, chunk, model_chunks(m), in->chunks) {
        tensor index = program_at(p, in->index, chunk), target = program_at(p, in->target, chunk);
        op_gather(p, s.rows, s.y, index);
        op_matmul_nt(p, s.logits, s.rows, head, SET);
        if (s.dlogits.id == s.logits.id)
            op_cross_entropy_over(p, program_at(p, nll, chunk), loss, s.logits, target, weight, dw ? m->z_loss : 0);
        else
            op_cross_entropy(p, program_at(p, nll, chunk), loss, s.dlogits, s.logits, target, weight, dw ? m->z_loss : 0);
        op_matmul_tn(p, dhead, s.dlogits, s.rows, ADD);
        op_matmul(p, s.drows, s.dlogits, head, SET);
        op_scatter(p, s.dy, s.drows, index);
    }
    if (dw)
        op_rmsnorm_backward(p, dx, dw->at[W_NORM], s.dy, s.r, x, w->at[W_NORM], SET);
}
