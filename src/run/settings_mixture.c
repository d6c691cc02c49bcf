// The mixture of `skiff train CONFIG.yaml`: several caches or chats under `data`, their weights there or under `mixture_weights`.
//
//   data: {chats: tokens/chats, math: {path: tokens/math, weight: 2}}        or a list: [{name: chats, path: …, weight: 1}, …]
//   mixture_weights: {chats: 1}
#include "base/file.h"
#include "base/util.h"
#include "data/mixture.h"
#include "run/settings.h"

typedef struct mixture_reader { arena *arena; const char *file; train_mixture *out; } mixture_reader;

static bool is_number(const node *n) { return node_is(n, NODE_INT) || node_is(n, NODE_FLOAT); }

// {path, weight}, in a list also name; or the path alone.
static bool read_part(mixture_reader *r, const node *n, const char *name, err *e)
{
    train_mixture *m = r->out;
    const node *path = n->kind == NODE_TEXT ? n : node_get(n, "path"), *weight = node_get(n, "weight"), *own = node_get(n, "name");
    if (!node_is(path, NODE_TEXT))
        return fail_at(e, node_place(n, r->file), "data: expected a path, or {path: …, weight: …}, got %s", node_kind_name(n->kind));
    for (int64_t i = 0; n->kind == NODE_OBJECT && i < n->object.count; i++) {
        const str word = n->object.members[i].key;
        if (!str_is(word, "path") && !str_is(word, "weight") && !(str_is(word, "name") && !name))
            return fail_at(e, node_place(&n->object.members[i].value, r->file), "data: unknown key '%.*s'; expected path, weight%s",
                           STR_ARG(word), name ? "" : ", name");
    }
    if (weight && !is_number(weight))
        return fail_at(e, node_place(weight, r->file), "weight: expected a number, got %s", node_kind_name(weight->kind));
    if (own && !node_is(own, NODE_TEXT))
        return fail_at(e, node_place(own, r->file), "name: expected text, got %s", node_kind_name(own->kind));
    if (m->count == MIXTURE_MOST_DATASETS)
        return fail_at(e, node_place(n, r->file), "data: %d datasets at most", MIXTURE_MOST_DATASETS);
    m->paths[m->count] = arena_chars(r->arena, path->text);
    m->names[m->count] = name ? name : own ? arena_chars(r->arena, own->text) : path_name(m->paths[m->count]);
    m->weights[m->count] = weight ? node_number(weight) : 0;
    m->given[m->count] = weight != NULL;
    name = m->names[m->count++];
    if (!*name || *name == '.' || strchr(name, '/') || !strcmp(name, "validation"))     // it names a folder and a metric
        return fail_at(e, node_place(n, r->file), "data: '%s' cannot be a dataset's name: expected one that is not empty, not "
                       "'validation', begins without '.' and holds no '/'", name);
    return true;
}

static bool read_weight(mixture_reader *r, const member *w, err *e)
{
    train_mixture *m = r->out;
    const place at = { .file = r->file, .line = w->line, .column = w->column };
    int64_t i = 0;
    while (i < m->count && !str_is(w->key, m->names[i]))
        i++;
    if (i == m->count)
        return fail_at(e, at, "mixture_weights: there is no dataset '%.*s' in data", STR_ARG(w->key));
    if (m->given[i])
        return fail_at(e, at, "mixture_weights: '%.*s' has a weight in data; give one", STR_ARG(w->key));
    if (!is_number(&w->value))
        return fail_at(e, node_place(&w->value, r->file), "mixture_weights: expected a number, got %s", node_kind_name(w->value.kind));
    m->weights[i] = node_number(&w->value);
    m->given[i] = true;
    return true;
}

bool train_mixture_read(arena *a, const char *file, const node *data, const node *weights, train_mixture *out, err *e)
{
    mixture_reader r = { .arena = a, .file = file, .out = out };
    const bool list = node_is(data, NODE_LIST);
    out->paths = ARENA_ARRAY(a, const char *, MIXTURE_MOST_DATASETS);
    out->names = ARENA_ARRAY(a, const char *, MIXTURE_MOST_DATASETS);
    out->weights = ARENA_ARRAY(a, double, MIXTURE_MOST_DATASETS);
    out->given = ARENA_ARRAY(a, bool, MIXTURE_MOST_DATASETS);
    for (int64_t i = 0; i < (list ? data->list.count : data->object.count); i++)
        TRY(list ? read_part(&r, &data->list.items[i], NULL, e)
                 : read_part(&r, &data->object.members[i].value, arena_chars(a, data->object.members[i].key), e));
    if (!out->count)
        return fail_at(e, node_place(data, file), "data: expected datasets, got none");
    if (weights && !node_is(weights, NODE_OBJECT))
        return fail_at(e, node_place(weights, file), "mixture_weights: expected dataset: weight, got %s", node_kind_name(weights->kind));
    for (int64_t i = 0; weights && i < weights->object.count; i++)
        TRY(read_weight(&r, &weights->object.members[i], e));
    out->stage.weights = out->weights;
    return true;
}
