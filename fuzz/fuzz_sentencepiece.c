// A SentencePiece model from hostile bytes, and texts through what could be opened. The input is a text, a line "--", and a
// model; without the line all of it is a model, and a text.
#include <stdlib.h>

#include "base/log.h"
#include "format/sentencepiece.h"
#include "text/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *self, log_level level, const char *line) { (void)self, (void)level, (void)line; }

// Places lie within the text, ids within the vocabulary, and all ids decode.
static void run(const tokenizer *t, str s)
{
    tokens k = {0};
    text out = {0};
    err e = {0};
    for (int flags = 0; flags < 4; flags++) {
        tokens_clear(&k);
        text_clear(&out);
        if (!tokenizer_encode(t, s, flags, &k, &e))
            abort();
        for (int64_t i = 0; i < k.count; i++)
            if (k.begin[i] > k.end[i] || k.end[i] > s.size || k.ids[i] < 0 || k.ids[i] >= tokenizer_size(t))
                abort();
        if (!tokenizer_decode(t, k.ids, k.count, flags & 1, &out, &e))
            abort();
        for (int64_t i = 0; i < k.count; i++)
            if (!tokenizer_token_bytes(t, k.ids[i], &out))
                abort();
    }
    tokens_close(&k);
    text_close(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    err e = {0};
    str all = { (const char *)data, size };
    size_t line = str_find(all, STR("\n--\n"), 0);
    bool has_text = line < size;
    str file = has_text ? str_from(all, line + 4) : all;
    arena a = {0};
    spm_file m;
    log_to(ignore, NULL);
    if (!spm_read(&m, &a, file, "fuzz.model", &e) && (!e.code || !e.text[0]))
        abort();
    arena_close(&a);
    tokenizer *t = tokenizer_open_bytes(file, "fuzz.model", &e);
    if (t)
        run(t, has_text ? str_slice(all, 0, line) : all);
    else if (!e.code || !e.text[0])
        abort();
    tokenizer_close(t);
    return 0;
}
