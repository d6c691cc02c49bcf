// Steps as they were described, to steps as the executor takes them: names, configurations, what enters the version.
#include <stdarg.h>
#include <stdio.h>

#include "base/util.h"
#include "run/dataset.h"
#include "run/graph.h"

void graph_mistake(const ExecutorStep *s, const char *fmt, ...)
{
    char what[400];
    err e;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    fail_at(&e, s->at, "%s", what);
    experiment_mistake(&e);
}

node graph_reference(arena *a, const ExecutorStep *to, const char *path)
{
    node *n = node_object(a);
    node_put(a, n, "step", node_int(to->index));
    node_put(a, n, "path", path ? node_text(str_of(path)) : (node){ .kind = NODE_NULL });
    return *n;
}

// Options as members; texts that path_in made as references, whose steps come first. `declared` leaves out what has its
// default, so that a new option does not change the version of every step there is.
static void dump(builder *b, section_id section, const void *values, options_which which, node *all, node *declared)
{
    const option_section *in = &option_sections[section];
    for (size_t i = 0; i < in->count; i++) {
        const option *o = &in->rows[i];
        bool ignored = o->flags & SKIFF_IGNORED;
        if (ignored != (which == OPTIONS_IGNORED))
            continue;
        node value = option_value(o, values, b->arena);
        const reference *r = o->type == OPTION_TEXT && value.kind == NODE_TEXT ? experiment_reference(value.text.at) : NULL;
        if (r) {
            graph_place(b, r->step);
            value = graph_reference(b->arena, r->step, r->path);
        }
        node_put(b->arena, all, o->name, value);
        if (declared && !option_is_default(o, values, in->defaults))
            node_put(b->arena, declared, o->name, value);
    }
}

static exec_step *add(builder *b, ExecutorStep *s, const char *kind)
{
    exec_step *x = &b->steps[b->count];
    s->index = b->count++;
    *x = (exec_step){ .name = step_name(b->arena, s), .kind = step_kind_find(kind), .pinned = s->pinned, .at = s->at };
    return x;
}

static void put_tokenize(builder *b, ExecutorStep *s)
{
    arena *a = b->arena;
    node *config = node_object(a), *declared = node_object(a), *settings = node_object(a);
    node *format = node_object(a), *declared_format = node_object(a), *format_settings = node_object(a);
    dump(b, SECTION_TOKENIZE, &s->tokenize, OPTIONS_HASHED, config, declared);
    dump(b, SECTION_FORMAT, &s->tokenize.format, OPTIONS_HASHED, format, declared_format);
    dump(b, SECTION_TOKENIZE, &s->tokenize, OPTIONS_IGNORED, settings, NULL);
    dump(b, SECTION_FORMAT, &s->tokenize.format, OPTIONS_IGNORED, format_settings, NULL);
    node_put(a, config, "format", *format);
    node_put(a, declared, "format", *declared_format);
    node_put(a, settings, "format", *format_settings);
    exec_step *x = add(b, s, "tokenize");
    x->config = config;
    x->declared = declared;
    x->settings = settings;
    x->description = arena_print(a, "Tokenize chats with the tokenizer %s.", s->tokenize.tokenizer ? s->tokenize.tokenizer : "?");
}

// Files of the hub: two datasets of one repository share the step.
static int put_download(builder *b, const ExecutorStep *s, const dataset_plan *d)
{
    arena *a = b->arena;
    for (int i = 0; i < b->count; i++)
        if (!strcmp(b->steps[i].kind->name, "download") && !strcmp(b->steps[i].pinned, d->raw))
            return i;
    node *config = node_object(a);
    node_put(a, config, "name", node_text(str_of(d->repo)));
    node_put(a, config, "revision", node_text(str_of(d->options.revision)));
    node_put(a, config, "repo_type", node_text(STR("dataset")));
    b->steps[b->count] = (exec_step){
        .name = arena_print(a, "raw/%s", dataset_folder(a, d->repo)), .kind = step_kind_find("download"), .config = config,
        .settings = node_object(a), .pinned = d->raw, .at = s->at, .description = arena_print(a, "The files of %s.", d->repo),
    };
    return b->count++;
}

static node words_of(arena *a, const char *const *words)
{
    node *list = node_list(a);
    for (; *words; words++)
        node_add(a, list, node_text(str_of(*words)));
    return *list;
}

// Two steps: the files, and the chats in them. What the table of known datasets says stands in the version.
static void put_dataset(builder *b, ExecutorStep *s)
{
    arena *a = b->arena;
    const option_section *in = &option_sections[SECTION_DATASET];
    node *config = node_object(a), *adapter = node_object(a), *settings = node_object(a), *raw = node_object(a);
    dataset_plan d;
    err e;
    if (!dataset_resolve(a, (const struct skiff_dataset_options *)&s->dataset, &d, &e)) {
        graph_mistake(s, "%s", e.text);
        return;
    }
    node_put(a, raw, "step", node_int(put_download(b, s, &d)));
    node_put(a, raw, "path", (node){ .kind = NODE_NULL });
    node_put(a, config, "raw", *raw);
    node_put(a, config, "repo", node_text(str_of(d.repo)));
    node_put(a, config, "subsets", words_of(a, d.subsets));
    node_put(a, config, "splits", words_of(a, d.splits));
    node_put(a, config, "metadata_columns", words_of(a, d.metadata));
    if (d.options.file_type)
        node_put(a, config, "file_type", node_text(str_of(d.options.file_type)));
    // What is left of the options is the adapter's.
    for (size_t i = 0; i < in->count; i++)
        if (option_find(SECTION_FORMAT, in->rows[i].name) && !option_is_default(&in->rows[i], &d.options, in->defaults))
            node_put(a, adapter, in->rows[i].name, option_value(&in->rows[i], &d.options, a));
    node_put(a, config, "adapter", *adapter);
    dump(b, SECTION_DATASET, &s->dataset, OPTIONS_IGNORED, settings, NULL);
    exec_step *x = add(b, s, "transform");
    x->config = config;
    x->settings = settings;
    x->pinned = s->pinned ? s->pinned : d.documents;
    x->description = arena_print(a, "Chats of %s.", s->dataset.name);
}

// ---- training -----------------------------------------------------------------------------------------------------------

void graph_check_format(const ExecutorStep *s, const ExecutorStep *t)
{
    const struct SimpleSFTConfig *o = &s->sft.sft_config;
    const struct ChatLmDatasetFormat *f = &t->tokenize.format;
    const struct { const char *name, *said, *field, *is; } pairs[] = {
        { "tokenizer", o->tokenizer, "tokenizer", t->tokenize.tokenizer },
        { "input_role", o->input_role, "format.input_field", f->input_field },
        { "output_role", o->output_role, "format.output_field", f->output_field },
    };
    for (size_t i = 0; i < COUNT(pairs); i++)
        if (pairs[i].said && pairs[i].is && strcmp(pairs[i].said, pairs[i].is))
            graph_mistake(s, "%s is '%s', but '%s' was made with %s '%s'; they must be the same", pairs[i].name, pairs[i].said, t->known_as,
                    pairs[i].field, pairs[i].is);
}

static void put_data(builder *b, ExecutorStep *s, node *config, node *settings)
{
    arena *a = b->arena;
    ExecutorStep *t = s->sft.tokenized;
    const option *mixture = options_first_set(SECTION_SFT, &s->sft.sft_config, SKIFF_MIXTURE);
    if (!t || (t->what != WHAT_TOKENIZE && t->what != WHAT_MIXTURE))
        return;                                         // said when the step was made
    if (t->what == WHAT_MIXTURE) {
        graph_put_mixture(b, s, config, settings);
    } else {
        graph_place(b, t);
        graph_check_format(s, t);
        node_put(a, config, "tokenized", graph_reference(a, t, NULL));
        node_put(a, config, "dataset", node_text(str_of(t->tokenize.name ? t->tokenize.name : "")));
        if (mixture)
            graph_mistake(s, "%s is an option of mixtures, and 'tokenized' is a single dataset", mixture->name);
        if (s->sft.mixture_weights[0].name)
            graph_mistake(s, "mixture_weights is given, but 'tokenized' is a single dataset; lm_mixture_data_config makes a mixture");
    }
    if (s->sft.validation && s->sft.validation->what == WHAT_TOKENIZE) {
        graph_place(b, s->sft.validation);
        node_put(a, config, "validation", graph_reference(a, s->sft.validation, NULL));
    }
}

static void put_sft(builder *b, ExecutorStep *s)
{
    arena *a = b->arena;
    struct SimpleSFTConfig *o = &s->sft.sft_config;
    node *config = node_object(a), *declared = node_object(a), *settings = node_object(a);
    node *sft = node_object(a), *declared_sft = node_object(a), *sft_settings = node_object(a);
    node *expected = node_object(a), *declared_model = node_object(a);
    put_data(b, s, config, settings);
    for (int64_t i = 0; i < config->object.count; i++)
        node_put(a, declared, config->object.members[i].key.at, config->object.members[i].value);
    // The format's pack decides what is trained, not what is tokenized: it stands in this step's version.
    struct SimpleSFTConfig whole = *o;
    if (whole.pack == SKIFF_CHOICE_UNSET && s->sft.tokenized && s->sft.tokenized->what == WHAT_TOKENIZE)
        whole.pack = s->sft.tokenized->tokenize.format.pack == 1 ? SKIFF_CHOICE_UNSET : s->sft.tokenized->tokenize.format.pack;
    if (s->sft.tokenized && s->sft.tokenized->what == WHAT_MIXTURE)
        graph_mixture_options(s, &whole);
    if (o->num_train_steps != SKIFF_INT_UNSET && o->epochs == o->epochs)
        graph_mistake(s, "num_train_steps and epochs are both given; give one");
    if (o->tpu_type && o->resources && strcmp(o->tpu_type, o->resources))
        graph_mistake(s, "tpu_type is '%s' and resources is '%s'; give one", o->tpu_type, o->resources);
    dump(b, SECTION_SFT, &whole, OPTIONS_HASHED, sft, declared_sft);
    dump(b, SECTION_SFT, &whole, OPTIONS_IGNORED, sft_settings, NULL);
    dump(b, SECTION_MODEL, &s->sft.model_config, OPTIONS_HASHED, expected, declared_model);
    node_put(a, config, "model_config", *expected);
    node_put(a, config, "sft_config", *sft);
    node_put(a, declared, "model_config", *declared_model);
    node_put(a, declared, "sft_config", *declared_sft);
    node_put(a, settings, "sft_config", *sft_settings);
    dump(b, SECTION_STEP, &s->sft, OPTIONS_IGNORED, settings, NULL);
    if (b->local)
        node_put(a, settings, "local", node_bool(true));
    exec_step *x = add(b, s, "train");
    x->config = config;
    x->declared = declared;
    x->settings = settings;
    x->description = s->sft.tokenized && s->sft.tokenized->what == WHAT_MIXTURE ? "SFT mixture" : "SFT single";
}

// Steps it depends on get their places first.
int graph_place(builder *b, ExecutorStep *s)
{
    if (s->index >= 0)
        return s->index;
    switch (s->what) {
    case WHAT_TOKENIZE:
        put_tokenize(b, s);
        break;
    case WHAT_DATASET:
        put_dataset(b, s);
        break;
    case WHAT_SFT:
        put_sft(b, s);
        break;
    case WHAT_MIXTURE:
        graph_mistake(s, "a mixture is no step: give it to default_sft as .tokenized");
        break;
    }
    return s->index;
}

void experiment_graph(const skiff_main_args *args, bool local, arena *a, exec_step **steps, int *count)
{
    experiment *x = experiment_current();
    builder b = { .arena = a, .local = local, .steps = ARENA_ARRAY(a, exec_step, 2 * x->step_count + 1) };    // a dataset is two
    for (int i = 0; i < x->step_count; i++)
        x->steps[i]->index = -1;
    for (int i = 0; i < SKIFF_STEPS && args->steps[i]; i++)
        graph_place(&b, args->steps[i]);
    *steps = b.steps;
    *count = b.count;
}
