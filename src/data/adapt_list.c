// Rows that hold a list of messages: OpenAI's form, other keys and names of roles, and ShareGPT's {from, value} with its tool calls.
#include "data/adapter_table.h"

#include <stdio.h>

#include "base/json.h"
#include "base/util.h"

static bool want_list(const adapting *x, const node **out, err *e)
{
    const char *field = adapt_input(x);
    *out = node_get(x->row, field);
    if (!*out)
        return adapt_missing(x, field, e);
    return (*out)->kind == NODE_LIST
        || fail_at(e, x->at, "%s: expected a list of messages, got %s", field, node_kind_name((*out)->kind));
}

// ---- names of roles ----

static const struct { const char *from, *role; } roles[] = {
    { "human", "user" }, { "user", "user" }, { "gpt", "assistant" }, { "assistant", "assistant" }, { "chatgpt", "assistant" },
    { "model", "assistant" }, { "system", "system" }, { "function_call", "call" }, { "tool_call", "call" }, { "observation", "tool" },
    { "tool", "tool" }, { "function_response", "tool" }, { "tool_response", "tool" }, { "developer", "developer" },
};

static const char *role_of(const adapting *x, str from)
{
    const char *named = adapt_named_role(x, from);
    for (size_t i = 0; !named && i < COUNT(roles); i++)
        if (str_is(from, roles[i].from))
            named = roles[i].role;
    return named;
}

static bool has_own_names(const adapter_options *o)
{
    return o->role_key || o->content_key || o->user_value || o->assistant_value || o->system_value || o->tool_value;
}

// "human, gpt" of the options, for errors.
static void list_own_names(const adapter_options *o, char *out, size_t room)
{
    const char *const own[] = { o->user_value, o->assistant_value, o->system_value, o->tool_value };
    size_t used = 0;
    out[0] = 0;
    for (size_t i = 0; i < COUNT(own); i++)
        if (own[i] && used < room)
            used += (size_t)snprintf(out + used, room - used, "%s, ", own[i]);
}

// ---- OpenAI's form ----

// A message as it is but for the name of its role. Keys that are null (as in Arrow tables) stay: templates test them.
static node renamed(const adapting *x, const node *message)
{
    const node *role = node_get(message, "role");
    const char *name = node_is(role, NODE_TEXT) ? adapt_named_role(x, role->text) : NULL;
    if (!name || str_is(role->text, name))
        return *message;
    node *copy = node_object(x->arena);
    for (int64_t i = 0; i < message->object.count; i++)
        ARENA_PUSH(x->arena, copy->object.members, copy->object.count, message->object.members[i]);
    node_put(x->arena, copy, "role", node_text(str_of(name)));
    return *copy;
}

// A message whose keys or roles the options name: both must be there, the other members stay.
static bool add_named(const adapting *x, node *messages, const node *message, int64_t i, err *e)
{
    const char *field = adapt_input(x), *key = adapt_role_key(x), *words = adapt_content_key(x), *name = NULL;
    const node *role = node_get(message, key), *content = node_get(message, words);
    char own[120];
    if (!node_is(message, NODE_OBJECT))
        return fail_at(e, x->at, "%s[%lld]: expected an object, got %s", field, (long long)i, node_kind_name(message->kind));
    if (!role || (!content && !node_get(message, "tool_calls")))
        return fail_at(e, x->at, "%s[%lld].%s: missing", field, (long long)i, role ? words : key);
    if (role->kind != NODE_TEXT)
        return fail_at(e, x->at, "%s[%lld].%s: expected text, got %s", field, (long long)i, key, node_kind_name(role->kind));
    if (!(name = role_of(x, role->text)) || !strcmp(name, "call")) {
        list_own_names(x->options, own, sizeof own);
        return fail_at(e, x->at, "%s[%lld].%s: expected %suser, assistant, system or tool, got '%.*s'", field, (long long)i, key, own,
                       (int)MIN(role->text.size, 40), role->text.at);
    }
    node *m = node_object(x->arena);
    node_put(x->arena, m, "role", node_text(str_of(name)));
    if (content)
        node_put(x->arena, m, "content", *content);
    for (int64_t k = 0; k < message->object.count; k++) {
        const member *other = &message->object.members[k];
        if (!str_is(other->key, key) && !str_is(other->key, words) && !str_is(other->key, "role") && !str_is(other->key, "content"))
            ARENA_PUSH(x->arena, m->object.members, m->object.count, *other);
    }
    node_add(x->arena, messages, *m);
    return true;
}

bool adapt_messages(const adapting *x, err *e)
{
    const node *list;
    node *messages;
    const bool named = has_own_names(x->options);
    TRY(want_list(x, &list, e));
    TRY(adapt_begin(x, x->options->system_field, &messages, e));
    for (int64_t i = 0; i < list->list.count; i++)
        if (named)
            TRY(add_named(x, messages, &list->list.items[i], i, e));
        else
            node_add(x->arena, messages, renamed(x, &list->list.items[i]));
    return true;
}

// ---- ShareGPT ----

// {"name": …, "arguments": …} as {"type": "function", "function": {…}}; arguments given as text that holds an object become one.
static bool add_call(const adapting *x, node *calls, const node *call, const char *where, err *e)
{
    const node *name = node_get(call, "name"), *arguments = node_get(call, "arguments"), *parsed;
    if (!node_is(name, NODE_TEXT))
        return fail_at(e, x->at, "%s: a function call is {\"name\": …, \"arguments\": …}; name: %s", where,
                       name ? "expected text" : "missing");
    err ignored = {0};
    if (node_is(arguments, NODE_TEXT) && json_parse(x->arena, arguments->text, (place){0}, &parsed, &ignored)
        && parsed->kind == NODE_OBJECT)
        arguments = parsed;
    node *function = node_object(x->arena), *one = node_object(x->arena);
    node_put(x->arena, function, "name", *name);
    node_put(x->arena, function, "arguments", arguments ? *arguments : *node_object(x->arena));
    node_put(x->arena, one, "type", node_text(STR("function")));
    node_put(x->arena, one, "function", *function);
    node_add(x->arena, calls, *one);
    return true;
}

static bool add_calls(const adapting *x, node *messages, str value, const char *where, err *e)
{
    const node *given;
    if (!json_parse(x->arena, value, (place){ .file = where }, &given, e)) {
        err why = *e;
        return fail_at(e, x->at, "a function call is JSON; %s", why.text);
    }
    node *calls = node_list(x->arena), *m = node_object(x->arena);
    if (given->kind != NODE_LIST)
        TRY(add_call(x, calls, given, where, e));
    for (int64_t i = 0; given->kind == NODE_LIST && i < given->list.count; i++)
        TRY(add_call(x, calls, &given->list.items[i], where, e));
    node_put(x->arena, m, "role", node_text(STR("assistant")));
    node_put(x->arena, m, "content", node_text(STR("")));
    node_put(x->arena, m, "tool_calls", *calls);
    node_add(x->arena, messages, *m);
    return true;
}

static bool want_member(const adapting *x, const node *message, int64_t i, const char *key, const char *other, str *out, err *e)
{
    const node *n = node_get(message, key);
    const char *name = n ? key : other;
    if (!n)
        n = node_get(message, other);
    if (!n)
        return fail_at(e, x->at, "%s[%lld].%s: missing", adapt_input(x), (long long)i, key);
    if (n->kind != NODE_TEXT)
        return fail_at(e, x->at, "%s[%lld].%s: expected text, got %s", adapt_input(x), (long long)i, name, node_kind_name(n->kind));
    *out = n->text;
    return true;
}

static bool add_element(const adapting *x, node *messages, const node *message, int64_t i, err *e)
{
    str from, value;
    const char *field = adapt_input(x);
    if (!node_is(message, NODE_OBJECT))
        return fail_at(e, x->at, "%s[%lld]: expected an object, got %s", field, (long long)i, node_kind_name(message->kind));
    TRY(want_member(x, message, i, adapt_role_key(x), "role", &from, e));
    TRY(want_member(x, message, i, adapt_content_key(x), "content", &value, e));
    const char *role = role_of(x, from);
    if (!role)
        return fail_at(e, x->at, "%s[%lld].%s: expected human, user, gpt, assistant, system, function_call, observation or tool, "
                                 "got '%.*s'", field, (long long)i, adapt_role_key(x), (int)MIN(from.size, 40), from.at);
    if (strcmp(role, "call")) {
        adapt_message(x, messages, role, value);
        return true;
    }
    if (x->options->calls_as_text) {
        adapt_message(x, messages, "assistant", value);
        return true;
    }
    return add_calls(x, messages, value, arena_print(x->arena, "%s[%lld].value", field, (long long)i), e);
}

static bool begins_with_system(const adapting *x, const node *list)
{
    const node *first = node_at(list, 0), *from = node_get(first, adapt_role_key(x));
    if (!from)
        from = node_get(first, "role");
    const char *role = node_is(from, NODE_TEXT) ? role_of(x, from->text) : NULL;
    return role && !strcmp(role, "system");
}

bool adapt_sharegpt(const adapting *x, err *e)
{
    const node *list;
    node *messages;
    str system;
    const char *field = x->options->system_field ? x->options->system_field : "system";
    TRY(want_list(x, &list, e));
    TRY(adapt_maybe_text(x, field, &system, e));
    if (system.size && begins_with_system(x, list))
        return fail_at(e, x->at, "%s: the messages begin with a system message too; which one is meant?", field);
    TRY(adapt_begin(x, field, &messages, e));
    for (int64_t i = 0; i < list->list.count; i++)
        TRY(add_element(x, messages, &list->list.items[i], i, e));
    return true;
}
