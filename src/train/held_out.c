// Held-out data of a run: the validation set, and the datasets of a mixture that have no weight. They share one program and its memory.
#include "base/log.h"
#include "base/util.h"
#include "train/training.h"

int64_t training_count_held_out(const train_config *c)
{
    int64_t count = c->eval_cache != NULL;
    for (int64_t i = 0; i < c->cache_count; i++)
        count += !training_is_trained(c, i);
    return c->steps_per_eval < 0 ? 0 : count;
}

static bool open_set(training *t, const char *name, const char *folder, err *e)
{
    const train_config *c = t->c;
    held_out *h = &t->held_out[t->held_out_count];
    const eval_config how = {
        .model = c->model, .share = t->engine, .config = &t->model, .cache = folder, .seq = c->seq, .pack = c->pack,
        .truncate = c->truncate, .compute = c->compute, .pool = t->pool, .isa = c->isa, .stopped = training_stopped, .self = t,
        .like = t->held_out_count ? t->held_out[0].evaluator : NULL,
    };
    *h = (held_out){ .name = name, .evaluator = eval_open(&how, e) };
    if (name)
        h->metric = arena_print(&t->arena, "eval/%s/loss", name);
    if (!h->evaluator)
        return err_while(e, "held-out data");
    t->held_out_count++;
    return training_check_tokenizer(t, eval_cache(h->evaluator), folder, e);
}

bool training_open_held_out(training *t, err *e)
{
    const train_config *c = t->c;
    const int64_t count = training_count_held_out(c);
    t->held_out = ARENA_ARRAY(&t->arena, held_out, count + 1);
    if (count && c->eval_cache)
        TRY(open_set(t, count > 1 ? "validation" : NULL, c->eval_cache, e));
    for (int64_t i = 0; count && i < c->cache_count; i++)
        if (!training_is_trained(c, i))
            TRY(open_set(t, training_dataset_name(c, i), c->caches[i], e));
    return true;
}

void training_close_held_out(training *t)
{
    while (t->held_out_count)                           // the first one last: the others use its memory
        eval_close(t->held_out[--t->held_out_count].evaluator);
}

static bool evaluate_set(training *t, const held_out *h, eval_result *sum, track_value *out, size_t *count, err *e)
{
    eval_result r;
    if (!eval_run(h->evaluator, &r, NULL, e))
        return e->code == ERR_INTERRUPTED ? false : err_while(e, "evaluating after step %lld", (long long)t->at);
    sum->tokens += r.tokens;
    if (sum->tokens)
        sum->loss += (r.loss - sum->loss) * ((double)r.tokens / (double)sum->tokens);      // the mean so far
    sum->rows += r.rows;
    sum->seconds += r.seconds;
    if (h->name)
        out[(*count)++] = (track_value){ h->metric, r.loss };
    return true;
}

bool training_evaluate(training *t, track_value *out, size_t *count, err *e)
{
    eval_result sum = { 0 };
    const size_t first = *count;
    double losses = 0;
    for (int64_t i = 0; i < t->held_out_count; i++)
        if (!evaluate_set(t, &t->held_out[i], &sum, out, count, e))
            return *count = first, false;               // no halves
    const size_t named = *count;
    t->eval_last = sum.loss;
    log_info("step %lld: held-out loss %.4f (%lld conversations, %lld tokens)", (long long)t->at, t->eval_last, (long long)sum.rows,
             (long long)sum.tokens);
    for (size_t i = first; i < named; i++) {
        log_info("step %lld: %s %.4f", (long long)t->at, out[i].name, out[i].value);
        losses += out[i].value;
    }
    out[(*count)++] = (track_value){ "eval/loss", t->eval_last };
    if (named - first > 1)
        out[(*count)++] = (track_value){ "eval/macro_loss", losses / (double)(named - first) };
    out[(*count)++] = (track_value){ "eval/total_time", sum.seconds };
    return true;
}
