// Local paths, plain or as file://.
#include "base/file.h"
#include "store/store.h"

static const char *plain(const char *name) { return strncmp(name, "file://", 7) ? name : name + 7; }

static bool file_check(const char *name, store_need need, err *e)
{
    (void)need;
    if (file_exists(plain(name)) || (need == STORE_DATA && strpbrk(name, "*?[{")))
        return true;
    return fail(e, ERR_INPUT, "there is no file or folder '%s'", plain(name));
}

static bool file_fetch(arena *a, const char *name, store_need need, store_found *out, err *e)
{
    *out = (store_found){ .path = arena_chars(a, str_of(plain(name))) };
    return file_check(name, need, e);
}

const store_scheme store_file = { .name = "file", .check = file_check, .fetch = file_fetch };
