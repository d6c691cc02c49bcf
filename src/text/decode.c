// Tokens to text.
#include "base/utf8.h"
#include "text/tokenizer_parts.h"

// Appends s with every broken part replaced by U+FFFD.
static void add_repaired(text *out, str s)
{
    for (size_t at = 0; at < s.size;) {
        size_t valid = utf8_check(str_from(s, at));
        text_str(out, str_slice(s, at, at + valid));
        at += valid;
        if (at == s.size)
            return;
        int length;
        (void)utf8_read(s, at, &length);
        text_str(out, STR("\xef\xbf\xbd"));
        at += (size_t)length;
    }
}

bool tokenizer_decode(const tokenizer *t, const int32_t *ids, int64_t count, bool skip_special, text *out, err *e)
{
    text bytes = {0};
    bool first = true;
    for (int64_t i = 0; i < count; i++) {
        str token = tokenizer_token(t, ids[i]);
        if (ids[i] < 0 || ids[i] >= t->vocab.size || !t->vocab.tokens[ids[i]].at) {
            text_close(&bytes);
            return fail(e, ERR_INPUT, "token %lld of %lld: %d is no token of '%s' (it has %d)", (long long)i + 1, (long long)count,
                        ids[i], t->path, t->vocab.size);
        }
        if (skip_special && tokenizer_is_special(t, ids[i]))
            continue;
        if (t->decoder == DECODE_JOIN && !first)
            text_char(&bytes, ' ');
        text_str(&bytes, t->decoder == DECODE_JOIN ? token : t->vocab.bytes[ids[i]]);
        first = false;
    }
    bool ok = text_ok(&bytes, e);
    if (ok)
        add_repaired(out, text_view(&bytes));
    text_close(&bytes);
    return ok && text_ok(out, e);
}

bool tokenizer_token_bytes(const tokenizer *t, int32_t id, text *out)
{
    if (id < 0 || id >= t->vocab.size || !t->vocab.tokens[id].at)
        return false;
    text_str(out, t->decoder == DECODE_JOIN ? t->vocab.tokens[id] : t->vocab.bytes[id]);
    return true;
}
