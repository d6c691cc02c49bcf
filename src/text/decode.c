// Tokens to text.
#include <stdlib.h>

#include "text/decoder_parts.h"
#include "text/tokenizer_parts.h"

static bool is_token(const tokenizer *t, int32_t id) { return id >= 0 && id < t->vocab.size && t->vocab.tokens[id].at; }

// An added token that is looked for after normalization is written in its normal form, as `tokenizers` does.
static str written(const tokenizer *t, int32_t id)
{
    const added_token *a = t->added_by_id[id];
    return a && a->normal.at ? a->normal : t->vocab.tokens[id];
}

static bool is_skipped(const tokenizer *t, int32_t id)
{
    return tokenizer_is_special(t, id) && str_equal(written(t, id), t->vocab.tokens[id]);
}

// The bytes of the vocabulary, one after the other.
static bool decode_bytes(const tokenizer *t, const int32_t *ids, int64_t count, bool skip_special, text *out, err *e)
{
    text bytes = {0};
    for (int64_t i = 0; i < count; i++)
        if (!skip_special || !is_skipped(t, ids[i]))
            text_str(&bytes, t->vocab.bytes[ids[i]]);
    bool ok = text_ok(&bytes, e);
    if (ok)
        text_repaired(out, text_view(&bytes));
    text_close(&bytes);
    return ok && text_ok(out, e);
}

static bool decode_steps(const tokenizer *t, const int32_t *ids, int64_t count, bool skip_special, text *out, err *e)
{
    str *written_tokens = malloc((size_t)(count + 1) * sizeof *written_tokens);
    int64_t n = 0;
    if (!written_tokens)
        return fail(e, ERR_MEMORY, "no memory to decode %lld tokens", (long long)count);
    for (int64_t i = 0; i < count; i++)
        if (!skip_special || !is_skipped(t, ids[i]))
            written_tokens[n++] = written(t, ids[i]);
    bool ok = decoder_run(&t->decoder, written_tokens, n, out, e);
    free(written_tokens);
    return ok;
}

bool tokenizer_decode(const tokenizer *t, const int32_t *ids, int64_t count, bool skip_special, text *out, err *e)
{
    for (int64_t i = 0; i < count; i++)
        if (!is_token(t, ids[i]))
            return fail(e, ERR_INPUT, "token %lld of %lld: %d is no token of '%s' (it has %d)", (long long)i + 1, (long long)count,
                        ids[i], t->path, t->vocab.size);
    bool bytes = t->decoder.bytes && !t->normalizing.count;
    return (bytes ? decode_bytes : decode_steps)(t, ids, count, skip_special, out, e);
}

bool tokenizer_token_bytes(const tokenizer *t, int32_t id, text *out)
{
    if (!is_token(t, id))
        return false;
    if (t->decoder.bytes)
        text_str(out, t->vocab.bytes[id]);
    else if (t->added_by_id[id])
        text_str(out, t->vocab.tokens[id]);
    else
        decoder_piece(&t->decoder, t->vocab.tokens[id], out);
    return true;
}
