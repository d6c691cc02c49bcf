// Requests over HTTP: redirects, retries and the token are decided here and nowhere else.
#pragma once
#include "base/arena.h"
#include "base/text.h"

typedef struct http http;

// `token` (may be NULL) goes with requests whose scheme, host and port are those of `home`, and with no others: not after a
// redirect to another host either. It is never part of a message.
http *http_open(const char *home, const char *token, err *e);
void http_close(http *h);

// Headers of an answer that are looked at; empty where they did not come.
typedef struct http_headers {
    str location, link, retry_after, etag, linked_etag, linked_size, commit, error_code, error_message, content_range, content_length;
} http_headers;

typedef struct http_answer {
    long status;
    http_headers headers;
    str body;
    const char *url;                // after redirects
} http_answer;

// GET (or HEAD) of a small answer. Redirects are followed; a HEAD stops at one that leads to another host. What passes by itself
// (408, 429, 5xx, broken connections) is tried again, waiting longer each time, or as long as Retry-After says. False only when no
// answer came: any status is an answer. `seconds`: how long to wait for it; 0: the usual time.
// `open`: without the token.
typedef struct http_request { const char *url; bool head, open; double seconds; int tries; const char *etag; } http_request;
bool http_get(http *h, arena *a, const http_request *r, http_answer *out, err *e) MUST_CHECK;

// A file to be downloaded.
typedef struct http_file {
    const char *url, *name;         // `name` for messages
    const char *path;               // where it belongs: written beside as <path>.skiff.incomplete, checked, renamed
    const char *lock;               // locked meanwhile, so that two processes do not load the same twice; or NULL
    int64_t size;                   // -1: not known
    const char *sha256, *git_sha1;  // what it must be; NULL: not known
} http_file;

// All of them, in parallel ranges, with a progress line `what`. What an interrupted call left is gone on from. Files that are there
// already are left alone.
bool http_download(http *h, const http_file *files, int64_t count, const char *what, err *e) MUST_CHECK;

// ---- inside -------------------------------------------------------------------------------------------------------------

// A curl handle for one request, with the token where it belongs. `answer` takes headers (in `a`) and the status line.
void *http_handle(http *h, arena *a, const char *url, http_headers *headers, void **list);
void *http_multi(http *h);
char *http_join(arena *a, const char *from, str to, err *e);           // the address of a redirect
bool http_same_host(const char *a, const char *b);                      // scheme, host and port
bool http_redirects(long status);                                      // an answer that names another address
bool http_passes(int curl_code, long status);                          // worth trying again
double http_wait(int tries, str retry_after);                          // seconds
double http_patience(void);                                             // seconds of silence that are waited for
bool http_stopped(void);
void http_clear_stop(void);
const char *http_host(arena *a, const char *url);                       // "https://host[:port]": paths and queries may hold secrets
bool http_failed(err *e, arena *a, const char *url, int curl_code, const char *detail);         // "cannot reach …"
bool http_refused(err *e, arena *a, const char *url, const char *name, long status, const http_headers *headers);
