// Names of repositories, and where the environment says the hub and its cache are.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/file.h"
#include "base/util.h"
#include "store/hf.h"

// ---- names --------------------------------------------------------------------------------------------------------------

bool hf_looks_like(str s)
{
    size_t slash = str_find(s, STR("/"), 0), at = str_find(s, STR("@"), 0);
    str repo = str_slice(s, 0, at);
    if (at < s.size && at + 1 == s.size)
        return false;
    if (slash == 0 || slash + 1 >= repo.size || s.at[0] == '.' || s.at[0] == '~' || str_find(repo, STR("/"), slash + 1) < repo.size)
        return false;
    static const char *const endings[] = { ".gguf", ".json", ".jsonl", ".ndjson", ".gz", ".zst", ".parquet", ".model", ".safetensors",
                                           ".jinja", ".yaml" };
    for (size_t i = 0; i < COUNT(endings); i++)
        if (str_ends(repo, str_of(endings[i])))
            return false;
    for (size_t i = 0; i < repo.size; i++)
        if (!isalnum((unsigned char)repo.at[i]) && !strchr("._-/", repo.at[i]))
            return false;
    return true;
}

// One piece of a repository's name: letters, digits and . _ -, not too long, no ".." (what the hub allows).
static bool is_piece(str s)
{
    bool good = s.size > 0 && s.size <= 96 && s.at[0] != '.' && s.at[0] != '-' && str_find(s, STR(".."), 0) == s.size
             && str_find(s, STR("--"), 0) == s.size;
    for (size_t i = 0; i < s.size; i++)
        good = good && (isalnum((unsigned char)s.at[i]) || strchr("._-", s.at[i]));
    return good;
}

// A revision ends at the next slash, unless it is refs/pr/N or refs/convert/x; elsewhere its slashes are written %2F.
static size_t revision_end(str s)
{
    static const char *const deep[] = { "refs/pr/", "refs/convert/" };
    for (size_t i = 0; i < COUNT(deep); i++)
        if (str_begins(s, str_of(deep[i])))
            return str_find(s, STR("/"), strlen(deep[i]));
    return str_find(s, STR("/"), 0);
}

static char *unescape_slashes(arena *a, str s)
{
    char *out = arena_chars(a, s), *to = out;
    for (const char *p = out; *p;) {
        bool slash = !strncasecmp(p, "%2f", 3);
        *to++ = slash ? '/' : *p;
        p += slash ? 3 : 1;
    }
    *to = 0;
    return out;
}

static bool is_revision(const char *s)
{
    for (const char *p = s; *p; p++)
        if ((unsigned char)*p <= ' ' || strchr("~^:?*[\\", *p) || *p == 127)
            return false;
    return *s && s[0] != '/' && s[0] != '.' && !strstr(s, "..") && !strstr(s, "/.") && !strstr(s, "//") && s[strlen(s) - 1] != '/';
}

bool hf_name_parse(arena *a, const char *said, store_need need, hf_name *out, err *e)
{
    str s = str_of(said);
    bool uri = str_begins(s, STR("hf://"));
    *out = (hf_name){ .dataset = need == STORE_DATA, .revision = "main", .path = "" };
    if (uri) {
        s = str_from(s, 5);
        out->dataset = str_begins(s, STR("datasets/"));
        s = str_from(s, out->dataset ? 9 : 0);
        s = str_from(s, !out->dataset && str_begins(s, STR("models/")) ? 7 : 0);
    }
    if (str_begins(s, STR("spaces/")) || str_begins(s, STR("buckets/")))
        return fail(e, ERR_UNSUPPORTED, "'%s': of the hub, models and datasets are read, not %.*s", said,
                    (int)str_find(s, STR("/"), 0), s.at);
    size_t first = str_find(s, STR("/"), 0), end = s.size;
    if (first < s.size)
        end = MIN(str_find(s, STR("/"), first + 1), str_find(s, STR("@"), 0));
    else
        end = str_find(s, STR("@"), 0);                 // an old name without an organisation: gpt2
    str repo = str_slice(s, 0, MIN(end, s.size)), rest = str_from(s, MIN(end, s.size));
    size_t slash = str_find(repo, STR("/"), 0);
    if (!is_piece(str_slice(repo, 0, slash)) || (slash < repo.size && !is_piece(str_from(repo, slash + 1))))
        return fail(e, ERR_INPUT, "'%s': expected hf://[datasets/]org/name[@revision][/path]", said);
    out->repo = arena_chars(a, repo);
    if (rest.size && rest.at[0] == '@') {
        rest = str_from(rest, 1);
        size_t stop = revision_end(rest);
        out->revision = unescape_slashes(a, str_slice(rest, 0, stop));
        rest = str_from(rest, stop);
        if (!is_revision(out->revision))
            return fail(e, ERR_INPUT, "'%s': '%s' is no revision: expected a branch, a tag or a commit after '@'", said, out->revision);
    }
    while (rest.size && rest.at[0] == '/')
        rest = str_from(rest, 1);
    out->path = arena_chars(a, rest);
    if (rest.size && !hf_is_safe_path(rest))
        return fail(e, ERR_INPUT, "'%s': '%s' is no path within a repository", said, out->path);
    if (out->dataset && need != STORE_DATA)
        return fail(e, ERR_INPUT, "'%s' is a dataset; expected a model", said);
    if (uri && !out->dataset && need == STORE_DATA)
        return fail(e, ERR_INPUT, "'%s' is a model; expected a dataset: hf://datasets/%s", said, out->repo);
    return true;
}

// ---- the environment ----------------------------------------------------------------------------------------------------

static const char *set(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static bool is_true(const char *name)
{
    static const char *const words[] = { "1", "on", "yes", "true" };
    const char *value = set(name);
    for (size_t i = 0; value && i < COUNT(words); i++)
        if (!strcasecmp(value, words[i]))
            return true;
    return false;
}

static const char *expand_home(arena *a, const char *path)
{
    const char *home = set("HOME");
    return path[0] == '~' && (path[1] == '/' || !path[1]) && home ? path_join(a, home, path[1] ? path + 2 : "") : path;
}

static const char *hf_home(arena *a)
{
    const char *home = set("HF_HOME"), *xdg = set("XDG_CACHE_HOME");
    return expand_home(a, home ? home : xdg ? path_join(a, xdg, "huggingface") : "~/.cache/huggingface");
}

static char *trimmed(arena *a, str s)
{
    while (s.size && isspace((unsigned char)s.at[0]))
        s = str_from(s, 1);
    while (s.size && isspace((unsigned char)s.at[s.size - 1]))
        s.size--;
    return s.size ? arena_chars(a, s) : NULL;
}

// HF_TOKEN, else the file that `hf auth login` writes.
static bool find_token(hf *h, const char *home, const char **token, err *e)
{
    static const char *const names[] = { "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN" };
    *token = NULL;
    if (is_true("HF_HUB_DISABLE_IMPLICIT_TOKEN"))
        return true;
    for (size_t i = 0; i < COUNT(names) && !*token; i++)
        if (set(names[i]) && (*token = trimmed(&h->arena, str_of(set(names[i])))))
            h->token_from = names[i];
    const char *file = set("HF_TOKEN_PATH") ? expand_home(&h->arena, set("HF_TOKEN_PATH")) : path_join(&h->arena, home, "token");
    str bytes;
    err unread;
    if (!*token && file_read(&h->arena, file, &bytes, &unread) && (*token = trimmed(&h->arena, bytes)))
        h->token_from = file;
    for (const char *p = *token; p && *p; p++)
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 127)
            return fail(e, ERR_INPUT, "%s: the token holds a blank, a line break or a strange character", h->token_from);
    return true;
}

bool hf_open(hf *h, err *e)
{
    const char *token;
    *h = (hf){0};
    const char *endpoint = set("HF_ENDPOINT"), *home = hf_home(&h->arena);
    const char *cache = set("HF_HUB_CACHE") ? set("HF_HUB_CACHE") : set("HUGGINGFACE_HUB_CACHE");
    str address = str_of(endpoint ? endpoint : "https://huggingface.co");
    while (address.size && address.at[address.size - 1] == '/')
        address.size--;
    h->endpoint = arena_chars(&h->arena, address);
    h->cache = cache ? expand_home(&h->arena, cache) : path_join(&h->arena, home, "hub");
    h->offline = is_true("HF_HUB_OFFLINE") || is_true("TRANSFORMERS_OFFLINE");
    if (!str_begins(address, STR("http://")) && !str_begins(address, STR("https://")))
        return fail(e, ERR_INPUT, "HF_ENDPOINT: expected an address such as https://huggingface.co, got '%s'", h->endpoint);
    return find_token(h, home, &token, e) && (h->http = http_open(h->endpoint, token, e)) != NULL;
}

void hf_close(hf *h)
{
    http_close(h->http);
    arena_close(&h->arena);
    *h = (hf){0};
}
