// hf://: repositories of the hub, fetched into the cache that huggingface_hub uses.
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/log.h"
#include "base/util.h"
#include "store/hf.h"

static const char *kind_of(const hf_name *n) { return n->dataset ? "dataset" : "model"; }

// ---- what there is ------------------------------------------------------------------------------------------------------

static bool is_complete(hf *h, arena *a, const hf_name *n, const hf_tree *files)
{
    for (int64_t i = 0; i < files->count; i++)
        if (!file_exists(path_join(a, hf_snapshot(h, a, n, files->commit), files->files[i].path)))
            return false;
    return true;
}

// What the cache holds of the revision, without the hub.
static bool select_cached(hf *h, arena *a, const hf_name *n, store_need need, hf_tree *out, bool *one)
{
    err ignored;
    hf_tree tree;
    const char *commit = hf_cached_commit(h, a, n);
    // The commit's list tells what should be there; caches of older programs have none: then what is there counts.
    return commit && (hf_cached_tree(h, a, n, commit, &tree) || hf_snapshot_tree(h, a, n, commit, &tree))
        && hf_select(a, n, need, &tree, out, one, &ignored) && is_complete(h, a, n, out);
}

static bool not_cached(const hf *h, const hf_name *n, err *e)
{
    return fail(e, ERR_INPUT, "HF_HUB_OFFLINE is set, and the cache '%s' does not hold all that is needed of the %s '%s' (%s)%s%s",
                h->cache, kind_of(n), n->repo, n->revision, n->path[0] ? ": " : "", n->path);
}

static bool list_of(hf *h, arena *a, const hf_name *n, const char *commit, hf_tree *out, bool *away, err *e)
{
    return hf_cached_tree(h, a, n, commit, out) || hf_list(h, a, n, commit, out, away, e);
}

// The files wanted; *cached: the hub was not asked or does not answer (then `e` says why), and the cache holds them all.
static bool find(hf *h, arena *a, const hf_name *n, store_need need, hf_tree *tree, hf_tree *out, bool *one, bool *cached, err *e)
{
    const char *commit;
    bool away = false;
    *cached = false;
    if (h->offline) {
        *cached = select_cached(h, a, n, need, out, one);
        return *cached || not_cached(h, n, e);
    }
    if (hf_commit(h, a, n, &commit, &away, e) && list_of(h, a, n, commit, tree, &away, e))
        return hf_select(a, n, need, tree, out, one, e);
    *cached = away && select_cached(h, a, n, need, out, one);
    return *cached;
}

void hf_say_cached(const err *why, const char *commit)
{
    log_warning("%s; using what the cache holds of it: commit %.12s", why->text, commit);
}

// ---- fetching -----------------------------------------------------------------------------------------------------------

static bool unwritable(hf *h, err *e)
{
    e->code = e->code == ERR_IO ? ERR_IO : ERR_INPUT;
    return err_while(e, "the hub's cache '%s' (HF_HOME or HF_HUB_CACHE names another)", h->cache);
}

static bool load(hf *h, arena *a, const hf_name *n, const hf_tree *files, err *e)
{
    http_file *list = ARENA_ARRAY(a, http_file, files->count + 1);
    int64_t count = 0;
    const char *first = "";
    for (int64_t i = 0; i < files->count; i++) {
        const hf_file *f = &files->files[i];
        const char *blob = hf_blob(h, a, n, f);
        bool twice = file_exists(path_join(a, hf_snapshot(h, a, n, files->commit), f->path));
        for (int64_t k = 0; k < count && !twice; k++)
            twice = !strcmp(list[k].path, blob);        // two paths of one content
        if (!twice && !count)
            first = f->path;
        if (!twice)
            list[count++] = (http_file){ .url = hf_url(h, a, n, files->commit, f->path), .name = arena_print(a, "%s/%s", n->repo, f->path),
                                         .path = blob, .lock = hf_lock(h, a, n, f), .size = f->size, .sha256 = f->sha256,
                                         .git_sha1 = f->git_sha1 };
    }
    if (count && !http_download(h->http, list, count, arena_print(a, "fetching %s", n->repo), e)) {
        err why;
        if (e->code == ERR_INPUT && !hf_allowed(h, a, n, files->commit, first, &why) && why.code == ERR_INPUT)
            *e = why;                                   // the hub's refusal in words
        return str_find(str_of(e->text), str_of(h->cache), 0) < strlen(e->text) ? unwritable(h, e) : false;
    }
    for (int64_t i = 0; i < files->count; i++)
        if (!hf_link(h, n, files->commit, &files->files[i], e))
            return unwritable(h, e);
    return true;
}

static bool keep_list(hf *h, const hf_name *n, const hf_tree *tree, err *e)
{
    arena a = {0};
    hf_tree known;
    bool ok = hf_cached_tree(h, &a, n, tree->commit, &known) || hf_keep_tree(h, n, tree, e);
    arena_close(&a);
    return ok;
}

// A cache that can only be read still serves what it holds.
static bool fetch_files(hf *h, arena *a, const hf_name *n, const hf_tree *tree, const hf_tree *files, err *e)
{
    err ignored;
    if (is_complete(h, a, n, files)) {
        if (!hf_keep_commit(h, n, files->commit, &ignored))
            log_debug("%s", ignored.text);
        return true;
    }
    if (!hf_keep_commit(h, n, files->commit, e) || !keep_list(h, n, tree, e))
        return unwritable(h, e);
    return load(h, a, n, files, e);
}

static int by_text(const void *x, const void *y) { return strcmp(*(char *const *)x, *(char *const *)y); }

static void describe(hf *h, arena *a, const hf_name *n, const hf_tree *files, bool one, store_found *out)
{
    const char *folder = hf_snapshot(h, a, n, files->commit);
    const char *within = one ? files->files[0].path : strpbrk(n->path, "*?[{") ? "" : n->path;
    *out = (store_found){ .repo = n->repo, .revision = n->revision, .commit = files->commit };
    out->path = *within ? path_join(a, folder, within) : folder;
    for (int64_t i = 0; i < files->count; i++)
        ARENA_PUSH(a, out->files, out->count, path_join(a, folder, files->files[i].path));
    if (out->count)
        qsort(out->files, (size_t)out->count, sizeof *out->files, by_text);
}

static bool fetch_with(hf *h, arena *a, const hf_name *n, store_need need, store_found *out, err *e)
{
    hf_tree tree, files;
    bool one, cached;
    TRY(find(h, a, n, need, &tree, &files, &one, &cached, e));
    if (cached && !h->offline)
        hf_say_cached(e, files.commit);
    TRY(cached || fetch_files(h, a, n, &tree, &files, e));
    if (need == STORE_DATA && !*n->path)                // which of its files: nobody named them
        log_info("%s: %lld files of rows, the first is '%s'; hf://datasets/%s/PATH names others", n->repo, (long long)files.count,
                 files.files[0].path, n->repo);
    describe(h, a, n, &files, one, out);
    return true;
}

static bool hf_fetch(arena *a, const char *name, store_need need, store_found *out, err *e)
{
    hf h = {0};
    hf_name n;
    http_clear_stop();
    bool ok = hf_name_parse(a, name, need, &n, e) && hf_open(&h, e) && fetch_with(&h, a, &n, need, out, e);
    hf_close(&h);
    return ok;
}

// The smallest file tells whether we may load the rest.
static bool is_allowed(hf *h, arena *a, const hf_name *n, const hf_tree *files, err *e)
{
    const hf_file *least = &files->files[0];
    for (int64_t i = 1; i < files->count; i++)
        if (files->files[i].size < least->size)
            least = &files->files[i];
    return is_complete(h, a, n, files) || hf_allowed(h, a, n, files->commit, least->path, e);
}

static bool hf_check(const char *name, store_need need, err *e)
{
    arena a = {0};
    hf h = {0};
    hf_name n;
    hf_tree tree, files;
    bool one, cached;
    http_clear_stop();
    bool ok = hf_name_parse(&a, name, need, &n, e) && hf_open(&h, e) && find(&h, &a, &n, need, &tree, &files, &one, &cached, e)
           && (cached || is_allowed(&h, &a, &n, &files, e));
    hf_close(&h);
    arena_close(&a);
    return ok;
}

// ---- whole repositories -------------------------------------------------------------------------------------------------

static bool matches_any(const char *path, const char *const *patterns)
{
    for (const char *const *p = patterns; p && *p; p++)
        if (fnmatch(*p, path, 0) == 0)                  // as huggingface_hub does it: '*' goes over slashes
            return true;
    return !patterns || !*patterns;
}

static void keep_matching(arena *a, const hf_tree *tree, const char *const *patterns, hf_tree *out)
{
    *out = (hf_tree){ .commit = tree->commit };
    for (int64_t i = 0; i < tree->count; i++)
        if (matches_any(tree->files[i].path, patterns))
            ARENA_PUSH(a, out->files, out->count, tree->files[i]);
}

static bool all_cached(hf *h, arena *a, const hf_name *n, const char *const *patterns, hf_tree *out)
{
    hf_tree tree;
    const char *commit = hf_cached_commit(h, a, n);
    if (!commit || !hf_cached_tree(h, a, n, commit, &tree))
        return false;
    keep_matching(a, &tree, patterns, out);
    return is_complete(h, a, n, out);
}

// The list of what the hub has; *cached: it was not asked or does not answer (then `e` says why), and the cache holds all of `out`.
static bool find_all(hf *h, arena *a, const hf_name *n, const char *const *patterns, hf_tree *tree, hf_tree *out, bool *cached, err *e)
{
    const char *commit;
    bool away = false;
    *cached = false;
    if (h->offline) {
        *cached = all_cached(h, a, n, patterns, out);
        return *cached || fail(e, ERR_INPUT, "HF_HUB_OFFLINE is set, and the cache '%s' does not hold all of the %s '%s' (%s)", h->cache,
                               kind_of(n), n->repo, n->revision);
    }
    if (hf_commit(h, a, n, &commit, &away, e) && list_of(h, a, n, commit, tree, &away, e)) {
        keep_matching(a, tree, patterns, out);
        return true;
    }
    *cached = away && all_cached(h, a, n, patterns, out);
    return *cached;
}

bool hf_fetch_all(hf *h, arena *a, const hf_name *n, const char *const *patterns, hf_tree *out, err *e)
{
    hf_tree tree;
    bool cached;
    TRY(find_all(h, a, n, patterns, &tree, out, &cached, e));
    if (cached && !h->offline)
        hf_say_cached(e, out->commit);
    return cached || !out->count || fetch_files(h, a, n, &tree, out, e);
}

bool hf_tree_of(hf *h, arena *a, const hf_name *n, hf_tree *out, bool *cached, err *e)
{
    const char *commit = NULL;
    bool away = false;
    *cached = false;
    if (!h->offline && hf_commit(h, a, n, &commit, &away, e) && list_of(h, a, n, commit, out, &away, e))
        return true;
    *cached = (h->offline || away) && (commit = hf_cached_commit(h, a, n))
           && (hf_cached_tree(h, a, n, commit, out) || hf_snapshot_tree(h, a, n, commit, out));
    return *cached || (h->offline && not_cached(h, n, e));
}

static bool may_be_had(hf *h, arena *a, const hf_name *n, const hf_tree *files, err *e)
{
    return !h->offline || is_complete(h, a, n, files) || not_cached(h, n, e);
}

bool hf_bring(hf *h, arena *a, const hf_name *n, const hf_tree *tree, const hf_tree *files, err *e)
{
    return may_be_had(h, a, n, files, e) && fetch_files(h, a, n, tree, files, e);
}

bool hf_may_bring(hf *h, arena *a, const hf_name *n, const hf_tree *files, err *e)
{
    return may_be_had(h, a, n, files, e) && is_allowed(h, a, n, files, e);
}

bool hf_check_all(hf *h, arena *a, const hf_name *n, const char *const *patterns, err *e)
{
    hf_tree tree, files;
    bool cached;
    TRY(find_all(h, a, n, patterns, &tree, &files, &cached, e));
    return cached || !files.count || is_allowed(h, a, n, &files, e);
}

const store_scheme store_hf = { .name = "hf", .check = hf_check, .fetch = hf_fetch };
