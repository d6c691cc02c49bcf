// The fast ways of encoding words against plain ones: batches, the cache while it grows, ends of texts, merges of real
// vocabularies, the filter before the table of merges.
#include "../test.h"

#include <stdlib.h>

#include "base/random.h"
#include "text/tokenizer_parts.h"
#include "text/unicode.h"

#define SMOLLM2 "fixtures/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"

static const struct { const char *path; scanner *scan; } vocabularies[] = {
    { SMOLLM2, scan_gpt2_digits },
    { "fixtures/vocab/ggml-vocab-gpt-2.gguf", scan_gpt2 },
    { "fixtures/vocab/ggml-vocab-llama-bpe.gguf", scan_llama3 },
    { "fixtures/vocab/ggml-vocab-qwen2.gguf", scan_qwen2 },
};

static tokenizer *open_or_say(const char *path)
{
    err e = {0};
    tokenizer *t = tokenizer_open(path, &e);
    if (!t)
        fprintf(stderr, "%s\n", e.text);
    CHECK(t != NULL);
    return t;
}

// Merges as they are defined: the pair of lowest rank, leftmost among equals, again and again.
static void plain_word(const bpe *b, const char *chars, uint32_t begin, uint32_t end, tokens *out)
{
    int64_t first = out->count;
    CHECK(tokens_reserve(out, end - begin));
    int32_t whole = b->ignore_merges ? vocab_find_bytes(b->vocab, (str){ chars + begin, end - begin }) : -1;
    if (whole >= 0) {
        tokens_put(out, whole, begin, end);
        return;
    }
    for (uint32_t i = begin; i < end; i++)
        tokens_put(out, b->byte[(uint8_t)chars[i]], i, i + 1);
    for (;;) {
        const merge *best = NULL;
        int64_t at = 0;
        for (int64_t i = first; i + 1 < out->count; i++) {
            const merge *m = bpe_find(b, out->ids[i], out->ids[i + 1]);
            if (m && (!best || m->rank < best->rank))
                best = m, at = i;
        }
        if (!best)
            return;
        out->ids[at] = best->id;
        out->end[at] = out->end[at + 1];
        for (int64_t i = at + 1; i + 1 < out->count; i++)
            out->ids[i] = out->ids[i + 1], out->begin[i] = out->begin[i + 1], out->end[i] = out->end[i + 1];
        out->count--;
    }
}

static bool same(const tokens *a, const tokens *b)
{
    size_t n = (size_t)a->count;
    return a->count == b->count && !memcmp(a->ids, b->ids, n * sizeof *a->ids) && !memcmp(a->begin, b->begin, n * sizeof *a->begin)
        && !memcmp(a->end, b->end, n * sizeof *a->end);
}

// The word of a number: common ones again and again, others of any letters, of up to 70 bytes, with zeros and parts of characters.
static void add_word(text *t, key k, uint32_t i)
{
    static const char *const common[] = { " the", " of", "don't", " 2024", "    ", "\n\n", " naïve", "internationalization",
                                          " 日本語のテスト", "…", "e", "\xf0\x9f\x98\x80" };
    static const char letters[] = "etaoinshrdluETAOIN'-_.  09";
    uint32_t r = key_bits(k, 3 * i), n = key_bits(k, 3 * i + 1) % 32 ? 1 + key_bits(k, 3 * i + 2) % 14 : 1 + key_bits(k, 3 * i + 2) % 70;
    if (r % 4 == 0) {
        text_str(t, str_of(common[r / 4 % COUNT(common)]));
        return;
    }
    text_char(t, ' ');
    for (uint32_t j = 0; j < n; j++)
        text_char(t, r % 64 == 1 ? '\0' : letters[key_bits(key_fold_in(k, i), j) % (r % 4 == 1 ? sizeof letters - 1 : 12)]);
}

// Encodes chars of just this size, so that a sanitizer sees reads past the end.
static bool equals_plain(const tokenizer *t, scanner *scan, str s, tokens *fast)
{
    tokens plain = {0};
    err e = {0};
    char *copy = malloc(s.size);
    memcpy(copy, s.at, s.size);
    tokens_clear(fast);
    CHECK(tokenizer_encode(t, (str){ copy, s.size }, ENCODE_PLAIN, fast, &e));
    for (size_t at = 0, next; at < s.size; at = next) {
        next = scan(copy, at, s.size);
        plain_word(&t->bpe, copy, (uint32_t)at, (uint32_t)next, &plain);
    }
    bool ok = same(fast, &plain);
    free(copy);
    tokens_close(&plain);
    return ok;
}

TEST(words_equal_plain_merges)
{
    for (size_t v = 0; v < COUNT(vocabularies); v++) {
        tokenizer *t = open_or_say(vocabularies[v].path);
        tokens fast = {0};
        text s = {0};
        int bad = 0;
        for (uint32_t i = 0; t && i < 3000; i++) {
            key k = key_from_seed(i);
            text_clear(&s);
            for (uint32_t j = 0, n = 1 + i % 90; j < n; j++)
                add_word(&s, k, j);
            bad += !equals_plain(t, vocabularies[v].scan, text_view(&s), &fast);
            // Again up to somewhere: what the cache kept must be the same, and the last word is another.
            size_t cut = s.size > 8 ? char_before(s.chars, s.size - s.size / 2) : s.size;
            bad += !equals_plain(t, vocabularies[v].scan, str_slice(text_view(&s), 0, cut), &fast);
        }
        if (bad)
            fprintf(stderr, "%s: %d texts differ\n", vocabularies[v].path, bad);
        CHECK(bad == 0);
        CHECK(fast.scratch && fast.scratch->words.set_bits > 8 && fast.scratch->words.wide_bits > 5);       // both tables grew
        tokens_close(&fast);
        text_close(&s);
        tokenizer_close(t);
    }
}

// Numbers of tokens and bytes at which a word goes from one table to the other, and each at the very end of the text.
TEST(words_at_the_limits_of_the_cache)
{
    tokenizer *t = open_or_say(SMOLLM2);
    tokens fast = {0};
    for (uint32_t n = 1; n <= 80; n++) {
        char word[80];
        for (uint32_t kind = 0; kind < 3; kind++) {
            for (uint32_t i = 0; i < n; i++)
                word[i] = kind == 0 ? 'x' : kind == 1 ? (char)('a' + key_bits(key_from_seed(n), i) % 26) : '\0';
            for (int again = 0; again < 3; again++)
                CHECK(equals_plain(t, scan_gpt2_digits, (str){ word, n }, &fast));
        }
    }
    tokens_close(&fast);
    tokenizer_close(t);
}

// Every byte of a word counts, and its length.
TEST(words_that_differ_in_one_byte)
{
    tokenizer *t = open_or_say(SMOLLM2);
    tokens fast = {0};
    for (uint32_t n = 1; n <= 60; n++)
        for (uint32_t at = 0; at < n; at++) {
            char word[64];
            memset(word, 'a', sizeof word);
            word[n] = '.';
            CHECK(equals_plain(t, scan_gpt2_digits, (str){ word, n + 1 }, &fast));
            word[at] = 'b';
            CHECK(equals_plain(t, scan_gpt2_digits, (str){ word, n + 1 }, &fast));
            CHECK(equals_plain(t, scan_gpt2_digits, (str){ word, n }, &fast));
        }
    tokens_close(&fast);
    tokenizer_close(t);
}

// A full table keeps only what came last; many more words than it holds.
TEST(more_words_than_the_cache_holds)
{
    tokenizer *t = open_or_say("fixtures/vocab/ggml-vocab-gpt-2.gguf");
    tokens fast = {0}, again = {0};
    err e = {0};
    text s = {0};
    for (uint32_t i = 0; i < 200000; i++)
        text_add(&s, " %c%c%c%c%c%s", 'a' + i % 26, 'a' + i / 26 % 26, 'a' + i / 676 % 26, 'a' + i / 17576 % 26, 'a' + i % 7, i % 9 ? "" : "qzxjvkqzxw");
    CHECK(tokenizer_encode(t, text_view(&s), ENCODE_PLAIN, &fast, &e));
    CHECK(fast.scratch->words.set_bits == 16 && fast.scratch->words.wide_bits == 13);
    CHECK(equals_plain(t, scan_gpt2, text_view(&s), &again));
    CHECK(same(&fast, &again));
    tokens_clear(&fast);
    CHECK(tokenizer_encode(t, text_view(&s), ENCODE_PLAIN, &fast, &e) && same(&fast, &again));
    tokens_close(&fast);
    tokens_close(&again);
    text_close(&s);
    tokenizer_close(t);
}

TEST(every_merge_is_found)
{
    for (size_t v = 0; v < COUNT(vocabularies); v++) {
        tokenizer *t = open_or_say(vocabularies[v].path);
        arena a = {0};
        const merge **list = bpe_by_rank(&t->bpe, &a);
        int bad = 0;
        for (int32_t i = 0; i < t->bpe.merge_count; i++)
            bad += list[i] && bpe_find(&t->bpe, list[i]->left, list[i]->right) != list[i];
        CHECK(bad == 0 && t->bpe.merge_count > 40000);
        CHECK(!bpe_find(&t->bpe, 0, t->vocab.size - 1));
        arena_close(&a);
        tokenizer_close(t);
    }
}

TEST(texts_are_found_by_guess_or_without)
{
    tokenizer *t = open_or_say(SMOLLM2);
    for (int32_t id = 0; id < t->vocab.size; id += 97)
        for (int32_t guess = id - 2; guess <= id + 1; guess++)
            CHECK(vocab_find_from(&t->vocab, t->vocab.tokens[id], guess) == id);
    CHECK(vocab_find_from(&t->vocab, STR("no such token"), 5) == -1 && vocab_find_from(&t->vocab, STR("x"), INT32_MAX) >= 0);
    tokenizer_close(t);
}
