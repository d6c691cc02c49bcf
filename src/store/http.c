// Requests over HTTP with libcurl.
#include "store/http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "store/store.h"

struct http {
    CURLM *multi;
    char *home, *token;             // token: the whole header line
};

enum { MOST_BODY = 64 << 20, MOST_REDIRECTS = 10, USUAL_TRIES = 6, ANSWER_SECONDS = 60, USUAL_PATIENCE = 30, CONNECT_SECONDS = 10 };
static const double LONGEST_WAIT = 300;

// A signal's flag: there is one set of signals in a process.
static volatile sig_atomic_t stop_asked;
void store_stop(void) { stop_asked = 1; }
bool http_stopped(void) { return stop_asked; }
void http_clear_stop(void) { stop_asked = 0; }

static void start_curl(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

http *http_open(const char *home, const char *token, err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_curl);
    http *h = calloc(1, sizeof *h);
    size_t room = token ? strlen(token) + 32 : 0;
    if (h) {
        h->multi = curl_multi_init();
        h->home = strdup(home);
        h->token = token ? malloc(room) : NULL;
    }
    if (!h || !h->multi || !h->home || (token && !h->token)) {
        http_close(h);
        fail(e, ERR_MEMORY, "no memory for a connection");
        return NULL;
    }
    if (token)
        snprintf(h->token, room, "Authorization: Bearer %s", token);
    curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, 16L);
    return h;
}

void http_close(http *h)
{
    if (!h)
        return;
    if (h->multi)
        curl_multi_cleanup(h->multi);
    if (h->token)
        explicit_bzero(h->token, strlen(h->token));
    free(h->token);
    free(h->home);
    free(h);
}

void *http_multi(http *h) { return h->multi; }

// ---- addresses ----------------------------------------------------------------------------------------------------------

static char *part_of(const char *url, CURLUPart part, unsigned flags)
{
    CURLU *u = curl_url();
    char *out = NULL;
    if (u && (curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK || curl_url_get(u, part, &out, flags) != CURLUE_OK))
        out = NULL;
    curl_url_cleanup(u);
    return out;
}

bool http_same_host(const char *a, const char *b)
{
    static const CURLUPart parts[] = { CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT };
    bool same = true;
    for (size_t i = 0; same && i < COUNT(parts); i++) {
        char *x = part_of(a, parts[i], CURLU_DEFAULT_PORT), *y = part_of(b, parts[i], CURLU_DEFAULT_PORT);
        same = x && y && !strcasecmp(x, y);
        curl_free(x);
        curl_free(y);
    }
    return same;
}

const char *http_host(arena *a, const char *url)
{
    char *scheme = part_of(url, CURLUPART_SCHEME, 0), *host = part_of(url, CURLUPART_HOST, 0), *port = part_of(url, CURLUPART_PORT, 0);
    char *out = scheme && host ? arena_print(a, "%s://%s%s%s", scheme, host, port ? ":" : "", port ? port : "")
                               : arena_chars(a, STR("an address that is none"));
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    return out;
}

char *http_join(arena *a, const char *from, str to, err *e)
{
    CURLU *u = curl_url();
    char *url = NULL, *out = NULL, *scheme = NULL;
    const char *where = arena_chars(a, to);
    bool ok = u && to.size && curl_url_set(u, CURLUPART_URL, from, 0) == CURLUE_OK && curl_url_set(u, CURLUPART_URL, where, 0) == CURLUE_OK
           && curl_url_get(u, CURLUPART_URL, &url, 0) == CURLUE_OK && curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK
           && (!strcmp(scheme, "http") || !strcmp(scheme, "https"));
    if (ok && !strcmp(scheme, "http") && !strncasecmp(from, "https:", 6))
        ok = false;                                     // never from a protected connection to an open one
    if (ok)
        out = arena_chars(a, str_of(url));
    else
        fail(e, ERR_IO, "%s: redirects to an address that is not followed", http_host(a, from));
    curl_free(url);
    curl_free(scheme);
    curl_url_cleanup(u);
    return out;
}

// ---- one request --------------------------------------------------------------------------------------------------------

typedef struct header_sink { arena *a; http_headers *to; } header_sink;

static size_t take_header(char *bytes, size_t size, size_t n, void *self)
{
    static const struct { const char *name; size_t at; } known[] = {
        { "location:", offsetof(http_headers, location) },               { "link:", offsetof(http_headers, link) },
        { "retry-after:", offsetof(http_headers, retry_after) },         { "etag:", offsetof(http_headers, etag) },
        { "x-linked-etag:", offsetof(http_headers, linked_etag) },       { "x-linked-size:", offsetof(http_headers, linked_size) },
        { "x-repo-commit:", offsetof(http_headers, commit) },            { "x-error-code:", offsetof(http_headers, error_code) },
        { "x-error-message:", offsetof(http_headers, error_message) },   { "content-range:", offsetof(http_headers, content_range) },
        { "content-length:", offsetof(http_headers, content_length) },
    };
    header_sink *s = self;
    str line = { bytes, size * n };
    if (str_begins(line, STR("HTTP/")))                 // another answer begins: 100 Continue, a proxy's
        *s->to = (http_headers){0};
    for (size_t i = 0; i < COUNT(known); i++) {
        size_t length = strlen(known[i].name);
        if (line.size < length || strncasecmp(line.at, known[i].name, length))
            continue;
        str value = str_from(line, length);
        while (value.size && (unsigned char)value.at[0] <= ' ')
            value = str_from(value, 1);
        while (value.size && (unsigned char)value.at[value.size - 1] <= ' ')
            value.size--;
        *(str *)(void *)((char *)s->to + known[i].at) = arena_str(s->a, value);
    }
    return size * n;
}

double http_patience(void)
{
    const char *set = getenv("HF_HUB_DOWNLOAD_TIMEOUT");
    char *end;
    long n = set ? strtol(set, &end, 10) : 0;
    return (double)(set && *set && !*end && n > 0 && n < 86400 ? n : USUAL_PATIENCE);
}

static void set_authorities(CURL *c)
{
    static const char *const names[] = { "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE" };
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *path = getenv(names[i]);
        if (path && *path && access(path, R_OK) == 0) {
            curl_easy_setopt(c, CURLOPT_CAINFO, path);
            return;
        }
    }
}

void *http_handle(http *h, arena *a, const char *url, http_headers *headers, void **list)
{
    CURL *c = curl_easy_init();
    header_sink *sink = ARENA_NEW(a, header_sink);
    *sink = (header_sink){ a, headers };
    *list = NULL;
    if (!c)
        return NULL;
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);    // we follow: the token must not
    curl_easy_setopt(c, CURLOPT_USERAGENT, "skiff");
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, sink);
    set_authorities(c);
    if (h->token && http_same_host(url, h->home))
        *list = curl_slist_append(NULL, h->token);
    if (*list)
        curl_easy_setopt(c, CURLOPT_HTTPHEADER, *list);
    return c;
}

bool http_passes(int code, long status)
{
    switch (code) {
    case CURLE_OK:
        return status == 408 || status == 429 || (status >= 500 && status != 501 && status != 505);
    case CURLE_COULDNT_RESOLVE_HOST: case CURLE_COULDNT_RESOLVE_PROXY: case CURLE_COULDNT_CONNECT: case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE: case CURLE_GOT_NOTHING: case CURLE_SEND_ERROR: case CURLE_RECV_ERROR: case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: case CURLE_SSL_CONNECT_ERROR: case CURLE_WEIRD_SERVER_REPLY:
        return true;
    default:
        return false;
    }
}

// Retry-After holds seconds or a date. Else half a second, doubled each time, and a quarter of chance, so that many clients do not
// come back at the same moment.
double http_wait(int tries, str after)
{
    char words[64];
    snprintf(words, sizeof words, "%.*s", (int)MIN(after.size, sizeof words - 1), after.size ? after.at : "");
    char *end;
    double said = strtod(words, &end);
    if (after.size && (*end || !(said >= 0))) {
        time_t date = curl_getdate(words, NULL);
        said = date < 0 ? 0 : difftime(date, time(NULL));
    }
    double chance = 0.75 + 0.5 * (double)((uint64_t)(clock_now() * 1e6) * 2654435761u % 1024) / 1024;
    double ours = MIN(0.5 * (double)(1 << MIN(tries, 6)), 30.0) * chance;
    return MIN(after.size ? MAX(said, 0.0) + 0.1 * chance : ours, LONGEST_WAIT);
}

bool http_failed(err *e, arena *a, const char *url, int code, const char *detail)
{
    const char *why = detail && *detail ? detail : curl_easy_strerror((CURLcode)code);
    return fail(e, ERR_IO, "cannot reach %s: %s; look at the connection and at the proxy settings (https_proxy), and run it again",
                http_host(a, url), why);
}

bool http_refused(err *e, arena *a, const char *url, const char *name, long status, const http_headers *h)
{
    str said = h->error_message.size > 200 ? (str){ h->error_message.at, 200 } : h->error_message;
    return fail(e, status == 429 || status >= 500 ? ERR_IO : ERR_INPUT, "%s: %s answers %ld%s%.*s%s", name, http_host(a, url), status,
                said.size ? ": " : "", STR_ARG(said), status == 429 ? "; too many requests: wait a while, then run it again"
                                                   : status >= 500 ? "; it is out of order: run it again later" : "");
}

// ---- small answers ------------------------------------------------------------------------------------------------------

static size_t take_body(char *bytes, size_t size, size_t n, void *self)
{
    text *t = self;
    if (t->size + size * n > MOST_BODY)
        return 0;
    text_bytes(t, bytes, size * n);
    return size * n;
}

static bool wait_a_while(double seconds, err *e)
{
    for (double until = clock_now() + seconds; clock_now() < until;) {
        if (http_stopped())
            return fail(e, ERR_INTERRUPTED, "interrupted");
        struct timespec t = { .tv_nsec = 50000000 };
        nanosleep(&t, NULL);
    }
    return true;
}

// Runs one handle to its end, looking at the signal's flag.
static bool perform(http *h, CURL *c, CURLcode *code, err *e)
{
    int running = 1, left;
    curl_multi_add_handle(h->multi, c);
    *code = CURLE_FAILED_INIT;
    while (running && !http_stopped() && curl_multi_perform(h->multi, &running) == CURLM_OK)
        if (running)
            curl_multi_poll(h->multi, NULL, 0, 100, NULL);
    for (CURLMsg *m; (m = curl_multi_info_read(h->multi, &left));)
        if (m->msg == CURLMSG_DONE && m->easy_handle == c)
            *code = m->data.result;
    curl_multi_remove_handle(h->multi, c);
    return !http_stopped() || fail(e, ERR_INTERRUPTED, "interrupted");
}

static bool ask_once(http *h, arena *a, const char *url, const http_request *r, text *body, http_answer *out, CURLcode *code,
                     char *why, err *e)
{
    void *list;
    out->headers = (http_headers){0};
    text_clear(body);
    CURL *c = http_handle(h, a, url, &out->headers, &list);
    if (!c)
        return fail(e, ERR_MEMORY, "no memory for a request");
    struct curl_slist *all = list;
    if (r->open) {
        curl_slist_free_all(all);
        all = NULL;
        curl_easy_setopt(c, CURLOPT_HTTPHEADER, NULL);
    }
    if (r->etag)
        all = curl_slist_append(all, arena_print(a, "If-None-Match: %s", r->etag));
    if (all)
        curl_easy_setopt(c, CURLOPT_HTTPHEADER, all);
    curl_easy_setopt(c, CURLOPT_NOBODY, r->head ? 1L : 0L);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)(1000 * (r->seconds > 0 ? r->seconds : ANSWER_SECONDS)));
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, body);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
    bool ok = perform(h, c, code, e);
    out->status = 0;
    if (*code == CURLE_OK)
        curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &out->status);
    curl_easy_cleanup(c);
    curl_slist_free_all(all);
    return ok;
}

bool http_redirects(long status) { return status == 301 || status == 302 || status == 303 || status == 307 || status == 308; }

// Along redirects to an answer.
static bool ask(http *h, arena *a, const http_request *r, text *body, http_answer *out, CURLcode *code, char *why, err *e)
{
    out->url = r->url;
    for (int i = 0; i <= MOST_REDIRECTS; i++) {
        TRY(ask_once(h, a, out->url, r, body, out, code, why, e));
        if (*code != CURLE_OK || !http_redirects(out->status))
            return true;
        char *next = http_join(a, out->url, out->headers.location, e);
        TRY(next);
        if (r->head && !http_same_host(out->url, next))
            return true;
        out->url = next;
    }
    return fail(e, ERR_IO, "%s: more than %d redirects", http_host(a, r->url), MOST_REDIRECTS);
}

bool http_get(http *h, arena *a, const http_request *r, http_answer *out, err *e)
{
    text body = {0};
    CURLcode code = CURLE_OK;
    char why[CURL_ERROR_SIZE] = "";
    bool ok = true;
    int most = r->tries ? r->tries : USUAL_TRIES;
    for (int tries = 0; ok; tries++) {
        ok = ask(h, a, r, &body, out, &code, why, e);
        // Without any connection two more tries are enough: what is in the cache may do.
        int enough = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ? MIN(3, most) : most;
        if (!ok || !http_passes(code, out->status) || tries + 1 >= enough)
            break;
        double wait = http_wait(tries, out->headers.retry_after);
        if (wait > 2)
            log_info("%s: %s; trying again in %.0f s", http_host(a, r->url),
                     code ? curl_easy_strerror(code) : out->status == 429 ? "too many requests" : "out of order", wait);
        ok = wait_a_while(wait, e);
    }
    if (ok && code != CURLE_OK)
        ok = http_failed(e, a, r->url, code, why);
    if (ok && (ok = text_ok(&body, e)))
        out->body = arena_str(a, text_view(&body));
    text_close(&body);
    return ok;
}
