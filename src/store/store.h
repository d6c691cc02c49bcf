// Bytes behind a name: a local path, a web address, a repository of the Hugging Face Hub. One file a scheme.
#pragma once
#include "base/arena.h"

// What is wanted of a name: of a repository, only the files that serve it are fetched.
typedef enum store_need { STORE_MODEL, STORE_TOKENIZER, STORE_DATA } store_need;

typedef struct store_found {
    const char *path;               // a model or tokenizer: its folder or file on this machine
    char **files;                   // STORE_DATA: every file, sorted
    int64_t count;
    const char *repo, *revision, *commit;       // of the hub; NULL elsewhere
} store_found;

// Is it something to fetch: a URI, or org/name where no such file or folder is here?
bool store_is_remote(const char *name);

// Is it there: a file or folder, or on the hub and allowed to us (offline: in the cache)? Downloads nothing.
bool store_check(const char *name, store_need need, err *e) MUST_CHECK;

// The same on this machine: fetched into the cache that is shared with huggingface_hub where it is not there yet. Goes on with what
// an interrupted download left. A local name is found as it is, without `files`.
bool store_fetch(arena *a, const char *name, store_need need, store_found *out, err *e) MUST_CHECK;

// "org/name" of a name on the hub; NULL for all others.
const char *store_repo(arena *a, const char *name);
// A name on the hub, nailed to a commit (NULL: as it is).
const char *store_at(arena *a, const char *name, const char *commit);

void store_stop(void);              // async-signal-safe: a download at work stops with ERR_INTERRUPTED; the next goes on from there

// ---- schemes ------------------------------------------------------------------------------------------------------------

typedef struct store_scheme {
    const char *name;               // before "://"
    bool (*check)(const char *name, store_need need, err *e);                           // NULL: not built yet
    bool (*fetch)(arena *a, const char *name, store_need need, store_found *out, err *e);
} store_scheme;
extern const store_scheme store_file, store_http, store_https, store_hf;
