// What the models have in common, and the two that need little: WordPiece and WordLevel.
#include "text/word_model.h"

#include <stdio.h>

#include "base/util.h"
#include "text/unicode.h"

static bool no_memory(err *e) { return fail(e, ERR_MEMORY, "no memory to encode a text"); }

void word_model_bytes(word_model *m)
{
    for (int b = 0; b < 256; b++) {
        char name[8];
        snprintf(name, sizeof name, "<0x%02X>", (unsigned)b);
        m->byte[b] = word_model_find(m, str_of(name));
    }
}

bool word_model_trie(word_model *m, arena *a, err *e)
{
    (void)a;
    for (int32_t i = 0; i < m->size; i++)
        if (m->vocab->tokens[i].size)
            TRY(trie_add(&m->trie, m->vocab->tokens[i], i, e));
    return true;
}

bool put_unknown(const word_model *m, const char *chars, size_t begin, size_t end, tokens *out)
{
    bool bytes = m->byte_fallback;
    for (size_t i = begin; bytes && i < end; i++)
        bytes = m->byte[(uint8_t)chars[i]] >= 0;
    if (!tokens_reserve(out, bytes ? (int64_t)(end - begin) : 1))
        return false;
    if (!bytes && m->unk >= 0)
        tokens_put(out, m->unk, begin, end);
    for (size_t i = begin; bytes && i < end; i++)
        tokens_put(out, m->byte[(uint8_t)chars[i]], i, i + 1);
    return true;
}

bool make_wordlevel(const word_model *m, const char *chars, size_t begin, size_t end, tokens *out, err *e)
{
    int32_t id = word_model_find(m, (str){ chars + begin, end - begin });
    if (id < 0 && m->unk < 0)
        return fail(e, ERR_INPUT, "the word '%.*s' is not in the vocabulary, and there is no unk_token to stand for it",
                    (int)MIN(end - begin, 60), chars + begin);
    if (!tokens_reserve(out, 1))
        return no_memory(e);
    tokens_put(out, id >= 0 ? id : m->unk, begin, end);
    return true;
}

static bool unknown_word(const word_model *m, size_t begin, size_t end, tokens *out, err *e)
{
    if (m->unk < 0)
        return fail(e, ERR_INPUT, "a word is not in the vocabulary, and there is no unk_token to stand for it");
    if (!tokens_reserve(out, 1))
        return no_memory(e);
    tokens_put(out, m->unk, begin, end);
    return true;
}

// The longest piece at the beginning of the word, then the longest with the prefix at the beginning of the rest, and so on.
bool make_wordpiece(const word_model *m, const char *chars, size_t begin, size_t end, tokens *out, err *e)
{
    int64_t first = out->count, count = 0;
    int length;
    for (size_t i = begin; i < end; i += (size_t)length, count++)
        (void)char_read(chars + i, &length);
    if (count > m->most_chars)
        return unknown_word(m, begin, end, out, e);
    text tried = {0};
    bool ok = true;
    for (size_t at = begin, stop; ok && at < end; at = stop) {
        int32_t id = -1;
        for (stop = end; stop > at; stop = char_before(chars, stop)) {
            text_clear(&tried);
            if (at > begin)
                text_str(&tried, m->prefix);
            text_bytes(&tried, chars + at, stop - at);
            if (tried.failed || (id = word_model_find(m, text_view(&tried))) >= 0)
                break;
        }
        ok = !tried.failed && tokens_reserve(out, 1);
        if (!ok)
            break;
        if (id < 0) {
            out->count = first;
            text_close(&tried);
            return unknown_word(m, begin, end, out, e);
        }
        tokens_put(out, id, at, stop);
    }
    text_close(&tried);
    return ok || no_memory(e);
}
