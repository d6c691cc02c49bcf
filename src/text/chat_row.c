// Is this a conversation? Errors name the place within the row.
#include <stdarg.h>
#include <stdio.h>

#include "base/util.h"
#include "text/chat.h"

static bool wrong(place at, err *e, const char *fmt, ...) PRINTF(3, 4);
static bool wrong(place at, err *e, const char *fmt, ...)
{
    char what[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return fail_at(e, at, "%s", what);
}

// Within a message.
static bool wrong_in(int64_t message, place at, err *e, const char *fmt, ...) PRINTF(4, 5);
static bool wrong_in(int64_t message, place at, err *e, const char *fmt, ...)
{
    char what[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return fail_at(e, at, "messages[%lld]%s", (long long)message, what);
}

static bool known_role(str role)
{
    static const char *const roles[] = { "system", "user", "assistant", "tool", "developer", "function", "ipython" };
    for (size_t i = 0; i < COUNT(roles); i++)
        if (str_is(role, roles[i]))
            return true;
    return false;
}

static bool check_part(const node *part, int64_t m, int64_t i, place at, err *e)
{
    static const char *const media[] = { "image", "image_url", "audio", "input_audio", "video", "video_url" };
    const node *type = node_get(part, "type"), *words = node_get(part, "text");
    if (!node_is(part, NODE_OBJECT))
        return wrong_in(m, at, e, ".content[%lld]: expected an object like {\"type\": \"text\", \"text\": …}, got %s", (long long)i,
                     node_kind_name(part->kind));
    if (!node_is(type, NODE_TEXT))
        return wrong_in(m, at, e, ".content[%lld].type: %s%s", (long long)i, type ? "expected text, got " : "missing",
                     type ? node_kind_name(type->kind) : "");
    for (size_t k = 0; k < COUNT(media); k++)
        if (str_is(type->text, media[k]))
            return wrong_in(m, at, e, ".content[%lld].type: '%s' is not supported; only text is trained", (long long)i, media[k]);
    if (str_is(type->text, "text") && !node_is(words, NODE_TEXT))
        return wrong_in(m, at, e, ".content[%lld].text: %s%s", (long long)i, words ? "expected text, got " : "missing",
                     words ? node_kind_name(words->kind) : "");
    return true;
}

static bool check_content(const node *message, int64_t m, place at, err *e)
{
    const node *content = node_get(message, "content"), *calls = node_get(message, "tool_calls");
    bool may_lack = str_is(node_get(message, "role")->text, "assistant") && node_is(calls, NODE_LIST) && calls->list.count > 0;
    if (!content)
        return may_lack || wrong_in(m, at, e, ".content: missing");
    if (content->kind == NODE_NULL || content->kind == NODE_TEXT)
        return true;
    if (content->kind != NODE_LIST)
        return wrong_in(m, at, e, ".content: expected text, null or a list of parts, got %s", node_kind_name(content->kind));
    for (int64_t i = 0; i < content->list.count; i++)
        TRY(check_part(&content->list.items[i], m, i, at, e));
    return true;
}

static bool check_call(const node *call, int64_t m, int64_t i, place at, err *e)
{
    if (!node_is(call, NODE_OBJECT))
        return wrong_in(m, at, e, ".tool_calls[%lld]: expected an object, got %s", (long long)i, node_kind_name(call->kind));
    const node *function = node_get(call, "function");
    if (function && function->kind != NODE_OBJECT)
        return wrong_in(m, at, e, ".tool_calls[%lld].function: expected an object, got %s", (long long)i,
                     node_kind_name(function->kind));
    const node *name = node_get(function ? function : call, "name");
    if (!node_is(name, NODE_TEXT))
        return wrong_in(m, at, e, ".tool_calls[%lld]%s.name: %s%s", (long long)i, function ? ".function" : "",
                     name ? "expected text, got " : "missing", name ? node_kind_name(name->kind) : "");
    return true;
}

static bool check_calls(const node *message, int64_t m, place at, err *e)
{
    const node *calls = node_get(message, "tool_calls");
    if (!calls || calls->kind == NODE_NULL)
        return true;
    if (calls->kind != NODE_LIST)
        return wrong_in(m, at, e, ".tool_calls: expected a list, got %s", node_kind_name(calls->kind));
    for (int64_t i = 0; i < calls->list.count; i++)
        TRY(check_call(&calls->list.items[i], m, i, at, e));
    return true;
}

static bool check_message(const node *message, int64_t m, place at, err *e)
{
    if (!node_is(message, NODE_OBJECT))
        return wrong_in(m, at, e, ": expected an object with role and content, got %s", node_kind_name(message->kind));
    const node *role = node_get(message, "role");
    if (!role)
        return wrong_in(m, at, e, ".role: missing");
    if (role->kind != NODE_TEXT)
        return wrong_in(m, at, e, ".role: expected system, user, assistant or tool, got %s", node_kind_name(role->kind));
    if (!known_role(role->text))
        return wrong_in(m, at, e, ".role: expected system, user, assistant or tool, got '%.*s'", (int)MIN(role->text.size, (size_t)60),
                        role->text.at);
    return check_content(message, m, at, e) && check_calls(message, m, at, e);
}

static bool check_list_of_objects(const node *row, const char *key, place at, err *e)
{
    const node *list = node_get(row, key);
    if (!list || list->kind == NODE_NULL)
        return true;
    if (list->kind != NODE_LIST)
        return wrong(at, e, "%s: expected a list of objects, got %s", key, node_kind_name(list->kind));
    for (int64_t i = 0; i < list->list.count; i++)
        if (list->list.items[i].kind != NODE_OBJECT)
            return wrong(at, e, "%s[%lld]: expected an object, got %s", key, (long long)i, node_kind_name(list->list.items[i].kind));
    return true;
}

bool chat_check_row(const node *row, place at, err *e)
{
    if (!node_is(row, NODE_OBJECT))
        return wrong(at, e, "expected an object with messages, got %s", row ? node_kind_name(row->kind) : "nothing");
    const node *messages = node_get(row, "messages");
    if (!messages)
        return wrong(at, e, "messages: missing");
    if (messages->kind != NODE_LIST)
        return wrong(at, e, "messages: expected a list, got %s", node_kind_name(messages->kind));
    if (!messages->list.count)
        return wrong(at, e, "messages: expected at least one message, got none");
    for (int64_t i = 0; i < messages->list.count; i++)
        TRY(check_message(&messages->list.items[i], i, at, e));
    return check_list_of_objects(row, "tools", at, e) && check_list_of_objects(row, "documents", at, e);
}
