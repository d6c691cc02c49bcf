// Versions and output paths: pure functions of the declared configuration.
// version = {"name", "kind", "code", "config", "dependencies": [SHA-256 of their versions]} with sorted keys; the step's hash is
// the first six hex digits of its SHA-256. Whatever decides the output and can be known offline is in it.
#include <stdio.h>
#include <stdlib.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/util.h"
#include "run/executor.h"

const char *executor_prefix(const executor_options *o)
{
    static const char *const names[] = { "SKIFF_PREFIX", "MARIN_PREFIX" };
    if (o->prefix && *o->prefix)
        return o->prefix;
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return value;
    }
    return "./out";
}

// {"step": i, "path": …}: files of another step. Lists and objects of configurations never have "step" otherwise.
static const node *reference(const node *n) { return node_is(n, NODE_OBJECT) ? node_get(n, "step") : NULL; }

static int by_key(const void *a, const void *b) { return str_compare(((const member *)a)->key, ((const member *)b)->key); }

typedef struct planner {
    arena *arena;
    exec_step *steps;
    int count;
    char (*digest)[SHA256_HEX + 1];     // of each version
    char *state;                        // 0 not seen, 1 being planned, 2 planned
} planner;

static bool plan_step(planner *p, int i, err *e);

static bool add_dependency(planner *p, exec_step *s, int64_t on, int *index, err *e)
{
    if (on < 0 || on >= p->count)
        return fail(e, ERR_BUG, "step '%s' depends on step %lld of %d", s->name, (long long)on, p->count);
    TRY(plan_step(p, (int)on, e));
    for (*index = 0; *index < s->dep_count; (*index)++)
        if (s->deps[*index] == on)
            return true;
    ARENA_PUSH(p->arena, s->deps, s->dep_count, (int)on);
    return true;
}

// A copy of a configuration: for the version with sorted keys and "DEP[k]/path" for other steps' files, or (`resolve`) in
// order and with their paths.
static bool copy(planner *p, exec_step *s, const node *from, bool resolve, node *to, err *e)
{
    *to = *from;
    to->line = to->column = 0;
    const node *step = reference(from);
    if (step) {
        int k = 0;
        TRY(add_dependency(p, s, step->integer, &k, e));
        const node *path = node_get(from, "path");
        const char *root = resolve ? p->steps[step->integer].output : arena_print(p->arena, "DEP[%d]", k);
        *to = node_text(str_of(root));
        if (node_is(path, NODE_TEXT))
            to->text = str_of(arena_print(p->arena, "%s/%.*s", root, STR_ARG(path->text)));
    } else if (from->kind == NODE_LIST) {
        to->list.items = ARENA_ARRAY(p->arena, node, from->list.count + 1);
        for (int64_t i = 0; i < from->list.count; i++)
            TRY(copy(p, s, &from->list.items[i], resolve, &to->list.items[i], e));
    } else if (from->kind == NODE_OBJECT) {
        to->object.members = ARENA_ARRAY(p->arena, member, from->object.count + 1);
        int64_t n = from->object.count;
        if (n)
            memcpy(to->object.members, from->object.members, (size_t)n * sizeof(member));
        if (n && !resolve)                              // before what is inside is looked at: k of DEP[k] goes by this order
            qsort(to->object.members, (size_t)n, sizeof(member), by_key);
        for (int64_t i = 0; i < n; i++) {
            node value = to->object.members[i].value;
            TRY(copy(p, s, &value, resolve, &to->object.members[i].value, e));
        }
    }
    return true;
}

static bool make_version(planner *p, int i, err *e)
{
    exec_step *s = &p->steps[i];
    arena *a = p->arena;
    node *v = node_object(a), *deps = node_list(a), config;
    TRY(copy(p, s, s->declared ? s->declared : s->config, false, &config, e));
    for (int k = 0; k < s->dep_count; k++)
        node_add(a, deps, node_text(str_of(p->digest[s->deps[k]])));
    node_put(a, v, "code", node_int(s->kind->version));
    node_put(a, v, "config", config);
    node_put(a, v, "dependencies", *deps);
    node_put(a, v, "kind", node_text(str_of(s->kind->name)));
    node_put(a, v, "name", node_text(str_of(s->name)));

    text t = {0};
    json_write(&t, v, JSON_SPACED);
    bool ok = text_ok(&t, e);
    s->version = arena_chars(a, text_view(&t));
    text_close(&t);
    sha256_hex(str_of(s->version), p->digest[i]);
    snprintf(s->hash, sizeof s->hash, "%.6s", p->digest[i]);
    return ok;
}

static bool plan_step(planner *p, int i, err *e)
{
    exec_step *s = &p->steps[i];
    if (p->state[i] == 2)
        return true;
    if (p->state[i] == 1)
        return fail(e, ERR_INPUT, "step '%s' depends on itself", s->name);
    p->state[i] = 1;
    s->deps = NULL;
    s->dep_count = 0;
    TRY(make_version(p, i, e));
    p->state[i] = 2;
    return true;
}

bool executor_plan(arena *a, exec_step *steps, int count, const executor_options *o, err *e)
{
    const char *prefix = executor_prefix(o);
    planner p = { .arena = a, .steps = steps, .count = count, .state = ARENA_ARRAY(a, char, count + 1) };
    p.digest = (char(*)[SHA256_HEX + 1])arena_alloc(a, (size_t)(count + 1) * (SHA256_HEX + 1));
    for (int i = 0; i < count; i++)
        TRY(plan_step(&p, i, e));
    for (int i = 0; i < count; i++) {
        steps[i].output = steps[i].pinned ? path_join(a, prefix, steps[i].pinned)
                                          : path_join(a, prefix, arena_print(a, "%s-%s", steps[i].name, steps[i].hash));
        steps[i].same_as = -1;
        for (int k = 0; k < i && steps[i].same_as < 0; k++)
            if (!strcmp(steps[k].version, steps[i].version) && !strcmp(steps[k].output, steps[i].output))
                steps[i].same_as = k;
    }
    for (int i = 0; i < count; i++) {                   // now that all outputs are known
        node *resolved = ARENA_NEW(a, node);
        TRY(copy(&p, &steps[i], steps[i].config, true, resolved, e));
        steps[i].resolved = resolved;
    }
    return true;
}
