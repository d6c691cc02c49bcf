// Forward passes over the packs of a cache, with the losses given back to the conversations they belong to.
#include "train/eval.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "train/step.h"

struct evaluator {
    eval_config c;
    arena arena;
    model_config model;
    cache *cache;
    packs *packs;
    batch *batch;
    program program;
    step step;
    step_config how;
    engine *engine;
    float *nll;                     // [rows * seq]
};

const cache *eval_cache(const evaluator *v) { return v->cache; }
const pack_totals *eval_totals(const evaluator *v) { return packs_totals(v->packs); }
int64_t eval_seq(const evaluator *v) { return v->how.model.seq; }

int64_t eval_rows(int64_t seq) { return MAX(2048 / seq, 1); }

static bool open_data(evaluator *v, err *e)
{
    const eval_config *c = &v->c;
    int64_t seq = c->seq;
    if (c->config)
        v->model = *c->config;
    else if (!model_config_read(&v->model, c->model, e))
        return false;
    if (!(v->cache = cache_open(c->cache, e)))
        return false;
    if (!seq)
        seq = MIN(MIN(cache_get_totals(v->cache)->longest, 2048), v->model.max_positions);
    if (seq < 2 || seq > v->model.max_positions)
        return fail(e, ERR_INPUT, "max_seq_len: expected 2 to %lld, the positions of the model, got %lld",
                    (long long)v->model.max_positions, (long long)seq);
    if (!(v->packs = packs_open(v->cache, seq, c->pack, c->truncate, 0, e)))
        return err_while(e, "%s", c->cache);
    int64_t rows = c->like ? c->like->how.model.rows : MIN(c->rows > 0 ? c->rows : eval_rows(seq), packs_totals(v->packs)->packs);
    v->how = (step_config){ .model = { .config = v->model, .rows = rows, .seq = seq }, .micro = 1, .loss_only = true };
    return true;
}

static bool open_engine(evaluator *v, err *e)
{
    const model *m = &v->how.model;
    v->nll = malloc((size_t)(m->rows * m->seq) * sizeof(float));
    v->batch = batch_open(m->rows, m->seq, e);
    if (!v->nll || !v->batch)
        return v->nll ? false : fail(e, ERR_MEMORY, "no memory for an evaluation");
    if (v->c.like) {
        v->step = v->c.like->step;
        v->engine = v->c.like->engine;
        return true;
    }
    v->step = step_record(&v->program, &v->how, &v->arena);
    TRY(program_finish(&v->program, e));
    v->engine = cpu_open(&v->program, &(cpu_options){ .pool = v->c.pool, .isa = v->c.isa, .share = v->c.share }, e);
    if (!v->engine)
        return false;
    return v->c.share || model_load(v->c.model, &v->model, &v->step.w, v->engine, e);
}

evaluator *eval_open(const eval_config *c, err *e)
{
    evaluator *v = calloc(1, sizeof *v);
    if (!v) {
        fail(e, ERR_MEMORY, "no memory for an evaluation");
        return NULL;
    }
    v->c = *c;
    program_open(&v->program, c->compute);
    if (open_data(v, e) && open_engine(v, e))
        return v;
    eval_close(v);
    return NULL;
}

void eval_close(evaluator *v)
{
    if (!v)
        return;
    if (v->engine && !v->c.like)
        v->engine->close(v->engine);
    program_close(&v->program);
    if (v->batch)
        batch_close(v->batch);
    if (v->packs)
        packs_close(v->packs);
    if (v->cache)
        cache_close(v->cache);
    free(v->nll);
    arena_close(&v->arena);
    free(v);
}

// Splits the losses of one row of the batch over its conversations: they lie in it in order, each beginning where a token is the
// start of its own segment.
static void add_row(const evaluator *v, int64_t pack, int64_t row, eval_result *out, eval_row *rows)
{
    const int64_t *conversations, seq = v->batch->seq, count = packs_at(v->packs, pack, &conversations);
    const int32_t *start = v->batch->start + row * seq, *target = v->batch->target + row * seq;
    const float *nll = v->nll + row * seq;
    int64_t segment = -1;
    for (int64_t i = 0; i < seq; i++) {
        segment += start[i] == i;
        if (target[i] < 0)
            continue;
        out->loss += (double)nll[i];
        out->tokens++;
        if (rows && segment < count) {
            rows[conversations[segment]].nll += (double)nll[i];
            rows[conversations[segment]].tokens++;
        }
    }
    out->rows += count;
}

// Rows past the last pack are computed as they stand and not looked at.
static bool pass(evaluator *v, int64_t from, eval_result *out, eval_row *rows, err *e)
{
    batch *b = v->batch;
    const int64_t used = MIN(b->rows, packs_totals(v->packs)->packs - from);
    for (int64_t r = 0; r < used; r++)
        packs_fill(v->packs, from + r, b, r);
    const step_numbers n = { .number = 1, .trained = 1 };
    TRY(step_write(v->engine, &v->step, &v->how, b->ids, b->position, b->start, b->target, &n, e));
    TRY(v->engine->step(v->engine, e) && step_read_nll(v->engine, &v->step, &v->how, v->nll, e));
    for (int64_t r = 0; r < used; r++)
        add_row(v, from + r, r, out, rows);
    return true;
}

bool eval_run(evaluator *v, eval_result *out, eval_row *rows, err *e)
{
    double begun = clock_now();
    *out = (eval_result){ 0 };
    if (rows)
        memset(rows, 0, (size_t)cache_count(v->cache) * sizeof *rows);
    v->engine->prepare(v->engine);
    for (int64_t p = 0; p < packs_totals(v->packs)->packs; p += v->how.model.rows) {
        if (v->c.stopped && v->c.stopped(v->c.self))
            return fail(e, ERR_INTERRUPTED, "stopped during an evaluation");
        TRY(pass(v, p, out, rows, e));
    }
    out->loss = out->tokens ? out->loss / (double)out->tokens : 0;
    out->seconds = clock_now() - begun;
    return true;
}
