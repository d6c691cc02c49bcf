// Patterns of files of a dataset, and the conventions by which file names tell their split. They are those of `datasets`.
#include "data/hub_pattern.h"

#include <ctype.h>
#include <stdio.h>

#include "base/file.h"
#include "base/util.h"

// ---- patterns ----

enum { MOST_PARTS = 64 };

// Cut at '/' into at most MOST_PARTS; the count, or -1 when there are more.
static int cut(char *path, char **parts)
{
    int n = 0;
    for (char *at = path;; *at++ = 0) {
        if (n == MOST_PARTS)
            return -1;
        parts[n++] = at;
        if (!(at = strchr(at, '/')))
            return n;
    }
}

bool path_matches(const char *pattern, const char *path)
{
    arena a = {0};
    char *p[MOST_PARTS], *t[MOST_PARTS];
    int pn = cut(arena_chars(&a, str_of(pattern)), p), tn = cut(arena_chars(&a, str_of(path)), t);
    int i = 0, k = 0, star = -1, again = 0;
    bool ok = pn >= 0 && tn >= 0;
    while (ok && k < tn) {
        if (i < pn && !strcmp(p[i], "**")) {
            star = i++;
            again = k;
        } else if (i < pn && name_matches(p[i], t[k])) {
            i++, k++;
        } else if (star >= 0) {
            i = star + 1;
            k = ++again;
        } else {
            ok = false;
        }
    }
    while (ok && i < pn && !strcmp(p[i], "**"))
        i++;
    arena_close(&a);
    return ok && i == pn;
}

char *hub_clean_path(arena *a, str path)
{
    while (str_begins(path, STR("./")))
        path = str_from(path, 2);
    while (path.size && path.at[path.size - 1] == '/')
        path.size--;
    return arena_chars(a, str_is(path, ".") ? STR("") : path);
}

static hub_split *split_named(hub_splits *s, const char *name)
{
    for (int64_t i = 0; i < s->count; i++)
        if (!strcmp(s->items[i].name, name))
            return &s->items[i];
    ARENA_PUSH(s->arena, s->items, s->count, (hub_split){ .name = name });
    return &s->items[s->count - 1];
}

// Files are added in order of the patterns, then of their names; each once.
static int64_t add_matching(const hub_files *f, const char *pattern, hub_splits *s, const char *split)
{
    int64_t found = 0;
    for (int64_t i = 0; i < f->count; i++) {
        if (!path_matches(pattern, f->files[i]))
            continue;
        hub_split *to = split_named(s, split);
        char *path = path_join(s->arena, f->folder, f->files[i]);
        bool has = false;
        for (int64_t k = 0; k < to->count && !has; k++)
            has = !strcmp(to->files[k], path);
        if (!has)
            ARENA_PUSH(s->arena, to->files, to->count, path);
        found++;
    }
    return found;
}

// ---- as README.md writes them down ----

static bool add_written(const hub_files *f, const node *pattern, const char *split, const char *file, hub_splits *out, err *e)
{
    place at = node_place(pattern, file);
    if (node_is(pattern, NODE_LIST)) {
        for (int64_t i = 0; i < pattern->list.count; i++) {
            if (!node_is(&pattern->list.items[i], NODE_TEXT))
                return fail_at(e, at, "data_files: expected patterns of files, got %s", node_kind_name(pattern->list.items[i].kind));
            TRY(add_written(f, &pattern->list.items[i], split, file, out, e));
        }
        return true;
    }
    if (!node_is(pattern, NODE_TEXT))
        return fail_at(e, at, "data_files: expected a pattern of files, got %s", pattern ? node_kind_name(pattern->kind) : "nothing");
    const char *clean = hub_clean_path(out->arena, pattern->text);
    if (clean[0] == '/' || strstr(clean, "://") || !strncmp(clean, "../", 3) || strstr(clean, "/../"))
        return fail_at(e, at, "data_files: '%.80s' lies outside of the dataset", clean);
    return add_matching(f, clean, out, split) || fail_at(e, at, "data_files: no file matches '%.80s'", clean);
}

bool hub_splits_written(const hub_files *f, const node *data, const char *file, hub_splits *out, err *e)
{
    for (int64_t i = 0; data->kind == NODE_OBJECT && i < data->object.count; i++) {
        const member *m = &data->object.members[i];
        TRY(add_written(f, &m->value, arena_chars(out->arena, m->key), file, out, e));
    }
    if (data->kind == NODE_OBJECT)
        return true;
    for (int64_t i = 0; data->kind == NODE_LIST && i < data->list.count; i++) {
        const node *one = &data->list.items[i], *split = node_get(one, "split");
        if (one->kind != NODE_OBJECT)
            return add_written(f, data, "train", file, out, e);
        if (!node_is(split, NODE_TEXT))
            return fail_at(e, node_place(one, file), "data_files: split: expected a name");
        TRY(add_written(f, node_get(one, "path"), arena_chars(out->arena, split->text), file, out, e));
    }
    return data->kind == NODE_LIST || add_written(f, data, "train", file, out, e);
}

// ---- by their names ----

static const struct { const char *split, *words[4]; } keywords[] = {
    { "train", { "train", "training" } },
    { "validation", { "validation", "valid", "dev", "val" } },
    { "test", { "test", "testing", "eval", "evaluation" } },
};
#define APART "[-._ 0-9]"
static const char *const in_folders[] = { "**/%s/**", "**/%s" APART "*/**", "**/*" APART "%s/**", "**/*" APART "%s" APART "*/**", NULL };
static const char *const in_names[] = { "**/%s" APART "*", "**/*" APART "%s" APART "*", NULL };

// data/<split>-00000-of-00001.parquet: any name of a split.
static bool add_sharded(const hub_files *f, hub_splits *out)
{
#define FIVE "[0-9][0-9][0-9][0-9][0-9]"
    static const char pattern[] = "data/*-" FIVE "-of-" FIVE "*.*";
    hub_splits found = { .arena = out->arena };
    for (int64_t i = 0; i < f->count; i++) {
        const char *name = path_name(f->files[i]), *end = NULL;
        if (!path_matches(pattern, f->files[i]))
            continue;
        for (const char *at = name; (at = strstr(at, "-of-")); at++)
            if (at - name > 6)
                end = at - 6;
        if (end)
            add_matching(f, f->files[i], &found, arena_chars(out->arena, (str){ name, (size_t)(end - name) }));
    }
    for (size_t i = 0; i < COUNT(keywords); i++)        // train, validation and test first, the others by name
        for (int64_t k = 0; k < found.count; k++)
            if (!strcmp(found.items[k].name, keywords[i].split))
                *split_named(out, found.items[k].name) = found.items[k];
    for (int64_t k = 0; k < found.count; k++)
        *split_named(out, found.items[k].name) = found.items[k];
    return out->count > 0;
}

static bool add_by_words(const hub_files *f, const char *const *patterns, hub_splits *out)
{
    char pattern[80];
    for (size_t i = 0; i < COUNT(keywords); i++)
        for (size_t w = 0; w < COUNT(keywords[i].words) && keywords[i].words[w]; w++)
            for (const char *const *p = patterns; *p; p++) {
                snprintf(pattern, sizeof pattern, *p, keywords[i].words[w]);
                add_matching(f, pattern, out, keywords[i].split);
            }
    return out->count > 0;
}

bool hub_splits_by_name(const hub_files *f, hub_splits *out, err *e)
{
    if (add_sharded(f, out) || add_by_words(f, in_folders, out) || add_by_words(f, in_names, out))
        return true;
    return add_matching(f, "**", out, "train") || fail(e, ERR_INPUT, "'%s' holds no files of a dataset", f->folder);
}

// ---- types of files ----

static const struct { const char *type, *ending; } types[] = {
    { "parquet", ".parquet" }, { "jsonl", ".jsonl" }, { "jsonl", ".ndjson" }, { "json", ".json" },     // of equals the first
};
static const char *const packed[] = { "", ".gz", ".zst", ".zstd" };

static const char *type_of(const char *path)
{
    char ending[32];
    for (size_t i = 0; i < COUNT(types); i++)
        for (size_t k = 0; k < COUNT(packed); k++) {
            snprintf(ending, sizeof ending, "%s%s", types[i].ending, packed[k]);
            if (str_ends(str_of(path), str_of(ending)))
                return types[i].type;
        }
    return NULL;
}

static const char *commonest_type(const hub_splits *s)
{
    int64_t most = 0;
    const char *best = NULL;
    for (size_t t = 0; t < COUNT(types); t++) {
        int64_t n = 0;
        for (int64_t i = 0; i < s->count; i++)
            for (int64_t k = 0; k < s->items[i].count; k++) {
                const char *type = type_of(s->items[i].files[k]);
                n += type && !strcmp(type, types[t].type);
            }
        if (n > most) {
            most = n;
            best = types[t].type;
        }
    }
    return best;
}

bool hub_splits_of_type(hub_splits *s, const char *file_type, err *e)
{
    const char *wanted = file_type ? file_type : commonest_type(s), *other = "none";
    int64_t splits = 0;
    for (int64_t i = 0; i < s->count; i++) {
        hub_split *split = &s->items[i];
        int64_t kept = 0;
        for (int64_t k = 0; k < split->count; k++) {
            const char *type = type_of(split->files[k]);
            if (wanted && type && !strcmp(type, wanted))
                split->files[kept++] = split->files[k];
            else
                other = split->files[k];
        }
        split->count = kept;
        if (kept)
            s->items[splits++] = *split;
    }
    s->count = splits;
    if (wanted)
        return splits > 0 || fail(e, ERR_INPUT, "no .%s file among its files (found: '%s')", wanted, other);
    return fail(e, ERR_INPUT, "no file that can be read (.parquet, .jsonl, .json, each also .gz or .zst) among its files (found: '%s')",
                other);
}
