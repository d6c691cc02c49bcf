// Wildcards over a tree of files.
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"

typedef struct found {
    arena *a;
    char **paths;
    int64_t count;
} found;

static bool in_set(const char **p, char c)
{
    const char *at = *p + 1;
    bool no = *at == '!' || *at == '^', in = false;
    at += no;
    for (bool first = true; *at && (first || *at != ']'); first = false, at++) {
        if (at[1] == '-' && at[2] && at[2] != ']') {
            in |= at[0] <= c && c <= at[2];
            at += 2;
        } else {
            in |= *at == c;
        }
    }
    *p = *at ? at + 1 : at;
    return in != no;
}

bool name_matches(const char *p, const char *name)
{
    const char *star = NULL, *again = NULL;
    if (*name == '.' && *p != '.')
        return false;
    for (;;) {
        const char *set = p;
        if (*p == '*') {
            star = ++p;
            again = name;
        } else if (*name && (*p == '?' || *p == *name) && *p != '[') {
            p++, name++;
        } else if (*name && *p == '[' && in_set(&set, *name)) {
            p = set, name++;
        } else if (!*name && !*p) {
            return true;
        } else if (star && *again) {
            p = star;
            name = ++again;
        } else {
            return false;
        }
    }
}

static bool walk(found *f, const char *folder, const char *pattern, err *e);

static bool step_into(found *f, const char *folder, const char *name, const char *rest, err *e)
{
    char *path = *folder ? path_join(f->a, folder, name) : arena_chars(f->a, str_of(name));
    if (rest)
        return !file_is_folder(path) || walk(f, path, rest, e);
    if (file_exists(path))
        ARENA_PUSH(f->a, f->paths, f->count, path);
    return true;
}

static bool has_wildcard(const char *s) { return strpbrk(s, "*?[") != NULL; }

static bool walk(found *f, const char *folder, const char *pattern, err *e)
{
    while (*pattern == '/')
        pattern++;
    const char *slash = strchr(pattern, '/');
    char *part = arena_chars(f->a, slash ? (str){ pattern, (size_t)(slash - pattern) } : str_of(pattern));
    const char *rest = slash ? slash + 1 : NULL;
    bool deep = !strcmp(part, "**");
    if (!has_wildcard(part))
        return step_into(f, folder, part, rest, e);
    char **names;
    int64_t count;
    const char *where = *folder ? folder : ".";
    if (!file_is_folder(where))
        return true;
    TRY(folder_list(f->a, where, &names, &count, e));
    if (deep && rest)
        TRY(walk(f, folder, rest, e));
    for (int64_t i = 0; i < count; i++) {
        char *path = *folder ? path_join(f->a, folder, names[i]) : names[i];
        struct stat s;
        bool real_folder = lstat(path, &s) == 0 && S_ISDIR(s.st_mode);     // ** does not follow links
        if (deep && real_folder && names[i][0] != '.')
            TRY(walk(f, path, pattern, e));
        if (deep ? !rest && !real_folder && names[i][0] != '.' : name_matches(part, names[i]))
            TRY(step_into(f, folder, names[i], deep ? NULL : rest, e));
    }
    return true;
}

static int by_path(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

// The first {a,b,c} replaced by each of its words, and so on.
static bool expand(found *f, const char *pattern, int depth, err *e)
{
    const char *open = strchr(pattern, '{'), *close = open ? strchr(open, '}') : NULL;
    if (!close)
        return walk(f, pattern[0] == '/' ? "/" : "", pattern, e);
    if (depth > 8)
        return fail(e, ERR_INPUT, "'%s': more than 8 groups of { }", pattern);
    for (const char *at = open + 1, *end; at <= close; at = end + 1) {
        for (end = at; end < close && *end != ',';)
            end++;
        char *one = arena_print(f->a, "%.*s%.*s%s", (int)(open - pattern), pattern, (int)(end - at), at, close + 1);
        TRY(expand(f, one, depth + 1, e));
    }
    return true;
}

bool file_glob(arena *a, const char *pattern, char ***paths, int64_t *count, err *e)
{
    found f = { .a = a };
    if (file_exists(pattern))
        ARENA_PUSH(a, f.paths, f.count, arena_chars(a, str_of(pattern)));
    else
        TRY(expand(&f, pattern, 0, e));
    if (f.count)
        qsort(f.paths, (size_t)f.count, sizeof *f.paths, by_path);
    int64_t kept = 0;
    for (int64_t i = 0; i < f.count; i++)
        if (!kept || strcmp(f.paths[kept - 1], f.paths[i]))
            f.paths[kept++] = f.paths[i];
    *paths = f.paths;
    *count = kept;
    return true;
}
