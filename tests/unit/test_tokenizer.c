// Encoding and decoding: golden ids, llama.cpp's cases, places of tokens, added tokens, long words, shared caches.
#include "../test.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/random.h"
#include "base/utf8.h"
#include "text/tokenizer.h"

#define SMALL "tests/data/tokenizer/small.json"
#define SMOLLM2 "fixtures/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"

static tokenizer *open_or_say(const char *path)
{
    err e = {0};
    tokenizer *t = tokenizer_open(path, &e);
    if (!t)
        fprintf(stderr, "%s\n", e.text);
    CHECK(t != NULL);
    return t;
}

// The small vocabulary with one part of its text replaced.
static tokenizer *small_with(const char *part, const char *by)
{
    arena a = {0};
    err e = {0};
    str s = {0};
    text t = {0};
    CHECK(file_read(&a, SMALL, &s, &e));
    size_t at = str_find(s, str_of(part), 0);
    CHECK(at < s.size);
    text_str(&t, str_slice(s, 0, at));
    text_add(&t, "%s", by);
    text_str(&t, str_from(s, at + strlen(part)));
    tokenizer *made = tokenizer_open_json(text_view(&t), "small.json", &e);
    if (!made)
        fprintf(stderr, "%s\n", e.text);
    CHECK(made != NULL);
    text_close(&t);
    arena_close(&a);
    return made;
}

// Ids and places as text: "259[0,5] 264[5,11]".
static const char *show(const tokenizer *t, str s, int flags)
{
    static char out[2000];
    err e = {0};
    tokens k = {0};
    size_t n = 0;
    out[0] = 0;
    CHECK(tokenizer_encode(t, s, flags, &k, &e));
    for (int64_t i = 0; i < k.count && n < sizeof out - 40; i++)
        n += (size_t)snprintf(out + n, sizeof out - n, "%s%d[%u,%u]", i ? " " : "", k.ids[i], k.begin[i], k.end[i]);
    tokens_close(&k);
    return out;
}

static void check_ids(const tokenizer *t, str s, int flags, const node *ids, const char *what)
{
    err e = {0};
    tokens k = {0};
    CHECK(tokenizer_encode(t, s, flags, &k, &e));
    bool same = k.count == ids->list.count;
    for (int64_t i = 0; same && i < k.count; i++)
        same = k.ids[i] == node_at(ids, i)->integer;
    if (!same)
        fprintf(stderr, "%s: other ids for '%.*s'\n", what, STR_ARG(s));
    CHECK(same);
    tokens_close(&k);
}

static void check_decoded(const tokenizer *t, const node *ids, bool skip, str want)
{
    err e = {0};
    text out = {0};
    int32_t *list = calloc((size_t)ids->list.count + 1, sizeof *list);
    for (int64_t i = 0; i < ids->list.count; i++)
        list[i] = (int32_t)node_at(ids, i)->integer;
    CHECK(tokenizer_decode(t, list, ids->list.count, skip, &out, &e));
    CHECK(str_equal(text_view(&out), want));
    free(list);
    text_close(&out);
}

// tests/golden/make_tokenizer.py wrote these with `tokenizers`.
TEST(golden_ids)
{
    static const struct { const char *name, *path; } vocabs[] = {
        { "smollm2", SMOLLM2 }, { "gpt-2", "fixtures/vocab/ggml-vocab-gpt-2.gguf" },
        { "llama-bpe", "fixtures/vocab/ggml-vocab-llama-bpe.gguf" }, { "qwen2", "fixtures/vocab/ggml-vocab-qwen2.gguf" },
    };
    arena a = {0};
    err e = {0};
    str s = {0};
    int cases = 0;
    CHECK(file_read(&a, "tests/golden/tokenizer.jsonl", &s, &e));
    for (size_t v = 0; v < COUNT(vocabs); v++) {
        tokenizer *t = open_or_say(vocabs[v].path);
        for (size_t at = 0, end; t && at < s.size; at = end + 1) {
            const node *row = NULL;
            end = str_find(s, STR("\n"), at);
            CHECK(json_parse(&a, str_slice(s, at, end), (place){0}, &row, &e));
            if (!row || !str_is(node_get(row, "vocab")->text, vocabs[v].name))
                continue;
            const node *ids = node_get(row, "ids");
            check_ids(t, node_get(row, "text")->text, (int)node_get(row, "flags")->integer, ids, vocabs[v].name);
            check_decoded(t, ids, false, node_get(row, "decoded")->text);
            check_decoded(t, ids, true, node_get(row, "skipped")->text);
            cases++;
        }
        tokenizer_close(t);
    }
    CHECK(cases == 240);
    arena_close(&a);
}

// llama.cpp's own: texts in .inp, divided by a marker; a line of ids each in .out.
static int vocab_cases(const char *name)
{
    static const char marker[] = "\n__ggml_vocab_test__\n";
    arena a = {0};
    err e = {0};
    str in = {0}, out = {0};
    tokens k = {0};
    int bad = 0;
    tokenizer *t = open_or_say(arena_print(&a, "fixtures/vocab/ggml-vocab-%s.gguf", name));
    CHECK(file_read(&a, arena_print(&a, "fixtures/vocab/ggml-vocab-%s.gguf.inp", name), &in, &e));
    CHECK(file_read(&a, arena_print(&a, "fixtures/vocab/ggml-vocab-%s.gguf.out", name), &out, &e));
    char *at = arena_chars(&a, out);
    for (size_t begin = 0, end; t && begin <= in.size; begin = end + sizeof marker - 1) {
        end = str_find(in, str_of(marker), begin);
        tokens_clear(&k);
        CHECK(tokenizer_encode(t, str_slice(in, begin, end), ENCODE_PLAIN, &k, &e));
        bool same = true;
        for (int64_t i = 0; same && i < k.count; i++)
            same = strtol(at, &at, 10) == k.ids[i];
        at += strspn(at, " ");
        same &= *at == '\n' || !*at;
        at = strchr(at, '\n') ? strchr(at, '\n') + 1 : at + strlen(at);
        bad += !same;
        if (end == in.size)
            break;
    }
    tokens_close(&k);
    tokenizer_close(t);
    arena_close(&a);
    return bad;
}

TEST(llama_cpp_cases)
{
    static const char *const names[] = { "gpt-2", "llama-bpe", "qwen2", "starcoder", "refact", "command-r", "mpt", "falcon",
                                         "deepseek-coder", "deepseek-llm", "qwen35", "llama-spm", "phi-3" };
    for (size_t i = 0; i < COUNT(names); i++) {
        int bad = vocab_cases(names[i]);
        if (bad)
            fprintf(stderr, "%s: %d cases differ\n", names[i], bad);
        CHECK(bad == 0);
    }
}

TEST(places_of_tokens)
{
    tokenizer *t = open_or_say(SMALL);
    CHECK_TEXT(show(t, STR("hello world"), 0), "259[0,5] 264[5,11]");
    CHECK_TEXT(show(t, STR("hello<s>xé</s>"), 0), "259[0,5] 274[5,9] 270[9,11] 273[11,15]");
    CHECK_TEXT(show(t, STR("a<s>"), ENCODE_ADD_SPECIAL), "272[0,0] 97[0,1] 272[1,4]");
    CHECK_TEXT(show(t, STR(""), ENCODE_ADD_SPECIAL), "272[0,0]");
    // A special token that may not be one still hides what it overlaps, as in `tokenizers`.
    CHECK_TEXT(show(t, STR("<s>x</s>"), ENCODE_NO_SPECIAL), "274[0,4] 60[4,5] 47[5,6] 115[6,7] 62[7,8]");
    // Parts of a character have their own bytes; broken ones become U+FFFD (EF BF BD) and keep their place.
    CHECK_TEXT(show(t, STR("\xc3\xa8"), 0), "195[0,1] 168[1,2]");
    CHECK_TEXT(show(t, STR("a\xf0\x9f" "b"), 0), "97[0,1] 239[1,3] 191[1,3] 189[1,3] 98[3,4]");
    tokenizer_close(t);

    t = small_with("\"normalizer\": null", "\"normalizer\": {\"type\": \"NFC\"}");
    CHECK_TEXT(show(t, STR("ae\xcc\x81<s>b"), 0), "97[0,1] 270[1,4] 272[4,7] 98[7,8]");     // e and an accent are é
    tokenizer_close(t);

    // A syllable and a final of Hangul join (U+AC01); U+11A7 is no final.
    for (int compatible = 0; compatible < 2; compatible++) {
        t = small_with("\"normalizer\": null", compatible ? "\"normalizer\": {\"type\": \"NFKC\"}" : "\"normalizer\": {\"type\": \"NFC\"}");
        CHECK_TEXT(show(t, STR("\xea\xb0\x80\xe1\x86\xa8"), 0), "234[0,6] 176[0,6] 129[0,6]");
        CHECK_TEXT(show(t, STR("\xea\xb0\x80\xe1\x86\xa7"), 0), "234[0,1] 176[1,2] 128[2,3] 225[3,4] 134[4,5] 167[5,6]");
        tokenizer_close(t);
    }

    t = small_with("\"add_prefix_space\": false", "\"add_prefix_space\": true");
    CHECK_TEXT(show(t, STR("world<s> world"), 0), "264[0,5] 272[5,8] 264[8,14]");
    tokenizer_close(t);

    // ByteLevel in the middle: the step after it sees its alphabet.
    t = small_with("{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true, \"use_regex\": true}",
                   "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"use_regex\": false}, "
                   "{\"type\": \"Split\", \"pattern\": {\"String\": \"Ã\"}, \"behavior\": \"Removed\", \"invert\": false}]}");
    CHECK_TEXT(show(t, STR("aé worlde"), 0), "97[0,1] 169[2,3] 264[3,9] 101[9,10]");
    tokenizer_close(t);
}

TEST(added_token_options)
{
    tokenizer *t = small_with("\"content\": \"</s>\", \"single_word\": false, \"lstrip\": false, \"rstrip\": false",
                              "\"content\": \"</s>\", \"single_word\": false, \"lstrip\": true, \"rstrip\": true");
    CHECK_TEXT(show(t, STR("a \t</s>\n b"), 0), "97[0,1] 273[1,9] 98[9,10]");
    tokenizer_close(t);
    t = small_with("\"content\": \"<s>x\", \"single_word\": false", "\"content\": \"ab\", \"single_word\": true");
    CHECK_TEXT(show(t, STR("ab, xab ab"), 0), "267[0,2] 44[2,3] 32[3,4] 120[4,5] 267[5,7] 32[7,8] 267[8,10]");
    CHECK(tokenizer_is_added(t, 267) && !tokenizer_is_special(t, 267));
    tokenizer_close(t);
}

TEST(whole_words)
{
    tokenizer *t = open_or_say(SMALL);
    CHECK_TEXT(show(t, STR("whole"), 0), "119[0,1] 104[1,2] 111[2,3] 108[3,4] 101[4,5]");
    tokenizer_close(t);
    t = small_with("\"ignore_merges\": false", "\"ignore_merges\": true");
    CHECK_TEXT(show(t, STR("whole"), 0), "271[0,5]");
    tokenizer_close(t);
}

TEST(missing_bytes)
{
    tokenizer *t = small_with("\"Ā\": 0, \"ā\": 1", "\"[0]\": 0, \"[1]\": 1");
    CHECK_TEXT(show(t, (str){ "a\0\1b", 4 }, 0), "97[0,1] 98[3,4]");
    tokenizer_close(t);
}

// Pair by pair over the whole word, the plainest way: what the fast ways must equal.
static int64_t merge_plainly(const tokenizer *t, const char *word, size_t size, int32_t *ids)
{
    static const struct { const char *left, *right; } merges[] = { { "a", "a" }, { "aa", "aa" }, { "a", "b" }, { "b", "a" } };
    int64_t count = (int64_t)size;
    for (size_t i = 0; i < size; i++)
        ids[i] = word[i];
    for (bool again = true; again;) {
        again = false;
        for (size_t m = 0; m < COUNT(merges) && !again; m++) {
            int32_t left = tokenizer_id(t, str_of(merges[m].left)), right = tokenizer_id(t, str_of(merges[m].right));
            char both[16];
            snprintf(both, sizeof both, "%s%s", merges[m].left, merges[m].right);
            for (int64_t i = 0; i + 1 < count && !again; i++) {
                if (ids[i] != left || ids[i + 1] != right)
                    continue;
                ids[i] = tokenizer_id(t, str_of(both));
                memmove(ids + i + 1, ids + i + 2, (size_t)(count - i - 2) * sizeof *ids);
                count--;
                again = true;
            }
        }
    }
    return count;
}

TEST(long_and_short_words_merge_alike)
{
    tokenizer *t = open_or_say(SMALL);
    tokens k = {0};
    err e = {0};
    for (uint32_t n = 1; n < 400; n += n < 20 ? 1 : 13) {
        char word[400];
        int32_t want[400];
        for (uint32_t i = 0; i < n; i++)
            word[i] = key_bits(key_from_seed(n), i) % 3 ? 'a' : 'b';
        int64_t count = merge_plainly(t, word, n, want);
        tokens_clear(&k);
        CHECK(tokenizer_encode(t, (str){ word, n }, 0, &k, &e));
        CHECK(k.count == count && !memcmp(k.ids, want, (size_t)count * sizeof *want));
        CHECK(k.end[k.count - 1] == n);
    }
    // A megabyte of one letter, which only a heap finishes.
    size_t size = 1 << 20;
    char *many = malloc(size);
    memset(many, 'a', size);
    tokens_clear(&k);
    CHECK(tokenizer_encode(t, (str){ many, size }, 0, &k, &e));
    CHECK(k.count == 1 << 18 && k.ids[12345] == 266);
    free(many);
    tokens_close(&k);
    tokenizer_close(t);
}

TEST(one_buffer_for_two_tokenizers)
{
    tokenizer *t = open_or_say(SMALL), *other = small_with("\"ignore_merges\": false", "\"ignore_merges\": true");
    tokens k = {0};
    err e = {0};
    for (int i = 0; i < 4; i++) {
        tokens_clear(&k);
        CHECK(tokenizer_encode(i % 2 ? other : t, STR("whole"), 0, &k, &e));
        CHECK(k.count == (i % 2 ? 1 : 5));
    }
    tokens_close(&k);
    tokenizer_close(other);
    tokenizer_close(t);
}

TEST(decoding)
{
    tokenizer *t = open_or_say(SMALL);
    err e = {0};
    text out = {0};
    CHECK(tokenizer_decode(t, (int32_t[]){ 272, 259, 264, 195, 33, 273 }, 6, true, &out, &e));
    CHECK_TEXT(out.chars, "hello world\xef\xbf\xbd!");
    CHECK(!tokenizer_decode(t, (int32_t[]){ 259, 275 }, 2, true, &out, &e));
    CHECK_TEXT(e.text, "token 2 of 2: 275 is no token of '" SMALL "' (it has 275)");
    CHECK(e.code == ERR_INPUT);
    text_clear(&out);
    CHECK(tokenizer_token_bytes(t, 195, &out) && out.size == 1 && out.chars[0] == '\xc3');
    CHECK(!tokenizer_token_bytes(t, -1, &out) && !tokenizer_token_bytes(t, 275, &out));
    text_close(&out);
    tokenizer_close(t);
    t = small_with("\"decoder\": {\"type\": \"ByteLevel\", \"add_prefix_space\": true, \"trim_offsets\": true, \"use_regex\": true}",
                   "\"decoder\": null");
    CHECK(tokenizer_decode(t, (int32_t[]){ 259, 264 }, 2, true, &out, &e));
    CHECK_TEXT(out.chars, "hello \xc4\xa0world");
    text_close(&out);
    tokenizer_close(t);
}

TEST(every_byte_comes_back)
{
    tokenizer *t = open_or_say("fixtures/vocab/ggml-vocab-gpt-2.gguf");
    tokens k = {0};
    text s = {0}, out = {0};
    err e = {0};
    for (uint32_t c = 1; c < 0x30000; c += c < 0x3000 ? 1 : 97)
        if (c < 0xd800 || c > 0xdfff) {
            char four[4];
            text_bytes(&s, four, (size_t)utf8_write(c, four));
        }
    CHECK(tokenizer_encode(t, text_view(&s), ENCODE_NO_SPECIAL, &k, &e));
    CHECK(tokenizer_decode(t, k.ids, k.count, false, &out, &e));
    CHECK(str_equal(text_view(&s), text_view(&out)));
    uint32_t at = 0;
    for (int64_t i = 0; i < k.count; at = k.end[i++])
        CHECK(k.begin[i] == at && k.end[i] > at);
    CHECK(at == s.size);
    tokens_close(&k);
    text_close(&s);
    text_close(&out);
    tokenizer_close(t);
}
