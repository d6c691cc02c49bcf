// The command line of an experiment: flags of the executor, and step.option=value.
#include <stdio.h>

#include "base/json.h"
#include "base/near.h"
#include "base/util.h"
#include "run/experiment.h"

// ---- --flag value -------------------------------------------------------------------------------------------------------

// '["a", "b"]', or one name alone.
static bool set_list(const option *o, struct skiff_executor_options *flags, arena *a, const char *value, err *e)
{
    const node *list;
    char *where = arena_print(a, "--%s", o->name);
    if (value[0] != '[') {
        node *one = node_list(a);
        node_add(a, one, node_text(str_of(value)));
        list = one;
    } else if (!json_parse(a, arena_str(a, str_of(value)), (place){ .file = where, .row = 0 }, &list, e)) {
        return fail(e, ERR_INPUT, "--%s: expected a JSON list of texts like '[\"a\", \"b\"]', got '%.80s'", o->name, value);
    }
    if (list->kind != NODE_LIST)
        return fail(e, ERR_INPUT, "--%s: expected a JSON list of texts like '[\"a\", \"b\"]', got '%.80s'", o->name, value);
    return option_set_node(o, flags, option_sections[SECTION_EXECUTOR].defaults, a, list, where, e);
}

static bool unknown_flag(str name, err *e)
{
    const option_section *in = &option_sections[SECTION_EXECUTOR];
    const char *names[64];
    char near[160], word[65];
    for (size_t i = 0; i < in->count && i < COUNT(names); i++)
        names[i] = in->rows[i].name;
    snprintf(word, sizeof word, "%.*s", (int)MIN(name.size, sizeof word - 1), name.at);
    if (!strcmp(word, "env_vars"))                      // of Marin's ray_run.py
        return fail(e, ERR_INPUT, "unknown flag '--env_vars': an experiment that runs here has your environment already: "
                    "export HF_TOKEN, and leave the flag out");
    near_names(word, names, in->count, near, sizeof near);
    return fail(e, ERR_INPUT, "unknown flag '--%s'%s%s%s", word, near[0] ? "; did you mean " : "", near, near[0] ? "?" : "");
}

static bool is_truth(const char *s) { return s && (!strcmp(s, "true") || !strcmp(s, "false")); }

bool executor_flags(int argc, char **argv, arena *a, struct skiff_executor_options *flags, const char ***overrides, err *e)
{
    int count = 0;
    const char **list = ARENA_ARRAY(a, const char *, argc + 1);
    options_preset(SECTION_EXECUTOR, flags);
    for (int i = 0; i < argc; i++) {
        str word = str_of(argv[i]);
        if (!str_begins(word, STR("--"))) {
            if (str_find(word, STR("="), 0) == word.size)
                return fail(e, ERR_INPUT, "'%.80s': expected a flag (--prefix …) or step.option=value", argv[i]);
            list[count++] = argv[i];
            continue;
        }
        size_t split = str_find(word, STR("="), 0);
        str name = str_slice(word, 2, split);
        const option *o = option_find(SECTION_EXECUTOR, arena_chars(a, name));
        if (!o)
            return unknown_flag(name, e);
        const char *value = split < word.size ? argv[i] + split + 1 : NULL;
        if (!value && o->type == OPTION_BOOL)
            value = i + 1 < argc && is_truth(argv[i + 1]) ? argv[++i] : "true";
        if (!value && i + 1 == argc)
            return fail(e, ERR_INPUT, "--%s: expected a value after it", o->name);
        if (!value)
            value = argv[++i];
        place at = { .file = arena_print(a, "--%s", o->name) };
        TRY(o->type == OPTION_LIST ? set_list(o, flags, a, value, e) : option_set_text(o, flags, a, value, at, e));
    }
    *overrides = list;
    return true;
}

// ---- step.option=value --------------------------------------------------------------------------------------------------

// The option `path` of a step: "name", "format.pack" or "pack", "sft_config.seed" or "seed".
static const option *find_option(ExecutorStep *s, const char *path, void **values)
{
    const struct { step_what what; const char *group; section_id section; void *values; } places[] = {
        { WHAT_TOKENIZE, "", SECTION_TOKENIZE, &s->tokenize },
        { WHAT_TOKENIZE, "format.", SECTION_FORMAT, &s->tokenize.format },
        { WHAT_DATASET, "", SECTION_DATASET, &s->dataset },
        { WHAT_SFT, "", SECTION_STEP, &s->sft },
        { WHAT_SFT, "sft_config.", SECTION_SFT, &s->sft.sft_config },
        { WHAT_SFT, "model_config.", SECTION_MODEL, &s->sft.model_config },
    };
    for (size_t i = 0; i < COUNT(places); i++) {
        size_t n = strlen(places[i].group);
        const char *name = n && !strncmp(path, places[i].group, n) ? path + n : path;
        const option *o = places[i].what == s->what ? option_find(places[i].section, name) : NULL;
        *values = places[i].values;
        if (o)
            return o;
    }
    return NULL;
}

static bool unknown_option(const ExecutorStep *s, const char *path, place at, err *e)
{
    static const section_id tokenize[] = { SECTION_TOKENIZE, SECTION_FORMAT }, dataset[] = { SECTION_DATASET },
                            sft[] = { SECTION_STEP, SECTION_SFT, SECTION_MODEL };
    const char *dot = strrchr(path, '.');
    str name = str_of(dot ? dot + 1 : path);
    if (s->what == WHAT_TOKENIZE)
        return option_unknown(tokenize, COUNT(tokenize), name, at, e);
    if (s->what == WHAT_DATASET)
        return option_unknown(dataset, COUNT(dataset), name, at, e);
    return option_unknown(sft, COUNT(sft), name, at, e);
}

static const char *short_name(const ExecutorStep *s)
{
    return s->what == WHAT_TOKENIZE ? s->tokenize.name : s->what == WHAT_DATASET ? s->dataset.name : s->sft.name;
}

// What of `key` follows "name."; NULL when it does not begin so.
static const char *after_name(const char *key, const char *name)
{
    size_t n = name ? strlen(name) : 0;
    return n && !strncmp(key, name, n) && key[n] == '.' ? key + n + 1 : NULL;
}

static bool unknown_step(const char *key, place at, err *e)
{
    const experiment *x = experiment_current();
    arena a = {0};
    const char **names = ARENA_ARRAY(&a, const char *, 2 * x->step_count + 1);
    size_t count = 0;
    char near[200], word[65];
    for (int i = 0; i < x->step_count; i++) {
        if (x->steps[i]->what == WHAT_MIXTURE)
            continue;
        const char *own = short_name(x->steps[i]);
        bool seen = !own;
        for (size_t k = 0; k < count && !seen; k++)
            seen = !strcmp(names[k], own);
        if (!seen)
            names[count++] = own;
        names[count++] = x->steps[i]->known_as;
    }
    size_t n = strcspn(key, ".");
    snprintf(word, sizeof word, "%.*s", (int)MIN(n, sizeof word - 1), key);
    near_names(word, names, count, near, sizeof near);
    arena_close(&a);
    if (!key[n])
        return fail_at(e, at, "expected step.option=value");
    return fail_at(e, at, "there is no step '%s'%s%s%s", word, near[0] ? "; did you mean " : "", near, near[0] ? "?" : "");
}

static bool override_one(const char *text_of_it, err *e)
{
    experiment *x = experiment_current();
    place at = { .file = arena_print(&x->arena, "'%s'", text_of_it) };
    size_t split = strcspn(text_of_it, "=");
    const char *key = arena_chars(&x->arena, (str){ text_of_it, split }), *value = text_of_it + split + 1;
    ExecutorStep *found = NULL, *named = NULL, *second = NULL;
    const option *option_found = NULL;
    void *values_found = NULL;
    const char *rest_named = NULL;
    for (int i = 0; i < x->step_count; i++) {
        ExecutorStep *s = x->steps[i];
        const char *rest = after_name(key, s->known_as);
        void *values;
        if (!rest)
            rest = after_name(key, short_name(s));
        if (!rest || s->what == WHAT_MIXTURE)
            continue;
        named = s;
        rest_named = rest;
        const option *o = find_option(s, rest, &values);
        if (!o)
            continue;
        second = found;
        found = s;
        option_found = o;
        values_found = values;
    }
    if (!named)
        return unknown_step(key, at, e);
    if (!found)
        return unknown_option(named, rest_named, at, e);
    if (second)
        return fail_at(e, at, "means '%s' or '%s'; give the whole name", second->known_as, found->known_as);
    return option_set_text(option_found, values_found, &x->arena, value, at, e);
}

bool experiment_override(const char *const *overrides, err *e)
{
    for (; overrides && *overrides; overrides++)
        TRY(override_one(*overrides, e));
    return true;
}
