// THE TABLE of adapters, choosing a row of it, and what the adapting functions share.
#include "data/adapter_table.h"

#include <stdio.h>
#include <strings.h>

#include "base/json.h"
#include "base/near.h"
#include "base/util.h"

const char *const drop_reasons[DROP_REASONS] = {
    [DROP_UNTRAINED] = "nothing in it is trained",
    [DROP_NULL] = "a field is null",
    [DROP_NO_ANSWER] = "its list of answers holds none",
    [DROP_NOT_ONE] = "it holds more or less than one message",
    [DROP_NO_ROLE] = "its message has no role",
    [DROP_NO_TURN] = "it has no user or no assistant message",
};

// The first row whose fields a dataset's first row has is chosen, so the more particular ones come first.
#define LIST_OF(key, text) .list = true, .element = key, .content = text
#define PAIR               .drops_null = true
static const adapter table[] = {
    // name                       input           output        function
    { "messages",                 "messages",      NULL,         adapt_messages,         LIST_OF("role", "content") },
    { "messages",                 "conversations", NULL,         adapt_messages,         LIST_OF("role", "content") },
    { "messages",                 "conversation",  NULL,         adapt_messages,         LIST_OF("role", "content") },
    { "sharegpt",                 "conversations", NULL,         adapt_sharegpt,         LIST_OF("from", "value") },
    { "sharegpt",                 "conversation",  NULL,         adapt_sharegpt,         LIST_OF("from", "value") },
    { "sharegpt",                 "messages",      NULL,         adapt_sharegpt,         LIST_OF("from", "value") },
    { "prompt_completion",        "prompt",        "completion", adapt_completion,       .list = false },
    { "alpaca",                   "instruction",   "output",     adapt_alpaca,           .list = false },
    { "instruction_response",     "instruction",   "response",   adapt_response,         PAIR },
    { "instruction_response",     "prompt",        "response",   adapt_response,         PAIR },
    { "instruction_response",     "query",         "response",   adapt_response,         PAIR },
    { "instruction_response",     "question",      "answer",     adapt_response,         PAIR },
    { "instruction_response",     "question",      "response",   adapt_response,         PAIR },
    { "instruction_response",     "input",         "output",     adapt_response,         PAIR },
    { "instruction_response",     "problem",       "solution",   adapt_response,         PAIR },
    { "instruction_response",     "instruction",   "completion", adapt_response,         PAIR },
    { "instruct_column_response", "question",      "responses",  adapt_column_response,  PAIR, .content = "response" },
    { "instruct_msg_response",    "messages",      "answer",     adapt_message_response, PAIR, .by_name = true, .element = "role" },
};

const char *adapter_name(const adapter *a) { return a->name; }

const char *const *adapter_names(void)
{
    static const char *names[COUNT(table) + 1];
    size_t count = 0;
    for (size_t i = 0; i < COUNT(table); i++)       // rows of one name stand together
        if (!i || strcmp(table[i].name, table[i - 1].name))
            names[count++] = table[i].name;
    return names;
}

// ---- choosing ----

static void list_keys(const node *row, char *out, size_t room)
{
    size_t used = 0;
    out[0] = 0;
    for (int64_t i = 0; i < row->object.count && used < room; i++) {
        str key = row->object.members[i].key;
        if (i == 10) {
            snprintf(out + used, room - used, ", …");
            return;
        }
        used += (size_t)snprintf(out + used, room - used, "%s%.*s", i ? ", " : "", (int)MIN(key.size, 30), key.at);
    }
    if (!row->object.count)
        snprintf(out, room, "none");
}

static void list_names(char *out, size_t room)
{
    size_t used = 0;
    for (const char *const *name = adapter_names(); *name && used < room; name++)
        used += (size_t)snprintf(out + used, room - used, "%s%s", used ? ", " : "", *name);
}

// Does a list of messages stand in the field, of this form? An empty list, or null, tells nothing and passes.
static bool holds_list(const node *row, const char *field, const char *element)
{
    const node *list = node_get(row, field), *first = node_at(list, 0);
    return node_is(list, NODE_LIST) && (!first || node_get(first, element));
}

// In the guide's form the two names are roles of the messages. A row may hold messages and two fields of those names besides: then
// the fields are meant, unless the messages have such roles.
static bool means_fields(const adapter *a, const adapter_options *o, const node *row, const node *list)
{
    if (!o->input_field || !o->output_field || !node_get(row, o->input_field) || !node_get(row, o->output_field))
        return false;
    for (int64_t i = 0; i < list->list.count; i++) {
        const node *role = node_get(node_at(list, i), o->role_key ? o->role_key : a->element);
        if (node_is(role, NODE_TEXT) && (str_is(role->text, o->input_field) || str_is(role->text, o->output_field)))
            return false;
    }
    return true;
}

static bool fits(const adapter *a, const adapter_options *o, const node *row)
{
    const char *field = o->messages_field ? o->messages_field : a->input;
    if (a->by_name && !o->adapter)
        return false;
    if (a->list)
        return holds_list(row, field, o->role_key ? o->role_key : a->element) && !means_fields(a, o, row, node_get(row, field));
    return node_get(row, o->input_field ? o->input_field : a->input) && node_get(row, o->output_field ? o->output_field : a->output);
}

static const adapter *find_fit(const adapter_options *o, const node *row, bool list)
{
    for (size_t i = 0; i < COUNT(table); i++)
        if (table[i].list == list && (!o->adapter || !strcmp(table[i].name, o->adapter)) && fits(&table[i], o, row))
            return &table[i];
    return NULL;
}

static const adapter *by_name(const char *name)
{
    for (size_t i = 0; i < COUNT(table); i++)
        if (!strcmp(table[i].name, name))
            return &table[i];
    return NULL;
}

// Two named fields of a flat row: a pair when they are called so, or asked for so; else a user's and an assistant's message.
static const adapter *of_fields(const adapter_options *o)
{
    if (o->adapter)
        return by_name(o->adapter);
    bool pair = o->input_field && o->output_field && !strcmp(o->input_field, "prompt") && !strcmp(o->output_field, "completion");
    return by_name(pair ? "prompt_completion" : "instruction_response");
}

static bool check_name(const adapter_options *o, err *e)
{
    char near[128], all[200];
    if (!o->adapter || !strcmp(o->adapter, "auto") || by_name(o->adapter))
        return true;
    size_t count = 0;
    while (adapter_names()[count])
        count++;
    near_names(o->adapter, adapter_names(), count, near, sizeof near);
    list_names(all, sizeof all);
    return fail(e, ERR_INPUT, "adapter: there is no '%s'%s%s; there are %s", o->adapter, near[0] ? ", did you mean " : "", near, all);
}

bool adapter_check(const adapter_options *o, err *e)
{
    for (int i = 0; o->replacements && o->replacements[i]; i++)
        if (!strstr(o->replacements[i], ADAPT_ARROW) || str_begins(str_of(o->replacements[i]), STR(ADAPT_ARROW)))
            return fail(e, ERR_INPUT, "replacements: expected 'this => that', got '%.60s'", o->replacements[i]);
    return check_name(o, e);
}

bool adapter_choose(const adapter_options *given, const node *first, place at, const adapter **out, err *e)
{
    char keys[200], all[200];
    adapter_options without = *given, *o = &without;
    TRY(check_name(given, e));
    if (o->adapter && !strcmp(o->adapter, "auto"))
        o->adapter = NULL;
    if (!node_is(first, NODE_OBJECT))
        return fail_at(e, at, "expected an object, got %s", first ? node_kind_name(first->kind) : "nothing");
    if ((*out = find_fit(o, first, true)))
        return true;
    list_keys(first, keys, sizeof keys);
    if (o->messages_field)
        return fail_at(e, at, "%s: expected a list of messages ({role, content} or {from, value}); the row's keys are %s",
                       o->messages_field, keys);
    if (o->input_field || o->output_field)
        *out = find_fit(o, first, false) ? of_fields(o) : NULL;
    else
        *out = find_fit(o, first, false);
    if (!*out && o->adapter && !o->input_field && !o->output_field)
        *out = by_name(o->adapter);                 // its error will name the missing field
    list_names(all, sizeof all);
    if (!*out && (o->input_field || o->output_field))
        return fail_at(e, at, "the row holds no list of messages and not both fields '%s' and '%s'; its keys are %s",
                       o->input_field ? o->input_field : "(default)", o->output_field ? o->output_field : "(default)", keys);
    return *out || fail_at(e, at, "no adapter fits a row with the keys %s; name the fields (input_field, output_field or "
                                  "messages_field) or an adapter: %s", keys, all);
}

// ---- what the functions share ----

const char *adapt_input(const adapting *x)
{
    if (x->adapter->list)
        return x->options->messages_field ? x->options->messages_field : x->adapter->input;
    return x->options->input_field ? x->options->input_field : x->adapter->input;
}

const char *adapt_output(const adapting *x)
{
    return x->options->output_field ? x->options->output_field : x->adapter->output;
}

const char *adapt_role_key(const adapting *x) { return x->options->role_key ? x->options->role_key : x->adapter->element; }

const char *adapt_content_key(const adapting *x)
{
    return x->options->content_key ? x->options->content_key : x->adapter->content ? x->adapter->content : "content";
}

const char *adapt_named_role(const adapting *x, str spelling)
{
    const adapter_options *o = x->options;
    const struct { const char *spelt, *role; } named[] = {
        { o->user_value, "user" }, { o->assistant_value, "assistant" }, { o->system_value, "system" }, { o->tool_value, "tool" },
        { o->input_field, "user" }, { o->output_field, "assistant" },
    };
    for (size_t i = 0; i < COUNT(named); i++)
        if (named[i].spelt && str_is(spelling, named[i].spelt))
            return named[i].role;
    return NULL;
}

bool adapt_missing(const adapting *x, const char *field, err *e)
{
    char keys[200];
    list_keys(x->row, keys, sizeof keys);
    return fail_at(e, x->at, "%s: missing (adapter %s); the row's keys are %s", field, x->adapter->name, keys);
}

bool adapt_text(const adapting *x, const char *field, str *out, bool *null, err *e)
{
    const node *n = node_get(x->row, field);
    *null = node_is(n, NODE_NULL);
    if (!n)
        return adapt_missing(x, field, e);
    if (*null && x->adapter->drops_null)
        return true;
    if (n->kind != NODE_TEXT)
        return fail_at(e, x->at, "%s: expected text, got %s", field, node_kind_name(n->kind));
    *out = n->text;
    return true;
}

bool adapt_maybe_text(const adapting *x, const char *field, str *out, err *e)
{
    const node *n = node_get(x->row, field);
    *out = (str){ "", 0 };
    if (!n || n->kind == NODE_NULL)
        return true;
    if (n->kind != NODE_TEXT)
        return fail_at(e, x->at, "%s: expected text, got %s", field, node_kind_name(n->kind));
    *out = n->text;
    return true;
}

void adapt_message(const adapting *x, node *messages, const char *role, str content)
{
    node *m = node_object(x->arena);
    node_put(x->arena, m, "role", node_text(str_of(role)));
    node_put(x->arena, m, "content", node_text(content));
    node_add(x->arena, messages, *m);
}

// `tools`: a list, or text that holds JSON (as ShareGPT files and Arrow tables keep it). Null and empty are none.
static bool add_tools(const adapting *x, node *chat, err *e)
{
    const node *tools = node_get(x->row, "tools");
    if (node_is(tools, NODE_TEXT)) {
        str s = tools->text;
        while (s.size && (s.at[0] == ' ' || s.at[0] == '\n'))
            s = str_from(s, 1);
        if (!s.size)
            return true;
        if (!json_parse(x->arena, s, (place){ .file = "tools" }, &tools, e)) {
            err why = *e;
            return fail_at(e, x->at, "%s", why.text);
        }
    }
    if (!tools || tools->kind == NODE_NULL || (tools->kind == NODE_LIST && !tools->list.count))
        return true;
    if (tools->kind != NODE_LIST)
        return fail_at(e, x->at, "tools: expected a list, or text that holds one as JSON, got %s", node_kind_name(tools->kind));
    node_put(x->arena, chat, "tools", *tools);
    return true;
}

// A column of on/off words, as some datasets have it, is the template's enable_thinking.
static void add_reasoning(const adapting *x, node *chat)
{
    static const struct { const char *word; bool on; } words[] = {
        { "on", true }, { "true", true }, { "1", true }, { "off", false }, { "false", false }, { "0", false },
    };
    const node *said = x->options->reasoning_field ? node_get(x->row, x->options->reasoning_field) : NULL;
    if (node_is(said, NODE_BOOL))
        node_put(x->arena, chat, "enable_thinking", *said);
    for (size_t i = 0; node_is(said, NODE_TEXT) && i < COUNT(words); i++)
        if (said->text.size == strlen(words[i].word) && !strncasecmp(said->text.at, words[i].word, said->text.size))
            node_put(x->arena, chat, "enable_thinking", node_bool(words[i].on));
}

bool adapt_begin(const adapting *x, const char *system_field, node **messages, err *e)
{
    node *chat = node_object(x->arena);
    str system = {0};
    x->out->chat = chat;
    if (system_field)
        TRY(adapt_maybe_text(x, system_field, &system, e));
    *messages = node_put(x->arena, chat, "messages", *node_list(x->arena));
    if (system.size)
        adapt_message(x, *messages, "system", system);
    TRY(add_tools(x, chat, e));
    const node *more = node_get(x->row, "chat_template_kwargs");
    for (int64_t i = 0; node_is(more, NODE_OBJECT) && i < more->object.count; i++) {
        const char *name = arena_chars(x->arena, more->object.members[i].key);
        if (!node_get(chat, name))
            node_put(x->arena, chat, name, more->object.members[i].value);
    }
    add_reasoning(x, chat);
    *messages = (node *)node_get(chat, "messages");     // members may have moved while the object grew
    return true;
}

bool adapter_apply(const adapter *a, const adapter_options *o, arena *memory, const node *row, place at, adapted *out, err *e)
{
    adapting x = { a, o, memory, row, at, out };
    *out = (adapted){0};
    if (!node_is(row, NODE_OBJECT))
        return fail_at(e, at, "expected an object, got %s", row ? node_kind_name(row->kind) : "nothing");
    TRY(a->apply(&x, e));
    if (!out->dropped)
        adapt_after(&x);
    return true;
}
