// metrics.jsonl: an object a row, flushed each time, so that other programs can follow it. On a resume the rows of steps that
// the run will do again are cut off, and so is a last line that was never finished.
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "track/track.h"

typedef struct jsonl { int fd; char *path; text line; } jsonl;

// How much of the file stands: whole lines of steps up to `resumed`.
static size_t keep(str bytes, int64_t resumed)
{
    size_t at = 0;
    while (at < bytes.size) {
        size_t end = str_find(bytes, STR("\n"), at);
        if (end == bytes.size)
            break;
        arena a = { 0 };
        const node *row;
        err e = { 0 };
        bool ok = json_parse(&a, str_slice(bytes, at, end), (place){ .file = "metrics.jsonl" }, &row, &e);
        const node *step = ok ? node_get(row, "global_step") : NULL;
        ok = node_is(step, NODE_INT) && step->integer <= resumed;
        arena_close(&a);
        if (!ok)
            break;
        at = end + 1;
    }
    return at;
}

static bool cut(const char *path, int64_t resumed, err *e)
{
    if (!file_exists(path))
        return true;
    mapped m;
    TRY(file_map(path, &m, e));
    // A run begun anew (nothing done) keeps no row, not even that of step 0: it is measured again.
    size_t kept = resumed ? keep(m.bytes, resumed) : 0;
    file_unmap(&m);
    return truncate(path, (off_t)kept) == 0 || fail_io(e, "write", path);
}

static void close_jsonl(tracker *t)
{
    jsonl *j = t->own;
    if (j->fd >= 0)
        close(j->fd);
    text_close(&j->line);
    free(j->path);
    free(j);
}

static bool open_jsonl(tracker *t, const track_options *o, err *e)
{
    jsonl *j = t->own = calloc(1, sizeof *j);
    if (!j)
        return fail(e, ERR_MEMORY, "no memory for a tracker");
    j->fd = -1;
    size_t room = strlen(o->folder) + sizeof "/metrics.jsonl";
    j->path = malloc(room);
    if (j->path) {
        snprintf(j->path, room, "%s/metrics.jsonl", o->folder);
        if (cut(j->path, o->resumed, e)) {
            j->fd = open(j->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
            if (j->fd >= 0)
                return true;
            (void)!fail_io(e, "write", j->path);
        }
    } else {
        fail(e, ERR_MEMORY, "no memory for a tracker");
    }
    close_jsonl(t);
    return false;
}

// Counts as whole numbers, not as 1e+06.
static void put_number(text *out, double d)
{
    if (fabs(d) < 1e15 && d == trunc(d))
        text_add(out, "%lld", (long long)d);
    else
        json_write_number(out, d);
}

static bool log_jsonl(tracker *t, int64_t step, const track_value *values, size_t count, err *e)
{
    jsonl *j = t->own;
    text_clear(&j->line);
    text_add(&j->line, "{\"global_step\":%lld", (long long)step);
    for (size_t i = 0; i < count; i++) {
        text_char(&j->line, ',');
        json_write_string(&j->line, str_of(values[i].name));
        text_char(&j->line, ':');
        put_number(&j->line, values[i].value);
    }
    text_str(&j->line, STR("}\n"));
    TRY(text_ok(&j->line, e));
    for (size_t at = 0; at < j->line.size;) {       // one write: a reader sees whole lines
        ssize_t n = write(j->fd, j->line.chars + at, j->line.size - at);
        if (n < 0 && errno != EINTR)
            return fail_io(e, "write", j->path);
        at += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool sync_jsonl(tracker *t, err *e)
{
    jsonl *j = t->own;
    return fsync(j->fd) == 0 || errno == EINVAL || fail_io(e, "write", j->path);
}

const track_kind track_jsonl = {
    .name = "jsonl", .help = "metrics.jsonl in the run's folder, a JSON object for each step",
    .open = open_jsonl, .log = log_jsonl, .sync = sync_jsonl, .close = close_jsonl,
};
