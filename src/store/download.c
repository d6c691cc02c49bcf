// Downloads: several files and several ranges of a file at once, over one curl multi handle. A slot is a connection with a part.
#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/util.h"
#include "store/part.h"

enum { SLOTS = 8, MOST_TRIES = 6, MOST_REDIRECTS = 10, MB = 1 << 20 };

typedef enum file_state { FILE_WAITING, FILE_LOADING, FILE_CHECKING, FILE_DONE } file_state;

typedef struct loaded_file {
    partial part;
    file_state state;
    int slots;                      // at work on it
    bool whole;                     // the server gives no ranges: one request for everything
    int wrong;                      // times its digest was wrong
    const char *direct;             // where redirects led to: asked first for the next part
    pthread_t thread;               // checks the digest
    atomic_int checked;             // 1: the thread has ended
    bool same, check_ok;
    err check_error;
    double next_look;               // while another process has the lock
} loaded_file;

typedef struct slot {
    struct download *of;
    loaded_file *file;              // NULL: idle
    int64_t index, begin, want, got;        // the part; its first byte, its size (-1: not known), bytes that came
    CURL *curl;                     // NULL: waits until `ready`
    struct curl_slist *list;
    arena arena;
    http_headers headers;
    const char *url;
    int tries, redirects;
    bool direct, begun, no_range, failed;   // direct: asked where an earlier redirect led; failed: `error` says why
    err error;
    double ready, moved;            // when bytes came last
    char why[CURL_ERROR_SIZE];
} slot;

typedef struct download {
    http *http;
    arena arena;
    loaded_file *files;
    int64_t count, done_files, total, before;
    slot slots[SLOTS];
    double started, patience;
} download;

// ---- one request --------------------------------------------------------------------------------------------------------

// The first bytes of an answer decide whether they are what was asked for.
static bool accept_answer(slot *s)
{
    long status = 0;
    curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200 && status != 206)
        return false;                                   // an error's text: it is not kept
    bool asked_range = !s->file->whole && s->file->part.file->size >= 0 && (s->begin + s->got > 0 || s->want < s->file->part.file->size);
    int64_t from = 0;
    if (status == 206 && s->headers.content_range.size)
        from = strtoll(s->headers.content_range.at + strcspn(s->headers.content_range.at, "0123456789"), NULL, 10);
    s->no_range = asked_range && (status == 200 || from != s->begin + s->got);
    return !s->no_range;
}

static size_t take_bytes(char *bytes, size_t size, size_t n, void *self)
{
    slot *s = self;
    size_t all = size * n;
    if (!s->begun && !accept_answer(s))
        return s->no_range ? 0 : all;
    s->begun = true;
    s->moved = clock_now();
    if (s->want >= 0 && s->got + (int64_t)all > s->want) {
        s->failed = true;
        fail(&s->error, ERR_IO, "%s: more bytes came than the hub's list says (%lld)", s->file->part.file->name,
             (long long)s->file->part.file->size);
        return 0;
    }
    if (!partial_write(&s->file->part, s->begin + s->got, bytes, all, &s->error)) {
        s->failed = true;
        return 0;
    }
    s->got += (int64_t)all;
    if (!s->file->whole && s->file->part.file->size >= 0)
        s->tries = 0;                                   // it goes on: patience begins anew
    return all;
}

static bool start_request(slot *s, err *e)
{
    const http_file *f = s->file->part.file;
    char range[64];
    void *list;
    arena_close(&s->arena);
    s->headers = (http_headers){0};
    s->begun = s->no_range = false;
    s->moved = clock_now();
    s->why[0] = 0;
    if (s->file->whole || f->size < 0)
        s->got = 0;                                     // it comes from its beginning
    if (f->size < 0)
        TRY(partial_forget(&s->file->part, e));
    s->curl = http_handle(s->of->http, &s->arena, s->url, &s->headers, &list);
    if (!s->curl)
        return fail(e, ERR_MEMORY, "no memory for a request");
    s->list = list;
    if (!s->file->whole && f->size >= 0 && (s->begin + s->got > 0 || s->want < f->size)) {
        snprintf(range, sizeof range, "%lld-%lld", (long long)(s->begin + s->got), (long long)(s->begin + s->want - 1));
        curl_easy_setopt(s->curl, CURLOPT_RANGE, range);
    }
    curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, s);
    curl_easy_setopt(s->curl, CURLOPT_ERRORBUFFER, s->why);
    curl_easy_setopt(s->curl, CURLOPT_PRIVATE, s);
    return curl_multi_add_handle(http_multi(s->of->http), s->curl) == CURLM_OK || fail(e, ERR_BUG, "curl takes no request");
}

static void end_request(slot *s)
{
    if (!s->curl)
        return;
    curl_multi_remove_handle(http_multi(s->of->http), s->curl);
    curl_easy_cleanup(s->curl);
    curl_slist_free_all(s->list);
    s->curl = NULL;
    s->list = NULL;
}

static void free_slot(slot *s)
{
    end_request(s);
    arena_close(&s->arena);
    if (s->file)
        s->file->slots--;
    s->file = NULL;
}

// ---- what to do next ----------------------------------------------------------------------------------------------------

// A file whose lock is free, opened. *waits: there are files that other processes load.
static bool open_next(download *d, loaded_file **out, bool *waits, err *e)
{
    *out = NULL;
    for (int64_t i = 0; i < d->count && !*out; i++) {
        loaded_file *f = &d->files[i];
        bool busy;
        if (f->state != FILE_WAITING)
            continue;
        if (f->next_look > clock_now()) {
            *waits = true;
            continue;
        }
        TRY(partial_lock(&f->part, &busy, e));
        if (busy) {
            if (!f->next_look)
                log_info("%s: another process is downloading it; waiting", f->part.file->name);
            f->next_look = clock_now() + 0.2;
            *waits = true;
            continue;
        }
        if (file_exists(f->part.file->path)) {          // the other process has loaded it
            partial_close(&f->part);
            f->state = FILE_DONE;
            d->done_files++;
            continue;
        }
        TRY(partial_open(&d->arena, &f->part, e));
        f->state = FILE_LOADING;
        *out = f;
    }
    return true;
}

static void give_part(slot *s, loaded_file *f, int64_t part)
{
    *s = (slot){ .of = s->of, .file = f, .index = part, .begin = f->whole ? 0 : part * PART_BYTES };
    s->want = f->whole ? f->part.file->size : partial_bytes(&f->part, part);
    s->direct = f->direct != NULL;
    s->url = s->direct ? f->direct : f->part.file->url;
    for (int64_t i = 0; f->whole && i < f->part.parts; i++)
        f->part.state[i] = PART_ASKED;
    f->part.state[part] = PART_ASKED;
    f->slots++;
}

static bool find_part(download *d, slot *s)
{
    for (int64_t i = 0; i < d->count; i++) {
        loaded_file *f = &d->files[i];
        for (int64_t k = 0; f->state == FILE_LOADING && k < f->part.parts; k++)
            if (f->part.state[k] == PART_MISSING) {
                give_part(s, f, k);
                return true;
            }
    }
    return false;
}

static void *check_digest(void *self)
{
    loaded_file *f = self;
    f->check_ok = partial_verify(&f->part, &f->same, &f->check_error);
    atomic_store(&f->checked, 1);
    return NULL;
}

static bool begin_check(loaded_file *f, err *e)
{
    f->state = FILE_CHECKING;
    atomic_store(&f->checked, 0);
    f->check_error = (err){0};
    return pthread_create(&f->thread, NULL, check_digest, f) == 0 || fail(e, ERR_MEMORY, "no memory for a thread");
}

// Files whose digest is known now: in place, or from the beginning once more.
static bool settle_checks(download *d, err *e)
{
    for (int64_t i = 0; i < d->count; i++) {
        loaded_file *f = &d->files[i];
        if (f->state != FILE_CHECKING || !atomic_load(&f->checked))
            continue;
        pthread_join(f->thread, NULL);
        f->state = FILE_LOADING;
        if (!f->check_ok) {
            *e = f->check_error;
            return false;
        }
        if (f->same) {
            TRY(partial_finish(&f->part, e));
            partial_close(&f->part);
            f->state = FILE_DONE;
            d->done_files++;
            continue;
        }
        TRY(partial_forget(&f->part, e));
        if (f->wrong++ || !f->part.parts)               // an empty file comes no other way the next time
            return fail(e, ERR_IO, "%s: what comes has another digest than the hub says, twice now; a proxy or mirror may change it",
                        f->part.file->name);
        log_warning("%s: its digest is wrong; downloading it again", f->part.file->name);
    }
    return true;
}

static bool fill_slots(download *d, err *e)
{
    for (int i = 0; i < SLOTS; i++) {
        slot *s = &d->slots[i];
        bool waits = false;
        loaded_file *opened = NULL;
        if (s->file && !s->curl && s->ready <= clock_now())
            TRY(start_request(s, e));
        while (!s->file && !find_part(d, s)) {
            TRY(open_next(d, &opened, &waits, e));
            if (!opened)
                break;
            if (opened->part.done == opened->part.parts)        // empty, or all was there already
                TRY(begin_check(opened, e));
        }
        if (s->file && !s->curl && !s->ready)
            TRY(start_request(s, e));
    }
    return true;
}

// ---- what came ----------------------------------------------------------------------------------------------------------

static bool part_is_done(slot *s, err *e)
{
    loaded_file *f = s->file;
    int64_t first = f->whole ? 0 : s->index, last = f->whole ? f->part.parts - 1 : s->index;
    for (int64_t i = first; i <= last; i++)
        TRY(partial_mark(&f->part, i, e));
    free_slot(s);
    return f->part.done < f->part.parts || begin_check(f, e);
}

static bool follow(slot *s, err *e)
{
    if (++s->redirects > MOST_REDIRECTS)
        return fail(e, ERR_IO, "%s: more than %d redirects", s->file->part.file->name, MOST_REDIRECTS);
    const char *next = http_join(&s->of->arena, s->url, s->headers.location, e);
    TRY(next);
    end_request(s);
    s->url = next;
    return start_request(s, e);
}

static bool try_again(slot *s, CURLcode code, long status, err *e)
{
    const http_file *f = s->file->part.file;
    if (s->tries >= MOST_TRIES && code != CURLE_OK) {
        http_failed(e, &s->arena, s->url, code, s->why);
        return err_while(e, "%s", f->name);
    }
    if (s->tries >= MOST_TRIES)
        return http_refused(e, &s->arena, s->url, f->name, status, &s->headers);
    double wait = http_wait(s->tries++, s->headers.retry_after);
    if (wait > 2)
        log_info("%s: %s; trying again in %.0f s", f->name, code ? curl_easy_strerror(code) : "the server asks to wait", wait);
    end_request(s);
    s->url = f->url;                                    // where redirects lead to may have changed
    s->direct = false;
    s->redirects = 0;
    s->ready = clock_now() + wait;
    return true;
}

// The server sent the file from its beginning: one request for everything, and nothing else at work on it.
static void take_whole(slot *s)
{
    download *d = s->of;
    loaded_file *f = s->file;
    f->whole = true;
    for (int i = 0; i < SLOTS; i++)
        if (d->slots[i].file == f)
            free_slot(&d->slots[i]);
    memset(f->part.state, PART_MISSING, (size_t)f->part.parts);
    f->part.done = 0;
}

static bool request_ended(slot *s, CURLcode code, err *e)
{
    long status = 0;
    curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
    if (s->failed) {
        *e = s->error;
        return false;
    }
    if (s->no_range) {
        take_whole(s);
        return true;
    }
    if (code == CURLE_OK && http_redirects(status))
        return follow(s, e);
    if (code == CURLE_OK && (status == 200 || status == 206)) {
        if (!s->direct && s->redirects)
            s->file->direct = s->url;
        if (s->want < 0 || s->got == s->want)
            return part_is_done(s, e);
        code = CURLE_PARTIAL_FILE;
    }
    // A signed address that has run out: once more from the hub's own.
    bool gone = status == 401 || status == 403 || status == 404 || status == 410;
    if (code == CURLE_OK && gone && (s->direct || s->redirects) && s->tries < 2 && !http_same_host(s->url, s->file->part.file->url)) {
        s->file->direct = NULL;
        return try_again(s, code, status, e);
    }
    if (http_passes(code, status))
        return try_again(s, code, status, e);
    if (code != CURLE_OK) {
        http_failed(e, &s->arena, s->url, code, s->why);
        return err_while(e, "%s", s->file->part.file->name);
    }
    return http_refused(e, &s->arena, s->url, s->file->part.file->name, status, &s->headers);
}

static bool take_messages(download *d, err *e)
{
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(http_multi(d->http), &left));) {
        char *self = NULL;
        CURLcode code = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &self);
        slot *s = (slot *)(void *)self;
        if (m->msg == CURLMSG_DONE && s && s->curl == m->easy_handle)
            TRY(request_ended(s, code, e));
    }
    return true;
}

// Connections on which nothing moves any more: their parts are asked for again.
static bool end_silence(download *d, err *e)
{
    for (int i = 0; i < SLOTS; i++) {
        slot *s = &d->slots[i];
        if (!s->file || !s->curl || clock_now() - s->moved < d->patience)
            continue;
        snprintf(s->why, sizeof s->why, "nothing came for %.0f s", d->patience);
        TRY(try_again(s, CURLE_OPERATION_TIMEDOUT, 0, e));
    }
    return true;
}

// ---- all of it ----------------------------------------------------------------------------------------------------------

static void show(const download *d)
{
    int64_t have = 0;
    for (int64_t i = 0; i < d->count; i++) {
        const loaded_file *f = &d->files[i];
        int64_t size = MAX(f->part.file->size, (int64_t)0);
        have += f->state == FILE_DONE || f->state == FILE_CHECKING ? size : 0;
        for (int64_t k = 0; f->state == FILE_LOADING && k < f->part.parts; k++)
            have += f->part.state[k] == PART_DONE ? MAX(partial_bytes(&f->part, k), (int64_t)0) : 0;
    }
    for (int i = 0; i < SLOTS; i++)
        have += d->slots[i].file ? d->slots[i].got : 0;
    double passed = MAX(clock_now() - d->started, 0.1);
    progress_set(have / MB, "MB, %lld of %lld files, %.1f MB/s", (long long)d->done_files, (long long)d->count,
                 (double)MAX(have - d->before, (int64_t)0) / MB / passed);
}

static bool enough_room(download *d, err *e)
{
    struct statvfs s;
    int64_t need = 0;
    for (int64_t i = 0; i < d->count; i++)
        need += d->files[i].state == FILE_WAITING ? MAX(d->files[i].part.file->size, (int64_t)0) : 0;
    char *folder = d->count ? path_folder(&d->arena, d->files[0].part.file->path) : NULL;
    while (folder && statvfs(folder, &s) != 0 && strcmp(folder, "/") && strcmp(folder, "."))
        folder = path_folder(&d->arena, folder);
    if (!folder || statvfs(folder, &s) != 0 || (double)s.f_bavail * (double)s.f_frsize >= (double)need)
        return true;
    return fail(e, ERR_IO, "the download takes %.1f MB and '%s' has %.1f MB left; make room, or set HF_HOME to a folder that has it",
                (double)need / MB, folder, (double)s.f_bavail * (double)s.f_frsize / MB);
}

static void close_download(download *d)
{
    for (int i = 0; i < SLOTS; i++)
        if (d->slots[i].file)
            free_slot(&d->slots[i]);
    for (int64_t i = 0; i < d->count; i++) {
        if (d->files[i].state == FILE_CHECKING)
            pthread_join(d->files[i].thread, NULL);
        partial_close(&d->files[i].part);
    }
    arena_close(&d->arena);
}

static bool run(download *d, err *e)
{
    int running;
    while (d->done_files < d->count) {
        if (http_stopped())
            return fail(e, ERR_INTERRUPTED, "interrupted; run it again to go on with the download");
        TRY(fill_slots(d, e));
        curl_multi_perform(http_multi(d->http), &running);
        TRY(take_messages(d, e) && end_silence(d, e) && settle_checks(d, e));
        if (d->done_files < d->count)
            curl_multi_poll(http_multi(d->http), NULL, 0, 50, NULL);
        show(d);
    }
    return true;
}

bool http_download(http *h, const http_file *files, int64_t count, const char *what, err *e)
{
    download d = { .http = h, .count = count, .started = clock_now(), .patience = http_patience() };
    d.files = ARENA_ARRAY(&d.arena, loaded_file, count + 1);
    for (int i = 0; i < SLOTS; i++)
        d.slots[i].of = &d;
    for (int64_t i = 0; i < count; i++) {
        d.files[i].part = (partial){ .file = &files[i], .fd = -1, .lock = -1 };
        d.files[i].state = file_exists(files[i].path) ? FILE_DONE : FILE_WAITING;
        d.done_files += d.files[i].state == FILE_DONE;
        d.total += MAX(files[i].size, (int64_t)0);
        d.before += d.files[i].state == FILE_DONE ? MAX(files[i].size, (int64_t)0) : 0;
    }
    bool ok = d.done_files == count;
    if (!ok) {
        if (d.total >= MB || files[0].size < 0)         // less is there before anyone looks
            progress_open(what, d.total / MB);
        ok = enough_room(&d, e) && run(&d, e);
        progress_close();
    }
    close_download(&d);
    return ok;
}
