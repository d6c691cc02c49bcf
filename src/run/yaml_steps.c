// A YAML experiment: the guide's calls as a list. Steps are referred to by their names, and stand above what uses them.
//
//   description: …
//   steps:
//     - default_tokenize: {name: chats, dataset: chats.jsonl, tokenizer: model/, format: {input_field: user}}
//     - default_sft:
//         name: chats
//         tokenized: chats
//         sft_config: {model_name_or_path: model/, num_train_steps: 100}
//
// Files of another step: {step: name, path: "**/*.jsonl.gz"}. ${NAME:-default} is the environment's.
#include <stdio.h>

#include "base/near.h"
#include "base/util.h"
#include "base/yaml.h"
#include "run/experiment.h"

typedef struct loader {
    const char *file;
    arena *arena;
    int first;                      // steps of this file begin here
} loader;

static bool is_called(const ExecutorStep *s, str name)
{
    const char *own = s->what == WHAT_TOKENIZE ? s->tokenize.name : s->what == WHAT_DATASET ? s->dataset.name : s->sft.name;
    return s->what != WHAT_MIXTURE && ((own && str_is(name, own)) || str_is(name, s->known_as));
}

// A step above, by name; `what` < 0: of any kind. Where two of different kinds have one name, the kind decides.
static ExecutorStep *find_step(loader *l, const node *n, const char *key, int what, err *e)
{
    const experiment *x = experiment_current();
    const char **names = ARENA_ARRAY(l->arena, const char *, x->step_count + 1);
    size_t count = 0;
    if (!node_is(n, NODE_TEXT)) {
        fail_at(e, node_place(n, l->file), "%s: expected the name of a step, got %s", key, n ? node_kind_name(n->kind) : "nothing");
        return NULL;
    }
    for (int i = l->first; i < x->step_count; i++) {
        ExecutorStep *s = x->steps[i];
        if (s->what == WHAT_MIXTURE || (what >= 0 && (int)s->what != what))
            continue;
        if (is_called(s, n->text))
            return s;
        names[count++] = s->known_as;
    }
    char near[200], word[65];
    snprintf(word, sizeof word, "%.*s", (int)MIN(n->text.size, sizeof word - 1), n->text.at);
    near_names(word, names, count, near, sizeof near);
    fail_at(e, node_place(n, l->file), "%s: there is no step '%s' above%s%s%s", key, word, near[0] ? "; did you mean " : "", near,
            near[0] ? "?" : "");
    return NULL;
}

static skiff_here here_of(const loader *l, const node *n) { return (skiff_here){ l->file, n->line }; }

// Only these keys; the first other one is an error.
static bool only_keys(const loader *l, const node *object, const char *what, const char *const *names, err *e)
{
    size_t count = 0;
    while (names[count])
        count++;
    for (int64_t i = 0; i < object->object.count; i++) {
        const member *m = &object->object.members[i];
        char near[160], word[65];
        bool known = false;
        for (size_t k = 0; k < count; k++)
            known |= str_is(m->key, names[k]);
        if (known)
            continue;
        snprintf(word, sizeof word, "%.*s", (int)MIN(m->key.size, sizeof word - 1), m->key.at);
        near_names(word, names, count, near, sizeof near);
        return fail_at(e, (place){ .file = l->file, .line = m->line, .column = m->column }, "%s: unknown key '%s'%s%s%s", what, word,
                       near[0] ? "; did you mean " : "", near, near[0] ? "?" : "");
    }
    return true;
}

// {step: name, path: glob} where a text is expected.
static const char *refer(void *self, const node *n, err *e)
{
    loader *l = self;
    static const char *const keys[] = { "step", "path", NULL };
    const node *path = node_get(n, "path");
    if (!only_keys(l, n, "files of a step", keys, e))
        return NULL;
    ExecutorStep *s = find_step(l, node_get(n, "step"), "step", -1, e);
    if (!s)
        return NULL;
    if (path && path->kind != NODE_TEXT && path->kind != NODE_NULL) {
        fail_at(e, node_place(path, l->file), "path: expected text, got %s", node_kind_name(path->kind));
        return NULL;
    }
    return skiff_path_in(here_of(l, n), s, node_is(path, NODE_TEXT) ? arena_chars(l->arena, path->text) : NULL);
}

static option_reader reader(loader *l, const char *const *others)
{
    return (option_reader){ .arena = l->arena, .file = l->file, .others = others, .refer = refer, .self = l };
}

static bool pin(loader *l, const node *args, ExecutorStep *s, err *e)
{
    const node *path = node_get(args, "override_output_path");
    if (path && path->kind != NODE_TEXT)
        return fail_at(e, node_place(path, l->file), "override_output_path: expected text, got %s", node_kind_name(path->kind));
    if (path)
        with_output_path(s, arena_chars(l->arena, path->text));
    return true;
}

static bool read_tokenize(loader *l, const node *n, ExecutorStep **out, err *e)
{
    static const char *const others[] = { "format", "override_output_path", NULL };
    skiff_tokenize_args args = {0};
    option_reader r = reader(l, others), inner = reader(l, NULL);
    const node *format = node_get(n, "format");
    options_preset(SECTION_TOKENIZE, &args);
    options_preset(SECTION_FORMAT, &args.format);
    TRY(options_read(&r, SECTION_TOKENIZE, &args, n, e));
    TRY(!format || format->kind == NODE_NULL || options_read(&inner, SECTION_FORMAT, &args.format, format, e));
    *out = skiff_default_tokenize(here_of(l, n), args);
    return true;
}

static bool read_dataset(loader *l, const node *n, ExecutorStep **out, err *e)
{
    static const char *const others[] = { "override_output_path", NULL };
    skiff_dataset_args args = {0};
    option_reader r = reader(l, others);
    options_preset(SECTION_DATASET, &args);
    TRY(options_read(&r, SECTION_DATASET, &args, n, e));
    *out = skiff_get_instruction_dataset(here_of(l, n), args);
    return true;
}

static bool read_weights(loader *l, const node *n, const char *what, skiff_weight *weights, err *e)
{
    if (!n || n->kind == NODE_NULL)
        return true;
    if (n->kind != NODE_OBJECT)
        return fail_at(e, node_place(n, l->file), "%s: expected dataset: weight, got %s", what, node_kind_name(n->kind));
    if (n->object.count >= SKIFF_COMPONENTS)
        return fail_at(e, node_place(n, l->file), "%s: %d datasets at most", what, SKIFF_COMPONENTS - 1);
    for (int64_t i = 0; i < n->object.count; i++) {
        const member *m = &n->object.members[i];
        if (m->value.kind != NODE_INT && m->value.kind != NODE_FLOAT)
            return fail_at(e, node_place(&m->value, l->file), "%s: expected a number, got %s", what, node_kind_name(m->value.kind));
        weights[i] = (skiff_weight){ arena_chars(l->arena, m->key), node_number(&m->value) };
    }
    return true;
}

// [{start: step, weights: {name: number, …}}, …]
static bool read_stages(loader *l, const node *n, skiff_stage *out, err *e)
{
    static const char *const keys[] = { "start", "weights", NULL };
    if (!n || n->kind == NODE_NULL)
        return true;
    if (n->kind != NODE_LIST || n->list.count > SKIFF_STAGES)
        return fail_at(e, node_place(n, l->file), "weights_list: expected a list of {start: step, weights: {dataset: weight}}, %d at most",
                       SKIFF_STAGES);
    for (int64_t i = 0; i < n->list.count; i++) {
        const node *stage = &n->list.items[i], *start = node_get(stage, "start"), *weights = node_get(stage, "weights");
        if (!node_is(stage, NODE_OBJECT) || !node_is(start, NODE_INT) || !node_is(weights, NODE_OBJECT))
            return fail_at(e, node_place(stage, l->file), "weights_list: expected {start: step, weights: {dataset: weight}}");
        TRY(only_keys(l, stage, "weights_list", keys, e));
        if (start->integer < 0)
            return fail_at(e, node_place(start, l->file), "start: expected a step from 0, got %lld", (long long)start->integer);
        out[i].start = start->integer;
        TRY(read_weights(l, weights, "weights", out[i].weights, e));
    }
    return true;
}

static bool read_mixture_options(loader *l, const node *n, skiff_mixture_args *args, err *e)
{
    const node *missing = node_get(n, "missing_weights_are_validation"), *block = node_get(n, "mixture_block_size");
    if (missing && missing->kind != NODE_BOOL)
        return fail_at(e, node_place(missing, l->file), "missing_weights_are_validation: expected true or false, got %s",
                       node_kind_name(missing->kind));
    if (block && (block->kind != NODE_INT || block->integer < 1))
        return fail_at(e, node_place(block, l->file), "mixture_block_size: expected a whole number from 1 on");
    args->missing_weights_are_validation = !missing || missing->truth;
    args->mixture_block_size = block ? block->integer : 0;
    return true;
}

// {components: {name: step, …}, weights: {name: number, …}}, or with weights_list
static bool read_mixture(loader *l, const node *n, ExecutorStep **out, err *e)
{
    static const char *const keys[] = { "components", "weights", "weights_list", "missing_weights_are_validation", "mixture_block_size",
                                        NULL };
    skiff_mixture_args args = {0};
    const node *components = node_get(n, "components");
    TRY(only_keys(l, n, "a mixture", keys, e));
    if (!node_is(components, NODE_OBJECT))
        return fail_at(e, node_place(components ? components : n, l->file), "components: expected dataset: step");
    if (components->object.count >= SKIFF_COMPONENTS)
        return fail_at(e, node_place(components, l->file), "components: %d datasets at most", SKIFF_COMPONENTS - 1);
    for (int64_t i = 0; i < components->object.count; i++) {
        const member *m = &components->object.members[i];
        ExecutorStep *s = find_step(l, &m->value, "components", WHAT_TOKENIZE, e);
        TRY(s != NULL);
        args.components[i] = (skiff_component){ arena_chars(l->arena, m->key), s };
    }
    TRY(read_weights(l, node_get(n, "weights"), "weights", args.weights, e));
    TRY(read_stages(l, node_get(n, "weights_list"), args.weights_list, e));
    TRY(read_mixture_options(l, n, &args, e));
    *out = skiff_lm_mixture_data_config(here_of(l, n), args);
    return true;
}

static const struct { const char *name; const struct LlamaConfig *is; } models[] = {
#define X(id, ...) { #id, &id },
    SKIFF_MODELS(X)
#undef X
};

static bool read_model_config(loader *l, const node *n, struct LlamaConfig *out, err *e)
{
    option_reader r = reader(l, NULL);
    const char *names[COUNT(models)];
    char near[200], word[65];
    if (!n || n->kind == NODE_NULL)
        return true;
    if (n->kind != NODE_TEXT)
        return options_read(&r, SECTION_MODEL, out, n, e);
    for (size_t i = 0; i < COUNT(models); i++) {
        names[i] = models[i].name;
        if (str_is(n->text, names[i])) {
            *out = *models[i].is;
            return true;
        }
    }
    snprintf(word, sizeof word, "%.*s", (int)MIN(n->text.size, sizeof word - 1), n->text.at);
    near_names(word, names, COUNT(models), near, sizeof near);
    return fail_at(e, node_place(n, l->file), "model_config: there is no model '%s'%s%s%s; a model of include/skiff/models.h or sizes "
                   "(hidden_dim: …)", word, near[0] ? "; did you mean " : "", near, near[0] ? "?" : "");
}

static bool read_sft(loader *l, const node *n, ExecutorStep **out, err *e)
{
    static const char *const others[] = { "tokenized", "validation", "model_config", "sft_config", "mixture_weights",
                                          "override_output_path", NULL };
    skiff_sft_args args = {0};
    option_reader r = reader(l, others), inner = reader(l, NULL);
    const node *config = node_get(n, "sft_config"), *tokenized = node_get(n, "tokenized"), *validation = node_get(n, "validation");
    options_preset(SECTION_STEP, &args);
    options_preset(SECTION_SFT, &args.sft_config);
    options_preset(SECTION_MODEL, &args.model_config);
    TRY(options_read(&r, SECTION_STEP, &args, n, e));
    TRY(!config || options_read(&inner, SECTION_SFT, &args.sft_config, config, e));
    TRY(read_model_config(l, node_get(n, "model_config"), &args.model_config, e));
    TRY(read_weights(l, node_get(n, "mixture_weights"), "mixture_weights", args.mixture_weights, e));
    if (!tokenized)
        return fail_at(e, node_place(n, l->file), "default_sft: tokenized: missing (the name of a default_tokenize step above)");
    if (tokenized->kind == NODE_OBJECT)
        TRY(read_mixture(l, tokenized, &args.tokenized, e));
    else
        TRY((args.tokenized = find_step(l, tokenized, "tokenized", WHAT_TOKENIZE, e)) != NULL);
    if (validation && validation->kind != NODE_NULL)
        TRY((args.validation = find_step(l, validation, "validation", WHAT_TOKENIZE, e)) != NULL);
    *out = skiff_default_sft(here_of(l, n), args);
    return true;
}

static const struct call { const char *name; bool (*read)(loader *, const node *, ExecutorStep **, err *); } calls[] = {
    { "default_tokenize", read_tokenize },
    { "default_sft", read_sft },
    { "get_instruction_dataset", read_dataset },
};

static bool read_step(loader *l, const node *n, ExecutorStep **out, err *e)
{
    const char *names[COUNT(calls) + 1] = {0};
    for (size_t i = 0; i < COUNT(calls); i++)
        names[i] = calls[i].name;
    if (!node_is(n, NODE_OBJECT) || n->object.count != 1)
        return fail_at(e, node_place(n, l->file), "steps: expected one call (default_tokenize: {…}), got %s",
                       n->kind == NODE_OBJECT ? "several keys: indent its options further" : node_kind_name(n->kind));
    TRY(only_keys(l, n, "steps", names, e));
    const member *m = &n->object.members[0];
    if (m->value.kind != NODE_OBJECT)
        return fail_at(e, node_place(&m->value, l->file), "%.*s: expected options (name: …), got %s", STR_ARG(m->key),
                       node_kind_name(m->value.kind));
    for (size_t i = 0; i < COUNT(calls); i++)
        if (str_is(m->key, calls[i].name))
            return calls[i].read(l, &m->value, out, e) && pin(l, &m->value, *out, e);
    return false;
}

bool experiment_read_yaml(const char *path, skiff_main_args *out, err *e)
{
    static const char *const keys[] = { "steps", "description", NULL };
    experiment *x = experiment_current();
    const node *top;
    *out = (skiff_main_args){0};
    loader l = { .file = arena_chars(&x->arena, str_of(path)), .arena = &x->arena, .first = x->step_count };
    TRY(yaml_read_file(&x->arena, path, &top, e));
    TRY(expand_environment(&x->arena, (node *)top, l.file, e));
    if (!node_is(top, NODE_OBJECT))
        return fail_at(e, node_place(top, l.file), "expected an experiment (steps: …), got %s", node_kind_name(top->kind));
    TRY(only_keys(&l, top, "an experiment", keys, e));
    const node *steps = node_get(top, "steps"), *description = node_get(top, "description");
    if (!node_is(steps, NODE_LIST) || !steps->list.count)
        return fail_at(e, node_place(steps ? steps : top, l.file), "steps: expected a list of steps");
    if (steps->list.count >= SKIFF_STEPS)
        return fail_at(e, node_place(steps, l.file), "steps: %d at most", SKIFF_STEPS - 1);
    if (description && description->kind != NODE_TEXT && description->kind != NODE_NULL)
        return fail_at(e, node_place(description, l.file), "description: expected text, got %s", node_kind_name(description->kind));
    out->description = node_is(description, NODE_TEXT) ? arena_chars(&x->arena, description->text) : NULL;
    for (int64_t i = 0; i < steps->list.count; i++)
        TRY(read_step(&l, &steps->list.items[i], &out->steps[i], e));
    return true;
}
