// Renaming is the only step that others can see.
#include "train/whole.h"

#include <stdio.h>

#include "base/file.h"

static const char WRITING[] = ".writing", LEAVING[] = ".leaving";

static char *named(arena *a, const char *path, const char *how)
{
    return arena_print(a, "%s/.%s%s", path_folder(a, path), path_name(path), how);
}

bool whole_begin(arena *a, const char *path, const char **beside, err *e)
{
    *beside = named(a, path, WRITING);
    return folder_remove(*beside, e) && folder_make(*beside, e);
}

bool whole_commit(arena *a, const char *path, err *e)
{
    const char *beside = named(a, path, WRITING);
    TRY(folder_sync(beside, e) && whole_remove(a, path, e));
    if (rename(beside, path) != 0)
        return fail_io(e, "write", path);
    return folder_sync(path_folder(a, path), e);
}

void whole_drop(arena *a, const char *path)
{
    err ignored = { 0 };            // what stays is swept away next time
    (void)!folder_remove(named(a, path, WRITING), &ignored);
}

bool whole_remove(arena *a, const char *path, err *e)
{
    const char *leaving = named(a, path, LEAVING);
    if (!file_exists(path))
        return true;
    TRY(folder_remove(leaving, e));
    if (rename(path, leaving) != 0)
        return fail_io(e, "remove", path);
    return folder_remove(leaving, e);
}

static bool is_leftover(str name)
{
    return str_begins(name, STR(".")) && (str_ends(name, str_of(WRITING)) || str_ends(name, str_of(LEAVING)));
}

bool whole_sweep(arena *a, const char *parent, err *e)
{
    char **names;
    int64_t count;
    if (!file_is_folder(parent))
        return true;
    TRY(folder_list(a, parent, &names, &count, e));
    for (int64_t i = 0; i < count; i++)
        if (is_leftover(str_of(names[i])))
            TRY(folder_remove(path_join(a, parent, names[i]), e));
    return true;
}
