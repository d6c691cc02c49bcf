// What is done to every row once it is a chat: its first turn alone, texts replaced.
#include "data/adapter_table.h"

// ---- single_turn ----

static const node *first_of(const node *messages, const char *role)
{
    for (int64_t i = 0; i < messages->list.count; i++) {
        const node *is = node_get(&messages->list.items[i], "role");
        if (node_is(is, NODE_TEXT) && str_is(is->text, role))
            return &messages->list.items[i];
    }
    return NULL;
}

static void keep_first_turn(const adapting *x, node *messages)
{
    const node *user = first_of(messages, "user"), *assistant = first_of(messages, "assistant");
    if (!user || !assistant) {
        x->out->dropped = drop_reasons[DROP_NO_TURN];
        return;
    }
    node *two = node_list(x->arena);
    node_add(x->arena, two, *user);
    node_add(x->arena, two, *assistant);
    *messages = *two;
}

// ---- replacements ----

static str replaced(arena *a, str s, str from, str to)
{
    size_t found = 0;
    for (size_t at = 0; (at = str_find(s, from, at)) < s.size; at += from.size)
        found++;
    if (!found)
        return s;
    char *all = arena_alloc(a, s.size - found * from.size + found * to.size + 1), *out = all;
    for (size_t at = 0, next; at < s.size; at = next + from.size) {
        next = str_find(s, from, at);
        memcpy(out, s.at + at, next - at);
        out += next - at;
        if (next == s.size)
            break;
        memcpy(out, to.at, to.size);
        out += to.size;
    }
    return (str){ all, (size_t)(out - all) };
}

static str replace_all(const adapting *x, str s)
{
    for (int i = 0; x->options->replacements && x->options->replacements[i]; i++) {
        str both = str_of(x->options->replacements[i]), arrow = STR(ADAPT_ARROW);
        size_t at = str_find(both, arrow, 0);
        if (at > 0 && at < both.size)               // adapter_check refused the others
            s = replaced(x->arena, s, str_slice(both, 0, at), str_from(both, at + arrow.size));
    }
    return s;
}

// A copy of an object whose member `key`, when it is text, has its texts replaced.
static node with_replaced(const adapting *x, const node *object, const char *key)
{
    node *copy = node_object(x->arena);
    for (int64_t i = 0; i < object->object.count; i++) {
        member m = object->object.members[i];
        if (str_is(m.key, key) && m.value.kind == NODE_TEXT)
            m.value.text = replace_all(x, m.value.text);
        ARENA_PUSH(x->arena, copy->object.members, copy->object.count, m);
    }
    return *copy;
}

static node with_parts_replaced(const adapting *x, const node *message)
{
    node copy = with_replaced(x, message, "content");
    node *content = (node *)node_get(&copy, "content");
    if (!node_is(content, NODE_LIST))
        return copy;
    node *parts = node_list(x->arena);
    for (int64_t i = 0; i < content->list.count; i++) {
        const node *part = &content->list.items[i];
        node_add(x->arena, parts, part->kind == NODE_OBJECT ? with_replaced(x, part, "text") : *part);
    }
    *content = *parts;
    return copy;
}

static void replace_in(const adapting *x, node *messages)
{
    node *all = node_list(x->arena);
    for (int64_t i = 0; i < messages->list.count; i++) {
        const node *m = &messages->list.items[i];
        node_add(x->arena, all, m->kind == NODE_OBJECT ? with_parts_replaced(x, m) : *m);
    }
    *messages = *all;
}

void adapt_after(const adapting *x)
{
    adapted *out = x->out;
    if (!out->chat) {
        out->prompt = replace_all(x, out->prompt);
        out->completion = replace_all(x, out->completion);
        return;
    }
    node *messages = (node *)node_get(out->chat, "messages"), *before = ARENA_NEW(x->arena, node);
    if (x->options->single_turn)
        keep_first_turn(x, messages);
    *before = *messages;
    out->before = before;
    if (!out->dropped && x->options->replacements && x->options->replacements[0])
        replace_in(x, messages);
}
