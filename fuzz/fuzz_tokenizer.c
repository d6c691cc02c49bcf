// tokenizer.json from hostile bytes, and texts through what could be opened. The input is a tokenizer.json, a line
// "--", and a text. Without the line all of it is a text for the small tokenizer below.
#include <stdlib.h>

#include "base/log.h"
#include "text/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char small[] =
    "{\"added_tokens\": [{\"content\": \"<s>\", \"special\": true}, {\"content\": \"e\xcc\x81\", \"lstrip\": true, \"rstrip\": true}, "
    "{\"content\": \"ab\", \"single_word\": true}], \"normalizer\": {\"type\": \"NFC\"}, \"pre_tokenizer\": {\"type\": \"Sequence\", "
    "\"pretokenizers\": [{\"type\": \"Split\", \"pattern\": {\"Regex\": \"\\\\w+?|\\\\s\"}, \"behavior\": \"MergedWithNext\"}, "
    "{\"type\": \"ByteLevel\", \"add_prefix_space\": true, \"use_regex\": true}, {\"type\": \"Digits\"}]}, "
    "\"decoder\": {\"type\": \"ByteLevel\"}, \"model\": {\"unk_token\": \"a\", \"vocab\": {\"a\": 0, \"b\": 1, \"\xc4\xa0\": 2, \"aa\": 3, "
    "\"ab\": 4, \"\xc3\x83\": 5, \"\xc4\xa0" "a\": 6}, \"merges\": [\"a a\", \"a b\", \"\xc4\xa0 a\"]}}";

static void ignore(void *self, log_level level, const char *line) { (void)self, (void)level, (void)line; }

// Places lie within the text, ids within the vocabulary, and all ids decode.
static void run_once(const tokenizer *t, str s, int flags, tokens *k, text *out)
{
    err e = {0};
    tokens_clear(k);
    text_clear(out);
    if (!tokenizer_encode(t, s, flags, k, &e))
        return;                                         // a regular expression that gives up
    for (int64_t i = 0; i < k->count; i++)
        if (k->begin[i] > k->end[i] || k->end[i] > s.size || k->ids[i] < 0 || k->ids[i] >= tokenizer_size(t))
            abort();
    if (!tokenizer_decode(t, k->ids, k->count, flags & 1, out, &e))
        abort();
}

// Short texts with all flags. Long ones take the time: these with special tokens and without, and once with what the other flag adds and
// leaves out; which of the two that is, their bytes say.
static void run(const tokenizer *t, str s)
{
    tokens k = {0};
    text out = {0};
    int sum = 0;
    for (size_t i = 0; i < s.size; i++)
        sum += (uint8_t)s.at[i];
    const int add = sum & 1 ? ENCODE_ADD_SPECIAL : 0;
    for (int flags = 0; flags < 4; flags++)
        if (s.size <= 256 || (flags & ENCODE_ADD_SPECIAL) == (flags & ENCODE_NO_SPECIAL ? add ^ ENCODE_ADD_SPECIAL : add))
            run_once(t, s, flags, &k, &out);
    tokens_close(&k);
    text_close(&out);
}

// The small one is opened once: it is read-only, and what depends on the text is in `tokens`.
static const tokenizer *small_tokenizer(void)
{
    static const tokenizer *t;
    err e = {0};
    if (!t)
        t = tokenizer_open_json(str_of(small), "fuzz.json", &e);
    if (!t)
        abort();
    return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    err e = {0};
    str all = { (const char *)data, size };
    size_t line = str_find(all, STR("\n--\n"), 0);
    log_to(ignore, NULL);
    if (line == size) {
        run(small_tokenizer(), all);
        return 0;
    }
    tokenizer *t = tokenizer_open_json(str_slice(all, 0, line), "fuzz.json", &e);
    if (t)
        run(t, str_from(all, line + 4));
    else if (!e.text[0])
        abort();
    tokenizer_close(t);
    return 0;
}
