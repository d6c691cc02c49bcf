// One adapted row to one line of a shard.
#include <string.h>

#include "base/json.h"
#include "base/util.h"
#include "data/python_repr.h"
#include "data/transform_parts.h"
#include "text/chat.h"

// Members that stay beside role and content, where they say something.
static const char *const kept[] = { "name", "reasoning_content", "thinking", "tool_calls", "tool_call_id" };

static bool says_nothing(const node *n)
{
    return !n || n->kind == NODE_NULL || (n->kind == NODE_TEXT && !n->text.size) || (n->kind == NODE_LIST && !n->list.count);
}

// Parts of text, one after the other.
static bool join_parts(arena *a, const node *parts, int64_t i, place at, str *out, err *e)
{
    text all = {0};
    for (int64_t k = 0; k < parts->list.count; k++) {
        const node *type = node_get(&parts->list.items[k], "type"), *words = node_get(&parts->list.items[k], "text");
        if (!str_is(type->text, "text")) {
            text_close(&all);
            return fail_at(e, at, "messages[%lld].content[%lld].type: '%.*s' is not supported; only text is", (long long)i, (long long)k,
                           (int)MIN(type->text.size, 40), type->text.at);
        }
        text_str(&all, words->text);
    }
    bool ok = text_ok(&all, e);
    *out = arena_str(a, text_view(&all));
    text_close(&all);
    return ok;
}

// Role and content as text, then what else says something. *null: there is no content, and no tool call instead.
static bool plain_message(arena *a, const node *m, int64_t i, place at, node *out, bool *null, err *e)
{
    const node *content = node_get(m, "content");
    node *o = node_object(a);
    str words = { "", 0 };
    if (node_is(content, NODE_LIST))
        TRY(join_parts(a, content, i, at, &words, e));
    else if (node_is(content, NODE_TEXT))
        words = content->text;
    else if (says_nothing(node_get(m, "tool_calls")))
        *null = true;
    node_put(a, o, "role", *node_get(m, "role"));
    node_put(a, o, "content", node_text(words));
    for (size_t k = 0; k < COUNT(kept); k++)
        if (!says_nothing(node_get(m, kept[k])))
            node_put(a, o, kept[k], *node_get(m, kept[k]));
    *out = *o;
    return true;
}

static bool plain_messages(arena *a, const node *messages, place at, node *out, bool *null, err *e)
{
    node *list = node_list(a), one;
    *null = false;
    for (int64_t i = 0; i < messages->list.count; i++) {
        TRY(plain_message(a, &messages->list.items[i], i, at, &one, null, e));
        node_add(a, list, one);
    }
    *out = *list;
    return true;
}

static node pair_of(arena *a, const adapted *r)
{
    node *list = node_list(a);
    const struct { const char *role; str content; } two[] = { { "user", r->prompt }, { "assistant", r->completion } };
    for (size_t i = 0; i < COUNT(two); i++) {
        node *m = node_object(a);
        node_put(a, m, "role", node_text(str_of(two[i].role)));
        node_put(a, m, "content", node_text(two[i].content));
        node_add(a, list, *m);
    }
    return *list;
}

static bool put_id(arena *a, const node *messages, node *out, err *e)
{
    char hex[SHA256_HEX + 1];
    text t = {0};
    python_repr(&t, messages);
    bool ok = text_ok(&t, e);
    sha256_hex(text_view(&t), hex);
    text_close(&t);
    node_put(a, out, "id", node_text(arena_str(a, str_of(hex))));
    return ok;
}

// A column that is missing or null is an empty text.
static node metadata_of(arena *a, const transform_options *o, const node *row)
{
    node *all = node_object(a);
    for (int i = 0; o->metadata && o->metadata[i]; i++) {
        const node *value = node_get(row, o->metadata[i]);
        node_put(a, all, o->metadata[i], value && value->kind != NODE_NULL ? *value : node_text(STR("")));
    }
    return *all;
}

// `tools`, and the template's variables that the row brought.
static void put_rest(arena *a, const node *from, node *out)
{
    node *variables = node_object(a);
    for (int64_t i = 0; node_is(from, NODE_OBJECT) && i < from->object.count; i++) {
        const member *m = &from->object.members[i];
        if (str_is(m->key, "tools"))
            node_put(a, out, "tools", m->value);
        else if (!str_is(m->key, "messages"))
            ARENA_PUSH(a, variables->object.members, variables->object.count, *m);
    }
    if (variables->object.count)
        node_put(a, out, "chat_template_kwargs", *variables);
}

bool transform_row(const transform_options *o, const char *added, arena *a, const node *row, place at, adapted *r, text *out, err *e)
{
    node *line = node_object(a), messages, before;
    bool null = false;
    if (r->chat) {
        TRY(chat_check_row(r->chat, at, e));
        TRY(plain_messages(a, r->before, at, &before, &null, e));
        TRY(plain_messages(a, node_get(r->chat, "messages"), at, &messages, &null, e));
    } else {
        before = pair_of(a, r);
    }
    if (null) {
        r->dropped = drop_reasons[DROP_NULL];
        return true;
    }
    TRY(put_id(a, &before, line, e));
    node_put(a, line, "source", node_text(str_of(o->source)));
    if (r->chat) {
        node_put(a, line, "messages", messages);
    } else {                                // a pair has no roles: it is trained without a template
        node_put(a, line, "prompt", node_text(r->prompt));
        node_put(a, line, "completion", node_text(r->completion));
    }
    node_put(a, line, "added", node_text(str_of(added)));
    node_put(a, line, "created", node_text(STR("")));
    node_put(a, line, "metadata", metadata_of(a, o, row));
    put_rest(a, r->chat, line);
    json_write(out, line, JSON_SPACED);
    text_char(out, '\n');
    return true;
}
