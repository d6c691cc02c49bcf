// The hub's API: revisions, lists of files, and what its refusals mean.
#include <stdio.h>

#include "base/near.h"
#include "base/util.h"
#include "store/hf.h"

static const char *kind_of(const hf_name *n) { return n->dataset ? "dataset" : "model"; }

// As a part of an address: letters, digits and -._~ stay, slashes where `slashes`.
static const char *quoted(arena *a, const char *s, bool slashes)
{
    text t = {0};
    for (const unsigned char *p = (const unsigned char *)s; *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("-._~", *p)
                  || (slashes && *p == '/');
        text_add(&t, plain ? "%c" : "%%%02X", *p);
    }
    const char *out = arena_chars(a, text_view(&t));
    text_close(&t);
    return out;
}

const char *hf_url(hf *h, arena *a, const hf_name *n, const char *commit, const char *path)
{
    return arena_print(a, "%s/%s%s/resolve/%s/%s", h->endpoint, n->dataset ? "datasets/" : "", n->repo, quoted(a, commit, false),
                       quoted(a, path, true));
}

// ---- refusals -----------------------------------------------------------------------------------------------------------

static bool no_revision(hf *h, arena *a, const hf_name *n, err *e)
{
    http_answer r = {0};
    const node *top;
    const char **names = NULL;
    size_t count = 0;
    char near[200] = "";
    err ignored;
    http_request q = { .url = arena_print(a, "%s/api/%ss/%s/refs", h->endpoint, kind_of(n), n->repo), .tries = 1 };
    static const char *const kinds[] = { "branches", "tags" };
    bool known = http_get(h->http, a, &q, &r, &ignored) && r.status == 200 && json_parse(a, r.body, (place){0}, &top, &ignored);
    for (size_t k = 0; known && k < COUNT(kinds); k++) {
        const node *list = node_get(top, kinds[k]);
        for (int64_t i = 0; node_is(list, NODE_LIST) && i < list->list.count; i++)
            if (node_is(node_get(&list->list.items[i], "name"), NODE_TEXT))
                ARENA_PUSH(a, names, count, arena_chars(a, node_get(&list->list.items[i], "name")->text));
    }
    near_names(n->revision, names, count, near, sizeof near);
    size_t used = 0;
    for (size_t i = 0; !near[0] && i < count && i < 4 && used + 64 < sizeof near; i++)
        used += (size_t)snprintf(near + used, sizeof near - used, "%s'%.50s'", i ? ", " : "", names[i]);
    return fail(e, ERR_INPUT, "the %s '%s' has no revision '%s'%s%s", kind_of(n), n->repo, n->revision, near[0] ? "; it has " : "", near);
}

static bool is_gated(const http_answer *r) { return str_is(r->headers.error_code, "GatedRepo"); }

static bool gated(hf *h, const hf_name *n, err *e)
{
    return fail(e, ERR_INPUT, "the %s '%s' is gated: accept its terms at %s/%s%s, %s", kind_of(n), n->repo, h->endpoint,
                n->dataset ? "datasets/" : "", n->repo,
                h->token_from ? "with the account whose token stands in the environment" : "and set HF_TOKEN to a token of that account");
}

// Any answer but a good one, in words. *away: what is in the cache may do instead.
static bool refused(hf *h, arena *a, const hf_name *n, const char *path, const http_answer *r, bool *away, err *e)
{
    str code = r->headers.error_code;
    bool about_token = str_find(r->headers.error_message, STR("nvalid credentials"), 0) < r->headers.error_message.size
                    || str_find(r->headers.error_message, STR("nvalid username"), 0) < r->headers.error_message.size;
    *away = false;
    if (str_is(code, "RevisionNotFound"))
        return no_revision(h, a, n, e);
    if (str_is(code, "EntryNotFound"))
        return fail(e, ERR_INPUT, "the %s '%s' has no file '%s' at '%s'", kind_of(n), n->repo, path, n->revision);
    *away = true;
    if (is_gated(r))
        return gated(h, n, e);
    if (r->status == 401 && h->token_from && about_token && !str_is(code, "RepoNotFound"))
        return fail(e, ERR_INPUT, "%s refuses the token of %s for '%s': it may have run out; make another at %s/settings/tokens",
                    h->endpoint, h->token_from, n->repo, h->endpoint);
    if (r->status == 401 || r->status == 404 || str_is(code, "RepoNotFound"))
        return fail(e, ERR_INPUT, "there is no %s '%s' on %s, or it is private%s; look at its spelling%s", kind_of(n), n->repo, h->endpoint,
                    h->token_from ? " to others than the token's account" : "", h->token_from ? "" : ", or set HF_TOKEN if it is private");
    if (r->status == 403)
        return fail(e, ERR_INPUT, "%s does not let us read the %s '%s' (403)%s%.*s; %s", h->endpoint, kind_of(n), n->repo,
                    r->headers.error_message.size ? ": " : "", (int)MIN(r->headers.error_message.size, 160u), r->headers.error_message.at,
                    h->token_from ? "the token lacks the right to" : "set HF_TOKEN");
    return http_refused(e, a, r->url, n->repo, r->status, &r->headers);
}

// ---- questions ----------------------------------------------------------------------------------------------------------

bool hf_commit(hf *h, arena *a, const hf_name *n, const char **commit, bool *away, err *e)
{
    http_answer r = {0};
    *away = false;
    if (hf_is_commit(str_of(n->revision))) {
        *commit = n->revision;
        return true;
    }
    const char *revision = quoted(a, n->revision, false);
    http_request q = { .url = arena_print(a, "%s/api/%ss/%s/revision/%s", h->endpoint, kind_of(n), n->repo, revision) };
    if (!http_get(h->http, a, &q, &r, e)) {
        *away = e->code == ERR_IO;
        return false;
    }
    if (r.status != 200)
        return refused(h, a, n, "", &r, away, e);
    return hf_read_commit(a, r.body, http_host(a, r.url), commit, e);
}

bool hf_list(hf *h, arena *a, const hf_name *n, const char *commit, hf_tree *out, bool *away, err *e)
{
    enum { MOST_PAGES = 10000 };
    const char *url = arena_print(a, "%s/api/%ss/%s/tree/%s?recursive=true&expand=false", h->endpoint, kind_of(n), n->repo, commit);
    *out = (hf_tree){ .commit = commit };
    *away = false;
    for (int page = 0; url; page++) {
        http_answer r = {0};
        http_request q = { .url = url };
        if (!http_get(h->http, a, &q, &r, e)) {
            *away = e->code == ERR_IO;
            return false;
        }
        if (r.status != 200)
            return refused(h, a, n, "", &r, away, e);
        TRY(hf_read_tree(a, r.body, http_host(a, r.url), out, e));
        str next = hf_next_link(r.headers.link);
        url = NULL;
        if (next.size)
            TRY((url = http_join(a, r.url, next, e)) != NULL);
        if (page == MOST_PAGES || (url && !strcmp(url, r.url)))
            return fail(e, ERR_IO, "%s: the list of files of '%s' does not end", h->endpoint, n->repo);
    }
    return true;
}

// Lists of gated repositories are open, their files are not: only a file's own address says whether it may be loaded.
bool hf_allowed(hf *h, arena *a, const hf_name *n, const char *commit, const char *path, err *e)
{
    http_answer r = {0};
    bool away;
    http_request q = { .url = hf_url(h, a, n, commit, path), .head = true };
    TRY(http_get(h->http, a, &q, &r, e));
    return (r.status >= 200 && r.status < 400) || refused(h, a, n, path, &r, &away, e);
}

bool hf_reached(hf *h, long *status, err *e)
{
    arena a = {0};
    http_answer r = {0};
    http_request q = { .url = arena_print(&a, "%s/", h->endpoint), .head = true, .seconds = 3, .tries = 1, .open = true };
    bool ok = http_get(h->http, &a, &q, &r, e);
    *status = r.status;
    arena_close(&a);
    return ok;
}
