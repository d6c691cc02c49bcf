// What a run will need and do, known before it begins.
#include <string.h>

#include "base/log.h"
#include "train/metrics.h"
#include "train/training.h"

train_share training_share_of(const training *t, int64_t i)
{
    const dataset *d = &t->datasets[i];
    const cache_totals *rows = cache_get_totals(d->cache);
    const pack_totals *data = packs_totals(d->packs);
    const int64_t all = t->steps * t->c->batch, own = t->mixture ? mixture_share(t->mixture, i, all) : all;
    return (train_share){
        .name = d->name, .data = *data, .rows = rows->rows, .dropped = rows->dropped, .epochs = (double)own / (double)data->packs,
        .weight = t->mixture ? t->c->stages[0].weights[d->at] : 1, .per_block = t->mixture ? mixture_count(t->mixture, 0, i) : 0,
    };
}

static pack_totals all_packs(const training *t)
{
    pack_totals sum = { 0 };
    for (int64_t i = 0; i < t->dataset_count; i++) {
        const pack_totals *d = packs_totals(t->datasets[i].packs);
        sum.packs += d->packs, sum.conversations += d->conversations, sum.cut += d->cut;
        sum.dropped_long += d->dropped_long, sum.dropped_untrained += d->dropped_untrained;
        sum.tokens += d->tokens, sum.trained += d->trained;
    }
    return sum;
}

static void fill_plan(const training *t, const memory_needs *n, train_plan *out)
{
    const pack_totals all = all_packs(t);
    *out = (train_plan){
        .parameters = t->model.parameters, .steps = t->steps, .packs = all.packs, .tokens_per_step = t->c->batch * t->c->seq,
        .micro = t->how.micro, .micro_batch = t->how.model.rows, .weights = n->weights, .gradients = n->gradients, .moments = n->moments,
        .activations = n->activations, .other = n->other, .total = n->total, .process = memory_of_process(),
        .available = memory_available(), .data = all,
        .datasets = t->dataset_count, .mixture_block = t->mixture ? mixture_block(t->mixture) : 0,
    };
    memcpy(out->largest, n->largest, sizeof out->largest);
    // Per step on average: the trained tokens of the packs it reads, and rows of one segment at most.
    double rows = (double)t->c->batch, trained = 0;
    for (int64_t i = 0; i < t->dataset_count; i++) {
        out->shares[i] = training_share_of(t, i);
        trained += out->shares[i].epochs * (double)out->shares[i].data.trained / (double)t->steps;
    }
    int64_t seq = t->c->seq;
    out->flops_per_step = flops_needed(&t->model, (int64_t)rows * seq, (int64_t)rows * seq * (seq + 1) / 2, (int64_t)trained);
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

// Why rows were left out before packing.
static void say_drops(const training *t, const dataset *d)
{
    const cache_totals *rows = cache_get_totals(d->cache);
    for (int i = 0; i < rows->drop_count; i++)
        log_info("data%s%s: %lld rows dropped: %s, the first %s", t->mixture ? " " : "", t->mixture ? d->name : "",
                 (long long)rows->drops[i].rows, rows->drops[i].reason, rows->drops[i].first);
}

// Few steps of much data are not "0.00 epochs".
static int epoch_digits(double epochs) { return epochs < 0.1 ? 4 : 2; }

static void say_dataset(const training *t, int64_t i)
{
    const train_share s = training_share_of(t, i);
    const pack_totals *d = &s.data;
    const char *blank = t->mixture ? " " : "", *name = t->mixture ? s.name : "";
    log_info("data%s%s: %lld rows, %lld kept, %lld cut to %lld tokens, %lld dropped (%lld before packing, %lld too long, "
             "%lld with no answer left)",
             blank, name, (long long)s.rows, (long long)d->conversations, (long long)d->cut, (long long)t->c->seq,
             (long long)(s.dropped + d->dropped_long + d->dropped_untrained), (long long)s.dropped, (long long)d->dropped_long,
             (long long)d->dropped_untrained);
    say_drops(t, &t->datasets[i]);
    log_info("packs%s%s: %lld of %lld tokens, %.1f %% full; %lld tokens, %lld of them trained", blank, name, (long long)d->packs,
             (long long)t->c->seq, 100.0 * (double)d->tokens / ((double)d->packs * (double)t->c->seq), (long long)d->tokens,
             (long long)d->trained);
    if (t->mixture)
        log_info("mixture %s: weight %g, %lld of the %lld packs of a block, %.*f epochs", name, s.weight, (long long)s.per_block,
                 (long long)mixture_block(t->mixture), epoch_digits(s.epochs), s.epochs);
    for (int64_t k = 1; t->mixture && k < t->c->stage_count; k++)
        log_info("mixture %s: from step %lld weight %g, %lld packs of a block", name, (long long)t->c->stages[k].start,
                 t->c->stages[k].weights[t->datasets[i].at], (long long)mixture_count(t->mixture, k, i));
    if (cache_stop_token(t->datasets[i].cache, 0) < 0)
        log_warning("%s%sno stop token is trained: the model may not learn where an answer ends", name, t->mixture ? ": " : "");
}

static void say_held_out(const training *t)
{
    for (int64_t i = 0; i < t->c->cache_count; i++)
        if (!training_is_trained(t->c, i))
            log_info("mixture %s: no weight: held out%s", training_dataset_name(t->c, i),
                     t->c->steps_per_eval < 0 ? ", and not evaluated (steps_per_eval=-1)" : ", evaluated");
}

void training_say_plan(const training *t, const memory_needs *n)
{
    const pack_totals all = all_packs(t);
    const int64_t step_tokens = t->c->batch * t->c->seq;
    const bool large = n->total >= 100 * 1000 * 1000;
    const double unit = large ? 1e-9 : 1e-6;
    log_info("model: %lld parameters; memory: %.2f %s (weights %.2f, gradients %.2f, moments %.2f, activations %.2f, other %.2f)",
             (long long)t->model.parameters, (double)n->total * unit, large ? "GB" : "MB", (double)n->weights * unit,
             (double)n->gradients * unit, (double)n->moments * unit, (double)n->activations * unit, (double)n->other * unit);
    for (int64_t i = 0; i < t->dataset_count; i++)
        say_dataset(t, i);
    say_held_out(t);
    const double epochs = (double)t->steps * (double)t->c->batch / (double)all.packs;
    log_info("run: %lld steps of %lld rows (%lld x %lld), %lld tokens a step, %.*f epochs%s", (long long)t->steps, (long long)t->c->batch,
             (long long)t->how.micro, (long long)t->how.model.rows, (long long)step_tokens,
             epoch_digits(epochs), epochs, t->dataset_count > 1 ? " of all packs" : "");
}
