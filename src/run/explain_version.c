// What differs between a step's version and that of the output made last.
#include <stdio.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/util.h"
#include "run/explain.h"

// ---- the output made last -----------------------------------------------------------------------------------------------

static bool read_version(arena *a, const char *output, const char **version)
{
    const node *info;
    str s;
    err ignored = {0};
    if (!json_read_file(a, path_join(a, output, ".executor_info"), &info, &ignored) || !node_want_text(info, "", "version", &s, &ignored))
        return false;
    *version = arena_chars(a, s);
    return true;
}

static int64_t changed_at(arena *a, const char *output)
{
    struct stat s;
    if (stat(path_join(a, output, ".executor_status"), &s) != 0 && stat(path_join(a, output, ".executor_info"), &s) != 0)
        return -1;
    return (int64_t)s.st_mtim.tv_sec * 1000000000 + s.st_mtim.tv_nsec;
}

// Is this the folder of the step with another hash: <name>-<six hex digits>?
static bool is_sibling(const char *name, str base)
{
    str s = str_of(name);
    if (s.size != base.size + 7 || !str_begins(s, base) || s.at[base.size] != '-')
        return false;
    for (size_t i = base.size + 1; i < s.size; i++)
        if (!strchr("0123456789abcdef", s.at[i]))
            return false;
    return true;
}

const char *explain_last(arena *a, const exec_step *s, const executor_options *o, const char **version)
{
    const char *own, *best = NULL, *base = path_join(a, executor_prefix(o), s->name), *folder = path_folder(a, base);
    char **names;
    int64_t count, newest = -1;
    err ignored = {0};
    // A pinned output may hold another version itself.
    if (read_version(a, s->output, &own) && strcmp(own, s->version)) {
        *version = own;
        return s->output;
    }
    if (!file_is_folder(folder) || !folder_list(a, folder, &names, &count, &ignored))
        return NULL;
    for (int64_t i = 0; i < count; i++) {
        const char *path = path_join(a, folder, names[i]), *its;
        if (!is_sibling(names[i], str_of(path_name(base))) || !strcmp(path, s->output) || changed_at(a, path) <= newest
            || !read_version(a, path, &its))
            continue;
        best = path;
        *version = its;
        newest = changed_at(a, path);
    }
    return best;
}

// ---- differences --------------------------------------------------------------------------------------------------------

static void put(arena *a, node *list, const char *field, const node *was, const node *is)
{
    const node nothing = { .kind = NODE_NULL };
    node *n = node_object(a);
    node_put(a, n, "field", node_text(str_of(field)));
    node_put(a, n, "was", was ? *was : nothing);
    node_put(a, n, "is", is ? *is : nothing);
    node_add(a, list, *n);
}

static const node *member_of(const node *object, str key)
{
    for (int64_t i = 0; i < object->object.count; i++)
        if (str_equal(object->object.members[i].key, key))
            return &object->object.members[i].value;
    return NULL;
}

static void compare(arena *a, const char *path, const node *was, const node *is, node *list)
{
    if (was->kind != NODE_OBJECT || is->kind != NODE_OBJECT) {
        if (!node_equal(was, is))
            put(a, list, path, was, is);
        return;
    }
    for (int64_t i = 0; i < is->object.count; i++) {
        const member *m = &is->object.members[i];
        const node *old = member_of(was, m->key);
        const char *name = arena_print(a, "%s%s%.*s", path, *path ? "." : "", STR_ARG(m->key));
        if (old)
            compare(a, name, old, &m->value, list);
        else
            put(a, list, name, NULL, &m->value);
    }
    for (int64_t i = 0; i < was->object.count; i++) {
        const member *m = &was->object.members[i];
        if (!member_of(is, m->key))
            put(a, list, arena_print(a, "%s%s%.*s", path, *path ? "." : "", STR_ARG(m->key)), &m->value, NULL);
    }
}

// Versions name their dependencies by the digests of theirs, in the order of the configuration.
static void compare_dependencies(arena *a, const exec_step *steps, const exec_step *s, const node *was, const node *is, node *list)
{
    for (int k = 0; k < s->dep_count && node_is(is, NODE_LIST); k++) {
        const node *old = node_at(was, k), *new = node_at(is, k);
        if (old && new && node_equal(old, new))
            continue;
        const char *name = steps[s->deps[k]].name;
        node short_old = old && old->kind == NODE_TEXT ? node_text(str_slice(old->text, 0, MIN(old->text.size, 6u))) : (node){ 0 };
        node short_new = node_text(str_of(steps[s->deps[k]].hash));
        put(a, list, arena_print(a, "version of '%s'", name), old ? &short_old : NULL, &short_new);
    }
}

bool explain_versions(arena *a, const exec_step *steps, const exec_step *s, const char *was, node *list, err *e)
{
    const node *old, *new;
    static const char *const names[] = { "code", "kind", "config" };
    TRY(json_parse(a, str_of(was), (place){ .file = "version" }, &old, e));
    TRY(json_parse(a, str_of(s->version), (place){ .file = "version" }, &new, e));
    for (size_t i = 0; i < COUNT(names); i++) {
        const node *x = node_get(old, names[i]), *y = node_get(new, names[i]);
        if (x && y)
            compare(a, i < 2 ? names[i] : "", x, y, list);
    }
    compare_dependencies(a, steps, s, node_get(old, "dependencies"), node_get(new, "dependencies"), list);
    return true;
}

static void put_words(text *out, const node *n)
{
    if (!n || n->kind == NODE_NULL)
        text_str(out, STR("not set"));
    else
        json_write(out, n, JSON_SPACED);
}

const char *explain_changes(arena *a, const exec_step *steps, const exec_step *s, const executor_options *o)
{
    enum { SAID = 4 };
    const char *version, *last = explain_last(a, s, o, &version);
    node *list = node_list(a);
    text t = {0};
    err ignored;
    if (!last || !explain_versions(a, steps, s, version, list, &ignored) || !list->list.count)
        return NULL;
    for (int64_t i = 0; i < MIN(list->list.count, SAID); i++) {
        const node *c = node_at(list, i);
        text_add(&t, "%s%.*s: was ", i ? "; " : "", STR_ARG(node_get(c, "field")->text));
        put_words(&t, node_get(c, "was"));
        text_str(&t, STR(", is "));
        put_words(&t, node_get(c, "is"));
    }
    if (list->list.count > SAID)
        text_add(&t, "; and %lld more, which skiff explain has", (long long)(list->list.count - SAID));
    const char *words = arena_print(a, "against '%s': %.1000s", last, t.chars ? t.chars : "");
    text_close(&t);
    return words;
}
