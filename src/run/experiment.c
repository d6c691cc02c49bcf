// The functions behind the macros of <skiff/experiment.h>: they keep what was said and where, and decide nothing yet, since
// flags may still change it.
#include "run/experiment.h"

#include <stdio.h>

#include "base/util.h"
#include "run/dataset.h"

static experiment current;

experiment *experiment_current(void) { return &current; }

void experiment_forget(void)
{
    arena_close(&current.arena);
    current = (experiment){0};
}

void experiment_mistake(const err *e) { ARENA_PUSH(&current.arena, current.mistakes, current.mistake_count, *e); }

const reference *experiment_reference(const char *chars)
{
    for (int i = 0; chars && i < current.reference_count; i++)
        if (current.references[i].text == chars)
            return &current.references[i];
    return NULL;
}

// "x.c:12": C has no columns, and the place must say so.
static place place_of(skiff_here here)
{
    return (place){ .file = here.line ? arena_print(&current.arena, "%s:%d", here.file, here.line) : here.file };
}

static ExecutorStep *add(skiff_here here, step_what what)
{
    ExecutorStep *s = ARENA_NEW(&current.arena, ExecutorStep);
    s->what = what;
    s->at = place_of(here);
    s->index = -1;
    ARENA_PUSH(&current.arena, current.steps, current.step_count, s);
    return s;
}

// Texts may lie in a buffer of the caller's; references are known by their address and stay as they are.
static const char *keep(const char *chars)
{
    return !chars || experiment_reference(chars) ? chars : arena_chars(&current.arena, str_of(chars));
}

static void keep_texts(section_id s, void *values)
{
    const option_section *in = &option_sections[s];
    for (size_t i = 0; i < in->count; i++) {
        const char **at = (const char **)(void *)((char *)values + in->rows[i].offset);
        if (in->rows[i].type == OPTION_TEXT)
            *at = keep(*at);
        for (int k = 0; in->rows[i].type == OPTION_LIST && k < SKIFF_LIST_ROOM; k++)
            at[k] = keep(at[k]);
    }
}

static void check_values(section_id s, void *values, place at)
{
    err e;
    keep_texts(s, values);
    if (!options_check(s, values, at, &e))
        experiment_mistake(&e);
}

static void mistake(place at, const char *what)
{
    err e;
    fail_at(&e, at, "%s", what);
    experiment_mistake(&e);
}

// Letters that a folder's name can have everywhere; slashes make folders.
static bool is_good_name(const char *name)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+=-/";
    return name[strspn(name, good)] == 0 && name[0] != '/' && name[0] != '.' && name[strlen(name) - 1] != '/' && !strstr(name, "//") &&
           !strstr(name, "/.") && strlen(name) <= 200;
}

static void check_name(const char *name, const char *call, place at)
{
    err e;
    if (!name || !*name) {
        fail_at(&e, at, "%s: name: missing", call);
        experiment_mistake(&e);
    } else if (!is_good_name(name)) {
        fail_at(&e, at, "%s: name: '%.60s' must be of letters, digits and . _ + = - /, since it names a folder", call, name);
        experiment_mistake(&e);
    }
}

static const char *with_prefix(arena *a, const char *prefix, const char *name)
{
    return !strncmp(name, prefix, strlen(prefix)) ? name : arena_print(a, "%s%s", prefix, name);
}

// checkpoints/<name>_seed<seed>: the guide's convention.
const char *step_name(arena *a, const ExecutorStep *s)
{
    switch (s->what) {
    case WHAT_TOKENIZE:
        return with_prefix(a, "tokenized/", s->tokenize.name ? s->tokenize.name : "unnamed");
    case WHAT_DATASET:
        return arena_print(a, "documents/%s", dataset_folder(a, s->dataset.name ? s->dataset.name : "unnamed"));
    case WHAT_SFT:
        return arena_print(a, "%s_seed%lld", with_prefix(a, "checkpoints/", s->sft.name ? s->sft.name : "unnamed"),
                           (long long)s->sft.sft_config.seed);
    case WHAT_MIXTURE:
        break;
    }
    return "mixture";
}

ExecutorStep *skiff_default_tokenize(skiff_here here, skiff_tokenize_args args)
{
    ExecutorStep *s = add(here, WHAT_TOKENIZE);
    s->tokenize = args;
    check_values(SECTION_TOKENIZE, &s->tokenize, s->at);
    check_values(SECTION_FORMAT, &s->tokenize.format, s->at);
    check_name(s->tokenize.name, "default_tokenize", s->at);
    if (!s->tokenize.dataset || !*s->tokenize.dataset)
        mistake(s->at, "default_tokenize: dataset: missing");
    if (!s->tokenize.tokenizer || !*s->tokenize.tokenizer)
        mistake(s->at, "default_tokenize: tokenizer: missing");
    s->known_as = step_name(&current.arena, s);
    return s;
}

ExecutorStep *skiff_get_instruction_dataset(skiff_here here, skiff_dataset_args args)
{
    ExecutorStep *s = add(here, WHAT_DATASET);
    s->dataset = args;
    check_values(SECTION_DATASET, &s->dataset, s->at);
    check_name(s->dataset.name, "get_instruction_dataset", s->at);
    s->known_as = step_name(&current.arena, s);
    return s;
}

ExecutorStep *skiff_lm_mixture_data_config(skiff_here here, skiff_mixture_args args)
{
    ExecutorStep *s = add(here, WHAT_MIXTURE);
    s->mixture = args;
    s->known_as = "mixture";
    for (int i = 0; i < SKIFF_COMPONENTS; i++) {
        s->mixture.components[i].name = keep(args.components[i].name);
        s->mixture.weights[i].name = keep(args.weights[i].name);
        for (int k = 0; k < SKIFF_STAGES; k++)
            s->mixture.weights_list[k].weights[i].name = keep(args.weights_list[k].weights[i].name);
    }
    if (!s->mixture.components[0].name)
        mistake(s->at, "lm_mixture_data_config: components: missing");
    if (s->mixture.weights[0].name && s->mixture.weights_list[0].weights[0].name)
        mistake(s->at, "lm_mixture_data_config: weights and weights_list are both given; give one");
    return s;
}

ExecutorStep *skiff_default_sft(skiff_here here, skiff_sft_args args)
{
    ExecutorStep *s = add(here, WHAT_SFT);
    s->sft = args;
    check_values(SECTION_STEP, &s->sft, s->at);
    check_values(SECTION_SFT, &s->sft.sft_config, s->at);
    check_values(SECTION_MODEL, &s->sft.model_config, s->at);
    check_name(s->sft.name, "default_sft", s->at);
    for (int i = 0; i < SKIFF_COMPONENTS; i++)
        s->sft.mixture_weights[i].name = keep(args.mixture_weights[i].name);
    if (!s->sft.tokenized)
        mistake(s->at, "default_sft: tokenized: missing (a step of default_tokenize)");
    else if (s->sft.tokenized->what != WHAT_TOKENIZE && s->sft.tokenized->what != WHAT_MIXTURE)
        mistake(s->at, "default_sft: tokenized: expected a step of default_tokenize or lm_mixture_data_config");
    if (s->sft.validation && s->sft.validation->what != WHAT_TOKENIZE)
        mistake(s->at, "default_sft: validation: expected a step of default_tokenize");
    s->known_as = step_name(&current.arena, s);
    return s;
}

ExecutorStep *with_output_path(ExecutorStep *step, const char *path)
{
    if (step)
        step->pinned = keep(path);
    return step;
}

const char *skiff_path_in(skiff_here here, ExecutorStep *step, const char *path)
{
    if (!step || step->what == WHAT_MIXTURE) {
        mistake(place_of(here), step ? "path_in: a mixture has no output of its own" : "path_in: no step");
        return "";
    }
    if (path && (path[0] == '/' || !strncmp(path, "..", 2) || strstr(path, "/.."))) {
        mistake(place_of(here), "path_in: the path must lie within the step's output");
        return "";
    }
    // What is printed where a reference is not expected; its address is what counts.
    const char *chars = arena_print(&current.arena, "%s/%s", step->known_as, path ? path : "");
    ARENA_PUSH(&current.arena, current.references, current.reference_count,
               ((reference){ .text = chars, .step = step, .path = path ? keep(path) : NULL }));
    return chars;
}
