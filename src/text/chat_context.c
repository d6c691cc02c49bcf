// What a template sees of a row, as `transformers` hands it over: members of messages that are null are left out, a
// message's reasoning stands under every name that templates read it by, and each byte knows its message and field.
#include <stdlib.h>

#include "base/util.h"
#include "text/chat_parts.h"

static const char *const reasoning_names[] = { "reasoning_content", "thinking", "reasoning" };

static const node *reasoning_of(const node *message)
{
    for (size_t i = 0; i < COUNT(reasoning_names); i++) {
        const node *n = node_get(message, reasoning_names[i]);
        if (n && n->kind != NODE_NULL)
            return n;
    }
    return NULL;
}

static bool is_given(const node *message, const char *key)
{
    const node *n = node_get(message, key);
    return n && n->kind != NODE_NULL;
}

static chat_field field_of(str key)
{
    for (size_t i = 0; i < COUNT(reasoning_names); i++)
        if (str_is(key, reasoning_names[i]))
            return FIELD_REASONING;
    return str_is(key, "role") ? FIELD_ROLE : str_is(key, "content") ? FIELD_CONTENT
           : str_is(key, "tool_calls") ? FIELD_TOOL_CALLS : FIELD_OTHER;
}

typedef struct block { member *members; int32_t *marks; int64_t count; } block;

static void add(block *b, int64_t message, const char *key, member m)
{
    if (key)
        m.key = str_of(key);
    b->members[b->count] = m;
    b->marks[b->count++] = (int32_t)(message + 1) | (int32_t)field_of(m.key) << 24;
}

// {"thinking": …, members …, "reasoning_content": …}: the names that are given keep their place.
static void copy_message(block *b, const node *message, int64_t i, node *out)
{
    const node *reasoning = reasoning_of(message);
    int64_t begin = b->count;
    if (reasoning && !is_given(message, "thinking"))
        add(b, i, "thinking", (member){ .value = *reasoning });
    for (int64_t k = 0; k < message->object.count; k++) {
        member m = message->object.members[k];
        if (m.value.kind == NODE_NULL)
            continue;
        if (reasoning && str_is(m.key, "reasoning_content"))
            m.value = *reasoning;
        add(b, i, NULL, m);
    }
    if (reasoning && !is_given(message, "reasoning_content"))
        add(b, i, "reasoning_content", (member){ .value = *reasoning });
    *out = *message;
    out->object.members = b->members + begin;
    out->object.count = b->count - begin;
}

static void copy_messages(const node *messages, arena *a, chat_context *x)
{
    int64_t count = messages->list.count, all = 0;
    for (int64_t i = 0; i < count; i++)
        all += messages->list.items[i].object.count + 2;
    block b = { ARENA_ARRAY(a, member, all), ARENA_ARRAY(a, int32_t, all), 0 };
    node *items = ARENA_ARRAY(a, node, count);
    x->roles = ARENA_ARRAY(a, int32_t, count);
    for (int64_t i = 0; i < count; i++) {
        copy_message(&b, &messages->list.items[i], i, &items[i]);
        const node *role = node_get(&items[i], "role");
        x->roles[i] = node_is(role, NODE_TEXT) && str_is(role->text, "assistant");
    }
    x->members = b.members;
    x->marks = b.marks;
    x->member_count = b.count;
    x->messages->kind = NODE_LIST;
    x->messages->list.items = items;
    x->messages->list.count = count;
}

int32_t chat_mark(void *self, const node *n)
{
    const chat_context *x = self;
    const node *first = x->messages->list.items;
    if (n >= first && n < first + x->messages->list.count)
        return (int32_t)(n - first) + 1;
    const char *at = (const char *)n, *begin = (const char *)x->members;
    if (at < begin || at >= begin + (size_t)x->member_count * sizeof(member))
        return 0;
    return x->marks[(size_t)(at - begin) / sizeof(member)];
}

static void put_special(const chat *c, arena *a, node *root, const char *name, int32_t id)
{
    str literal = id >= 0 ? tokenizer_token(c->tokenizer, id) : (str){0};
    if (literal.size)
        node_put(a, root, name, node_text(literal));
}

static void put_all(arena *a, node *root, const node *object)
{
    for (int64_t i = 0; object && i < object->object.count; i++) {
        const member *m = &object->object.members[i];
        if (!str_is(m->key, "messages") && !str_is(m->key, "chat_template_kwargs") && !str_is(m->key, "add_generation_prompt"))
            *node_put(a, root, arena_chars(a, m->key), m->value) = m->value;
    }
}

bool chat_make_context(const chat *c, const node *row, arena *a, chat_context *x, err *e)
{
    const node *more = node_get(row, "chat_template_kwargs");
    if (more && more->kind != NODE_OBJECT && more->kind != NODE_NULL)
        return fail(e, ERR_INPUT, "chat_template_kwargs: expected an object, got %s", node_kind_name(more->kind));
    x->root = node_object(a);
    put_special(c, a, x->root, "bos_token", tokenizer_bos(c->tokenizer));
    put_special(c, a, x->root, "eos_token", tokenizer_eos(c->tokenizer));
    put_special(c, a, x->root, "pad_token", tokenizer_pad(c->tokenizer));
    node_put(a, x->root, "tools", (node){ .kind = NODE_NULL });
    node_put(a, x->root, "documents", (node){ .kind = NODE_NULL });
    put_all(a, x->root, row);
    put_all(a, x->root, node_is(more, NODE_OBJECT) ? more : NULL);
    node_put(a, x->root, "messages", (node){ .kind = NODE_LIST });
    node_put(a, x->root, "add_generation_prompt", node_bool(false));
    x->messages = (node *)node_get(x->root, "messages");            // found again: adding members moves them
    x->generation = (node *)node_get(x->root, "add_generation_prompt");
    copy_messages(node_get(row, "messages"), a, x);
    return true;
}

bool chat_render(const chat_call *call, int64_t count, bool generation_prompt, jinja_output *out, err *e)
{
    chat_context *x = call->context;
    int64_t all = x->messages->list.count;
    x->messages->list.count = count < 0 ? all : count;
    x->generation->truth = generation_prompt;
    bool ok = jinja_render_at(call->c->template, x->root, chat_mark, x, NULL, call->now, 0, NULL, NULL, out, e);
    x->messages->list.count = all;
    return ok;
}

typedef struct taker { const chat_context *x; chat_result *r; } taker;

static bool is_answer(void *self, int64_t i) { return ((const taker *)self)->x->roles[i] != 0; }

static void take_prompt(void *self, int64_t i, size_t shared, const str *rest)
{
    chat_result *r = ((const taker *)self)->r;
    chat_prompt *p = &r->prompts[i];
    *p = (chat_prompt){ rest ? PROMPT_KNOWN : PROMPT_REFUSED, shared, r->rests.size, rest ? rest->size : 0 };
    if (rest)
        text_str(&r->rests, *rest);
}

bool chat_render_all(const chat_call *call, chat_result *r, err *e)
{
    chat_context *x = call->context;
    const int64_t count = x->messages->list.count;
    taker t = { x, r };
    jinja_fork fork = { .list = x->messages, .flag = x->generation, .wanted = is_answer, .take = take_prompt, .self = &t };
    if (count > r->prompt_room) {
        chat_prompt *more = realloc(r->prompts, sizeof *more * (size_t)count);
        if (!more)
            return fail(e, ERR_MEMORY, "no memory left for a conversation of %lld messages", (long long)count);
        r->prompts = more;
        r->prompt_room = count;
    }
    memset(r->prompts, 0, sizeof *r->prompts * (size_t)count);
    r->prompt_count = count;
    text_clear(&r->rests);
    x->generation->truth = false;
    return jinja_render_at(call->c->template, x->root, chat_mark, x, NULL, call->now, 0, NULL, &fork, &r->output, e)
        && text_ok(&r->rests, e);
}

int32_t chat_line_of(const chat_call *call, size_t at)
{
    jinja_output scratch = {0};
    err ignored;
    int32_t line = 0;
    at = MAX(at, (size_t)1);
    if (!jinja_render_at(call->c->template, call->context->root, NULL, NULL, NULL, call->now, at, &line, NULL, &scratch, &ignored))
        line = 0;
    jinja_output_close(&scratch);
    return line;
}
