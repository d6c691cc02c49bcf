// What a transformation has finished: <output>/.transform, JSON lines. The first says what decides the bytes; each further one is
// a shard whose file was renamed into place before the line was written. A line that was cut off does not count.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/util.h"
#include "data/transform_parts.h"

#define STATE_NAME ".transform"

char *shard_path(arena *a, const char *folder, const char *name, int64_t index)
{
    return arena_print(a, "%s/%s/shard_%05lld.jsonl.gz", folder, name, (long long)index);
}

void totals_add(transform_totals *to, const transform_totals *more)
{
    to->rows += more->rows;
    to->kept += more->kept;
    for (int i = 0; i < DROP_REASONS; i++) {
        if (!to->drops[i].rows && more->drops[i].rows)
            memcpy(to->drops[i].first, more->drops[i].first, sizeof to->drops[i].first);
        to->drops[i].rows += more->drops[i].rows;
    }
}

// ---- lines ----

static void write_shard(text *out, arena *a, const done_shard *d)
{
    node *o = node_object(a), *drops = node_object(a);
    node_put(a, o, "part", node_text(str_of(d->part)));
    const struct { const char *name; int64_t value; } numbers[] = {
        { "shard", d->index }, { "size", d->size }, { "file", d->file }, { "row", d->row }, { "rows", d->totals.rows },
        { "kept", d->totals.kept },
    };
    for (size_t i = 0; i < COUNT(numbers); i++)
        node_put(a, o, numbers[i].name, node_int(numbers[i].value));
    for (int i = 0; i < DROP_REASONS; i++)
        if (d->totals.drops[i].rows) {
            node *one = node_object(a);
            node_put(a, one, "rows", node_int(d->totals.drops[i].rows));
            node_put(a, one, "first", node_text(str_of(d->totals.drops[i].first)));
            node_put(a, drops, drop_reasons[i], *one);
        }
    node_put(a, o, "left_out", *drops);
    json_write(out, o, JSON_SPACED);
    text_char(out, '\n');
}

static bool read_shard(arena *a, const node *n, done_shard *out, err *e)
{
    str name, first;
    const node *drops;
    *out = (done_shard){0};
    TRY(node_want_text(n, STATE_NAME, "part", &name, e) && node_want_int(n, STATE_NAME, "shard", &out->index, e));
    TRY(node_want_int(n, STATE_NAME, "size", &out->size, e) && node_want_int(n, STATE_NAME, "file", &out->file, e));
    TRY(node_want_int(n, STATE_NAME, "row", &out->row, e) && node_want_int(n, STATE_NAME, "rows", &out->totals.rows, e));
    TRY(node_want_int(n, STATE_NAME, "kept", &out->totals.kept, e) && node_want(n, STATE_NAME, "left_out", NODE_OBJECT, &drops, e));
    out->part = arena_chars(a, name);
    for (int i = 0; i < DROP_REASONS; i++) {
        const node *one = node_get(drops, drop_reasons[i]);
        if (!one)
            continue;
        TRY(node_want_int(one, STATE_NAME, "rows", &out->totals.drops[i].rows, e) && node_want_text(one, STATE_NAME, "first", &first, e));
        snprintf(out->totals.drops[i].first, sizeof out->totals.drops[i].first, "%.*s", (int)MIN(first.size, 250u), first.at);
    }
    return out->index >= 0 && out->size >= 0 && out->file >= 0 && out->row >= 0;
}

// ---- going on, or beginning anew ----

static bool is_whole(const transform_state *s, const done_shard *d)
{
    struct stat info;
    if (!d->size)
        return true;                        // none of its rows was kept: it has no file
    return stat(shard_path(s->arena, s->folder, d->part, d->index), &info) == 0 && info.st_size == d->size;
}

// True when the file is of this key. The shards are those before the first that is not there any more.
static bool read_state(transform_state *s, const char *path)
{
    err ignored = {0};
    const node *n;
    str all, key, added;
    bool first = true;
    if (!file_exists(path) || !file_read(s->arena, path, &all, &ignored))
        return false;
    for (size_t end; (end = str_find(all, STR("\n"), 0)) < all.size; all = str_from(all, end + 1)) {
        done_shard d;
        if (!json_parse(s->arena, str_slice(all, 0, end), (place){ .file = STATE_NAME }, &n, &ignored))
            return !first;
        if (first) {
            if (!node_want_text(n, STATE_NAME, "key", &key, &ignored) || !node_want_text(n, STATE_NAME, "added", &added, &ignored)
                || !str_is(key, s->key))
                return false;
            s->added = arena_chars(s->arena, added);
        } else if (!read_shard(s->arena, n, &d, &ignored) || !is_whole(s, &d)) {
            return true;
        } else {
            ARENA_PUSH(s->arena, s->shards, s->count, d);
        }
        first = false;
    }
    return !first;
}

// Files half-written, and (`whole`) shards, wherever they lie below; nothing else.
static bool remove_shards(arena *a, const char *folder, bool whole, err *e)
{
    char **names;
    int64_t count;
    TRY(folder_list(a, folder, &names, &count, e));
    for (int64_t i = 0; i < count; i++) {
        char *path = path_join(a, folder, names[i]);
        struct stat info;
        if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode))
            TRY(remove_shards(a, path, whole, e));
        else if (!strncmp(names[i], "shard_", 6) && strstr(names[i], whole ? ".jsonl.gz" : ".jsonl.gz.tmp-") && unlink(path) != 0)
            return fail_io(e, "remove", path);
    }
    return true;
}

static bool write_state(const transform_state *s, const char *path, err *e)
{
    text all = {0};
    arena a = {0};
    text_add(&all, "{\"transform\": 1, \"key\": \"%s\", \"added\": \"%s\"}\n", s->key, s->added);
    for (int64_t i = 0; i < s->count; i++)
        write_shard(&all, &a, &s->shards[i]);
    bool ok = text_ok(&all, e) && file_write(path, text_view(&all), e);
    text_close(&all);
    arena_close(&a);
    return ok;
}

bool state_open(transform_state *s, err *e)
{
    const char *path = path_join(s->arena, s->folder, STATE_NAME);
    char now[32];
    bool same = read_state(s, path);
    TRY(remove_shards(s->arena, s->folder, !same, e));
    if (!same) {
        s->count = 0;
        clock_iso(now);
        s->added = arena_chars(s->arena, str_of(now));
    }
    return write_state(s, path, e);
}

// On a full disk the first part of a line may still go: the system says why with what is left of it.
static bool write_all(int file, str line)
{
    while (line.size) {
        ssize_t n = write(file, line.at, line.size);
        if (n < 0 && errno != EINTR)
            return false;
        line = str_from(line, n > 0 ? (size_t)n : 0);
    }
    return true;
}

bool state_add(transform_state *s, const done_shard *d, err *e)
{
    const char *path = path_join(s->arena, s->folder, STATE_NAME);
    text line = {0};
    arena a = {0};
    write_shard(&line, &a, d);
    int file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    bool ok = text_ok(&line, e);
    if (ok && (file < 0 || !write_all(file, text_view(&line)) || fdatasync(file) != 0))
        ok = fail_io(e, "write", path);
    if (file >= 0)
        close(file);
    text_close(&line);
    arena_close(&a);
    ARENA_PUSH(s->arena, s->shards, s->count, *d);
    return ok;
}
