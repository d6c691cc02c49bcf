// The Hugging Face Hub: names of repositories, its API, and the cache that is shared with huggingface_hub.
#pragma once
#include "base/json.h"
#include "store/http.h"
#include "store/store.h"

// [hf://][datasets/]org/name[@revision][/path]
typedef struct hf_name {
    const char *repo;               // "org/name"
    bool dataset;
    const char *revision;           // "main" where none is given
    const char *path;               // a file, folder or glob within it; "" is all of it
} hf_name;

bool hf_looks_like(str name);       // org/name: one slash, neither a path's beginning nor a file's ending
bool hf_name_parse(arena *a, const char *text, store_need need, hf_name *out, err *e) MUST_CHECK;

typedef struct hf {
    arena arena;
    const char *endpoint;           // HF_ENDPOINT, without a slash at its end
    const char *cache;              // HF_HUB_CACHE, or hub/ below HF_HOME
    const char *token_from;         // "HF_TOKEN" or the file; NULL when there is none
    bool offline;                   // HF_HUB_OFFLINE
    http *http;
} hf;
bool hf_open(hf *h, err *e) MUST_CHECK;         // from the environment
void hf_close(hf *h);

typedef struct hf_file {
    const char *path;
    int64_t size;
    const char *git_sha1, *sha256;  // sha256: of a large file, kept outside git; NULL for others
    const char *xet_hash;           // passed on to the cache's listing; may be NULL
} hf_file;
typedef struct hf_tree { const char *commit; hf_file *files; int64_t count; } hf_tree;

// ---- hf_api.c -----------------------------------------------------------------------------------------------------------

// The commit of a revision. *away: the hub is not to be had at all (no connection, out of order, not allowed): `e` says why.
bool hf_commit(hf *h, arena *a, const hf_name *n, const char **commit, bool *away, err *e) MUST_CHECK;
bool hf_list(hf *h, arena *a, const hf_name *n, const char *commit, hf_tree *out, bool *away, err *e) MUST_CHECK;
bool hf_allowed(hf *h, arena *a, const hf_name *n, const char *commit, const char *path, err *e) MUST_CHECK;    // may it be loaded?
const char *hf_url(hf *h, arena *a, const hf_name *n, const char *commit, const char *path);
// Is the endpoint there? *status is its answer.
bool hf_reached(hf *h, long *status, err *e) MUST_CHECK;

// ---- hf_json.c: what the hub answers ------------------------------------------------------------------------------------

bool hf_is_commit(str s);           // 40 hex digits
bool hf_is_safe_path(str s);        // relative, without ".." and the like: a name from the net must not leave its folder
bool hf_read_commit(arena *a, str body, const char *what, const char **commit, err *e) MUST_CHECK;
bool hf_read_tree(arena *a, str body, const char *what, hf_tree *into, err *e) MUST_CHECK;      // appends a page
str hf_next_link(str header);       // the address with rel="next" of a Link header; empty when there is none
void hf_write_listing(text *out, const hf_tree *tree);                  // the cache's trees/<commit>.json
bool hf_read_listing(arena *a, str body, const char *what, hf_tree *into, err *e) MUST_CHECK;

// ---- hf_cache.c ---------------------------------------------------------------------------------------------------------

const char *hf_repo_folder(hf *h, arena *a, const hf_name *n);          // <cache>/models--org--name
const char *hf_snapshot(hf *h, arena *a, const hf_name *n, const char *commit);
const char *hf_blob(hf *h, arena *a, const hf_name *n, const hf_file *f);
const char *hf_lock(hf *h, arena *a, const hf_name *n, const hf_file *f);
const char *hf_cached_commit(hf *h, arena *a, const hf_name *n);        // NULL: the cache does not know the revision
bool hf_keep_commit(hf *h, const hf_name *n, const char *commit, err *e) MUST_CHECK;
bool hf_cached_tree(hf *h, arena *a, const hf_name *n, const char *commit, hf_tree *out);       // false: not there, or broken
bool hf_keep_tree(hf *h, const hf_name *n, const hf_tree *tree, err *e) MUST_CHECK;
bool hf_snapshot_tree(hf *h, arena *a, const hf_name *n, const char *commit, hf_tree *out);     // the files that a snapshot holds
bool hf_link(hf *h, const hf_name *n, const char *commit, const hf_file *f, err *e) MUST_CHECK; // snapshots/… to blobs/…

// ---- hf_select.c --------------------------------------------------------------------------------------------------------

// The files that serve `need`. *one: `path` names a single file.
bool hf_select(arena *a, const hf_name *n, store_need need, const hf_tree *tree, hf_tree *out, bool *one, err *e) MUST_CHECK;

// ---- hf.c ---------------------------------------------------------------------------------------------------------------

// Every file that matches `patterns` (NULL: all) of a revision, in the cache; files[i] is where files of the tree are.
bool hf_fetch_all(hf *h, arena *a, const hf_name *n, const char *const *patterns, hf_tree *tree, err *e) MUST_CHECK;
// In two steps, for whoever chooses by what there is: the files of a revision (*cached: the hub was not asked or does not answer, then `e`
// says why, and it is what the cache knows of), and some of them brought into the cache, or looked whether they are ours to read.
bool hf_tree_of(hf *h, arena *a, const hf_name *n, hf_tree *out, bool *cached, err *e) MUST_CHECK;
void hf_say_cached(const err *why, const char *commit);
bool hf_bring(hf *h, arena *a, const hf_name *n, const hf_tree *tree, const hf_tree *files, err *e) MUST_CHECK;
bool hf_may_bring(hf *h, arena *a, const hf_name *n, const hf_tree *files, err *e) MUST_CHECK;
bool hf_check_all(hf *h, arena *a, const hf_name *n, const char *const *patterns, err *e) MUST_CHECK;   // are they there, and ours to read?
