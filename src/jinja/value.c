// Making values, looking into them, and what Python calls truth, length and iteration.
#include "jinja/value.h"

#include "base/util.h"
#include "base/utf8.h"

const value value_none = { .kind = V_NONE };
value value_bool(bool b) { return (value){ .kind = V_BOOL, .truth = b }; }
value value_int(int64_t i) { return (value){ .kind = V_INT, .integer = i }; }
value value_float(double d) { return (value){ .kind = V_FLOAT, .number = d }; }

static value undefined(render *r, jundefined u)
{
    jundefined *to = ARENA_NEW(&r->arena, jundefined);
    *to = u;
    return (value){ .kind = V_UNDEFINED, .undefined = to };
}

value value_undefined(render *r, const char *hint) { return undefined(r, (jundefined){ .hint = hint }); }
value value_undefined_name(render *r, str name) { return undefined(r, (jundefined){ .name = name }); }
value value_undefined_of(render *r, value object, str name)
{
    return undefined(r, (jundefined){ .name = name, .object = object });
}

value value_unsafe(render *r, value object, str name)
{
    return undefined(r, (jundefined){ .name = name, .object = object, .unsafe = true });
}

bool undefined_fail(render *r, value v)
{
    const jundefined *u = v.undefined;
    if (u->hint)
        return jinja_fail(r, "%s", u->hint);
    if (u->unsafe)
        return jinja_fail(r, "'%.*s' of a %s is not open to templates: it would change the object or reach outside",
                          STR_ARG(u->name), value_type(u->object));
    if (u->object.kind == V_MISSING)
        return jinja_fail(r, "'%.*s' is undefined", STR_ARG(u->name));
    return jinja_fail(r, "'%s' has no attribute or element '%.*s'", value_type(u->object), STR_ARG(u->name));
}

value value_list(render *r, value *items, int64_t count, value_kind kind)
{
    jlist *l = ARENA_NEW(&r->arena, jlist);
    *l = (jlist){ .items = items, .count = count };
    return (value){ .kind = (uint8_t)kind, .list = l };
}

value value_iterator(render *r, value *items, int64_t count, const char *name)
{
    jiterator *i = ARENA_NEW(&r->arena, jiterator);
    *i = (jiterator){ .items = items, .count = count, .name = name };
    return (value){ .kind = V_ITERATOR, .iterator = i };
}

value value_dict(render *r) { return (value){ .kind = V_DICT, .dict = ARENA_NEW(&r->arena, jdict) }; }

// A container stands for its node until somebody looks into it.
value value_from_node(render *r, const node *n, int32_t mark)
{
    int32_t own = r->mark ? r->mark(r->self, n) : 0;
    if (own)
        mark = own & (MARK_GENERATION - 1);
    value v = { .kind = V_NONE, .mark = mark };
    switch (n->kind) {
    case NODE_NULL: break;
    case NODE_BOOL: v.kind = V_BOOL, v.truth = n->truth; break;
    case NODE_INT: v.kind = V_INT, v.integer = n->integer; break;
    case NODE_FLOAT:
        if (n->raw.size && !memchr(n->raw.at, '.', n->raw.size) && !memchr(n->raw.at, 'e', n->raw.size)
            && !memchr(n->raw.at, 'E', n->raw.size)) {
            v = text_value(r, n->raw, mark);
            v.kind = V_BIG;
        } else {
            v.kind = V_FLOAT, v.number = n->number;
        }
        break;
    case NODE_TEXT: return text_value(r, n->text, mark);
    case NODE_LIST:
        v.kind = V_LIST, v.list = ARENA_NEW(&r->arena, jlist);
        *v.list = (jlist){ .count = n->list.count, .source = n, .mark = mark };
        break;
    case NODE_OBJECT:
        v.kind = V_DICT, v.dict = ARENA_NEW(&r->arena, jdict);
        *v.dict = (jdict){ .count = n->object.count, .source = n, .mark = mark };
        break;
    }
    return v;
}

void list_fill(render *r, jlist *l)
{
    const node *n = l->source;
    if (!n)
        return;
    l->source = NULL;
    l->items = ARENA_ARRAY(&r->arena, value, n->list.count);
    for (int64_t i = 0; i < n->list.count; i++)
        l->items[i] = value_from_node(r, &n->list.items[i], l->mark);
}

// Keys have the mark of their value's place, so that the names of a tool call's arguments count as the message's.
void dict_fill(render *r, jdict *d)
{
    const node *n = d->source;
    if (!n)
        return;
    d->source = NULL;
    d->pairs = ARENA_ARRAY(&r->arena, jpair, n->object.count);
    d->room = n->object.count;
    for (int64_t i = 0; i < n->object.count; i++) {
        value v = value_from_node(r, &n->object.members[i].value, d->mark);
        d->pairs[i] = (jpair){ text_value(r, n->object.members[i].key, d->mark ? d->mark : 0), v };
    }
}

bool value_hashable(render *r, value v)
{
    if (v.kind == V_TUPLE) {
        list_fill(r, v.list);
        for (int64_t i = 0; i < v.list->count; i++)
            if (!value_hashable(r, v.list->items[i]))
                return false;
        return true;
    }
    return v.kind != V_LIST && v.kind != V_DICT && (v.kind != V_VIEW || v.view->part == VIEW_VALUES);
}

value *dict_find_name(render *r, jdict *d, str key)
{
    dict_fill(r, d);
    for (int64_t i = 0; i < d->count; i++)
        if (d->pairs[i].key.kind == V_TEXT && str_equal(d->pairs[i].key.text->s, key))
            return &d->pairs[i].value;
    return NULL;
}

value *dict_find(render *r, jdict *d, value key)
{
    if (key.kind == V_TEXT)
        return dict_find_name(r, d, key.text->s);
    dict_fill(r, d);
    for (int64_t i = 0; i < d->count; i++) {
        bool same = false;
        if (d->pairs[i].key.kind != V_TEXT && value_equal(r, d->pairs[i].key, key, &same) && same)
            return &d->pairs[i].value;
    }
    return NULL;
}

static void append(render *r, jdict *d, value key, value v)
{
    fork_note(r, d, sizeof *d);
    if (d->count == d->room) {
        int64_t room = MAX(2 * d->room, (int64_t)4);
        d->pairs = arena_grow(&r->arena, d->pairs, (size_t)d->count * sizeof *d->pairs, (size_t)room * sizeof *d->pairs);
        d->room = room;
    }
    d->pairs[d->count++] = (jpair){ key, v };
}

bool dict_put(render *r, jdict *d, value key, value v)
{
    if (!value_hashable(r, key))
        return jinja_fail(r, "a %s cannot be the key of a dict", value_type(key));
    TRY(jinja_step(r, 1 + d->count / 16));
    value *old = dict_find(r, d, key);
    if (old) {
        fork_note(r, old, sizeof *old);
        *old = v;
    } else {
        append(r, d, key, v);
    }
    return true;
}

void dict_put_name(render *r, jdict *d, str key, value v)
{
    value *old = dict_find_name(r, d, key);
    if (old) {
        fork_note(r, old, sizeof *old);
        *old = v;
    } else {
        append(r, d, text_value(r, key, 0), v);
    }
}

bool value_truth(render *r, value v)
{
    switch ((value_kind)v.kind) {
    case V_MISSING: case V_UNDEFINED: case V_NONE: return false;
    case V_BOOL: return v.truth;
    case V_INT: return v.integer != 0;
    case V_FLOAT: return v.number != 0;
    case V_TEXT: return v.text->s.size > 0;
    case V_LIST: case V_TUPLE: return v.list->count > 0;
    case V_DICT: return v.dict->count > 0;
    case V_VIEW: return value_truth(r, v.view->dict);
    case V_RANGE: return v.range->count > 0;
    case V_LOOP: return v.loop->count > 0;
    default: return true;
    }
}

const char *value_type(value v)
{
    static const char *const names[] = {
        [V_MISSING] = "missing", [V_UNDEFINED] = "Undefined", [V_NONE] = "NoneType", [V_BOOL] = "bool", [V_INT] = "int",
        [V_BIG] = "int", [V_FLOAT] = "float", [V_TEXT] = "str", [V_LIST] = "list", [V_TUPLE] = "tuple", [V_DICT] = "dict",
        [V_VIEW] = "dict view", [V_RANGE] = "range", [V_ITERATOR] = "generator", [V_NAMESPACE] = "Namespace",
        [V_MACRO] = "Macro", [V_METHOD] = "method", [V_FUNCTION] = "function", [V_LOOP] = "LoopContext",
        [V_CYCLER] = "Cycler", [V_JOINER] = "Joiner",
        [V_SELF] = "TemplateReference", [V_BLOCK] = "BlockReference",
    };
    return names[v.kind];
}

static value view_item(render *r, const jview *view, const jpair *p)
{
    if (view->part == VIEW_KEYS)
        return p->key;
    if (view->part == VIEW_VALUES)
        return p->value;
    value *pair = ARENA_ARRAY(&r->arena, value, 2);
    pair[0] = p->key;
    pair[1] = p->value;
    return value_list(r, pair, 2, V_TUPLE);
}

static void chars_of(render *r, value v, value *items, int64_t count)
{
    str s = v.text->s;
    size_t at = 0;
    for (int64_t i = 0; i < count; i++) {
        int length;
        utf8_read(s, at, &length);
        items[i] = text_part(r, v, at, MIN(at + (size_t)length, s.size));
        items[i].safe = false;
        at += (size_t)length;
    }
}

bool value_iterable(value v)
{
    return v.kind == V_UNDEFINED || (v.kind >= V_TEXT && v.kind <= V_ITERATOR) || v.kind == V_LOOP;
}

bool iterator_end(render *r, const jiterator *i)
{
    if (i->failure)
        *r->e = *i->failure;
    return !i->failure;
}

bool value_items(render *r, value v, value **items, int64_t *count)
{
    *count = 0;
    *items = NULL;
    if (v.kind == V_UNDEFINED)
        return true;
    if (!value_iterable(v) || v.kind == V_LOOP)
        return jinja_fail(r, "a %s cannot be looped over", value_type(v));
    if (v.kind == V_ITERATOR) {
        TRY(iterator_end(r, v.iterator));
        *items = v.iterator->items ? v.iterator->items + v.iterator->next : NULL;
        *count = v.iterator->count - v.iterator->next;
        fork_note(r, v.iterator, sizeof *v.iterator);
        v.iterator->next = v.iterator->count;
        return true;
    }
    if (v.kind == V_LIST || v.kind == V_TUPLE) {
        list_fill(r, v.list);
        *items = v.list->items;
        *count = v.list->count;
        return true;
    }
    TRY(value_length(r, v, count));
    TRY(jinja_step(r, 1 + *count));
    *items = ARENA_ARRAY(&r->arena, value, *count);
    if (v.kind == V_TEXT) {
        chars_of(r, v, *items, *count);
    } else if (v.kind == V_RANGE) {
        for (int64_t i = 0; i < *count; i++)
            (*items)[i] = value_int(v.range->start + i * v.range->step);
    } else {
        const jview keys = { .dict = v, .part = VIEW_KEYS };
        const jview *view = v.kind == V_VIEW ? v.view : &keys;
        dict_fill(r, view->dict.dict);
        for (int64_t i = 0; i < *count; i++)
            (*items)[i] = view_item(r, view, &view->dict.dict->pairs[i]);
    }
    return true;
}

bool value_length(render *r, value v, int64_t *count)
{
    switch ((value_kind)v.kind) {
    case V_UNDEFINED: *count = 0; return true;
    case V_TEXT: *count = text_chars(v); return true;
    case V_LIST: case V_TUPLE: *count = v.list->count; return true;
    case V_DICT: *count = v.dict->count; return true;
    case V_VIEW: *count = v.view->dict.dict->count; return true;
    case V_RANGE: *count = v.range->count; return true;
    case V_LOOP: *count = v.loop->count; return true;
    default: return jinja_fail(r, "a %s has no length", value_type(v));
    }
}
