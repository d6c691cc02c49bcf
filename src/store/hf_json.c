// What the hub answers and what the cache keeps of it, read without trust: names, digests and sizes are checked.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "store/hf.h"

static bool is_hex(str s, size_t size)
{
    bool hex = s.size == size;
    for (size_t i = 0; hex && i < size; i++)
        hex = isdigit((unsigned char)s.at[i]) || (s.at[i] >= 'a' && s.at[i] <= 'f');
    return hex;
}

bool hf_is_commit(str s) { return is_hex(s, 40); }

bool hf_is_safe_path(str s)
{
    if (!s.size || s.size > 1024 || s.at[0] == '/' || s.at[s.size - 1] == '/')
        return false;
    for (size_t i = 0; i < s.size;) {
        size_t end = str_find(s, STR("/"), i);
        str piece = str_slice(s, i, end);
        if (!piece.size || piece.size > 255 || str_is(piece, ".") || str_is(piece, ".."))
            return false;
        for (size_t k = 0; k < piece.size; k++)
            if ((unsigned char)piece.at[k] < ' ' || piece.at[k] == 127)
                return false;
        i = end + 1;
    }
    return true;
}

bool hf_read_commit(arena *a, str body, const char *what, const char **commit, err *e)
{
    const node *top;
    place at = { .file = what };
    TRY(json_parse(a, body, at, &top, e));
    const node *sha = node_get(top, "sha");
    if (!node_is(sha, NODE_TEXT) || !hf_is_commit(sha->text))
        return fail_at(e, at, "expected \"sha\", a commit of 40 hex digits; is HF_ENDPOINT a hub?");
    *commit = arena_chars(a, sha->text);
    return true;
}

static const char *hex_or_null(arena *a, const node *n, size_t size)
{
    return node_is(n, NODE_TEXT) && is_hex(n->text, size) ? arena_chars(a, n->text) : NULL;
}

// The last checks of a file's entry, wherever it came from.
static bool add_file(arena *a, str path, int64_t size, hf_file f, place at, hf_tree *into, err *e)
{
    if (!hf_is_safe_path(path))
        return fail_at(e, at, "the list of files holds '%.*s', which is no path within a repository", (int)MIN(path.size, 80u), path.at);
    if (size < 0 || !f.git_sha1)
        return fail_at(e, at, "%.*s: expected its size and its git digest", (int)MIN(path.size, 200u), path.at);
    f.path = arena_chars(a, path);
    f.size = size;
    ARENA_PUSH(a, into->files, into->count, f);
    return true;
}

bool hf_read_tree(arena *a, str body, const char *what, hf_tree *into, err *e)
{
    const node *top;
    place at = { .file = what };
    TRY(json_parse(a, body, at, &top, e));
    if (top->kind != NODE_LIST)
        return fail_at(e, at, "expected a list of files, got %s; is HF_ENDPOINT a hub?", node_kind_name(top->kind));
    for (int64_t i = 0; i < top->list.count; i++) {
        const node *n = &top->list.items[i], *type = node_get(n, "type"), *path = node_get(n, "path"), *size = node_get(n, "size");
        const node *lfs = node_get(n, "lfs"), *large = node_get(lfs, "size"), *xet = node_get(n, "xetHash");
        if (!node_is(type, NODE_TEXT) || !node_is(path, NODE_TEXT))
            return fail_at(e, at, "the list of files: expected \"type\" and \"path\" in each");
        if (!str_is(type->text, "file"))
            continue;
        hf_file f = { .git_sha1 = hex_or_null(a, node_get(n, "oid"), 40), .xet_hash = hex_or_null(a, xet, 64) };
        if (node_is(lfs, NODE_OBJECT) && !(f.sha256 = hex_or_null(a, node_get(lfs, "oid"), 64)))
            return fail_at(e, at, "%.*s: expected the SHA-256 of a large file", (int)MIN(path->text.size, 200u), path->text.at);
        const node *bytes_of = node_is(large, NODE_INT) ? large : size;
        int64_t bytes = node_is(bytes_of, NODE_INT) ? bytes_of->integer : -1;
        TRY(add_file(a, path->text, bytes, f, at, into, e));
    }
    return true;
}

// <https://…?cursor=x>; rel="next", <…>; rel="prev"
str hf_next_link(str h)
{
    for (size_t i = 0; i < h.size;) {
        size_t open = str_find(h, STR("<"), i), close = str_find(h, STR(">"), open);
        if (close >= h.size)
            break;
        size_t end = str_find(h, STR("<"), close);
        str about = str_slice(h, close, end);
        if (str_find(about, STR("rel=\"next\""), 0) < about.size || str_find(about, STR("rel=next"), 0) < about.size)
            return str_slice(h, open + 1, close);
        i = end;
    }
    return (str){ "", 0 };
}

// ---- the cache's listing ------------------------------------------------------------------------------------------------

static int by_path(const void *a, const void *b) { return strcmp((*(const hf_file *const *)a)->path, (*(const hf_file *const *)b)->path); }

void hf_write_listing(text *out, const hf_tree *tree)
{
    arena a = {0};
    const hf_file **sorted = ARENA_ARRAY(&a, const hf_file *, tree->count + 1);
    for (int64_t i = 0; i < tree->count; i++)
        sorted[i] = &tree->files[i];
    qsort(sorted, (size_t)tree->count, sizeof *sorted, by_path);
    text_add(out, "{\n \"format_version\": 1,\n \"files\": {");
    for (int64_t i = 0; i < tree->count; i++) {
        const hf_file *f = sorted[i];
        text_add(out, "%s\n  ", i ? "," : "");
        json_write_string(out, str_of(f->path));
        text_add(out, ": {\n   \"size\": %lld,\n   \"blob_id\": \"%s\"", (long long)f->size, f->git_sha1);
        if (f->sha256)
            text_add(out, ",\n   \"lfs_sha256\": \"%s\",\n   \"lfs_size\": %lld", f->sha256, (long long)f->size);
        if (f->xet_hash)
            text_add(out, ",\n   \"xet_hash\": \"%s\"", f->xet_hash);
        text_add(out, "\n  }");
    }
    text_add(out, "%s}\n}", tree->count ? "\n " : "");
    arena_close(&a);
}

bool hf_read_listing(arena *a, str body, const char *what, hf_tree *into, err *e)
{
    const node *top;
    place at = { .file = what };
    TRY(json_parse(a, body, at, &top, e));
    const node *version = node_get(top, "format_version"), *files = node_get(top, "files");
    if (!node_is(version, NODE_INT) || version->integer != 1 || !node_is(files, NODE_OBJECT))
        return fail_at(e, at, "a list of files of another version");
    for (int64_t i = 0; i < files->object.count; i++) {
        const member *m = &files->object.members[i];
        const node *size = node_get(&m->value, "size"), *large = node_get(&m->value, "lfs_size");
        hf_file f = { .git_sha1 = hex_or_null(a, node_get(&m->value, "blob_id"), 40),
                      .sha256 = hex_or_null(a, node_get(&m->value, "lfs_sha256"), 64),
                      .xet_hash = hex_or_null(a, node_get(&m->value, "xet_hash"), 64) };
        int64_t bytes = f.sha256 && node_is(large, NODE_INT) ? large->integer : node_is(size, NODE_INT) ? size->integer : -1;
        TRY(add_file(a, m->key, bytes, f, at, into, e));
    }
    return true;
}
