// What the training steps of an experiment will need, before anything runs: skiff plan EXPERIMENT.
#include <math.h>

#include "base/json.h"
#include "base/util.h"
#include "run/plan.h"

// Half of the machine's measured peak: what steps come to, within a factor of two.
static double seconds_expected(const train_config *c, const train_plan *p)
{
    err ignored = {0};
    pool *threads = pool_open(c->threads, &ignored);
    double peak = cpu_peak_gflops(threads, c->isa, c->compute);
    pool_close(threads);
    return peak > 0 ? round(p->flops_per_step * (double)p->steps / (0.4e9 * peak) * 100) / 100 : 0;
}

static node *mixture_node(arena *a, const train_plan *p)
{
    node *out = node_object(a), *datasets = node_object(a);
    for (int64_t i = 0; i < p->datasets; i++) {
        const train_share *s = &p->shares[i];
        node *one = node_object(a);
        node_put(a, one, "weight", node_float(s->weight));
        node_put(a, one, "packs_per_block", node_int(s->per_block));
        node_put(a, one, "packs", node_int(s->data.packs));
        node_put(a, one, "epochs", node_float(s->epochs));
        node_put(a, one, "rows", node_int(s->rows));
        node_put(a, one, "conversations", node_int(s->data.conversations));
        node_put(a, one, "cut", node_int(s->data.cut));
        node_put(a, one, "dropped", node_int(s->dropped + s->data.dropped_long + s->data.dropped_untrained));
        node_put(a, one, "tokens", node_int(s->data.tokens));
        node_put(a, one, "trained_tokens", node_int(s->data.trained));
        node_put(a, datasets, arena_chars(a, str_of(s->name)), *one);
    }
    node_put(a, out, "datasets", *datasets);
    node_put(a, out, "block_size", node_int(p->mixture_block));
    return out;
}

// The largest tensors of a step, and from where to where in it they live: what a smaller micro-batch or recomputing would take away.
static node *largest_node(arena *a, const train_plan *p)
{
    node *list = node_list(a);
    for (int i = 0; i < MEMORY_LARGEST && p->largest[i].bytes; i++) {
        const memory_tensor *t = &p->largest[i];
        node *one = node_object(a);
        node_put(a, one, "name", node_text(str_of(arena_chars(a, str_of(t->name)))));
        node_put(a, one, "bytes", node_int(t->bytes));
        node_put(a, one, "begin", node_float(round(t->begin * 1000) / 1000));
        node_put(a, one, "end", node_float(round(t->end * 1000) / 1000));
        node_add(a, list, *one);
    }
    return list;
}

node *train_plan_node(arena *a, const train_config *c, const train_plan *p)
{
    node *out = node_object(a), *memory = node_object(a), *data = node_object(a);
    const struct { const char *name; int64_t bytes; } kinds[] = {
        { "weights", p->weights }, { "gradients", p->gradients }, { "moments", p->moments }, { "activations", p->activations },
        { "other", p->other },     { "total", p->total },         { "process", p->process },
        { "peak", p->total + p->process },                        { "available", p->available },
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
    node_put(a, out, "largest_tensors", *largest_node(a, p));
    node_put(a, data, "packs", node_int(p->data.packs));
    node_put(a, data, "conversations", node_int(p->data.conversations));
    node_put(a, data, "cut", node_int(p->data.cut));
    node_put(a, data, "dropped", node_int(p->data.dropped_long + p->data.dropped_untrained));
    node_put(a, data, "tokens", node_int(p->data.tokens));
    node_put(a, data, "trained_tokens", node_int(p->data.trained));
    node_put(a, out, "data", *data);
    if (p->mixture_block)
        node_put(a, out, "mixture", *mixture_node(a, p));
    node_put(a, out, "seconds_estimated", node_float(seconds_expected(c, p)));
    return out;
}

// Every training step needs its tokens: exact numbers come from them, not from guesses.
static bool plan_step(arena *a, const exec_step *steps, const exec_step *s, node *list, err *e)
{
    train_plan p;
    train_config c;
    for (int k = 0; k < s->dep_count; k++)
        if (status_read(steps[s->deps[k]].output) != STEP_SUCCESS)
            return fail(e, ERR_INPUT, "%s: exact steps need the tokens, and '%s' has not run yet; run it with --run_only '[\"%s\"]'",
                        s->name, steps[s->deps[k]].name, steps[s->deps[k]].name);
    // Of a model on the hub, the files that serve its tokenizer hold its sizes too.
    if (!s->kind->check(s, e) || !step_train_config(a, s, &c, e) || !bring_sizes(a, "model_name_or_path", &c.model, e)
        || (c.tokenizer && !bring_local(a, "tokenizer", &c.tokenizer, e)) || !train_make_plan(&c, &p, e))
        return err_while(e, "%s", s->name);
    node *n = node_object(a);
    node_put(a, n, "name", node_text(str_of(s->name)));
    node_put(a, n, "output_path", node_text(str_of(s->output)));
    const node *plan = train_plan_node(a, &c, &p);
    for (int64_t i = 0; i < plan->object.count; i++)
        node_put(a, n, plan->object.members[i].key.at, plan->object.members[i].value);
    node_add(a, list, *n);
    return true;
}

bool experiment_plan(arena *a, const exec_step *steps, int count, text *out, err *e)
{
    node *top = node_object(a), *list = node_list(a);
    for (int i = 0; i < count; i++)
        if (!strcmp(steps[i].kind->name, "train") && steps[i].same_as < 0)
            TRY(plan_step(a, steps, &steps[i], list, e));
    node_put(a, top, "steps", *list);
    json_write(out, top, JSON_SPACED);
    return text_ok(out, e);
}
