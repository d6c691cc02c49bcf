// The data of a run: its caches opened and packed, mixed where there are several, and how many steps that makes.
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/util.h"
#include "train/training.h"

// ---- options -------------------------------------------------------------------------------------------------------------

const char *training_dataset_name(const train_config *c, int64_t i) { return c->names ? c->names[i] : path_name(c->caches[i]); }

bool training_is_trained(const train_config *c, int64_t i)
{
    for (int64_t s = 0; c->stages && s < c->stage_count; s++)
        if (c->stages[s].weights[i] > 0)
            return true;
    return !c->stages;
}

bool training_check_mixture(const train_config *c, err *e)
{
    int64_t trained = 0;
    if (c->cache_count > 1 && !c->stages)
        return fail(e, ERR_INPUT, "%lld token caches and no weights: a mixture needs mixture_weights", (long long)c->cache_count);
    for (int64_t i = 0; c->stages && i < c->cache_count; i++) {
        for (int64_t s = 0; s < c->stage_count; s++)
            if (!(c->stages[s].weights[i] >= 0))        // before a dataset counts as held out
                return fail(e, ERR_INPUT, "mixture: weight of '%s': expected 0 or more, got %g", training_dataset_name(c, i),
                            c->stages[s].weights[i]);
        trained += training_is_trained(c, i);
        if (c->eval_cache && !strcmp(training_dataset_name(c, i), "validation"))
            return fail(e, ERR_INPUT, "mixture: a dataset is called 'validation', as the held-out data is; give it another name");
    }
    if (c->stages && !trained)
        return fail(e, ERR_INPUT, "mixture: no dataset has a weight above 0");
    if (trained > 1 && !c->steps && c->epochs > 0)
        return fail(e, ERR_INPUT, "epochs: a mixture of %lld datasets has none of its own; give num_train_steps, or stop_strategy "
                    "first_exhausted (no row twice) or all_exhausted (every row at least once)", (long long)trained);
    return true;
}

// ---- opening -------------------------------------------------------------------------------------------------------------

bool training_check_tokenizer(const training *t, const cache *c, const char *folder, err *e)
{
    const tokenizer *k = t->tokenizer;
    if (strcmp(cache_tokenizer_digest(c), tokenizer_digest(k)))
        return fail(e, ERR_INPUT, "%s: tokenized with another tokenizer (%.12s) than that of '%s' (%.12s); "
                    "tokenize the data again with this one", folder, cache_tokenizer_digest(c), tokenizer_path(k), tokenizer_digest(k));
    if (cache_vocab(c) > t->model.vocab)
        return fail(e, ERR_INPUT, "%s: its tokens go up to %lld, the model '%s' has only %lld; tokenize the data for this model", folder,
                    (long long)cache_vocab(c) - 1, t->c->model, (long long)t->model.vocab);
    return true;
}

// The export has one template.
static bool check_template(const training *t, const dataset *d, err *e)
{
    const char *first = cache_chat_template(t->datasets[0].cache), *own = cache_chat_template(d->cache);
    return !strcmp(first, own) || fail(e, ERR_INPUT, "mixture: '%s' and '%s' were tokenized with different chat templates; tokenize both "
                                       "with one", t->datasets[0].name, d->name);
}

static bool open_dataset(training *t, int64_t at, err *e)
{
    const train_config *c = t->c;
    dataset *d = &t->datasets[t->dataset_count];
    *d = (dataset){ .name = training_dataset_name(c, at), .folder = c->caches[at], .at = at };
    d->metric = arena_print(&t->arena, "train/%s/loss", d->name);
    if (!(d->cache = cache_open(d->folder, e)))
        return false;
    t->dataset_count++;                                 // closed from here on
    TRY(training_check_tokenizer(t, d->cache, d->folder, e) && check_template(t, d, e));
    if (!(d->packs = packs_open(d->cache, c->seq, c->pack, c->truncate, 0, e)))     // at least one pack
        return err_while(e, "%s", d->folder);
    return true;
}

static const double *packs_per_weight(const training *t, const double *weights, double *out)
{
    for (int64_t i = 0; i < t->dataset_count; i++) {
        const pack_totals *p = packs_totals(t->datasets[i].packs);
        out[i] = weights[t->datasets[i].at];
        if (t->c->weights_of_rows)                      // a pack holds so many conversations, on average over each pass exactly
            out[i] *= (double)p->packs / (double)p->conversations;
    }
    return out;
}

static bool open_mixture(training *t, err *e)
{
    const train_config *c = t->c;
    const char **names = ARENA_ARRAY(&t->arena, const char *, t->dataset_count);
    mixture_stage *stages = ARENA_ARRAY(&t->arena, mixture_stage, c->stage_count);
    for (int64_t i = 0; i < t->dataset_count; i++)
        names[i] = t->datasets[i].name;
    for (int64_t s = 0; s < c->stage_count; s++) {
        double *weights = ARENA_ARRAY(&t->arena, double, t->dataset_count);
        stages[s] = (mixture_stage){ c->stages[s].start, packs_per_weight(t, c->stages[s].weights, weights) };
    }
    t->mixture = mixture_open(&(mixture_config){ .names = names, .datasets = t->dataset_count, .stages = stages, .batch = c->batch,
                                                 .stage_count = c->stage_count, .block = c->mixture_block, .seed = c->seed }, e);
    return t->mixture != NULL;
}

// ---- steps ---------------------------------------------------------------------------------------------------------------

// Epochs over the packed data: a last batch that is not full goes on into the next epoch.
static int64_t steps_of_epochs(const training *t)
{
    double rows = t->c->epochs * (double)packs_totals(t->datasets[0].packs)->packs, steps = rows / (double)t->c->batch;
    int64_t whole = (int64_t)steps;
    return MAX(whole + ((double)whole < steps - 1e-9), 1);
}

// Whole steps before anything comes twice; or as many as it takes until all has come.
static bool steps_of_stop(training *t, int64_t *steps, err *e)
{
    const int64_t rows = t->c->batch;
    int64_t lengths[MIXTURE_MOST_DATASETS], decides;
    for (int64_t i = 0; i < t->dataset_count; i++)
        lengths[i] = packs_totals(t->datasets[i].packs)->packs;
    const int64_t end = mixture_end(t->mixture, lengths, t->c->stop, &decides);
    const dataset *d = &t->datasets[decides];
    if (end == INT64_MAX)
        return fail(e, ERR_INPUT, "mixture: stop_strategy=all_exhausted never ends: the weights of '%s' end before all of its %lld packs "
                    "came; give num_train_steps and stop_strategy=restart", d->name, (long long)packs_totals(d->packs)->packs);
    *steps = t->c->stop == STOP_ALL ? (end + rows - 1) / rows : end / rows;
    if (!*steps)
        return fail(e, ERR_INPUT, "mixture: '%s' is used up after %lld rows, before the %lld of a first step; expected more data, a "
                    "smaller train_batch_size, or stop_strategy=all_exhausted", d->name, (long long)end, (long long)rows);
    log_info("mixture: '%s' is used up %s, after %lld rows: %lld steps", d->name, t->c->stop == STOP_ALL ? "last" : "first", (long long)end,
             (long long)*steps);
    return true;
}

static bool count_steps(training *t, err *e)
{
    const train_config *c = t->c;
    if (!t->mixture || c->stop == STOP_RESTART) {
        t->steps = c->steps ? c->steps : steps_of_epochs(t);
        return true;
    }
    TRY(steps_of_stop(t, &t->steps, e));
    t->steps = c->steps ? MIN(t->steps, c->steps) : t->steps;
    return true;
}

bool training_open_datasets(training *t, err *e)
{
    const train_config *c = t->c;
    t->datasets = ARENA_ARRAY(&t->arena, dataset, c->cache_count);
    for (int64_t i = 0; i < c->cache_count; i++)
        if (training_is_trained(c, i))
            TRY(open_dataset(t, i, e));
    t->cache = t->datasets[0].cache;
    loader_part *parts = ARENA_ARRAY(&t->arena, loader_part, t->dataset_count);
    for (int64_t i = 0; i < t->dataset_count; i++)
        parts[i] = (loader_part){ t->datasets[i].name, t->datasets[i].packs };
    TRY(!c->stages || open_mixture(t, e));
    t->loader = loader_open_mixture(parts, t->dataset_count, t->mixture, c->seed, c->permute, c->batch, e);
    return t->loader && count_steps(t, e);
}

void training_close_datasets(training *t)
{
    loader_close(t->loader);
    mixture_close(t->mixture);
    for (int64_t i = 0; i < t->dataset_count; i++) {
        packs_close(t->datasets[i].packs);
        cache_close(t->datasets[i].cache);
    }
}

bool training_losses(training *t, const batch *b, err *e)
{
    double sums[MIXTURE_MOST_DATASETS] = { 0 };
    int64_t counts[MIXTURE_MOST_DATASETS] = { 0 };
    if (!t->how.keep_nll)
        return true;                                    // of a single dataset: train/loss
    TRY(step_read_nll(t->engine, &t->step, &t->how, t->nll, e));
    for (int64_t i = 0; i < b->rows * b->seq; i++)
        if (b->target[i] >= 0) {
            sums[b->dataset[i / b->seq]] += (double)t->nll[i];
            counts[b->dataset[i / b->seq]]++;
        }
    for (int64_t d = 0; d < t->dataset_count; d++)
        if (counts[d])
            t->values[t->value_count++] = (track_value){ t->datasets[d].metric, sums[d] / (double)counts[d] };
    return true;
}
