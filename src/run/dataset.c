// The names and output paths of a dataset's steps, as Marin has them, and its settings from the table of known datasets.
#include "run/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/util.h"
#include "config/option.h"
#include "data/known.h"
#include "data/python_repr.h"

char *dataset_folder(arena *a, const char *name)
{
    text t = {0};
    for (const char *p = name; *p; p++)
        text_str(&t, *p == '/' ? STR("--") : *p == '.' || *p == '#' ? STR("-") : (str){ p, 1 });
    char *out = arena_chars(a, text_view(&t));
    text_close(&t);
    return out;
}

// ---- settings ----

static bool is_given(const char *const *list) { return list[0] != NULL; }

static const char *const *list_of(arena *a, const char *const *from, int room)
{
    const char **out = ARENA_ARRAY(a, const char *, room + 1);
    for (int i = 0; i < room && from[i]; i++)
        out[i] = from[i];
    return out;
}

// The adapter of the table, each field unless it was given. Another adapter than the table's begins from nothing.
static void fill_adapter(struct skiff_dataset_options *o, const adapter_options *known)
{
    const struct { const char **to, *from; } fields[] = {
        { &o->adapter, known->adapter }, { &o->messages_field, known->messages_field }, { &o->input_field, known->input_field },
        { &o->output_field, known->output_field }, { &o->system_field, known->system_field }, { &o->role_key, known->role_key },
        { &o->content_key, known->content_key }, { &o->user_value, known->user_value },
        { &o->assistant_value, known->assistant_value }, { &o->system_value, known->system_value },
        { &o->filter_on_key, known->filter_on_key }, { &o->reasoning_field, known->reasoning_field },
    };
    if (o->adapter && strcmp(o->adapter, known->adapter))
        return;
    for (size_t i = 0; i < COUNT(fields); i++)
        if (!*fields[i].to)
            *fields[i].to = fields[i].from;
}

static bool unknown(const struct skiff_dataset_options *o, err *e)
{
    char near[300];
    known_near(o->name, near, sizeof near);
    return fail(e, ERR_INPUT, "get_instruction_dataset: '%.100s' is not in the table of known datasets%s%s; another dataset of the hub "
                "takes a revision and an adapter (auto: found in its first row)", o->name, near[0] ? "; did you mean " : "", near);
}

static bool fill(arena *a, const struct skiff_dataset_options *given, dataset_plan *out, err *e)
{
    static const char *const train[] = { "train", NULL };
    struct skiff_dataset_options *o = &out->options;
    const char *split;
    const known_dataset *known = known_find(given->name, &split);
    *o = *given;
    out->repo = known ? known_repo(known) : o->name;
    out->splits = is_given(o->splits) ? list_of(a, o->splits, SKIFF_LIST_ROOM) : train;
    out->subsets = list_of(a, o->subsets, SKIFF_LIST_ROOM);
    out->metadata = list_of(a, o->metadata_columns, SKIFF_LIST_ROOM);
    if (!known)
        return (o->revision && o->adapter) || unknown(o, e);
    o->revision = o->revision ? o->revision : known->revision;
    o->file_type = o->file_type ? o->file_type : known->file_type;
    if (!is_given(o->splits) && split)
        out->splits = list_of(a, &split, 1);
    else if (!is_given(o->splits) && known->splits[0])
        out->splits = list_of(a, known->splits, KNOWN_LIST);
    if (!is_given(o->subsets))
        out->subsets = list_of(a, known->subsets, (int)COUNT(known->subsets));
    if (!is_given(o->metadata_columns))
        out->metadata = list_of(a, known->metadata, (int)COUNT(known->metadata));
    fill_adapter(o, &known->adapter);
    return true;
}

// ---- paths ----

static int by_bytes(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

// "['a', 'b']": the list sorted, as Python prints it.
static void add_sorted(text *out, arena *a, const char *const *list)
{
    int64_t count = 0;
    while (list[count])
        count++;
    const char **sorted = ARENA_ARRAY(a, const char *, count + 1);
    node *all = node_list(a);
    for (int64_t i = 0; i < count; i++)
        sorted[i] = list[i];
    qsort(sorted, (size_t)count, sizeof *sorted, by_bytes);
    for (int64_t i = 0; i < count; i++)
        node_add(a, all, node_text(str_of(sorted[i])));
    python_repr(out, all);
}

// What was asked for besides what Marin's path knows stands in the path too: two forms of a dataset are two folders.
static void add_given(text *out, arena *a, const struct skiff_dataset_options *given)
{
    static const char *const in_path[] = { "name", "revision", "subsets", "splits" };
    const option_section *s = &option_sections[SECTION_DATASET];
    node *more = node_object(a);
    for (size_t i = 0; i < s->count; i++) {
        bool there = (s->rows[i].flags & SKIFF_IGNORED) || option_is_default(&s->rows[i], given, s->defaults);
        for (size_t k = 0; k < COUNT(in_path); k++)
            there |= !strcmp(s->rows[i].name, in_path[k]);
        if (!there)
            node_put(a, more, s->rows[i].name, option_value(&s->rows[i], given, a));
    }
    if (!more->object.count)
        return;
    text_str(out, STR("        -"));
    json_write(out, more, JSON_SPACED);
}

bool dataset_resolve(arena *a, const struct skiff_dataset_options *given, dataset_plan *out, err *e)
{
    char hex[MD5_HEX + 1];
    text t = {0};
    *out = (dataset_plan){0};
    TRY(fill(a, given, out, e));
    const char *name = dataset_folder(a, out->options.name), *revision = out->options.revision;
    // The blanks are Marin's: its text goes over several lines of its source.
    text_add(&t, "%s-        %s        -", name, revision);
    add_sorted(&t, a, out->subsets);
    text_str(&t, STR("        -"));
    add_sorted(&t, a, out->splits);
    add_given(&t, a, given);
    bool ok = text_ok(&t, e);
    md5_hex(text_view(&t), hex);
    text_close(&t);
    out->raw = arena_print(a, "raw/%s-%s", dataset_folder(a, out->repo), revision);
    out->documents = arena_print(a, "documents/%s-%s-%.6s", name, revision, hex);
    return ok;
}
