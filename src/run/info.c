// Info files: what a step is and what its inputs were, for reuse and for people.
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/util.h"
#include "run/record.h"

static bool look(input *in, err *e)
{
    struct stat s;
    if (stat(in->path, &s) != 0)
        return fail_io(e, "read", in->path);
    in->size = s.st_size;
    in->mtime = (int64_t)s.st_mtim.tv_sec * 1000000000 + s.st_mtim.tv_nsec;
    in->inode = (int64_t)s.st_ino;
    return true;
}

static bool digest_of(digests *d, input *in, err *e)
{
    TRY(look(in, e));
    for (int64_t i = d->count; i-- > 0;) {
        const input *k = &d->known[i];
        if (k->size == in->size && k->mtime == in->mtime && k->inode == in->inode && !strcmp(k->path, in->path)) {
            in->digest = k->digest;
            return true;
        }
    }
    char hex[SHA256_HEX + 1];
    TRY(sha256_file(in->path, hex, e));
    in->digest = arena_chars(d->arena, str_of(hex));
    ARENA_PUSH(d->arena, d->known, d->count, *in);
    return true;
}

bool digests_of(digests *d, const paths *files, inputs *out, err *e)
{
    *out = (inputs){ .items = ARENA_ARRAY(d->arena, input, files->count + 1), .count = files->count };
    for (int64_t i = 0; i < files->count; i++) {
        out->items[i].path = files->items[i];
        TRY(digest_of(d, &out->items[i], e));
    }
    return true;
}

static bool read_input(digests *d, const node *n, input *in)
{
    err e;
    str path, hex;
    if (!node_want_text(n, "", "path", &path, &e) || !node_want_text(n, "", "sha256", &hex, &e) ||
        !node_want_int(n, "", "size", &in->size, &e) || !node_want_int(n, "", "mtime", &in->mtime, &e) ||
        !node_want_int(n, "", "inode", &in->inode, &e))
        return false;
    in->path = arena_chars(d->arena, path);
    in->digest = arena_chars(d->arena, hex);
    return true;
}

bool info_read(const char *output, digests *d, inputs *out)
{
    const node *info;
    str content;
    err e;
    *out = (inputs){0};
    if (!json_read_file(d->arena, path_join(d->arena, output, ".executor_info"), &info, &e) ||
        !node_want_text(info, "", "content", &content, &e))
        return false;
    out->content = arena_chars(d->arena, content);
    const node *list = node_get(info, "inputs");
    for (int64_t i = 0; node_is(list, NODE_LIST) && i < list->list.count; i++) {
        input in = {0};
        if (!read_input(d, &list->list.items[i], &in))
            return false;
        ARENA_PUSH(d->arena, out->items, out->count, in);
        ARENA_PUSH(d->arena, d->known, d->count, in);
    }
    return true;
}

static node text_or_null(const char *s) { return s ? node_text(str_of(s)) : (node){ .kind = NODE_NULL }; }

node info_node(arena *a, const exec_step *steps, int index, const inputs *in)
{
    const exec_step *s = &steps[index];
    node *n = node_object(a), *deps = node_list(a), *list = node_list(a);
    for (int i = 0; i < s->dep_count; i++)
        node_add(a, deps, node_text(str_of(steps[s->deps[i]].output)));
    node_put(a, n, "name", node_text(str_of(s->name)));
    node_put(a, n, "kind", node_text(str_of(s->kind->name)));
    node_put(a, n, "description", text_or_null(s->description));
    node_put(a, n, "config", *s->resolved);
    if (s->settings)
        node_put(a, n, "settings", *s->settings);
    node_put(a, n, "override_output_path", text_or_null(s->pinned));
    node_put(a, n, "version", node_text(str_of(s->version)));
    node_put(a, n, "hash", node_text(str_of(s->hash)));
    node_put(a, n, "dependencies", *deps);
    node_put(a, n, "output_path", node_text(str_of(s->output)));
    for (int64_t i = 0; in && i < in->count; i++) {
        node *file = node_object(a);
        node_put(a, file, "path", node_text(str_of(in->items[i].path)));
        node_put(a, file, "size", node_int(in->items[i].size));
        node_put(a, file, "mtime", node_int(in->items[i].mtime));
        node_put(a, file, "inode", node_int(in->items[i].inode));
        node_put(a, file, "sha256", node_text(str_of(in->items[i].digest)));
        node_add(a, list, *file);
    }
    if (in) {
        node_put(a, n, "inputs", *list);
        node_put(a, n, "content", text_or_null(in->content));
    }
    return *n;
}

static bool write_json(const char *path, const node *n, err *e)
{
    text t = {0};
    json_write(&t, n, JSON_PRETTY);
    text_char(&t, '\n');
    bool ok = text_ok(&t, e) && file_write(path, text_view(&t), e);
    text_close(&t);
    return ok;
}

bool info_write(const exec_step *steps, int index, const inputs *in, err *e)
{
    arena a = {0};
    node n = info_node(&a, steps, index, in);
    bool ok = folder_make(steps[index].output, e) && write_json(path_join(&a, steps[index].output, ".executor_info"), &n, e);
    arena_close(&a);
    return ok;
}

bool info_add_hub(const char *output, const char *option, const char *repo, const char *revision, const char *commit, err *e)
{
    arena a = {0};
    const node *top;
    char *path = path_join(&a, output, ".executor_info");
    bool there = file_exists(path), ok = !there || json_read_file(&a, path, &top, e);
    if (there && ok && node_is(top, NODE_OBJECT)) {
        node *n = (node *)top, *list = (node *)node_get(n, "hub"), *one = node_object(&a);
        if (!list)
            list = node_put(&a, n, "hub", *node_list(&a));
        node_put(&a, one, "option", node_text(str_of(option)));
        node_put(&a, one, "repo", node_text(str_of(repo)));
        node_put(&a, one, "revision", node_text(str_of(revision)));
        node_put(&a, one, "commit", node_text(str_of(commit)));
        node_add(&a, list, *one);
        ok = write_json(path, n, e);
    }
    arena_close(&a);
    return ok;
}

static const char *script_name(arena *a, const char *script)
{
    str s = str_of(path_name(script && *script ? script : "experiment"));
    for (size_t i = s.size; i-- > 1;)
        if (s.at[i] == '.') {
            s.size = i;
            break;
        }
    return arena_chars(a, s);
}

bool experiment_info_write(arena *a, const exec_step *steps, int count, const executor_options *o, const char **path, err *e)
{
    node *list = node_list(a), *n = node_object(a);
    text all = {0};
    char hex[SHA256_HEX + 1], date[32], folder[4096];
    for (int i = 0; i < count; i++) {
        node_add(a, list, info_node(a, steps, i, NULL));
        text_add(&all, "%s %s\n", steps[i].version, steps[i].output);
    }
    sha256_hex(text_view(&all), hex);
    bool ok = text_ok(&all, e);
    text_close(&all);
    TRY(ok);
    clock_iso(date);
    const struct passwd *user = getpwuid(getuid());
    const char *prefix = executor_prefix(o);
    node_put(a, n, "caller_path", text_or_null(o->script));
    node_put(a, n, "folder", text_or_null(getcwd(folder, sizeof folder)));
    node_put(a, n, "created_date", node_text(str_of(date)));
    node_put(a, n, "user", text_or_null(user ? user->pw_name : NULL));
    node_put(a, n, "prefix", node_text(str_of(prefix)));
    node_put(a, n, "description", text_or_null(o->description));
    node_put(a, n, "steps", *list);
    const char *base = o->info_base ? o->info_base : path_join(a, prefix, "experiments");
    *path = NULL;
    if (strstr(base, "://"))                            // a dry run only: nothing else is let through (main.c)
        return true;
    *path = path_join(a, base, arena_print(a, "%s-%.6s.json", script_name(a, o->script), hex));
    return folder_make(base, e) && write_json(*path, n, e);
}
