// Which files a pattern of the user's means.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/near.h"
#include "base/util.h"
#include "data/hub_rows.h"
#include "data/reader.h"
#include "data/stream.h"

// THE TABLE of names that are read, and whether their files may be compressed as a whole.
static const struct { const char *ending; bool packed; } endings[] = {
    { ".jsonl", true }, { ".ndjson", true }, { ".json", true }, { ".parquet", false },
};
#define ENDINGS ".jsonl, .ndjson, .json, each also .gz or .zst, and .parquet"

static bool is_readable(const char *path)
{
    str whole = str_of(path), inner = { path, whole.size - stream_packing(path) };
    for (size_t i = 0; i < COUNT(endings); i++)
        if (str_ends(endings[i].packed ? inner : whole, str_of(endings[i].ending)))
            return true;
    return false;
}

// Names that stand where the first missing part of the path was looked for, the nearest first.
static bool no_match(arena *a, const char *pattern, err *e)
{
    char *folder = path_folder(a, pattern);
    const char *word = path_name(pattern);
    while ((strpbrk(folder, "*?[{") || !file_is_folder(folder)) && strcmp(folder, ".") && strcmp(folder, "/")) {
        word = path_name(folder);
        folder = path_folder(a, folder);
    }
    char **names, near[256] = "";
    int64_t count;
    if (!file_is_folder(folder) || !folder_list(a, folder, &names, &count, e))
        return fail(e, ERR_INPUT, "no file matches '%s'", pattern);
    near_names(word, (const char *const *)names, (size_t)count, near, sizeof near);
    if (near[0])
        return fail(e, ERR_INPUT, "no file matches '%s'; the nearest in '%s': %s", pattern, folder, near);
    size_t used = 0;
    for (int64_t i = 0; i < count && i < 5 && used < sizeof near; i++)
        used += (size_t)snprintf(near + used, sizeof near - used, "%s'%s'", i ? ", " : "", names[i]);
    return fail(e, ERR_INPUT, "no file matches '%s'; '%s' holds %s%s", pattern, folder, count ? near : "nothing", count > 5 ? ", …" : "");
}

typedef struct found { arena *a; char **paths; int64_t count; } found;

// Every readable file below a folder; names that begin with '.' are left out, links to folders are not followed.
static bool walk(found *f, const char *folder, err *e)
{
    char **names;
    int64_t count;
    TRY(folder_list(f->a, folder, &names, &count, e));
    for (int64_t i = 0; i < count; i++) {
        char *path = path_join(f->a, folder, names[i]);
        struct stat s;
        if (names[i][0] == '.' || lstat(path, &s) != 0)
            continue;
        if (S_ISDIR(s.st_mode))
            TRY(walk(f, path, e));
        else if (is_readable(path) && !file_is_folder(path))
            ARENA_PUSH(f->a, f->paths, f->count, path);
    }
    return true;
}

static int by_path(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static bool expand_folder(arena *a, const char *folder, char ***paths, int64_t *count, err *e)
{
    found f = { .a = a };
    TRY(walk(&f, folder, e));
    if (!f.count)
        return fail(e, ERR_INPUT, "the folder '%s' holds no file that can be read (" ENDINGS ")", folder);
    qsort(f.paths, (size_t)f.count, sizeof *f.paths, by_path);
    *paths = f.paths;
    *count = f.count;
    return true;
}

static bool all_readable(char *const *paths, int64_t count, err *e)
{
    for (int64_t i = 0; i < count; i++)
        if (!is_readable(paths[i]))
            return fail(e, ERR_INPUT, "'%s': a file of this name is not read; expected " ENDINGS, paths[i]);
    return true;
}

bool data_expand(arena *a, const char *pattern, char ***paths, int64_t *count, err *e)
{
    if (!*pattern)
        return fail(e, ERR_INPUT, "no data given: expected a file, a folder or a glob such as 'data/**/*.jsonl.gz'");
    if (store_is_remote(pattern)) {
        store_found there;
        TRY(data_fetch(a, pattern, &there, e));
        *paths = there.files;
        *count = there.count;
        return all_readable(*paths, *count, e);
    }
    if (file_is_folder(pattern))
        return expand_folder(a, pattern, paths, count, e);
    TRY(file_glob(a, pattern, paths, count, e));
    int64_t kept = 0;
    for (int64_t i = 0; i < *count; i++)
        if (!file_is_folder((*paths)[i]))
            (*paths)[kept++] = (*paths)[i];
    *count = kept;
    if (!kept)
        return no_match(a, pattern, e);
    return all_readable(*paths, kept, e);
}
