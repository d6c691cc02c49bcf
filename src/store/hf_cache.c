// The cache of huggingface_hub, read and written as it does:
//   models--org--name/blobs/<digest>             each content once
//   models--org--name/refs/<revision>            the commit that a branch or tag stood for
//   models--org--name/snapshots/<commit>/<path>  links to blobs
//   models--org--name/trees/<commit>.json        the list of a commit's files
//   .locks/models--org--name/<digest>.lock       held while a blob is downloaded
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/util.h"
#include "store/hf.h"

static const char *folder_name(arena *a, const hf_name *n)
{
    char *out = arena_print(a, "%ss--", n->dataset ? "dataset" : "model");
    for (const char *p = n->repo; *p; p++)
        out = *p == '/' ? arena_print(a, "%s--", out) : arena_print(a, "%s%c", out, *p);
    return out;
}

const char *hf_repo_folder(hf *h, arena *a, const hf_name *n) { return path_join(a, h->cache, folder_name(a, n)); }

const char *hf_snapshot(hf *h, arena *a, const hf_name *n, const char *commit)
{
    return arena_print(a, "%s/snapshots/%s", hf_repo_folder(h, a, n), commit);
}

static const char *blob_name(const hf_file *f) { return f->sha256 ? f->sha256 : f->git_sha1; }

const char *hf_blob(hf *h, arena *a, const hf_name *n, const hf_file *f)
{
    return arena_print(a, "%s/blobs/%s", hf_repo_folder(h, a, n), blob_name(f));
}

const char *hf_lock(hf *h, arena *a, const hf_name *n, const hf_file *f)
{
    return arena_print(a, "%s/.locks/%s/%s.lock", h->cache, folder_name(a, n), blob_name(f));
}

// ---- revisions ----------------------------------------------------------------------------------------------------------

static char *ref_path(hf *h, arena *a, const hf_name *n) { return arena_print(a, "%s/refs/%s", hf_repo_folder(h, a, n), n->revision); }

const char *hf_cached_commit(hf *h, arena *a, const hf_name *n)
{
    err ignored;
    str s;
    if (hf_is_commit(str_of(n->revision)))
        return n->revision;
    char *path = ref_path(h, a, n);
    if (!file_exists(path) || file_is_folder(path) || !file_read(a, path, &s, &ignored))
        return NULL;
    while (s.size && (unsigned char)s.at[s.size - 1] <= ' ')
        s.size--;
    return hf_is_commit(s) ? arena_chars(a, s) : NULL;
}

// A cache that others share tells backup programs that it can be left out (bford.info/cachedir).
static bool tag_cache(hf *h, arena *a, err *e)
{
    char *path = path_join(a, h->cache, "CACHEDIR.TAG");
    return file_exists(path) || file_write(path, STR("Signature: 8a477f597d28d172789f06886806bc55\n"), e);
}

bool hf_keep_commit(hf *h, const hf_name *n, const char *commit, err *e)
{
    arena a = {0};
    const char *known = hf_cached_commit(h, &a, n);
    char *path = ref_path(h, &a, n);
    bool same = known && !strcmp(known, commit);
    bool ok = same || (folder_make(path_folder(&a, path), e) && tag_cache(h, &a, e) && file_write(path, str_of(commit), e));
    arena_close(&a);
    return ok;
}

// ---- lists of files -----------------------------------------------------------------------------------------------------

static char *tree_path(hf *h, arena *a, const hf_name *n, const char *commit)
{
    return arena_print(a, "%s/trees/%s.json", hf_repo_folder(h, a, n), commit);
}

bool hf_cached_tree(hf *h, arena *a, const hf_name *n, const char *commit, hf_tree *out)
{
    err ignored;
    str body;
    char *path = tree_path(h, a, n, commit);
    *out = (hf_tree){ .commit = commit };
    return file_exists(path) && file_read(a, path, &body, &ignored) && hf_read_listing(a, body, path, out, &ignored);
}

bool hf_keep_tree(hf *h, const hf_name *n, const hf_tree *tree, err *e)
{
    arena a = {0};
    text t = {0};
    char *path = tree_path(h, &a, n, tree->commit);
    hf_write_listing(&t, tree);
    bool ok = text_ok(&t, e) && folder_make(path_folder(&a, path), e) && file_write(path, text_view(&t), e);
    text_close(&t);
    arena_close(&a);
    return ok;
}

static bool walk(arena *a, const char *folder, const char *within, hf_tree *out, err *e)
{
    char **names;
    int64_t count;
    TRY(folder_list(a, folder, &names, &count, e));
    for (int64_t i = 0; i < count; i++) {
        char *path = path_join(a, folder, names[i]), *inner = path_join(a, within, names[i]);
        int64_t size = 0;
        if (file_is_folder(path))
            TRY(walk(a, path, inner, out, e));
        else if (file_exists(path) && file_size(path, &size, e))
            ARENA_PUSH(a, out->files, out->count, (hf_file){ .path = inner, .size = size });
    }
    return true;
}

bool hf_snapshot_tree(hf *h, arena *a, const hf_name *n, const char *commit, hf_tree *out)
{
    err ignored;
    const char *folder = hf_snapshot(h, a, n, commit);
    *out = (hf_tree){ .commit = commit };
    return file_is_folder(folder) && walk(a, folder, "", out, &ignored);
}

// ---- snapshots ----------------------------------------------------------------------------------------------------------

// Relative, so that a cache can be moved. Where links are not to be had, a hard link or a copy does.
bool hf_link(hf *h, const hf_name *n, const char *commit, const hf_file *f, err *e)
{
    arena a = {0};
    const char *blob = hf_blob(h, &a, n, f);
    char *path = path_join(&a, hf_snapshot(h, &a, n, commit), f->path);
    char *to = arena_chars(&a, STR("../../blobs/"));
    for (const char *p = f->path; *p; p++)
        if (*p == '/')
            to = arena_print(&a, "../%s", to);
    to = arena_print(&a, "%s%s", to, blob_name(f));
    bool ok = file_exists(path);
    if (!ok && (ok = folder_make(path_folder(&a, path), e))) {
        char *beside = arena_print(&a, "%s.tmp-%ld", path, (long)getpid());
        str bytes;
        unlink(beside);
        if (symlink(to, beside) == 0 || link(blob, beside) == 0)
            ok = rename(beside, path) == 0 || fail_io(e, "write", path);
        else
            ok = file_read(&a, blob, &bytes, e) && file_write(path, bytes, e);
    }
    arena_close(&a);
    return ok;
}
