// The encoding stage: the text of rows to conversations of ids and masks.
#include <stdio.h>

#include "base/util.h"
#include "data/build.h"

static void place_text(place at, char *out, size_t room) { snprintf(out, room, "%s: row %lld", at.file, (long long)at.row); }

static bool has_calls(const node *messages)
{
    for (int64_t i = 0; node_is(messages, NODE_LIST) && i < messages->list.count; i++) {
        const node *calls = node_get(&messages->list.items[i], "tool_calls");
        if (node_is(calls, NODE_LIST) && calls->list.count)
            return true;
    }
    return false;
}

static bool encode(build *b, const adapted *row, place at, chat_result *r, err *e)
{
    if (row->chat)
        return chat_check_row(row->chat, at, e) && chat_encode(b->chat, row->chat, at, &b->options->chat, r, e);
    return chat_encode_pair(b->chat, row->prompt, row->completion, r, e)
        || err_while(e, "%s: row %lld", at.file, (long long)at.row);
}

// Is anything predicted? The first token has none before it to predict it from.
static bool is_trained(const chat_result *r)
{
    return r->tokens.count && r->trained > r->mask[0];
}

static void drop(shard_info *info, const char *reason, place at)
{
    char first[256];
    place_text(at, first, sizeof first);
    info->totals.dropped++;
    info_drop(info, reason, first, 1);
}

static bool keep(const chat_result *r, const row_text *t, shard_piece *p, err *e)
{
    cache_totals *n = &p->info.totals;
    TRY(piece_add(p, r->tokens.ids, r->mask, r->tokens.count, t->file, t->raw.at.row, e));
    n->kept++;
    n->tokens += r->tokens.count;
    n->trained += r->trained;
    n->longest = MAX(n->longest, r->tokens.count);
    n->special_in_content += r->special_in_content;
    n->bos_missing += r->bos_missing;
    n->bos_double += r->bos_double;
    n->left_out += r->left_out > 0;
    info_stop(&p->info, r->stop);
    return true;
}

static bool encode_row(build *b, const job *j, const row_text *t, scratch *s, shard_piece *p, err *e)
{
    const node *row;
    adapted a;
    raw_row raw = t->raw;
    raw.bytes = (str){ j->text + t->begin, t->size };
    p->info.totals.rows++;
    TRY(raw_row_parse(&raw, &s->arena, &row, e));
    TRY(adapter_apply(t->adapter, &b->adapting, &s->arena, row, raw.at, &a, e));
    if (a.dropped) {
        drop(&p->info, a.dropped, raw.at);
        return true;
    }
    TRY(encode(b, &a, raw.at, &s->result, e));
    p->info.totals.tools_unseen += a.chat && ((!b->shows_tools && node_get(a.chat, "tools"))
                                              || (!b->shows_calls && has_calls(node_get(a.chat, "messages"))));
    if (is_trained(&s->result))
        return keep(&s->result, t, p, e);
    drop(&p->info, drop_reasons[DROP_UNTRAINED], raw.at);
    return true;
}

void build_encode(build *b, job *j, int64_t k, int thread)
{
    scratch *s = &b->scratch[thread];
    chunk *c = &j->chunks[k];
    piece_clear(&j->pieces[k]);
    c->ok = true;
    for (int64_t i = c->begin; c->ok && i < c->end; i++) {
        c->ok = encode_row(b, j, &j->rows[i], s, &j->pieces[k], &c->error);
        arena_clear(&s->arena);
    }
}
