// Conversations of a token cache made again from their sources.
#include "data/retrace.h"

#include <stdlib.h>

#include "base/util.h"
#include "data/ledger.h"
#include "data/reader.h"

struct retrace {
    const cache *cache;
    cache_settings settings;
    chat *chat;
    arena arena, row_arena;
    chat_result result;
    reader *reader;                 // at `row` of `file`
    int64_t file, row;
    const adapter *adapter;         // of that file
};

// ---- settings -----------------------------------------------------------------------------------------------------------

// THE TABLE of settings that are understood: where each goes. What has no place does not change the text of a row.
static const struct { const char *name; size_t at; node_kind kind; } known[] = {
#define IN(kind, member) offsetof(cache_settings, member), NODE_##kind
    { "adapter", IN(TEXT, adapter.adapter) },
    { "messages_field", IN(TEXT, adapter.messages_field) },
    { "input_field", IN(TEXT, adapter.input_field) },
    { "output_field", IN(TEXT, adapter.output_field) },
    { "system_field", IN(TEXT, adapter.system_field) },
    { "calls_as_text", IN(BOOL, adapter.calls_as_text) },
    { "add_generation_prompt", IN(BOOL, chat.add_generation_prompt) },
    { "train_all", IN(BOOL, chat.train_all) },
    { "special_tokens_in_content_as_text", IN(BOOL, chat.special_in_content_as_text) },
    { "bos_add", IN(BOOL, chat.bos_add) },
    { "end_optional", IN(BOOL, chat.end_optional) },
    { "tokenizer_digest", 0, NODE_NULL }, { "vocab_size", 0, NODE_NULL }, { "template_digest", 0, NODE_NULL },
    { "shard_rows", 0, NODE_NULL },
};

static bool is_unset(const node *n)
{
    return n->kind == NODE_NULL || (n->kind == NODE_BOOL && !n->truth) || (n->kind == NODE_LIST && !n->list.count);
}

static bool take_setting(const member *m, arena *a, cache_settings *out)
{
    for (size_t i = 0; i < COUNT(known); i++) {
        void *to = (char *)out + known[i].at;
        if (!str_is(m->key, known[i].name))
            continue;
        if (known[i].kind == NODE_TEXT && m->value.kind == NODE_TEXT)
            *(const char **)to = arena_chars(a, m->value.text);
        else if (known[i].kind == NODE_BOOL && m->value.kind == NODE_BOOL)
            *(bool *)to = m->value.truth;
        return true;
    }
    return is_unset(&m->value);
}

bool cache_read_settings(const char *folder, arena *a, cache_settings *out, err *e)
{
    ledger l;
    *out = (cache_settings){0};
    TRY(ledger_read(a, folder, &l, e));
    for (int64_t i = 0; i < l.settings->object.count; i++)
        if (!take_setting(&l.settings->object.members[i], a, out) && !out->unknown)
            out->unknown = arena_chars(a, l.settings->object.members[i].key);
    return true;
}

// ---- opening ------------------------------------------------------------------------------------------------------------

static bool open_chat(retrace *r, const char *folder, const tokenizer *t, const retrace_how *how, err *e)
{
    TRY(cache_read_settings(folder, &r->arena, &r->settings, e));
    if (r->settings.unknown)
        return fail(e, ERR_UNSUPPORTED, "%s: its setting '%s' is not understood here", folder, r->settings.unknown);
    r->settings.chat.end_optional = true;
    r->settings.chat.bos_add = r->settings.chat.bos_add && !how->without_bos;
    return (r->chat = chat_open(t, how->chat_template, NULL, e)) != NULL;
}

retrace *retrace_open(const char *folder, const cache *c, const tokenizer *t, const retrace_how *how, err *e)
{
    retrace *r = calloc(1, sizeof *r);
    if (!r) {
        fail(e, ERR_MEMORY, "no memory to look at the rows of '%s'", folder);
        return NULL;
    }
    r->cache = c;
    r->file = -1;
    if (open_chat(r, folder, t, how, e))
        return r;
    retrace_close(r);
    return NULL;
}

void retrace_close(retrace *r)
{
    if (!r)
        return;
    reader_close(r->reader);
    chat_close(r->chat);
    chat_result_close(&r->result);
    arena_close(&r->row_arena);
    arena_close(&r->arena);
    free(r);
}

// ---- a row --------------------------------------------------------------------------------------------------------------

static bool open_file(retrace *r, int64_t file, err *e)
{
    reader_close(r->reader);
    r->file = file;
    r->row = 0;
    r->adapter = NULL;
    return (r->reader = reader_open(cache_source(r->cache, file), e)) != NULL;
}

// The source's row of that number; it is gone when the file is shorter now.
static bool find_row(retrace *r, int64_t file, int64_t number, const node **row, place *at, err *e)
{
    if (r->file != file || r->row >= number || !r->reader)
        TRY(open_file(r, file, e));
    do {
        raw_row raw;
        TRY(reader_next_raw(r->reader, &raw, e));
        if (!raw.bytes.at)
            return fail(e, ERR_INPUT, "%s: row %lld is not there any more", cache_source(r->cache, file), (long long)number);
        r->row = raw.at.row;
        *at = raw.at;
        if (r->row != number && r->adapter)
            continue;
        arena_close(&r->row_arena);
        TRY(raw_row_parse(&raw, &r->row_arena, row, e));
        if (!r->adapter)
            TRY(adapter_choose(&r->settings.adapter, *row, raw.at, &r->adapter, e));
        if (r->row == number)
            return true;
    } while (r->row < number);
    return fail(e, ERR_INPUT, "%s: row %lld is not there any more", cache_source(r->cache, file), (long long)number);
}

bool retrace_at(retrace *r, int64_t conversation_index, retraced *out, err *e)
{
    conversation c = cache_at(r->cache, conversation_index);
    const node *row;
    place at;
    adapted a;
    TRY(find_row(r, c.source_file, c.source_row, &row, &at, e));
    // The bytes of a row live until the next is read, which is after this call.
    TRY(adapter_apply(r->adapter, &r->settings.adapter, &r->row_arena, row, at, &a, e));
    if (a.dropped)
        return fail_at(e, at, "%s: it was not so when the cache was made", a.dropped);
    if (a.chat)
        TRY(chat_encode(r->chat, a.chat, at, &r->settings.chat, &r->result, e));
    else
        TRY(chat_encode_pair(r->chat, a.prompt, a.completion, &r->result, e));
    const tokens *k = &r->result.tokens;
    *out = (retraced){
        .row = a.chat, .prompt = a.prompt.size, .result = &r->result,
        .same = k->count == c.count && !memcmp(k->ids, c.ids, sizeof *k->ids * (size_t)c.count),
    };
    return true;
}
