// skiff.h: a training step alone, the whole pipeline in one line, plans.
#include <skiff/skiff.h>
#include <math.h>
#include <stdlib.h>

#include "api/api.h"
#include "api/pipeline.h"
#include "base/clock.h"
#include "base/log.h"
#include "run/sense.h"
#include "run/settings.h"
#include "train/memory.h"

// `skiff sft`: rows of at most so many tokens, about so many tokens a step, unless options say otherwise.
enum { SFT_SEQ = 2048, SFT_TOKENS = 16384 };

static void put_number(arena *a, node *out, const char *name, double d)
{
    node_put(a, out, name, isnan(d) ? (node){ .kind = NODE_NULL } : node_float(d));
}

static node *result_node(arena *a, const train_config *c, const train_result *r)
{
    node *out = node_object(a);
    node_put(a, out, "output_path", node_text(str_of(c->output)));
    node_put(a, out, "status", node_text(r->already_done ? STR("already done") : STR("SUCCESS")));
    node_put(a, out, "step", node_int(r->step));
    node_put(a, out, "steps", node_int(r->steps));
    put_number(a, out, "train/loss", r->loss);
    put_number(a, out, "train/first_loss", r->first_loss);
    put_number(a, out, "eval/loss_before", r->eval_loss_before);
    put_number(a, out, "eval/loss", r->eval_loss);
    put_number(a, out, "throughput/tokens_per_second", r->tokens_per_second);
    put_number(a, out, "throughput/mfu", r->mfu);
    put_number(a, out, "seconds", r->seconds);
    node_put(a, out, "peak_memory_bytes", node_int(memory_peak()));
    node_put(a, out, "export", r->export_folder[0] ? node_text(arena_str(a, str_of(r->export_folder))) : (node){ .kind = NODE_NULL });
    return out;
}

// A token cache as it is, or one built from chats in `folder`.
static bool cache_for(arena *a, const char *data, const char *model_path, const char *folder, const api_options *o, const char **out,
                      cache_totals *totals, err *e)
{
    *out = data;
    if (api_is_cache(data)) {
        cache *c = cache_open(data, e);
        if (c)
            *totals = *cache_get_totals(c);
        cache_close(c);
        return c != NULL;
    }
    *out = folder;
    TRY(api_build_cache(a, data, model_path, folder, path_name(folder), o, totals, e));
    cache_say_totals(path_name(folder), totals);
    return true;
}

static bool run_train(arena *a, const struct SimpleSFTConfig *o, const train_config *c, char **report, err *e)
{
    train_result r;
    (void)sense_of_training(c->output, o, c, NULL);
    return train_run(c, &r, e) && api_report(result_node(a, c, &r), report, e);
}

// Where a dataset's tokens are: as given, or made in `name` below the output.
static bool data_for(arena *a, const train_settings *s, const char *path, const char *name, bool build, const train_config *c,
                     const char **out, err *e)
{
    api_options o = { .format = s->format, .sft = s->sft };
    cache_totals totals;
    options_preset(SECTION_TOKENIZE, &o.tokenize);
    if (!build && !api_is_cache(path))
        return fail(e, ERR_INPUT, "data: expected a token cache, got '%s'; exact steps need the tokens: run skiff tokenize first", path);
    return cache_for(a, path, c->model, path_join(a, path_join(a, c->output ? c->output : ".", "tokenized"), name), &o, out, &totals, e);
}

bool api_train_data(arena *a, const train_settings *s, bool build, train_config *c, err *e)
{
    const train_mixture *m = &s->mixture;
    const int64_t count = m->count ? m->count : 1;
    const char **caches = ARENA_ARRAY(a, const char *, count);
    if (!m->count && !s->run.data)
        return fail(e, ERR_INPUT, "data: missing");
    for (int64_t i = 0; i < count; i++)
        TRY(m->count ? data_for(a, s, m->paths[i], m->names[i], build, c, &caches[i], e)
                     : data_for(a, s, s->run.data, "train", build, c, &caches[0], e));
    if (s->run.validation && (build || api_is_cache(s->run.validation)))
        TRY(data_for(a, s, s->run.validation, "validation", build, c, &c->eval_cache, e));
    c->caches = caches;
    c->cache_count = count;
    if (m->count) {
        c->names = m->names;
        c->stages = &m->stage;
        c->stage_count = 1;
    }
    return true;
}

// From the settings of a training step to what train_run wants.
static bool fill(arena *a, const train_settings *s, train_config *c, err *e)
{
    TRY(train_config_fill(&s->sft, s->format.pack, c, e));
    if (c->model && store_repo(a, c->model))
        c->base_name = store_repo(a, c->model);
    TRY(bring_local(a, "model_name_or_path", &c->model, e));
    TRY(!c->tokenizer || bring_local(a, "tokenizer", &c->tokenizer, e));
    TRY(model_config_agrees(&s->model_config, c->model, e));
    if (!(s->run.data || s->mixture.count) || !s->run.output)
        return fail(e, ERR_INPUT, "%s: missing", s->run.output ? "data" : "output");
    TRY(folder_make(s->run.output, e));
    c->output = s->run.output;
    return api_train_data(a, s, true, c, e);
}

bool skiff_train(const char *config, const char *const *options, char **report, skiff_err *e)
{
    arena a = {0};
    train_settings s;
    train_config c;
    bool ok = train_settings_read(&a, config, options, &s, e) && fill(&a, &s, &c, e) && run_train(&a, &s.sft, &c, report, e);
    arena_close(&a);
    return ok;
}

// ---- sft ----

// The defaults of this command, printed before the start.
static void sft_defaults(struct SimpleSFTConfig *s, const char *const *options, const cache_totals *t)
{
    if (!api_option_given(options, "max_seq_len"))
        s->max_seq_len = MIN(SFT_SEQ, MAX((int64_t)32, (t->longest + 31) / 32 * 32));
    if (!api_option_given(options, "train_batch_size"))
        s->train_batch_size = MAX((int64_t)1, SFT_TOKENS / s->max_seq_len);
    if (!api_option_given(options, "learning_rate"))
        s->learning_rate = 2e-5;
    if (!api_option_given(options, "epochs") && !api_option_given(options, "num_train_steps"))
        s->epochs = 3;
    log_info("max_seq_len=%lld train_batch_size=%lld learning_rate=%g %s=%g", (long long)s->max_seq_len,
             (long long)s->train_batch_size, s->learning_rate, isnan(s->epochs) ? "num_train_steps" : "epochs",
             isnan(s->epochs) ? (double)s->num_train_steps : s->epochs);
}

static bool sft(arena *a, const char *path, const char *data, const char *output, const skiff_sft_how *how, const char *const *options,
                char **report, err *e)
{
    api_options o;
    train_config c;
    const char *caches[1];
    cache_totals totals, held_out;
    TRY(api_options_read("sft", options, a, &o, e));
    const option *mixed = options_first_set(SECTION_SFT, &o.sft, SKIFF_MIXTURE);
    if (mixed)
        return fail(e, ERR_INPUT, "%s is an option of mixtures, which skiff sft does not make; see skiff train and skiff run", mixed->name);
    o.sft.model_name_or_path = store_repo(a, path) ? store_repo(a, path) : path;
    TRY(bring_local(a, "model", &path, e));
    if (how && how->restart)
        TRY(folder_remove(output, e));
    TRY(folder_make(output, e));
    TRY(cache_for(a, data, path, path_join(a, output, "tokenized/train"), &o, &caches[0], &totals, e));
    sft_defaults(&o.sft, options, &totals);
    TRY(train_config_fill(&o.sft, o.format.pack, &c, e));
    if (o.train.validation)
        TRY(cache_for(a, o.train.validation, path, path_join(a, output, "tokenized/validation"), &o, &c.eval_cache, &held_out, e));
    c.model = path;
    c.output = output;
    c.caches = caches;
    c.cache_count = 1;
    c.accept_changes = how && how->resume;
    return run_train(a, &o.sft, &c, report, e);
}

bool skiff_sft(const char *model_path, const char *data, const char *output, const skiff_sft_how *how, const char *const *options,
               char **report, skiff_err *e)
{
    arena a = {0};
    bool ok = sft(&a, model_path, data, output, how, options, report, e);
    arena_close(&a);
    return ok;
}

void skiff_stop(void)
{
    train_stop();
    store_stop();
}
