// A dataset's repository: its files, the subsets that README.md writes down, the splits of one.
#include "data/hub_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/near.h"
#include "base/utf8.h"
#include "base/util.h"
#include "base/yaml.h"
#include "data/hub_pattern.h"

// ---- files ----

static bool is_ignored(const char *name)
{
    static const char *const names[] = { "README.md", "config.json", "dataset_info.json", "dataset_infos.json", "dummy_data.zip",
                                         "dataset_dict.json", "provenance.json" };
    for (size_t i = 0; i < COUNT(names); i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

static bool walk(hub_layout *l, const char *below, err *e)
{
    char **names;
    int64_t count;
    TRY(folder_list(l->arena, path_join(l->arena, l->folder, below), &names, &count, e));
    for (int64_t i = 0; i < count; i++) {
        struct stat s;
        char *path = *below ? arena_print(l->arena, "%s/%s", below, names[i]) : names[i];
        char *full = path_join(l->arena, l->folder, path);
        if (names[i][0] == '.' || lstat(full, &s) != 0)
            continue;
        if (S_ISDIR(s.st_mode) && strncmp(names[i], "__", 2) != 0)
            TRY(walk(l, path, e));
        else if (!S_ISDIR(s.st_mode) && !file_is_folder(full) && !is_ignored(names[i]))     // links to folders are not followed
            ARENA_PUSH(l->arena, l->files, l->file_count, path);
    }
    return true;
}

static int by_path(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

// ---- subsets ----

// The front matter of README.md: what stands between two lines of ---.
static bool read_configs(hub_layout *l, err *e)
{
    const node *top;
    str all;
    err why;
    if (!l->card)
        return true;
    TRY(file_read(l->arena, l->card, &all, e));
    size_t end = str_find(all, STR("\n---"), 3);
    if (!str_begins(all, STR("---")) || end == all.size)
        return true;
    str matter = str_slice(all, 0, end + 1);
    if (utf8_check(matter) < matter.size || !yaml_parse(l->arena, matter, l->card, &top, &why)) {
        if (str_find(matter, STR("\nconfigs:"), 0) == matter.size)
            return true;                                // the card's other members are nothing to read data by
        *e = why;
        return err_while(e, "the subsets of the dataset");
    }
    const node *configs = node_get(top, "configs");
    if (configs && configs->kind != NODE_LIST && configs->kind != NODE_NULL)
        return fail_at(e, node_place(configs, l->card), "configs: expected a list, got %s", node_kind_name(configs->kind));
    l->configs = node_is(configs, NODE_LIST) && configs->list.count ? configs : NULL;
    return true;
}

static const char *name_of(const hub_layout *l, const node *config)
{
    const node *name = node_get(config, "config_name");
    return node_is(name, NODE_TEXT) ? arena_chars(l->arena, name->text) : "default";
}

// Names become folders.
static bool check_name(const char *what, const char *name, err *e)
{
    return (name[0] && name[0] != '.' && !strpbrk(name, "/\\<>:|?*\n"))
        || fail(e, ERR_INPUT, "%s: '%.80s' cannot be the name of a folder", what, name);
}

static bool read_subsets(arena *a, hub_layout *out, err *e)
{
    TRY(read_configs(out, e));
    if (out->file_count)
        qsort(out->files, (size_t)out->file_count, sizeof *out->files, by_path);
    for (int64_t i = 0; out->configs && i < out->configs->list.count; i++) {
        const char *name = name_of(out, node_at(out->configs, i));
        TRY(check_name("config_name", name, e));
        ARENA_PUSH(a, out->subsets, out->subset_count, name);
    }
    if (!out->configs)
        ARENA_PUSH(a, out->subsets, out->subset_count, "default");
    return true;
}

bool hub_layout_open(arena *a, const char *folder, hub_layout *out, err *e)
{
    const char *card = path_join(a, folder, "README.md");
    *out = (hub_layout){ .arena = a, .folder = folder, .card = file_exists(card) ? card : NULL };
    return walk(out, "", e) && read_subsets(a, out, e);
}

// What walk() passes over.
static bool is_hidden(const char *path)
{
    for (const char *at = path, *end; at; at = end ? end + 1 : NULL) {
        end = strchr(at, '/');
        if (*at == '.' || (end && !strncmp(at, "__", 2)) || (!end && is_ignored(at)))
            return true;
    }
    return false;
}

bool hub_layout_of(arena *a, const char *name, const char *card, const char *const *files, int64_t count, hub_layout *out, err *e)
{
    *out = (hub_layout){ .arena = a, .folder = name, .card = card };
    for (int64_t i = 0; i < count; i++)
        if (!is_hidden(files[i]))
            ARENA_PUSH(a, out->files, out->file_count, arena_chars(a, str_of(files[i])));
    return read_subsets(a, out, e);
}

// ---- the splits of a subset ----

static char *names_of(arena *a, const char *const *names, int64_t count)
{
    char *out = arena_chars(a, STR(""));
    for (int64_t i = 0; i < count && i < 20; i++)
        out = arena_print(a, "%s%s%s", out, i ? ", " : "", names[i]);
    return count > 20 ? arena_print(a, "%s, …", out) : out;
}

char *hub_subset_names(const hub_layout *l) { return names_of(l->arena, l->subsets, l->subset_count); }

char *hub_split_names(arena *a, const hub_split *splits, int64_t count)
{
    const char **names = ARENA_ARRAY(a, const char *, count + 1);
    for (int64_t i = 0; i < count; i++)
        names[i] = splits[i].name;
    return names_of(a, names, count);
}

const hub_split *hub_split_find(const hub_split *splits, int64_t count, const char *name)
{
    for (int64_t i = 0; i < count; i++)
        if (!strcmp(splits[i].name, name))
            return &splits[i];
    return NULL;
}

static bool no_subset(const hub_layout *l, const char *subset, err *e)
{
    char near[200];
    near_names(subset, l->subsets, (size_t)l->subset_count, near, sizeof near);
    return fail(e, ERR_INPUT, "'%s' has no subset '%.80s'%s%s; there %s %s", l->folder, subset, near[0] ? ", did you mean " : "", near,
                l->subset_count == 1 ? "is" : "are", hub_subset_names(l));
}

static const node *find_config(const hub_layout *l, const char *subset)
{
    for (int64_t i = 0; l->configs && i < l->configs->list.count; i++)
        if (!strcmp(l->subsets[i], subset))
            return node_at(l->configs, i);
    return NULL;
}

// Files below `base`, relative to it.
static hub_files files_below(const hub_layout *l, const char *base)
{
    hub_files f = { .arena = l->arena, .folder = *base ? path_join(l->arena, l->folder, base) : l->folder };
    size_t n = strlen(base);
    for (int64_t i = 0; i < l->file_count; i++)
        if (!n || (!strncmp(l->files[i], base, n) && l->files[i][n] == '/'))
            ARENA_PUSH(l->arena, f.files, f.count, l->files[i] + (n ? n + 1 : 0));
    return f;
}

static bool read_splits(const hub_layout *l, const node *config, hub_files *f, hub_splits *out, err *e)
{
    const node *data = node_get(config, "data_files");
    if (data && data->kind != NODE_NULL)
        return hub_splits_written(f, data, l->card, out, e);
    return hub_splits_by_name(f, out, e);
}

bool hub_layout_splits(const hub_layout *l, const char *subset, const char *file_type, hub_split **out, int64_t *count, err *e)
{
    const node *config = find_config(l, subset), *dir = node_get(config, "data_dir");
    const char *base = "";
    hub_splits splits = { .arena = l->arena };
    if (node_is(dir, NODE_TEXT))
        base = hub_clean_path(l->arena, dir->text);
    else if (!config && strcmp(subset, "default"))
        base = subset;
    hub_files f = files_below(l, base);
    if (!config && (!f.count || !*base) && (l->configs || *base))
        return no_subset(l, subset, e);
    if (!f.count)
        return fail(e, ERR_INPUT, "'%s' holds no files of a dataset", f.folder);
    TRY(read_splits(l, config, &f, &splits, e) || err_while(e, "subset '%s'", subset));
    TRY(hub_splits_of_type(&splits, file_type, e) || err_while(e, "subset '%s'", subset));
    for (int64_t i = 0; i < splits.count; i++)
        TRY(check_name("split", splits.items[i].name, e));
    *out = splits.items;
    *count = splits.count;
    return true;
}
