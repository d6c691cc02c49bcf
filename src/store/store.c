// Names to schemes. A bare org/name is a local path if it exists, else a repository of the hub.
#include "store/store.h"

#include <stdio.h>

#include "base/file.h"
#include "base/util.h"
#include "store/hf.h"

// THE TABLE of schemes.
static const store_scheme later[] = { { .name = "gs" }, { .name = "s3" }, { .name = "memory" } };
static const store_scheme *const schemes[] = { &store_file, &store_http, &store_https, &store_hf, &later[0], &later[1], &later[2] };

static bool has_scheme(const char *name) { return strstr(name, "://") != NULL; }

bool store_is_remote(const char *name)
{
    return has_scheme(name) ? strncmp(name, "file://", 7) != 0 : !file_exists(name) && hf_looks_like(str_of(name));
}

static const store_scheme *scheme_of(const char *name, err *e)
{
    if (!has_scheme(name))
        return store_is_remote(name) ? &store_hf : &store_file;
    str scheme = { name, (size_t)(strstr(name, "://") - name) };
    for (size_t i = 0; i < COUNT(schemes); i++)
        if (str_is(scheme, schemes[i]->name)) {
            if (!schemes[i]->fetch)
                fail(e, ERR_UNSUPPORTED, "'%s': reading from %s:// is not built yet; give a local path or hf://", name, schemes[i]->name);
            return schemes[i]->fetch ? schemes[i] : NULL;
        }
    fail(e, ERR_INPUT, "'%s': unknown scheme '%.*s'; known are hf, http, https and file", name, (int)MIN(scheme.size, 40u), scheme.at);
    return NULL;
}

const char *store_repo(arena *a, const char *name)
{
    hf_name n;
    err ignored;
    bool hub = store_is_remote(name) && (!has_scheme(name) || !strncmp(name, "hf://", 5));
    store_need need = !strncmp(name, "hf://datasets/", 14) ? STORE_DATA : STORE_MODEL;
    return hub && hf_name_parse(a, name, need, &n, &ignored) ? n.repo : NULL;
}

const char *store_at(arena *a, const char *name, const char *commit)
{
    hf_name n;
    err ignored;
    bool data = strncmp(name, "hf://", 5) != 0 || !strncmp(name, "hf://datasets/", 14);
    if (!commit || !hf_name_parse(a, name, data ? STORE_DATA : STORE_MODEL, &n, &ignored))
        return name;
    return arena_print(a, "hf://%s%s@%s%s%s", n.dataset ? "datasets/" : "", n.repo, commit, *n.path ? "/" : "", n.path);
}

bool store_check(const char *name, store_need need, err *e)
{
    const store_scheme *s = scheme_of(name, e);
    return s && s->check(name, need, e);
}

bool store_fetch(arena *a, const char *name, store_need need, store_found *out, err *e)
{
    const store_scheme *s = scheme_of(name, e);
    *out = (store_found){0};
    return s && s->fetch(a, name, need, out, e);
}
