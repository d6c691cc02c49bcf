// Text to tokens: the whole text once, special tokens parsed, none added; then bytes trained become tokens trained.
#include <stdlib.h>

#include "base/util.h"
#include "text/chat_parts.h"
#include "text/scratch.h"

bool chat_result_room(chat_result *r, err *e)
{
    if (r->tokens.count <= r->mask_room)
        return true;
    int64_t room = r->tokens.count + 64;
    uint8_t *more = realloc(r->mask, (size_t)room);
    if (!more)
        return fail(e, ERR_MEMORY, "no memory left for the mask of a conversation");
    r->mask = more;
    r->mask_room = room;
    return true;
}

// Does all of the token's text come from a message, so that its author wrote it, not the template?
static bool is_from_message(const jinja_output *o, size_t begin, size_t end, int64_t *run)
{
    while (*run < o->run_count && o->runs[*run].end <= begin)
        ++*run;
    for (int64_t i = *run; i < o->run_count && o->runs[i].begin < end; i++)
        if (chat_mark_message(o->runs[i].mark) < 0)
            return false;
    return begin < end;
}

// Between two special tokens of the template all is ordinary text if any of it spells a special token.
static bool encode_piece(const chat *c, str all, size_t begin, size_t end, bool as_text, tokens *out, err *e)
{
    int64_t first = out->count;
    TRY(tokenizer_encode(c->tokenizer, str_slice(all, begin, end), as_text ? ENCODE_NO_SPECIAL : ENCODE_PLAIN, out, e));
    for (int64_t i = first; i < out->count; i++) {
        out->begin[i] += (uint32_t)begin;
        out->end[i] += (uint32_t)begin;
    }
    return true;
}

static bool encode_again(const chat *c, chat_result *r, err *e)
{
    tokens whole = r->tokens;
    r->tokens = (tokens){0};
    str all = text_view(&r->output.text);
    size_t begin = 0;
    int64_t run = 0;
    bool as_text = false, ok = true;
    for (int64_t i = 0; ok && i < whole.count; i++) {
        if (!tokenizer_is_added(c->tokenizer, whole.ids[i]))
            continue;
        if (is_from_message(&r->output, whole.begin[i], whole.end[i], &run)) {
            as_text = as_text || tokenizer_is_special(c->tokenizer, whole.ids[i]);
            continue;
        }
        ok = encode_piece(c, all, begin, whole.begin[i], as_text, &r->tokens, e)
             && encode_piece(c, all, whole.begin[i], whole.end[i], false, &r->tokens, e);
        begin = whole.end[i];
        as_text = false;
    }
    ok = ok && encode_piece(c, all, begin, all.size, as_text, &r->tokens, e);
    tokens_close(&whole);
    return ok;
}

static bool is_special(const chat *c, int32_t id) { return id >= 0 && c->special[id / 64] >> (id & 63) & 1; }

static bool has_special(const chat *c, const chat_result *r)
{
    int64_t run = 0;
    for (int64_t i = 0; i < r->tokens.count; i++)
        if (is_special(c, r->tokens.ids[i]) && is_from_message(&r->output, r->tokens.begin[i], r->tokens.end[i], &run))
            return true;
    return false;
}

// A token in front of all others, which stands for no text.
static bool put_bos(int32_t bos, tokens *k, err *e)
{
    if (k->count == k->room && !tokens_grow(k, 1))
        return fail(e, ERR_MEMORY, "no memory left for the tokens of a conversation");
    memmove(k->ids + 1, k->ids, (size_t)k->count * sizeof *k->ids);
    memmove(k->begin + 1, k->begin, (size_t)k->count * sizeof *k->begin);
    memmove(k->end + 1, k->end, (size_t)k->count * sizeof *k->end);
    k->ids[0] = bos;
    k->begin[0] = k->end[0] = 0;
    k->count++;
    return true;
}

static bool look_at_bos(const chat *c, bool add, chat_result *r, err *e)
{
    int32_t bos = tokenizer_bos(c->tokenizer);
    const tokens *k = &r->tokens;
    bool has = bos >= 0 && k->count && k->ids[0] == bos;
    r->bos_missing = bos >= 0 && !has && tokenizer_adds_bos(c->tokenizer);
    r->bos_double = has && k->count > 1 && k->ids[1] == bos;
    return !r->bos_missing || !add || put_bos(bos, &r->tokens, e);
}

bool chat_encode_text(const chat *c, const chat_options *o, chat_result *r, err *e)
{
    tokens_clear(&r->tokens);
    TRY(tokenizer_encode(c->tokenizer, text_view(&r->output.text), ENCODE_PLAIN, &r->tokens, e));
    r->special_in_content = has_special(c, r);
    if (r->special_in_content && o->special_in_content_as_text)
        TRY(encode_again(c, r, e));
    return look_at_bos(c, o->bos_add, r, e) && chat_result_room(r, e);
}

// Some byte is 1 and none is 2. Most tokens are short: their bytes are looked at in one word, which may reach into CHAT_BYTES_MORE.
static bool any_trained(const uint8_t *bytes, size_t begin, size_t end)
{
    uint64_t word, all = 0;
    for (; end - begin > 8; begin++)
        all |= bytes[begin];
    if (begin == end)
        return false;
    memcpy(&word, bytes + begin, 8);
    all |= word << (64 - 8 * (end - begin));
    return (all & 0x0101010101010101u) && !(all & 0x0202020202020202u);
}

void chat_mark_tokens(chat_result *r, bool all)
{
    r->trained = 0;
    for (int64_t i = 0; i < r->tokens.count; i++) {
        r->mask[i] = all || any_trained(r->bytes, r->tokens.begin[i], r->tokens.end[i]);
        r->trained += r->mask[i];
    }
}

// The stop token stands for no text, like one that the post-processor adds.
static bool append(tokens *k, int32_t id, err *e)
{
    if (k->count == k->room && !tokens_grow(k, 1))
        return fail(e, ERR_MEMORY, "no memory left for the tokens of a row");
    uint32_t at = k->count ? k->end[k->count - 1] : 0;
    k->ids[k->count] = id;
    k->begin[k->count] = k->end[k->count] = at;
    k->count++;
    return true;
}

// A prompt and its completion: the tokens of the completion and the stop token are trained, EOS if the tokenizer has one.
bool chat_train_completion(const chat *c, size_t prompt, chat_result *r, err *e)
{
    int32_t stop = tokenizer_eos(c->tokenizer) >= 0 ? tokenizer_eos(c->tokenizer) : chat_stop_token(c);
    tokens *k = &r->tokens;
    if (stop < 0)
        return fail(e, ERR_INPUT, "%s names no EOS token, so the end of a completion cannot be learned", tokenizer_path(c->tokenizer));
    if (!k->count || k->ids[k->count - 1] != stop)
        TRY(append(k, stop, e));
    TRY(chat_result_room(r, e));
    r->output.run_count = r->output.generation_count = 0;
    r->special_in_content = r->bos_missing = r->bos_double = false;
    r->trained = 0;
    r->stop = stop;
    for (int64_t i = 0; i < k->count; i++) {
        r->mask[i] = (k->end[i] > prompt && k->end[i] > k->begin[i]) || i == k->count - 1;
        r->trained += r->mask[i];
    }
    return true;
}
