// Vocabularies by ranks from hostile bytes: a tiktoken file (of which only sizes known by heart open) or a tekken.json, and
// texts through what could be opened. The input is a text, a line "--", and the file; without the line all of it is both.
#include <stdlib.h>

#include "base/log.h"
#include "text/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *self, log_level level, const char *line) { (void)self, (void)level, (void)line; }

static void run(const tokenizer *t, str s)
{
    tokens k = {0};
    text out = {0};
    err e = {0};
    for (int flags = 0; flags < 4; flags++) {
        tokens_clear(&k);
        text_clear(&out);
        if (!tokenizer_encode(t, s, flags, &k, &e))
            continue;                                   // a regular expression that gives up
        for (int64_t i = 0; i < k.count; i++)
            if (k.begin[i] > k.end[i] || k.end[i] > s.size || k.ids[i] < 0 || k.ids[i] >= tokenizer_size(t))
                abort();
        if (!tokenizer_decode(t, k.ids, k.count, flags & 1, &out, &e))
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
    log_to(ignore, NULL);
    tokenizer *t = tokenizer_open_bytes(file, "fuzz.tiktoken", &e);
    if (t)
        run(t, has_text ? str_slice(all, 0, line) : all);
    else if (!e.code || !e.text[0])
        abort();
    tokenizer_close(t);
    return 0;
}
