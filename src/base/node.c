// Nodes: looking up, wanting, building, comparing.
#include "base/node.h"

const char *node_kind_name(node_kind k)
{
    static const char *const names[] = { "null", "true or false", "a whole number", "a number", "text", "a list", "an object" };
    return names[k];
}

static const node *get(const node *n, str key)
{
    if (!node_is(n, NODE_OBJECT))
        return NULL;
    for (int64_t i = 0; i < n->object.count; i++)
        if (str_equal(n->object.members[i].key, key))
            return &n->object.members[i].value;
    return NULL;
}

const node *node_get(const node *n, const char *key) { return get(n, str_of(key)); }

const node *node_at(const node *n, int64_t index)
{
    return node_is(n, NODE_LIST) && index >= 0 && index < n->list.count ? &n->list.items[index] : NULL;
}

double node_number(const node *n) { return n->kind == NODE_INT ? (double)n->integer : n->number; }

bool node_want(const node *object, const char *file, const char *key, node_kind kind, const node **out, err *e)
{
    const node *n = node_get(object, key);
    if (!n)
        return fail_at(e, node_place(object, file), "%s: missing", key);
    if (n->kind != kind)
        return fail_at(e, node_place(n, file), "%s: expected %s, got %s", key, node_kind_name(kind), node_kind_name(n->kind));
    *out = n;
    return true;
}

bool node_want_int(const node *object, const char *file, const char *key, int64_t *out, err *e)
{
    const node *n = NULL;
    TRY(node_want(object, file, key, NODE_INT, &n, e));
    *out = n->integer;
    return true;
}

bool node_want_number(const node *object, const char *file, const char *key, double *out, err *e)
{
    const node *n = node_get(object, key);
    if (!node_is(n, NODE_INT))
        TRY(node_want(object, file, key, NODE_FLOAT, &n, e));
    *out = node_number(n);
    return true;
}

bool node_want_text(const node *object, const char *file, const char *key, str *out, err *e)
{
    const node *n = NULL;
    TRY(node_want(object, file, key, NODE_TEXT, &n, e));
    *out = n->text;
    return true;
}

node node_text(str s) { return (node){ .kind = NODE_TEXT, .text = s }; }
node node_int(int64_t i) { return (node){ .kind = NODE_INT, .integer = i }; }
node node_float(double d) { return (node){ .kind = NODE_FLOAT, .number = d }; }
node node_bool(bool b) { return (node){ .kind = NODE_BOOL, .truth = b }; }

static node *make(arena *a, node_kind k)
{
    node *n = ARENA_NEW(a, node);
    n->kind = k;
    return n;
}

node *node_object(arena *a) { return make(a, NODE_OBJECT); }
node *node_list(arena *a) { return make(a, NODE_LIST); }

node *node_put(arena *a, node *object, const char *key, node value)
{
    for (int64_t i = 0; i < object->object.count; i++)
        if (str_is(object->object.members[i].key, key)) {
            object->object.members[i].value = value;
            return &object->object.members[i].value;
        }
    member m = { .key = arena_str(a, str_of(key)), .value = value };
    ARENA_PUSH(a, object->object.members, object->object.count, m);
    return &object->object.members[object->object.count - 1].value;
}

node *node_add(arena *a, node *list, node value)
{
    ARENA_PUSH(a, list->list.items, list->list.count, value);
    return &list->list.items[list->list.count - 1];
}

static bool lists_equal(const node *a, const node *b)
{
    if (a->list.count != b->list.count)
        return false;
    for (int64_t i = 0; i < a->list.count; i++)
        if (!node_equal(&a->list.items[i], &b->list.items[i]))
            return false;
    return true;
}

static bool objects_equal(const node *a, const node *b)
{
    if (a->object.count != b->object.count)
        return false;
    for (int64_t i = 0; i < a->object.count; i++) {
        const node *other = get(b, a->object.members[i].key);
        if (!other || !node_equal(&a->object.members[i].value, other))
            return false;
    }
    return true;
}

bool node_equal(const node *a, const node *b)
{
    if (a->kind != b->kind)
        return (a->kind == NODE_INT || a->kind == NODE_FLOAT) && (b->kind == NODE_INT || b->kind == NODE_FLOAT)
            && node_number(a) == node_number(b);
    switch (a->kind) {
    case NODE_NULL:   return true;
    case NODE_BOOL:   return a->truth == b->truth;
    case NODE_INT:    return a->integer == b->integer;
    case NODE_FLOAT:  return a->number == b->number;
    case NODE_TEXT:   return str_equal(a->text, b->text);
    case NODE_LIST:   return lists_equal(a, b);
    case NODE_OBJECT: return objects_equal(a, b);
    }
    return false;
}
