// The step of kind `tokenize`: chats to a token cache.
#include "base/file.h"
#include "base/util.h"
#include "data/reader.h"
#include "data/stop.h"
#include "run/plan.h"
#include "run/sense.h"
#include "run/step_kinds.h"

typedef struct tokenize_settings { struct skiff_tokenize_options options; struct ChatLmDatasetFormat format; } tokenize_settings;

static bool read_tokenize(arena *a, const exec_step *s, tokenize_settings *t, err *e)
{
    static const char *const others[] = { "format", NULL };
    option_reader r = { .arena = a, .file = s->name, .others = others };
    options_preset(SECTION_TOKENIZE, &t->options);
    options_preset(SECTION_FORMAT, &t->format);
    return options_read(&r, SECTION_TOKENIZE, &t->options, s->resolved, e)
        && options_read(&r, SECTION_TOKENIZE, &t->options, s->settings, e)
        && options_read(&r, SECTION_FORMAT, &t->format, node_get(s->resolved, "format"), e)
        && options_read(&r, SECTION_FORMAT, &t->format, node_get(s->settings, "format"), e);
}

bool step_tokenize_options(arena *a, const exec_step *s, struct skiff_tokenize_options *options, struct ChatLmDatasetFormat *format, err *e)
{
    tokenize_settings t;
    TRY(read_tokenize(a, s, &t, e));
    *options = t.options;
    *format = t.format;
    return true;
}

static bool check_dataset(arena *a, const char *pattern, err *e)
{
    paths found = {0};
    if (store_is_remote(pattern))
        return need_local("dataset", pattern, e);
    return data_expand(a, pattern, &found.items, &found.count, e) || err_while(e, "dataset");
}

static bool check_tokenize(const exec_step *s, err *e)
{
    arena a = {0};
    tokenize_settings t;
    cache_options o;
    bool ok = read_tokenize(&a, s, &t, e) && (step_is_reference(s, "tokenizer") || need_local("tokenizer", t.options.tokenizer, e))
           && (step_is_reference(s, "dataset") || check_dataset(&a, t.options.dataset, e))
           && cache_options_fill(&a, &t.options, &t.format, &o, e);
    arena_close(&a);
    return ok;
}

static bool tokenize_inputs(const exec_step *s, arena *a, paths *out, err *e)
{
    const char *source = step_text(a, s->resolved, "dataset"), *tokenizer_at = step_text(a, s->resolved, "tokenizer");
    const char *template = step_text(a, node_get(s->resolved, "format"), "chat_template");
    // What lies on the hub is told apart by its name and revision, which stand in the version.
    if (!step_is_reference(s, "dataset") && !store_is_remote(source))
        TRY(check_dataset(a, source, e) && data_expand(a, source, &out->items, &out->count, e));
    // data_expand's list is as long as it is: a copy can grow.
    paths all = {0};
    for (int64_t i = 0; i < out->count; i++)
        step_add_path(a, &all, out->items[i]);
    if (!step_is_reference(s, "tokenizer") && !store_is_remote(tokenizer_at)) {
        TRY(need_local("tokenizer", tokenizer_at, e));
        step_add_tokenizer_files(a, tokenizer_at, &all);
    }
    if (template && str_ends(str_of(template), STR(".jinja")))
        step_add_path(a, &all, arena_chars(a, str_of(template)));
    *out = all;
    return true;
}

static bool run_tokenize(const exec_step *s, err *e)
{
    arena a = {0};
    tokenize_settings t;
    cache_options o;
    cache_totals totals = {0};
    tokenizer *k = NULL;
    bool ok = read_tokenize(&a, s, &t, e) && cache_options_fill(&a, &t.options, &t.format, &o, e)
           && step_bring(&a, s, "tokenizer", &t.options.tokenizer, e) && step_bring(&a, s, "dataset", &t.options.dataset, e)
           && (k = tokenizer_open(t.options.tokenizer, e)) != NULL
           && cache_build(s->output, s->name, (const char *const[]){ t.options.dataset }, 1, k, &o, &totals, e);
    if (ok)
        cache_say_totals(s->name, &totals);
    if (k)
        tokenizer_close(k);
    arena_close(&a);
    return ok;
}

static void stop_tokenize(void)
{
    data_stop();
    store_stop();                                       // it may still be fetching its data
}

static bool check_settings(const exec_step *steps, const exec_step *s, err *e)
{
    arena a = {0};
    tokenize_settings t;
    (void)steps;
    bool ok = read_tokenize(&a, s, &t, e)
           && sense_of_rows(s->name, (const struct skiff_adapter_options *)&t.format, e);       // which ChatLmDatasetFormat begins with
    arena_close(&a);
    return ok;
}

const step_check tokenize_checks[] = {
    { .name = "settings", .run = check_settings, .dry = true }, { .name = "template", .run = check_template }, {0}
};

const step_kind step_tokenize = { .name = "tokenize", .version = 1, .run = run_tokenize, .check = check_tokenize, .checks = tokenize_checks,
                                  .inputs = tokenize_inputs, .cores = 1, .mends_itself = true, .stop = stop_tokenize };
