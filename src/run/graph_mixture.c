// Mixtures of an experiment: components and weights, from lm_mixture_data_config and default_sft, into a training step's configuration.
#include <stdio.h>

#include "base/near.h"
#include "base/util.h"
#include "data/mixture.h"
#include "run/graph.h"

typedef struct parts {              // a mixture with the weights that count
    const ExecutorStep *mixture, *training;
    const skiff_component *components;
    size_t count;
    const skiff_weight *weights[SKIFF_STAGES];          // of each stage
    int64_t starts[SKIFF_STAGES];
    int stages;
} parts;

// mixture_weights of default_sft, where given, stand for those of the mixture.
static parts parts_of(const ExecutorStep *s)
{
    const ExecutorStep *m = s->sft.tokenized;
    parts p = { .mixture = m, .training = s, .components = m->mixture.components };
    while (p.count < SKIFF_COMPONENTS && p.components[p.count].name)
        p.count++;
    if (s->sft.mixture_weights[0].name || !m->mixture.weights_list[0].weights[0].name) {
        p.weights[p.stages++] = s->sft.mixture_weights[0].name ? s->sft.mixture_weights : m->mixture.weights;
        return p;
    }
    for (; p.stages < SKIFF_STAGES && m->mixture.weights_list[p.stages].weights[0].name; p.stages++) {
        p.weights[p.stages] = m->mixture.weights_list[p.stages].weights;
        p.starts[p.stages] = m->mixture.weights_list[p.stages].start;
    }
    return p;
}

static const skiff_weight *find_weight(const skiff_weight *weights, const char *name)
{
    for (int i = 0; i < SKIFF_COMPONENTS && weights[i].name; i++)
        if (!strcmp(weights[i].name, name))
            return &weights[i];
    return NULL;
}

static double weight_in(const parts *p, int stage, const char *name)
{
    const skiff_weight *w = find_weight(p->weights[stage], name);
    return w ? w->weight : 0;
}

static bool is_trained(const parts *p, const char *name)
{
    for (int i = 0; i < p->stages; i++)
        if (weight_in(p, i, name) > 0)
            return true;
    return false;
}

// ---- checks ---------------------------------------------------------------------------------------------------------------

static void check_known(const parts *p, const char *name)
{
    const char *names[SKIFF_COMPONENTS];
    char near[200];
    for (size_t k = 0; k < p->count; k++) {
        names[k] = p->components[k].name;
        if (!strcmp(names[k], name))
            return;
    }
    near_names(name, names, p->count, near, sizeof near);
    graph_mistake(p->mixture, "weights: there is no dataset '%s'%s%s%s", name, near[0] ? "; did you mean " : "", near, near[0] ? "?" : "");
}

static void check_stage(const parts *p, int stage)
{
    const skiff_weight *weights = p->weights[stage];
    double sum = 0;
    for (int i = 0; i < SKIFF_COMPONENTS && weights[i].name; i++) {
        check_known(p, weights[i].name);
        if (find_weight(weights, weights[i].name) != &weights[i])
            graph_mistake(p->mixture, "weights: '%s' stands there twice", weights[i].name);
        if (weights[i].weight >= 0 && weights[i].weight < 1e300)
            sum += weights[i].weight;
        else
            graph_mistake(p->mixture, "weights: '%s': expected 0 or more, got %g", weights[i].name, weights[i].weight);
    }
    if (!(sum > 0))
        graph_mistake(p->mixture, "weights: at least one dataset must have a weight above 0");
    for (size_t k = 0; k < p->count && !p->mixture->mixture.missing_weights_are_validation; k++)
        if (!find_weight(weights, p->components[k].name))
            graph_mistake(p->mixture, "weights: '%s' has none, and missing_weights_are_validation is false", p->components[k].name);
}

static void check_component(const parts *p, size_t i)
{
    const skiff_component *c = &p->components[i];
    for (size_t k = 0; k < i; k++)
        if (!strcmp(p->components[k].name, c->name))
            graph_mistake(p->mixture, "components: two are called '%s'", c->name);
    if (c->step->tokenize.is_validation && is_trained(p, c->name))
        graph_mistake(p->mixture, "weights: '%s' is held-out data (is_validation), and must have none", c->name);
    if (is_trained(p, c->name))
        graph_check_format(p->training, c->step);
}

static void check_options(const parts *p)
{
    const struct SimpleSFTConfig *o = &p->training->sft.sft_config;
    const int64_t own = p->mixture->mixture.mixture_block_size;
    size_t trained = 0;
    for (size_t i = 0; i < p->count; i++)
        trained += is_trained(p, p->components[i].name);
    if (o->epochs == o->epochs && trained > 1)
        graph_mistake(p->training, "epochs is for one dataset; a mixture takes num_train_steps, or a stop_strategy: first_exhausted (no "
                                   "row twice), all_exhausted (every row at least once)");
    if (own && (own < 1 || own > MIXTURE_MOST_BLOCK))
        graph_mistake(p->mixture, "mixture_block_size: %lld is not within 1 to %d", (long long)own, MIXTURE_MOST_BLOCK);
    if (own && o->mixture_block_size != MIXTURE_BLOCK && o->mixture_block_size != own)
        graph_mistake(p->training, "mixture_block_size is %lld here, and %lld in the mixture; give one", (long long)o->mixture_block_size,
                      (long long)own);
    if (p->training->sft.mixture_weights[0].name && p->mixture->mixture.weights_list[0].weights[0].name)
        graph_mistake(p->training, "mixture_weights is given, and the mixture has a weights_list of its own; give one");
}

// ---- into the step --------------------------------------------------------------------------------------------------------

static void put_component(builder *b, const parts *p, size_t i, node *list)
{
    arena *a = b->arena;
    const skiff_component *c = &p->components[i];
    node *part = node_object(a), *weights = node_list(a);
    graph_place(b, c->step);
    node_put(a, part, "name", node_text(str_of(c->name)));
    node_put(a, part, "cache", graph_reference(a, c->step, NULL));
    for (int k = 0; k < p->stages; k++)
        node_add(a, weights, node_float(weight_in(p, k, c->name)));
    node_put(a, part, "weights", *weights);
    node_add(a, list, *part);
}

// Two names may mean one tokenizer: only files tell.
static void put_tokenizers(builder *b, const parts *p, node *settings)
{
    arena *a = b->arena;
    const char *first = p->components[0].step->tokenize.tokenizer;
    node *list = node_list(a);
    bool differ = false;
    for (size_t i = 0; i < p->count; i++) {
        const char *own = p->components[i].step->tokenize.tokenizer;
        node *one = node_object(a);
        if (!own || experiment_reference(own))          // of another step: compared when the caches are there
            continue;
        differ |= !first || strcmp(first, own) != 0;
        node_put(a, one, "name", node_text(str_of(p->components[i].name)));
        node_put(a, one, "tokenizer", node_text(str_of(own)));
        node_add(a, list, *one);
    }
    if (differ)
        node_put(a, settings, "tokenizers", *list);
}

void graph_put_mixture(builder *b, ExecutorStep *s, node *config, node *settings)
{
    arena *a = b->arena;
    const parts p = parts_of(s);
    node *list = node_list(a), *starts = node_list(a);
    size_t good = 0;
    for (size_t i = 0; i < p.count; i++) {
        const ExecutorStep *c = p.components[i].step;
        if (c && c->what == WHAT_TOKENIZE)
            good++;
        else
            graph_mistake(p.mixture, "components: '%s' is no step of default_tokenize", p.components[i].name);
    }
    for (int i = 0; i < p.stages; i++) {
        check_stage(&p, i);
        node_add(a, starts, node_int(p.starts[i]));
    }
    check_options(&p);
    if (!good || good < p.count)
        return;
    for (size_t i = 0; i < p.count; i++) {
        check_component(&p, i);
        put_component(b, &p, i, list);
    }
    node_put(a, config, "mixture", *list);
    if (p.stages > 1)
        node_put(a, config, "mixture_starts", *starts);
    put_tokenizers(b, &p, settings);
}

void graph_mixture_options(const ExecutorStep *s, struct SimpleSFTConfig *o)
{
    const parts p = parts_of(s);
    const int64_t block = p.mixture->mixture.mixture_block_size;
    int pack = SKIFF_CHOICE_UNSET;
    if (block)
        o->mixture_block_size = block;
    if (o->pack != SKIFF_CHOICE_UNSET)
        return;
    for (size_t i = 0; i < p.count; i++) {
        const ExecutorStep *c = p.components[i].step;
        if (!c || c->what != WHAT_TOKENIZE || !is_trained(&p, p.components[i].name))
            continue;
        if (pack != SKIFF_CHOICE_UNSET && pack != c->tokenize.format.pack)
            graph_mistake(s, "the formats of the mixture's datasets have different values of pack; give sft_config.pack");
        pack = c->tokenize.format.pack;
    }
    o->pack = pack == 1 ? SKIFF_CHOICE_UNSET : pack;
}
