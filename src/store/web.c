// http:// and https://: single files, kept in a cache of Skiff's own and asked for again only when they have changed.
//   $XDG_CACHE_HOME/skiff/web/<digest of the address>/<name>       the file; <name>.etag beside it
#include <stdio.h>
#include <stdlib.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "base/util.h"
#include "store/http.h"
#include "store/store.h"

// The last part of the path, without query; what a file's name says of its form must stay.
static str file_name(const char *url)
{
    str s = str_of(url);
    s.size = MIN(str_find(s, STR("?"), 0), str_find(s, STR("#"), 0));
    size_t slash = s.size;
    while (slash > 0 && s.at[slash - 1] != '/')
        slash--;
    str name = str_from(s, slash);
    bool good = name.size > 0 && name.size < 200 && name.at[0] != '.';
    for (size_t i = 0; i < name.size; i++)
        good = good && (unsigned char)name.at[i] > ' ' && name.at[i] != 127;
    return good ? name : STR("file");
}

static char *place_for(arena *a, const char *url)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char hex[SHA256_HEX + 1];
    sha256_hex(str_of(url), hex);
    const char *root = xdg && *xdg ? xdg : arena_print(a, "%s/.cache", home ? home : "/tmp");
    return arena_print(a, "%s/skiff/web/%.16s/%.*s", root, hex, STR_ARG(file_name(url)));
}

static bool ask(http *h, arena *a, const char *url, const char *etag, http_answer *r, err *e)
{
    http_request q = { .url = url, .etag = etag };
    for (int i = 0; i < 10; i++) {
        q.head = true;
        TRY(http_get(h, a, &q, r, e));
        if (r->status < 300 || r->status == 304 || r->status >= 400)
            break;
        TRY((q.url = http_join(a, r->url, r->headers.location, e)) != NULL);    // a HEAD stops where another host begins
    }
    return r->status < 300 || r->status == 304 || r->status == 405 || http_refused(e, a, url, path_name(url), r->status, &r->headers);
}

static bool web_check(const char *name, store_need need, err *e)
{
    arena a = {0};
    http_answer r = {0};
    (void)need;
    http_clear_stop();
    http *h = http_open("", NULL, e);
    bool ok = h && ask(h, &a, name, NULL, &r, e);
    http_close(h);
    arena_close(&a);
    return ok;
}

static bool load(http *h, arena *a, const char *url, char *path, err *e)
{
    char *tag = arena_print(a, "%s.etag", path);
    str etag = {0};
    http_answer r = {0};
    bool there = file_exists(path) && file_exists(tag) && file_read(a, tag, &etag, e);
    if (!ask(h, a, url, there ? arena_chars(a, etag) : NULL, &r, e)) {
        if (there && e->code == ERR_IO)
            log_warning("%s; using the copy of an earlier run", e->text);
        return there && e->code == ERR_IO;
    }
    if (r.status == 304 || (there && r.headers.etag.size && str_equal(r.headers.etag, etag)))
        return true;
    char *end;
    const char *length = arena_chars(a, r.headers.content_length);
    long long size = strtoll(length, &end, 10);
    char *beside = arena_print(a, "%s.new", path);
    http_file f = { .url = url, .name = path_name(path), .path = beside, .lock = arena_print(a, "%s.lock", path),
                    .size = *length && !*end && size >= 0 && r.status < 300 ? size : -1 };
    // Without a digest, parts of two versions must not be joined: what was begun of another one is thrown away.
    err ignored;
    char *begun = arena_print(a, "%s.begun", path);
    str was = {0};
    if (!r.headers.etag.size || !file_exists(begun) || !file_read(a, begun, &was, &ignored) || !str_equal(was, r.headers.etag))
        TRY(folder_remove(arena_print(a, "%s.skiff.incomplete", beside), e));
    TRY(folder_make(path_folder(a, path), e) && folder_remove(beside, e) && file_write(begun, r.headers.etag, e));
    TRY(http_download(h, &f, 1, arena_print(a, "fetching %s", f.name), e) && folder_remove(tag, e));
    return (rename(beside, path) == 0 || fail_io(e, "write", path)) && file_write(tag, r.headers.etag, e) && folder_remove(begun, e);
}

static bool web_fetch(arena *a, const char *name, store_need need, store_found *out, err *e)
{
    char *path = place_for(a, name);
    (void)need;
    http_clear_stop();
    http *h = http_open("", NULL, e);
    bool ok = h && load(h, a, name, path, e);
    http_close(h);
    if (ok) {
        *out = (store_found){ .path = path };
        ARENA_PUSH(a, out->files, out->count, path);
    }
    return ok;
}

const store_scheme store_http = { .name = "http", .check = web_check, .fetch = web_fetch };
const store_scheme store_https = { .name = "https", .check = web_check, .fetch = web_fetch };
