// What a run will need and do, known before it begins.
#include "base/log.h"
#include "train/metrics.h"
#include "train/training.h"

static void fill_plan(const training *t, const memory_needs *n, train_plan *out)
{
    const pack_totals *d = packs_totals(t->packs);
    *out = (train_plan){
        .parameters = t->model.parameters, .steps = t->steps, .packs = d->packs, .tokens_per_step = t->c->batch * t->c->seq,
        .micro = t->how.micro, .micro_batch = t->how.model.rows, .weights = n->weights, .gradients = n->gradients, .moments = n->moments,
        .activations = n->activations, .other = n->other, .total = n->total, .available = memory_available(), .data = *d,
    };
    // Per step on average: the packs' trained tokens, and rows of one segment at most.
    double rows = (double)t->c->batch, trained = (double)d->trained / (double)d->packs;
    int64_t seq = t->c->seq;
    out->flops_per_step = flops_needed(&t->model, (int64_t)rows * seq, (int64_t)rows * seq * (seq + 1) / 2, (int64_t)(rows * trained));
}

bool train_make_plan(const train_config *c, train_plan *out, err *e)
{
    training t = { .c = c, .lock = -1 };
    memory_needs needs;
    bool ok = training_check(c, e) && training_open_data(&t, e) && training_choose(&t, &needs, e);
    if (ok)
        fill_plan(&t, &needs, out);
    training_close(&t);
    return ok;
}

void training_say_plan(const training *t, const memory_needs *n)
{
    const pack_totals *d = packs_totals(t->packs);
    const cache_totals *rows = cache_get_totals(t->cache);
    const int64_t step_tokens = t->c->batch * t->c->seq;
    const bool large = n->total >= 100 * 1000 * 1000;
    const double unit = large ? 1e-9 : 1e-6;
    log_info("model: %lld parameters; memory: %.2f %s (weights %.2f, gradients %.2f, moments %.2f, activations %.2f, other %.2f)",
             (long long)t->model.parameters, (double)n->total * unit, large ? "GB" : "MB", (double)n->weights * unit,
             (double)n->gradients * unit, (double)n->moments * unit, (double)n->activations * unit, (double)n->other * unit);
    log_info("data: %lld rows, %lld kept, %lld cut to %lld tokens, %lld dropped (%lld before packing, %lld too long, "
             "%lld with no answer left)",
             (long long)rows->rows, (long long)d->conversations, (long long)d->cut, (long long)t->c->seq,
             (long long)(rows->dropped + d->dropped_long + d->dropped_untrained), (long long)rows->dropped, (long long)d->dropped_long,
             (long long)d->dropped_untrained);
    log_info("packs: %lld of %lld tokens, %.1f %% full; %lld tokens, %lld of them trained", (long long)d->packs, (long long)t->c->seq,
             100.0 * (double)d->tokens / ((double)d->packs * (double)t->c->seq), (long long)d->tokens, (long long)d->trained);
    log_info("run: %lld steps of %lld rows (%lld x %lld), %lld tokens a step, %.2f epochs", (long long)t->steps, (long long)t->c->batch,
             (long long)t->how.micro, (long long)t->how.model.rows, (long long)step_tokens,
             (double)t->steps * (double)t->c->batch / (double)d->packs);
    if (cache_stop_token(t->cache, 0) < 0)
        log_warning("no stop token is trained: the model may not learn where an answer ends");
}
