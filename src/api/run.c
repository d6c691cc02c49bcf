// skiff.h: experiments and plans.
#include <skiff/skiff.h>

#include "api/api.h"
#include "api/pipeline.h"
#include "run/experiment.h"
#include "run/settings.h"

bool skiff_run(const char *file, int argc, char **argv, int *exit_code, skiff_err *e)
{
    return run_experiment(file, argc, argv, exit_code, e);
}

static node *plan_node(arena *a, const train_plan *p)
{
    node *out = node_object(a), *memory = node_object(a), *data = node_object(a);
    const struct { const char *name; int64_t bytes; } kinds[] = {
        { "weights", p->weights }, { "gradients", p->gradients }, { "moments", p->moments }, { "activations", p->activations },
        { "other", p->other }, { "total", p->total }, { "available", p->available },
    };
    for (size_t i = 0; i < COUNT(kinds); i++)
        node_put(a, memory, kinds[i].name, node_int(kinds[i].bytes));
    node_put(a, out, "parameters", node_int(p->parameters));
    node_put(a, out, "steps", node_int(p->steps));
    node_put(a, out, "tokens_per_step", node_int(p->tokens_per_step));
    node_put(a, out, "tokens", node_int(p->tokens_per_step * p->steps));
    node_put(a, out, "micro_batches", node_int(p->micro));
    node_put(a, out, "micro_batch", node_int(p->micro_batch));
    node_put(a, out, "memory_bytes", *memory);
    node_put(a, data, "packs", node_int(p->data.packs));
    node_put(a, data, "conversations", node_int(p->data.conversations));
    node_put(a, data, "cut", node_int(p->data.cut));
    node_put(a, data, "dropped", node_int(p->data.dropped_long + p->data.dropped_untrained));
    node_put(a, data, "tokens", node_int(p->data.tokens));
    node_put(a, data, "trained_tokens", node_int(p->data.trained));
    node_put(a, out, "data", *data);
    return out;
}

// Half of the machine's measured peak: what steps come to, within a factor of two.
static double seconds_expected(const train_config *c, const train_plan *p)
{
    err ignored = {0};
    pool *threads = pool_open(c->threads, &ignored);
    double peak = cpu_peak_gflops(threads, c->isa, c->compute);
    pool_close(threads);
    return peak > 0 ? p->flops_per_step * (double)p->steps / (0.4e9 * peak) : 0;
}

bool skiff_plan(const char *config, const char *const *options, char **report, skiff_err *e)
{
    arena a = {0};
    train_settings s;
    train_config c;
    train_plan p;
    const char *caches[1];
    bool ok = train_settings_read(&a, config, options, &s, e) && train_config_fill(&s.sft, s.format.pack, &c, e)
           && need_local("model_name_or_path", c.model, e);
    if (ok && (!s.run.data || !api_is_cache(s.run.data)))
        ok = fail(e, ERR_INPUT, "%s: data: expected a token cache, got '%s'; exact steps need the tokens: run skiff tokenize first", config,
                  s.run.data ? s.run.data : "nothing");
    caches[0] = ok ? s.run.data : NULL;
    c.caches = caches;
    c.cache_count = 1;
    c.eval_cache = ok && s.run.validation && api_is_cache(s.run.validation) ? s.run.validation : NULL;
    if (ok && (ok = train_make_plan(&c, &p, e))) {
        node *out = plan_node(&a, &p);
        node_put(&a, out, "seconds_estimated", node_float(seconds_expected(&c, &p)));
        ok = api_report(out, report, e);
    }
    arena_close(&a);
    return ok;
}
