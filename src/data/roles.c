// Whose tokens a conversation's are.
#include "data/roles.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"

// The first run after `begin`: runs are in order and cover the text.
static int64_t run_at(const jinja_output *o, uint32_t begin)
{
    int64_t low = 0, high = o->run_count;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (o->runs[middle].end <= begin)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// A token of the template and of a message at once is the message's. The role's own name is the template's header.
static int32_t message_of(const chat_result *r, int64_t token)
{
    const jinja_output *o = &r->output;
    const uint32_t begin = r->tokens.begin[token], end = r->tokens.end[token];
    for (int64_t i = run_at(o, begin); i < o->run_count && o->runs[i].begin < end; i++)
        if (chat_mark_message(o->runs[i].mark) >= 0 && chat_mark_field(o->runs[i].mark) != FIELD_ROLE)
            return chat_mark_message(o->runs[i].mark);
    return -1;
}

const char *role_of_token(const node *row, size_t prompt, const chat_result *r, int64_t token, char out[24])
{
    if (!row) {
        bool added = r->tokens.begin[token] == r->tokens.end[token];
        return added ? "template" : r->tokens.end[token] <= prompt ? "prompt" : "completion";
    }
    const node *role = node_get(node_at(node_get(row, "messages"), message_of(r, token)), "role");
    if (!node_is(role, NODE_TEXT))
        return "template";
    snprintf(out, 24, "%.*s", (int)MIN(role->text.size, (size_t)23), role->text.at);
    return out;
}

void roles_add(role_totals *t, const char *role, int64_t count, int64_t trained)
{
    int i = 0;
    while (i < t->count && strcmp(t->items[i].role, role))
        i++;
    if (i == MOST_ROLES)
        return;
    if (i == t->count)
        snprintf(t->items[t->count++].role, sizeof t->items[i].role, "%s", role);
    t->items[i].tokens += count;
    t->items[i].trained += trained;
}

void roles_count(role_totals *t, const node *row, size_t prompt, const chat_result *r)
{
    char word[24];
    for (int64_t i = 0; i < r->tokens.count; i++)
        roles_add(t, role_of_token(row, prompt, r, i, word), 1, r->mask[i]);
}

void roles_sum(role_totals *to, const role_totals *more)
{
    for (int i = 0; i < more->count; i++)
        roles_add(to, more->items[i].role, more->items[i].tokens, more->items[i].trained);
}
