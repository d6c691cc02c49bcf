// A dataset on the hub named as a whole, or by subset and split: its card is fetched first, for it says which files are rows.
#include "data/hub_rows.h"

#include "base/file.h"
#include "base/log.h"
#include "base/util.h"
#include "data/hub_layout.h"
#include "store/hf.h"

typedef struct finder {
    arena *arena;
    hf h;
    hf_name name;
    hf_tree tree, files;            // all of the revision; those that were chosen
    hub_layout layout;
    const char *subset, *split;     // NULL: not named
    bool written;                   // the card says which files are rows, and is asked
    bool cached;                    // the hub is not to be had: `why`; what the cache knows counts
    err why;
} finder;

// ---- the card ----

static bool is_path(const finder *f)
{
    const size_t n = strlen(f->name.path);
    for (int64_t i = 0; i < f->tree.count; i++)
        if (!strncmp(f->tree.files[i].path, f->name.path, n) && (f->tree.files[i].path[n] == '/' || !f->tree.files[i].path[n]))
            return true;
    return false;
}

// *card = NULL: the repository has none.
static bool bring_card(finder *f, const char **card, err *e)
{
    hf_tree only = { .commit = f->tree.commit };
    *card = NULL;
    for (int64_t i = 0; i < f->tree.count; i++)
        if (!strcmp(f->tree.files[i].path, "README.md"))
            ARENA_PUSH(f->arena, only.files, only.count, f->tree.files[i]);
    if (!only.count)
        return true;
    *card = path_join(f->arena, hf_snapshot(&f->h, f->arena, &f->name, only.commit), "README.md");
    return hf_bring(&f->h, f->arena, &f->name, &f->tree, &only, e)
        || err_while(e, "the card of '%s', which may say which of its files are rows", f->name.repo);
}

static bool read_layout(finder *f, const char *card, err *e)
{
    const char **paths = ARENA_ARRAY(f->arena, const char *, f->tree.count + 1);
    for (int64_t i = 0; i < f->tree.count; i++)
        paths[i] = f->tree.files[i].path;
    return hub_layout_of(f->arena, f->name.repo, card, paths, f->tree.count, &f->layout, e);
}

// ---- subset and split ----

static bool has_subset(const finder *f, str name)
{
    for (int64_t i = 0; i < f->layout.subset_count; i++)
        if (str_is(name, f->layout.subsets[i]))
            return true;
    return false;
}

// A path that the repository does not have: SUBSET or SUBSET/SPLIT. What looks like a file's is left to the store, which names the nearest.
static bool is_subset(finder *f)
{
    str path = str_of(f->name.path), first = str_slice(path, 0, str_find(path, STR("/"), 0));
    if (strpbrk(f->name.path, "*?[{") || is_path(f) || (!has_subset(f, first) && strpbrk(f->name.path, "./")))
        return false;
    f->subset = arena_chars(f->arena, first);
    if (first.size < path.size)
        f->split = arena_chars(f->arena, str_from(path, first.size + 1));
    return true;
}

// As `datasets` does it: the only one, the one marked `default: true`, the one called default.
static bool choose_subset(finder *f, err *e)
{
    const hub_layout *l = &f->layout;
    if (l->subset_count == 1)
        f->subset = l->subsets[0];
    for (int64_t i = 0; i < l->subset_count && !f->subset; i++) {
        const node *marked = node_get(node_at(l->configs, i), "default");
        if (node_is(marked, NODE_BOOL) && marked->truth)
            f->subset = l->subsets[i];
    }
    if (!f->subset && has_subset(f, STR("default")))
        f->subset = "default";
    return f->subset || fail(e, ERR_INPUT, "'%s' has %lld subsets, none of which is the default: %s; name one: hf://datasets/%s/SUBSET",
                             f->name.repo, (long long)l->subset_count, hub_subset_names(l), f->name.repo);
}

static bool choose_split(finder *f, const hub_split *splits, int64_t count, const hub_split **out, err *e)
{
    const char *wanted = f->split ? f->split : "train";
    *out = count == 1 && !f->split ? &splits[0] : hub_split_find(splits, count, wanted);
    return *out || fail(e, ERR_INPUT, "'%s': its subset '%s' has no split '%.80s'; there %s %s; name one: hf://datasets/%s/%s/SPLIT",
                        f->name.repo, f->subset, wanted, count == 1 ? "is" : "are", hub_split_names(f->arena, splits, count),
                        f->name.repo, f->subset);
}

static bool choose(finder *f, err *e)
{
    hub_split *splits;
    const hub_split *chosen;
    int64_t count;
    TRY(f->subset || choose_subset(f, e));
    TRY(hub_layout_splits(&f->layout, f->subset, NULL, &splits, &count, e) && choose_split(f, splits, count, &chosen, e));
    f->files = (hf_tree){ .commit = f->tree.commit };
    for (int64_t i = 0; i < chosen->count; i++) {
        const char *path = chosen->files[i] + strlen(f->name.repo) + 1;
        for (int64_t k = 0; k < f->tree.count; k++)
            if (!strcmp(f->tree.files[k].path, path))
                ARENA_PUSH(f->arena, f->files.files, f->files.count, f->tree.files[k]);
    }
    f->split = chosen->name;
    return true;
}

// ---- files ----

static bool find(finder *f, err *e)
{
    const char *card;
    TRY(hf_tree_of(&f->h, f->arena, &f->name, &f->tree, &f->cached, e));
    f->why = *e;
    if (*f->name.path && is_path(f))
        return true;
    TRY(bring_card(f, &card, e));
    if (!card)
        return true;
    TRY(read_layout(f, card, e));
    f->written = f->layout.configs && (!*f->name.path || is_subset(f));
    return !f->written || choose(f, e);
}

static bool open(finder *f, arena *a, const char *name, err *e)
{
    *f = (finder){ .arena = a };
    if (!store_repo(a, name))
        return true;
    TRY(hf_name_parse(a, name, STORE_DATA, &f->name, e));
    if (strpbrk(f->name.path, "*?[{"))
        return true;
    http_clear_stop();
    return hf_open(&f->h, e) && find(f, e);
}

static bool fetch(finder *f, store_found *out, err *e)
{
    const char *folder = hf_snapshot(&f->h, f->arena, &f->name, f->files.commit);
    if (f->cached && !f->h.offline)
        hf_say_cached(&f->why, f->files.commit);
    TRY(hf_bring(&f->h, f->arena, &f->name, &f->tree, &f->files, e));
    *out = (store_found){ .path = folder, .repo = f->name.repo, .revision = f->name.revision, .commit = f->files.commit };
    for (int64_t i = 0; i < f->files.count; i++)
        ARENA_PUSH(f->arena, out->files, out->count, path_join(f->arena, folder, f->files.files[i].path));
    log_info("%s: subset '%s' of %lld, split '%s': %lld files of rows; hf://datasets/%s/SUBSET/SPLIT names others", f->name.repo, f->subset,
             (long long)f->layout.subset_count, f->split, (long long)out->count, f->name.repo);
    return true;
}

bool data_fetch(arena *a, const char *name, store_found *out, err *e)
{
    finder f;
    const bool ok = open(&f, a, name, e) && (!f.written || fetch(&f, out, e));
    hf_close(&f.h);
    return ok && (f.written || store_fetch(a, name, STORE_DATA, out, e));
}

bool data_is_there(const char *name, err *e)
{
    arena a = {0};
    finder f;
    const bool ok = open(&f, &a, name, e) && (!f.written || hf_may_bring(&f.h, &a, &f.name, &f.files, e)), written = f.written;
    hf_close(&f.h);
    arena_close(&a);
    return ok && (written || store_check(name, STORE_DATA, e));
}
