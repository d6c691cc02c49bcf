// Looking at one row: is it of the form that is read, what would be trained of it, and what would surprise its owner.
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/util.h"
#include "data/check_parts.h"
#include "data/packs.h"

const struct check_words check_words[CHECK_REASONS] = {
    [CHECK_FILE] = { "unreadable file", "the file ends early or holds no rows; what follows in it is not seen" },
    [CHECK_MALFORMED] = { "malformed", "the row is no JSON object" },
    [CHECK_FORM] = { "wrong form", "a field is missing or of another kind, or a role is unknown" },
    [CHECK_TEMPLATE] = { "refused by the template", "the chat template fails on it, or ends an answer with no stop token" },
    [CHECK_NO_ASSISTANT] = { "no assistant message", "there is nothing to learn" },
    [CHECK_NULL] = { "null field", "such rows are left out" },
    [CHECK_UNTRAINED] = { "nothing trained", "no token of it is trained; such rows are left out" },
    [CHECK_LONG] = { "too long", "within max_seq_len no trained token is left; such rows are left out" },
    [CHECK_LEFT_OUT] = { "answer left out", "the template prints nothing of an assistant message" },
    [CHECK_STOP] = { "stop token not trained", "an answer ends in a token that is no stop token" },
    [CHECK_CUT] = { "cut", "longer than max_seq_len" },
    [CHECK_SPECIAL] = { "special tokens in content", "text of a message spells special tokens, which are read as such" },
    [CHECK_NO_BOS] = { "no BOS", "the tokenizer alone would add one; bos=add adds it" },
    [CHECK_TWO_BOS] = { "two BOS", "the template writes one, and there is another" },
    [CHECK_TOOLS] = { "tools not shown", "the template prints no tools or tool calls" },
    [CHECK_ARGUMENTS] = { "arguments are no JSON", "the arguments of a tool call are text that no JSON object stands in" },
    [CHECK_EMPTY] = { "empty answer", "an assistant message says nothing: an immediate stop is learned" },
};

// ---- findings -----------------------------------------------------------------------------------------------------------

static void find(row_scratch *s, looked *row, check_reason reason, const char *path, const char *what)
{
    if (row->found.count == ROW_FINDINGS)
        return;
    row->found.items[row->found.count++] = (check_finding){
        .reason = reason, .file = row->raw.at.file, .row = row->raw.at.row, .path = path ? arena_chars(&s->texts, str_of(path)) : "",
        .text = arena_chars(&s->texts, str_of(what)),
    };
}

static bool is_path_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("_.[]-", c);
}

// "messages[2].role: expected …": the path, when a name comes before the first ": ".
static size_t path_of(str s)
{
    size_t n = 0;
    while (n < s.size && is_path_char(s.at[n]))
        n++;
    bool named = n && (s.at[0] == '_' || (s.at[0] | 32) >= 'a');
    return named && str_begins(str_from(s, n), STR(": ")) ? n : 0;
}

check_finding check_of_error(arena *a, check_reason reason, place at, const err *e)
{
    str s = str_of(e->text), file = str_of(at.file);
    char before[64];
    long long row;
    int line, column, used = 0;
    bool lined = false;
    check_finding f = { .reason = reason, .file = at.file, .row = at.row, .path = "" };
    if (str_begins(s, file)) {
        s = str_from(s, file.size);
        if (sscanf(s.at, ": row %lld%n", &row, &used) == 1)
            s = str_from(s, (size_t)used);
        else if ((lined = sscanf(s.at, ":%d:%d%n", &line, &column, &used) == 2)) {
            snprintf(before, sizeof before, "line %d, column %d: ", line, column);
            s = str_from(s, (size_t)used);
        }
        s = str_from(s, str_begins(s, STR(": ")) ? 2 : 0);
    }
    size_t path = reason == CHECK_FILE || reason == CHECK_MALFORMED ? 0 : path_of(s);
    if (path) {
        f.path = arena_chars(a, str_slice(s, 0, path));
        s = str_from(s, path + 2);
    }
    f.text = arena_print(a, "%s%.*s", lined ? before : "", STR_ARG(s));
    return f;
}

static void find_error(row_scratch *s, looked *row, check_reason reason, const err *e)
{
    row->found.items[0] = check_of_error(&s->texts, reason, row->raw.at, e);
    row->found.count = 1;
}

// ---- a conversation, before it is rendered ------------------------------------------------------------------------------

static bool has_role(const node *message, const char *role)
{
    const node *n = node_get(message, "role");
    return node_is(n, NODE_TEXT) && str_is(n->text, role);
}

static bool is_blank(str s)
{
    for (size_t i = 0; i < s.size; i++)
        if (!strchr(" \t\r\n", s.at[i]))
            return false;
    return true;
}

static bool says_nothing(const node *message)
{
    const node *content = node_get(message, "content"), *calls = node_get(message, "tool_calls");
    bool list = node_is(content, NODE_LIST) && content->list.count;
    return !list && !(node_is(content, NODE_TEXT) && !is_blank(content->text)) && !(node_is(calls, NODE_LIST) && calls->list.count);
}

static void look_at_calls(row_scratch *s, looked *row, const node *message, int64_t i)
{
    const node *calls = node_get(message, "tool_calls");
    for (int64_t k = 0; node_is(calls, NODE_LIST) && k < calls->list.count; k++) {
        const node *function = node_get(&calls->list.items[k], "function");
        const node *arguments = node_get(function ? function : &calls->list.items[k], "arguments"), *parsed;
        err ignored = {0};
        if (!node_is(arguments, NODE_TEXT) || is_blank(arguments->text))
            continue;
        bool object = json_parse(&s->arena, arguments->text, (place){ .file = "arguments" }, &parsed, &ignored)
                      && parsed->kind == NODE_OBJECT;
        if (!object)
            find(s, row, CHECK_ARGUMENTS, arena_print(&s->texts, "messages[%lld].tool_calls[%lld]%s.arguments", (long long)i, (long long)k,
                                                      function ? ".function" : ""),
                 arena_print(&s->texts, "expected a JSON object, got '%.*s'", (int)MIN(arguments->text.size, (size_t)60),
                             arguments->text.at));
    }
}

// False: there is nothing to learn in it.
static bool look_at_messages(row_scratch *s, looked *row, const node *messages)
{
    int64_t answers = 0;
    for (int64_t i = 0; i < messages->list.count; i++) {
        const node *m = &messages->list.items[i];
        look_at_calls(s, row, m, i);
        if (!has_role(m, "assistant"))
            continue;
        answers++;
        if (says_nothing(m))
            find(s, row, CHECK_EMPTY, arena_print(&s->texts, "messages[%lld].content", (long long)i), "the answer is empty");
    }
    if (!answers)
        find(s, row, CHECK_NO_ASSISTANT, "messages", "no message of the assistant, so there is nothing to learn");
    return answers > 0;
}

static bool has_calls(const node *messages)
{
    for (int64_t i = 0; i < messages->list.count; i++) {
        const node *calls = node_get(&messages->list.items[i], "tool_calls");
        if (node_is(calls, NODE_LIST) && calls->list.count)
            return true;
    }
    return false;
}

// ---- its tokens ---------------------------------------------------------------------------------------------------------

static void look_at_length(const row_checker *c, row_scratch *s, looked *row)
{
    const chat_result *r = &s->result;
    conversation v = { .ids = r->tokens.ids, .mask = r->mask, .count = r->tokens.count };
    lost why;
    if (!c->options->seq || v.count <= c->options->seq)
        return;
    int64_t keep = keep_tokens(v, c->options->seq, c->options->cut, &why);
    if (!keep)
        find(s, row, CHECK_LONG, "", arena_print(&s->texts, "%lld tokens, and %s within max_seq_len=%lld", (long long)v.count,
                                                 why == LOST_LONG ? "truncate=drop: it is not" : "no whole answer lies",
                                                 (long long)c->options->seq));
    else
        find(s, row, CHECK_CUT, "", arena_print(&s->texts, "%lld tokens, of which %lld are kept within max_seq_len=%lld",
                                                (long long)v.count, (long long)keep, (long long)c->options->seq));
}

static void look_at_tokens(const row_checker *c, row_scratch *s, looked *row, const adapted *a)
{
    const chat_result *r = &s->result;
    const node *messages = node_get(a->chat, "messages");
    int64_t where = chat_unended(c->options->tokenizer, r->tokens.ids, r->mask, r->tokens.count);
    conversation v = { .ids = r->tokens.ids, .mask = r->mask, .count = r->tokens.count };
    if (!count_targets(v, v.count)) {
        find(s, row, CHECK_UNTRAINED, "", r->left_out ? "no token of it is trained: the chat template prints none of its answers"
                                                      : "no token of it is trained");
        return;
    }
    if (r->left_out)
        find(s, row, CHECK_LEFT_OUT, "", arena_print(&s->texts, "the chat template prints nothing of %lld of its answers",
                                                     (long long)r->left_out));
    if (where >= 0 && !c->options->chat.train_all) {
        str last = tokenizer_token(c->options->tokenizer, r->tokens.ids[where]);
        find(s, row, CHECK_STOP, "", arena_print(&s->texts, "an answer ends with the token '%.*s', which is no stop token", STR_ARG(last)));
    }
    if (r->special_in_content)
        find(s, row, CHECK_SPECIAL, "", "the text of a message spells a special token");
    if (r->bos_missing && !c->options->chat.bos_add)
        find(s, row, CHECK_NO_BOS, "", "the text begins without the BOS token that the tokenizer alone would add");
    if (r->bos_double)
        find(s, row, CHECK_TWO_BOS, "", "the text begins with two BOS tokens");
    if (a->chat && ((!c->shows_tools && node_get(a->chat, "tools")) || (!c->shows_calls && has_calls(messages))))
        find(s, row, CHECK_TOOLS, "", "it has tools or tool calls, which the chat template does not print");
    look_at_length(c, s, row);
}

static bool encode(const row_checker *c, const adapted *a, place at, chat_result *r, err *e)
{
    if (a->chat)
        return chat_encode(c->chat, a->chat, at, &c->options->chat, r, e);
    return chat_encode_pair(c->chat, a->prompt, a->completion, r, e);
}

static bool is_bad(const looked *row)
{
    for (int i = 0; i < row->found.count; i++)
        if (row->found.items[i].reason < CHECK_BAD)
            return true;
    return false;
}

static void look(const row_checker *c, row_scratch *s, str bytes, looked *row)
{
    const node *n;
    adapted a;
    err e = {0};
    raw_row raw = row->raw;
    raw.bytes = bytes;
    if (!raw_row_parse(&raw, &s->arena, &n, &e)) {
        find_error(s, row, CHECK_MALFORMED, &e);
        return;
    }
    if (!adapter_apply(row->adapter, &c->adapting, &s->arena, n, raw.at, &a, &e) || (a.chat && !chat_check_row(a.chat, raw.at, &e))) {
        find_error(s, row, CHECK_FORM, &e);
        return;
    }
    if (a.dropped)
        find(s, row, CHECK_NULL, "", a.dropped);
    if (a.dropped || (a.chat && !look_at_messages(s, row, node_get(a.chat, "messages"))) || !c->chat)
        return;
    if (!encode(c, &a, raw.at, &s->result, &e)) {
        row->unreadable = e.code == ERR_MEMORY;
        row->error = e;
        find_error(s, row, CHECK_TEMPLATE, &e);
        return;
    }
    look_at_tokens(c, s, row, &a);
    if (is_bad(row))
        return;
    row->tokens = s->result.tokens.count;
    row->trained = s->result.trained;
    roles_count(&s->roles, a.chat, a.prompt.size, &s->result);
}

void check_row(const row_checker *c, row_scratch *s, str bytes, looked *row)
{
    if (row->adapter && !row->unreadable)
        look(c, s, bytes, row);
    arena_close(&s->arena);
}
