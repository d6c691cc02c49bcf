// The optimizer step recorded, and a batch put into its inputs.
#include "train/step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

// ---- recording -----------------------------------------------------------------------------------------------------

static void make_inputs(program *p, const step_config *c, step *s)
{
    const model *m = &c->model;
    const shape tokens = SHAPE(c->micro, m->rows * m->seq);
    const shape chunks = SHAPE(c->micro, model_chunks(m), model_head_chunk(m));
    const shape angles = SHAPE(m->seq, m->config.head_size / 2);
    s->in = (model_inputs){
        .ids      = program_tensor(p, INPUT, I32, "ids", tokens),
        .position = program_tensor(p, INPUT, I32, "position", tokens),
        .start    = program_tensor(p, INPUT, I32, "start", tokens),
        .index    = program_tensor(p, INPUT, I32, "index", chunks),
        .target   = program_tensor(p, INPUT, I32, "target", chunks),
        .chunks   = program_tensor(p, INPUT, I32, "chunks", SHAPE(c->micro)),
        .cos      = program_tensor(p, INPUT, F32, "cos", angles),
        .sin      = program_tensor(p, INPUT, F32, "sin", angles),
    };
    s->weight = program_tensor(p, INPUT, F32, "weight", SCALAR);
    s->loss   = program_tensor(p, OUTPUT, F32, "loss", SCALAR);
    if (c->loss_only || c->keep_nll)
        s->nll = program_tensor(p, OUTPUT, F32, "nll", chunks);
    if (c->loss_only)
        return;
    s->rate   = program_tensor(p, INPUT, F32, "rate", SCALAR);
    s->c1     = program_tensor(p, INPUT, F32, "c1", SCALAR);
    s->c2     = program_tensor(p, INPUT, F32, "c2", SCALAR);
    s->limit  = program_tensor(p, INPUT, F32, "limit", SCALAR);
    if (c->moments == BF16)
        s->key = program_tensor(p, INPUT, I32, "key", SHAPE(2));
    s->sumsq  = program_tensor(p, OUTPUT, F32, "sumsq", SCALAR);
    s->scale  = program_tensor(p, OUTPUT, F32, "scale", SCALAR);
    s->finite = program_tensor(p, OUTPUT, F32, "finite", SCALAR);
}

static void make_tables(const model *m, step *s, arena *a)
{
    const int64_t count = m->seq * m->config.head_size / 2;
    float *tables = ARENA_ARRAY(a, float, 2 * count);
    model_rope_tables(&m->config, m->seq, tables, tables + count);
    s->cos = tables;
    s->sin = tables + count;
}

static model_inputs inputs_at(program *p, const model_inputs *in, turn micro)
{
    return (model_inputs){
        .ids      = program_at(p, in->ids, micro),
        .position = program_at(p, in->position, micro),
        .start    = program_at(p, in->start, micro),
        .index    = program_at(p, in->index, micro),
        .target   = program_at(p, in->target, micro),
        .chunks   = program_at(p, in->chunks, micro),
        .cos = in->cos, .sin = in->sin,
    };
}

static void record_micro_batch(program *p, const step_config *c, const step *s, turn micro, mode how, arena *a)
{
    model_inputs in = inputs_at(p, &s->in, micro);
    model_saved *saved = model_record_forward(p, &c->model, &s->w, &in, !c->loss_only, a);
    model_record_loss(p, &c->model, &s->w, &in, saved, s->loss, program_at(p, s->nll, micro), s->weight,
                      c->loss_only ? NULL : &s->dw, how);
}

// A single one makes the gradients, which then need no memory before; several add up in them.
static void record_micro_batches(program *p, const step_config *c, const step *s, arena *a)
{
    if (c->micro == 1) {
        record_micro_batch(p, c, s, (turn){0}, SET, a);
        return;
    }
    for (int i = 0; i < WEIGHTS; i++)
        op_set(p, s->dw.at[i], 0);
    LOOP (p, micro, c->micro, FORWARD)
        record_micro_batch(p, c, s, micro, ADD, a);
}

// Norm over all gradients, then the update of each weight.
static void record_update(program *p, const step_config *c, const step *s)
{
    for (int i = 0; i < WEIGHTS; i++)
        if (s->dw.at[i].id) {
            op_grad_done(p, s->dw.at[i]);
            op_sumsq(p, s->sumsq, s->dw.at[i]);
        }
    op_clip_scale(p, s->scale, s->finite, s->limit, s->sumsq, s->loss);
    for (int i = 0; i < WEIGHTS; i++) {
        adamw how = c->adamw;
        how.stream = i;
        if (!weight_decays((weight_id)i))
            how.decay = 0;
        if (s->dw.at[i].id)
            op_adamw(p, s->w.at[i], s->m.at[i], s->v.at[i], s->dw.at[i], s->rate, s->c1, s->c2, s->scale, s->finite,
                     s->key, &how);
    }
}

step step_record(program *p, const step_config *c, arena *a)
{
    step s = {0};
    make_inputs(p, c, &s);
    make_tables(&c->model, &s, a);
    s.w = model_make_weights(p, &c->model.config, F32);
    op_set(p, s.loss, 0);
    if (c->loss_only) {
        record_micro_batches(p, c, &s, a);
        return s;
    }
    s.dw = model_make_like(p, c->show_gradients ? OUTPUT : GRADIENT, F32, &s.w, "d.", c->frozen, a);
    s.m = model_make_like(p, MOMENT, c->moments, &s.w, "m.", c->frozen, a);
    s.v = model_make_like(p, MOMENT, c->moments, &s.w, "v.", c->frozen, a);
    op_set(p, s.sumsq, 0);
    record_micro_batches(p, c, &s, a);
    record_update(p, c, &s);
    return s;
}

// ---- between steps -------------------------------------------------------------------------------------------------

// Every number in [least, end).
static bool check_range(const char *what, const int32_t *at, int64_t count, int64_t least, int64_t end, err *e)
{
    for (int64_t i = 0; i < count; i++)
        if (at[i] < least || at[i] >= end)
            return fail(e, ERR_INPUT, "token %lld of the batch: %s is %d, expected %lld to %lld; was it tokenized for this model?",
                        (long long)i, what, at[i], (long long)least, (long long)end - 1);
    return true;
}

// No segment begins after its token, which would see nothing.
static bool check_starts(const int32_t *start, int64_t count, int64_t seq, err *e)
{
    for (int64_t i = 0; i < count; i++)
        if (start[i] < 0 || start[i] > i % seq)
            return fail(e, ERR_INPUT, "token %lld of the batch: its segment begins at %d of its row, expected 0 to %lld",
                        (long long)i, start[i], (long long)(i % seq));
    return true;
}

static bool write_all(engine *g, tensor t, const void *from, err *e)
{
    return !t.id || g->write(g, t, 0, shape_count(program_value(g->program, t)->shape), from, e);
}

static bool write_number(engine *g, tensor t, double number, err *e)
{
    return write_all(g, t, &(float){ (float)number }, e);
}

// Trained positions of each micro-batch in order, and how many chunks they fill.
static void fill_chunks(const step_config *c, const int32_t *target, int32_t *index, int32_t *wanted, int32_t *chunks)
{
    const int64_t n = c->model.rows * c->model.seq, size = model_head_chunk(&c->model), room = size * model_chunks(&c->model);
    for (int64_t micro = 0; micro < c->micro; micro++, index += room, wanted += room, target += n) {
        int64_t count = 0;
        for (int64_t i = 0; i < n; i++)
            if (target[i] >= 0) {
                index[count] = (int32_t)i;
                wanted[count++] = target[i];
            }
        chunks[micro] = (int32_t)((count + size - 1) / size);
        for (; count < room; count++)
            index[count] = wanted[count] = -1;
    }
}

static bool write_targets(engine *g, const step *s, const step_config *c, const int32_t *target, err *e)
{
    const int64_t room = c->micro * model_chunks(&c->model) * model_head_chunk(&c->model);
    int32_t *index = malloc((size_t)(2 * room + c->micro) * sizeof *index);
    if (!index)
        return fail(e, ERR_MEMORY, "no memory for the targets of %lld tokens", (long long)room);
    int32_t *wanted = index + room, *chunks = wanted + room;
    fill_chunks(c, target, index, wanted, chunks);
    const bool ok = write_all(g, s->in.index, index, e) && write_all(g, s->in.target, wanted, e)
                 && write_all(g, s->in.chunks, chunks, e);
    free(index);
    return ok;
}

// Other numbers in each step of a run; what else is drawn from the seed has nothing to do with them.
static bool write_key(engine *g, const step *s, const step_numbers *n, err *e)
{
    enum { OF_MOMENTS = 0x6d6f6d };
    const key k = key_fold_in(key_fold_in(key_from_seed(n->seed), OF_MOMENTS), (uint32_t)n->number);
    return write_all(g, s->key, (uint32_t[]){ k.hi, k.lo }, e);
}

static double bias_correction(double beta, int64_t number) { return 1 / (1 - pow(beta, (double)number)); }

bool step_write(engine *g, const step *s, const step_config *c, const int32_t *ids, const int32_t *position,
                const int32_t *start, const int32_t *target, const step_numbers *n, err *e)
{
    const model *m = &c->model;
    const int64_t count = c->micro * m->rows * m->seq;
    return check_range("its id", ids, count, 0, m->config.vocab, e)
        && check_range("its position", position, count, 0, m->seq, e)
        && check_starts(start, count, m->seq, e)
        && check_range("its target", target, count, -1, m->config.vocab, e)
        && write_all(g, s->in.ids, ids, e)
        && write_all(g, s->in.position, position, e)
        && write_all(g, s->in.start, start, e)
        && write_targets(g, s, c, target, e)
        && write_all(g, s->in.cos, s->cos, e)
        && write_all(g, s->in.sin, s->sin, e)
        && write_number(g, s->weight, n->trained > 0 ? 1.0 / (double)n->trained : 0, e)
        && write_number(g, s->rate, n->rate, e)
        && write_key(g, s, n, e)
        && write_number(g, s->limit, n->clip, e)
        && write_number(g, s->c1, bias_correction((double)c->adamw.beta1, n->number), e)
        && write_number(g, s->c2, bias_correction((double)c->adamw.beta2, n->number), e);
}

bool step_read_nll(engine *g, const step *s, const step_config *c, float *nll, err *e)
{
    const int64_t n = c->model.rows * c->model.seq, room = model_chunks(&c->model) * model_head_chunk(&c->model);
    const int64_t all = c->micro * room;
    if (!s->nll.id)
        return fail(e, ERR_BUG, "the loss of each token is made by a step of loss_only or keep_nll");
    int32_t *index = malloc((size_t)all * sizeof *index);
    float *found = malloc((size_t)all * sizeof *found);
    bool ok = index && found ? true : fail(e, ERR_MEMORY, "no memory for the loss of %lld tokens", (long long)all);
    ok = ok && g->read(g, s->in.index, 0, all, index, e) && g->read(g, s->nll, 0, all, found, e);
    if (ok)
        memset(nll, 0, (size_t)(c->micro * n) * sizeof *nll);
    for (int64_t i = 0; ok && i < all; i++)
        if (index[i] >= 0)
            nll[i / room * n + index[i]] = found[i];
    free(index);
    free(found);
    return ok;
}
