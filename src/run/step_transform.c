// The step of kind `transform`: files of a dataset to chats of one form.
#include "base/util.h"
#include "data/stop.h"
#include "data/transform.h"
#include "run/plan.h"
#include "run/sense.h"
#include "run/step_kinds.h"

typedef struct transform_settings {
    struct skiff_adapter_options adapter;
    const char *raw;
    transform_options options;
} transform_settings;

static const char *const *read_list(arena *a, const node *object, const char *name)
{
    const node *list = node_get(object, name);
    const char **out = ARENA_ARRAY(a, const char *, (node_is(list, NODE_LIST) ? list->list.count : 0) + 1);
    for (int64_t i = 0; node_is(list, NODE_LIST) && i < list->list.count; i++)
        out[i] = arena_chars(a, list->list.items[i].text);
    return out;
}

static bool read_transform(arena *a, const exec_step *s, transform_settings *t, err *e)
{
    option_reader r = { .arena = a, .file = s->name };
    struct skiff_dataset_options more;
    options_preset(SECTION_DATASET, &more);
    const node *said = node_get(s->resolved, "adapter"), *threads = node_get(s->settings, "threads");
    TRY(options_read(&r, SECTION_DATASET, &more, said, e));
    *t = (transform_settings){ .raw = step_text(a, s->resolved, "raw") };
    t->options = (transform_options){
        .source = step_text(a, s->resolved, "repo"),
        .subsets = read_list(a, s->resolved, "subsets"), .splits = read_list(a, s->resolved, "splits"),
        .metadata = read_list(a, s->resolved, "metadata_columns"), .file_type = step_text(a, s->resolved, "file_type"),
        .threads = node_is(threads, NODE_INT) ? (int)threads->integer : 0,
    };
#define COPY(TYPE, name, preset, least, most, words, flags, help) memcpy(&t->adapter.name, &more.name, sizeof more.name);
    SKIFF_ADAPTER_OPTIONS(COPY)
#undef COPY
    t->options.adapter = adapter_options_of(a, &t->adapter);
    return adapter_check(&t->options.adapter, e);
}

static bool check_transform(const exec_step *s, err *e)
{
    arena a = {0};
    transform_settings t;
    bool ok = read_transform(&a, s, &t, e);
    arena_close(&a);
    return ok;
}

static bool run_transform(const exec_step *s, err *e)
{
    arena a = {0};
    transform_settings t;
    transform_totals totals;
    bool ok = read_transform(&a, s, &t, e) && transform_build(s->output, s->name, t.raw, &t.options, &totals, e);
    if (ok)
        transform_say_totals(s->name, &totals);
    arena_close(&a);
    return ok;
}

static bool check_settings(const exec_step *steps, const exec_step *s, err *e)
{
    arena a = {0};
    transform_settings t;
    (void)steps;
    bool ok = read_transform(&a, s, &t, e) && sense_of_rows(s->name, &t.adapter, e);
    arena_close(&a);
    return ok;
}

const step_check transform_checks[] = { { .name = "settings", .run = check_settings, .dry = true }, {0} };

const step_kind step_transform = { .name = "transform", .version = 1, .run = run_transform, .check = check_transform,
                                   .checks = transform_checks, .cores = 1, .mends_itself = true, .stop = data_stop };
