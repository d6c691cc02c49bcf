// Which tokens end an answer: seen in small conversations rendered when a chat is opened.
#include "base/util.h"
#include "text/chat_parts.h"

static const char answer[] = "Quiet rain.";         // unlikely to stand in a template

static node message(arena *a, const char *role, const char *content)
{
    node *m = node_object(a);
    node_put(a, m, "role", node_text(str_of(role)));
    node_put(a, m, "content", node_text(str_of(content)));
    return *m;
}

static void note(chat *c, int32_t id)
{
    for (int i = 0; i < c->stop_count; i++)
        if (c->stops[i] == id)
            return;
    if (c->stop_count < MOST_STOPS)
        c->stops[c->stop_count++] = id;
}

// After the answer, before the words of a message that follows it: EOS if it stands among the added tokens that follow
// at once, else the first special token, else the first added one.
static int32_t stop_in(const chat *c, const chat_result *r)
{
    str all = text_view(&r->output.text);
    size_t end = str_find(all, str_of(answer), 0) + sizeof answer - 1, next = str_find(all, STR("And now?"), 0);
    int32_t added = -1, special = -1;
    bool at_once = true;
    for (int64_t i = 0; i < r->tokens.count; i++) {
        int32_t id = r->tokens.ids[i];
        if (r->tokens.begin[i] < end || r->tokens.begin[i] >= next)
            continue;
        if (!tokenizer_is_added(c->tokenizer, id)) {
            at_once = false;
            continue;
        }
        if (at_once && id == tokenizer_eos(c->tokenizer))
            return id;
        special = special < 0 && tokenizer_is_special(c->tokenizer, id) ? id : special;
        added = added < 0 ? id : added;
    }
    return special >= 0 ? special : added;
}

// A conversation of `count` messages: user, assistant, user.
static bool try_one(chat *c, int64_t count, chat_result *r, arena *a, err *e)
{
    node *row = node_object(a), *list = node_list(a);
    node_add(a, list, message(a, "user", "Say it."));
    node_add(a, list, message(a, "assistant", answer));
    node_add(a, list, message(a, "user", "And now?"));
    list->list.count = count;
    node_put(a, row, "messages", *list);
    chat_context x = {0};
    chat_call call = { c, &x, { 0 } };
    TRY(chat_make_context(c, row, a, &x, e));
    TRY(chat_render(&call, -1, false, &r->output, e));
    TRY(chat_encode_text(c, &(chat_options){0}, r, e));
    int32_t stop = str_find(text_view(&r->output.text), str_of(answer), 0) < r->output.text.size ? stop_in(c, r) : -1;
    if (stop >= 0)
        note(c, stop);
    return true;
}

// A template may refuse the trial for reasons of its own: then the tokenizer's EOS is all that is known.
bool chat_find_stops(chat *c)
{
    chat_result r = {0};
    arena a = {0};
    err ignored = {0};
    bool ok = try_one(c, 2, &r, &a, &ignored) && try_one(c, 3, &r, &a, &ignored);
    if (tokenizer_eos(c->tokenizer) >= 0)
        note(c, tokenizer_eos(c->tokenizer));
    chat_result_close(&r);
    arena_close(&a);
    return ok;
}
