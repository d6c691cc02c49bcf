// The models and files besides byte-level BPE: tiny vocabularies whose tokens can be told by hand, and what broken files are told.
#include "../test.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"
#include "format/sentencepiece.h"
#include "text/tokenizer.h"
#include "text/trie.h"

static tokenizer *open_text(const char *json)
{
    err e = {0};
    tokenizer *t = tokenizer_open_bytes(str_of(json), "t", &e);
    if (!t)
        fprintf(stderr, "%s\n", e.text);
    CHECK(t != NULL);
    return t;
}

// Ids and places as text: "259[0,5] 264[5,11]".
static const char *show(const tokenizer *t, const char *s, int flags)
{
    static char out[2000];
    err e = {0};
    tokens k = {0};
    size_t n = 0;
    out[0] = 0;
    CHECK(t && tokenizer_encode(t, str_of(s), flags, &k, &e));
    for (int64_t i = 0; i < k.count && n < sizeof out - 40; i++)
        n += (size_t)snprintf(out + n, sizeof out - n, "%s%d[%u,%u]", i ? " " : "", k.ids[i], k.begin[i], k.end[i]);
    tokens_close(&k);
    return out;
}

static const char *decoded(const tokenizer *t, const int32_t *ids, int64_t count)
{
    static char out[200];
    err e = {0};
    text s = {0};
    CHECK(t && tokenizer_decode(t, ids, count, false, &s, &e));
    snprintf(out, sizeof out, "%s", s.chars ? s.chars : "");
    text_close(&s);
    return out;
}

static const char *told(str bytes)
{
    static err e;
    e = (err){0};
    tokenizer *t = tokenizer_open_bytes(bytes, "t", &e);
    CHECK(!t);
    tokenizer_close(t);
    return e.text;
}

#define W "\xe2\x96\x81"

TEST(tries)
{
    trie t = {0};
    err e = {0};
    size_t size = 0;
    CHECK(trie_longest(&t, "abc", 0, 3, &size) == -1);
    CHECK(trie_add(&t, STR("ab"), 1, &e) && trie_add(&t, STR("abcd"), 2, &e) && trie_add(&t, STR("b"), 3, &e));
    CHECK(trie_longest(&t, "abcx", 0, 4, &size) == 1 && size == 2);
    CHECK(trie_longest(&t, "abcd", 0, 4, &size) == 2 && size == 4);
    CHECK(trie_longest(&t, "abcd", 1, 4, &size) == 3 && size == 1);
    CHECK(trie_longest(&t, "abcd", 2, 4, &size) == -1);
    for (int i = 0; i < 3000; i++) {                    // it grows, and finds all again
        char s[16];
        snprintf(s, sizeof s, "x%d", i);
        CHECK(trie_add(&t, str_of(s), 100 + i, &e));
    }
    CHECK(trie_longest(&t, "x2999", 0, 5, &size) == 3099 && trie_longest(&t, "abcd", 0, 4, &size) == 2);
    trie_close(&t);
}

TEST(base64)
{
    arena a = {0};
    str s;
    text t = {0};
    CHECK(base64_read(&a, STR("AP8h"), &s) && s.size == 3 && !memcmp(s.at, "\0\xff!", 3));
    CHECK(base64_read(&a, STR("YQ=="), &s) && str_is(s, "a") && base64_read(&a, STR("YWI="), &s) && str_is(s, "ab"));
    CHECK(base64_read(&a, STR(""), &s) && s.size == 0);
    CHECK(!base64_read(&a, STR("YQ"), &s) && !base64_read(&a, STR("Y?=="), &s) && !base64_read(&a, STR("=Q=="), &s));
    base64_write(&t, STR("ab"));
    base64_write(&t, STR("abc"));
    base64_write(&t, STR("a"));
    CHECK_TEXT(t.chars, "YWI=YWJjYQ==");
    text_close(&t);
    arena_close(&a);
}

// Characters, with bytes for those that are missing and a space in front.
static const char llama[] =
    "{\"added_tokens\": [{\"content\": \"<s>\", \"special\": true}], \"normalizer\": {\"type\": \"Sequence\", \"normalizers\": "
    "[{\"type\": \"Prepend\", \"prepend\": \"" W "\"}, {\"type\": \"Replace\", \"pattern\": {\"String\": \" \"}, \"content\": \"" W "\"}]}, "
    "\"decoder\": {\"type\": \"Sequence\", \"decoders\": [{\"type\": \"Replace\", \"pattern\": {\"String\": \"" W "\"}, \"content\": \" \"}, "
    "{\"type\": \"ByteFallback\"}, {\"type\": \"Fuse\"}, {\"type\": \"Strip\", \"content\": \" \", \"start\": 1, \"stop\": 0}]}, "
    "\"model\": {\"type\": \"BPE\", \"unk_token\": \"<u>\", \"fuse_unk\": true, \"byte_fallback\": true, \"vocab\": {\"<u>\": 0, \"" W "\": 1, "
    "\"a\": 2, \"b\": 3, \"ab\": 4, \"" W "ab\": 5, \"<0xC3>\": 6, \"<0xA9>\": 7, \"<s>\": 8}, \"merges\": [[\"a\", \"b\"], [\"" W "\", \"ab\"]]}}";

TEST(bpe_of_characters)
{
    tokenizer *t = open_text(llama);
    CHECK_TEXT(show(t, "ab ab", 0), "5[0,2] 5[2,5]");
    CHECK_TEXT(show(t, "a<s>b", 0), "1[0,1] 2[0,1] 8[1,4] 1[4,5] 3[4,5]");
    CHECK_TEXT(show(t, "\xc3\xa9", 0), "1[0,1] 6[0,1] 7[1,2]");
    CHECK_TEXT(show(t, "xyb", 0), "1[0,1] 0[0,2] 3[2,3]");
    CHECK_TEXT(decoded(t, (int32_t[]){ 5, 6, 7, 5, 6 }, 5), "ab\xc3\xa9 ab\xef\xbf\xbd");
    text bytes = {0};
    CHECK(t && tokenizer_token_bytes(t, 5, &bytes) && tokenizer_token_bytes(t, 6, &bytes));
    CHECK_TEXT(bytes.chars, " ab\xc3");
    text_close(&bytes);
    tokenizer_close(t);
}

TEST(unigram)
{
    tokenizer *t = open_text(
        "{\"pre_tokenizer\": {\"type\": \"Metaspace\", \"replacement\": \"" W "\", \"prepend_scheme\": \"first\"}, "
        "\"decoder\": {\"type\": \"Metaspace\", \"replacement\": \"" W "\", \"prepend_scheme\": \"first\"}, \"model\": {\"type\": "
        "\"Unigram\", \"unk_id\": 0, \"vocab\": [[\"<u>\", 0], [\"" W "\", -3], [\"a\", -2], [\"b\", -2], [\"ab\", -5], "
        "[\"" W "a\", -1.5], [\"bb\", -1]]}}");
    CHECK_TEXT(show(t, "ab", 0), "5[0,1] 3[1,2]");              // -1.5 - 2 is more than -3 - 5
    CHECK_TEXT(show(t, "bb abb", 0), "1[0,1] 6[0,2] 5[2,4] 6[4,6]");
    CHECK_TEXT(show(t, "xyz", 0), "1[0,1] 0[0,3]");             // a run of unknown ones is one
    CHECK_TEXT(decoded(t, (int32_t[]){ 5, 3, 5 }, 3), "ab a");
    tokenizer_close(t);
}

TEST(wordpiece_and_wordlevel)
{
    tokenizer *t = open_text(
        "{\"normalizer\": {\"type\": \"BertNormalizer\", \"lowercase\": true}, \"pre_tokenizer\": {\"type\": \"BertPreTokenizer\"}, "
        "\"decoder\": {\"type\": \"WordPiece\", \"prefix\": \"##\", \"cleanup\": true}, \"model\": {\"type\": \"WordPiece\", "
        "\"unk_token\": \"[U]\", \"continuing_subword_prefix\": \"##\", \"max_input_chars_per_word\": 6, \"vocab\": "
        "{\"[U]\": 0, \"un\": 1, \"##able\": 2, \"##a\": 3, \"!\": 4, \"e\": 5}}}");
    CHECK_TEXT(show(t, "UNable! unx", 0), "1[0,2] 2[2,6] 4[6,7] 0[8,11]");
    CHECK_TEXT(show(t, "unaaaaaa", 0), "0[0,8]");               // longer than six characters
    CHECK_TEXT(show(t, "\xc3\x89", 0), "5[0,2]");               // the accent goes, the letter becomes small
    CHECK_TEXT(decoded(t, (int32_t[]){ 1, 2, 4 }, 3), "unable!");
    tokenizer_close(t);
    t = open_text("{\"pre_tokenizer\": {\"type\": \"Whitespace\"}, \"model\": {\"type\": \"WordLevel\", \"unk_token\": \"?\", \"vocab\": "
                  "{\"?\": 0, \"word\": 1}}}");
    CHECK_TEXT(show(t, "word other?", 0), "1[0,4] 0[5,10] 0[10,11]");
    tokenizer_close(t);
}

// A SentencePiece model, field by field.
static void field(text *t, int number, str bytes)
{
    text_char(t, (char)(number << 3 | 2));
    text_char(t, (char)bytes.size);                     // below 128
    text_str(t, bytes);
}

static void put_piece(text *t, const char *s, float score, int kind)
{
    text p = {0};
    field(&p, 1, str_of(s));
    text_char(&p, 2 << 3 | 5);
    text_bytes(&p, &score, 4);
    text_char(&p, 3 << 3);
    text_char(&p, (char)kind);
    field(t, 1, text_view(&p));
    text_close(&p);
}

static text small_model(int type, const char *normalizer, size_t size)
{
    text t = {0};
    put_piece(&t, "<unk>", 0, 2);
    put_piece(&t, "<s>", 0, 3);
    put_piece(&t, "</s>", 0, 3);
    put_piece(&t, "<a>", 0, 4);
    put_piece(&t, W, -5, 1);
    put_piece(&t, "a", -6, 1);
    put_piece(&t, "b", -7, 1);
    put_piece(&t, "ab", -1, 1);
    put_piece(&t, W "ab", -2, 1);
    put_piece(&t, "ba", -0.5f, 1);
    put_piece(&t, ".", -6.777987957000732f, 1);
    put_piece(&t, "...", -8.87826156616211f, 1);
    field(&t, 2, (str){ (char[]){ 3 << 3, (char)type }, 2 });
    field(&t, 3, (str){ normalizer, size });
    return t;
}

TEST(sentencepiece)
{
    text m = small_model(SPM_BPE, "", 0);
    err e = {0};
    tokenizer *t = tokenizer_open_bytes(text_view(&m), "t", &e);
    CHECK_TEXT(show(t, "ab  ab", 0), "8[0,2] 8[2,6]");          // of two spaces one stays
    CHECK_TEXT(show(t, "  aba ", 0), "4[2,3] 5[2,3] 9[3,5]");   // "ba" before "ab"
    CHECK_TEXT(show(t, "<a>ab", 0), "4[0,1] 3[0,3] 7[3,5]");    // the user's piece is never joined
    CHECK_TEXT(show(t, "<s>ab</s>", ENCODE_NO_SPECIAL), "4[0,1] 0[0,3] 7[3,5] 0[5,9]");
    CHECK_TEXT(show(t, "<s>ab", 0), "1[0,3] 8[3,5]");
    CHECK_TEXT(show(t, "ab", ENCODE_ADD_SPECIAL), "1[0,0] 8[0,2]");
    CHECK_TEXT(show(t, " ", 0), "");
    CHECK_TEXT(decoded(t, (int32_t[]){ 8, 8, 3 }, 3), "ab ab<a>");
    CHECK(t && tokenizer_bos(t) == 1 && tokenizer_eos(t) == 2 && tokenizer_pad(t) == -1 && tokenizer_is_added(t, 3));
    CHECK(t && tokenizer_is_special(t, 1) && !tokenizer_is_special(t, 3));
    tokenizer_close(t);
    text_close(&m);
    m = small_model(SPM_UNIGRAM, "\x20\x00\x18\x00", 4);        // all white space stays, none is added
    t = tokenizer_open_bytes(text_view(&m), "t", &e);
    CHECK_TEXT(show(t, " ab  b", 0), "8[0,3] 4[3,4] 4[4,5] 6[5,6]");
    CHECK_TEXT(show(t, "xx<a>", 0), "0[0,2] 3[2,5]");
    CHECK_TEXT(show(t, ".....", 0), "10[0,1] 10[1,2] 11[2,5]"); // sums of float32 are equal: the first way stays (0.2.3's own ids)
    CHECK_TEXT(show(t, ". . . . .", 0), "10[0,1] 4[1,2] 10[2,3] 4[3,4] 10[4,5] 4[5,6] 10[6,7] 4[7,8] 10[8,9]");
    tokenizer_close(t);
    text_close(&m);
}

TEST(broken_sentencepiece)
{
    text m = small_model(SPM_CHAR, "", 0);
    CHECK_TEXT(told(text_view(&m)), "t: SentencePiece models of words or characters are not supported; those of pieces (unigram, bpe) are");
    CHECK_TEXT(told((str){ m.chars, m.size - 1 }), "t: byte 170: expected a SentencePiece model, but it ends within a number; is the file whole?");
    CHECK_TEXT(told((str){ m.chars, 25 }), "t: byte 18: expected a SentencePiece model, but a part is longer than the file; is the file whole?");
    text_close(&m);
    put_piece(&m, "a", 0, 1);
    put_piece(&m, "a", 0, 1);
    CHECK_TEXT(told(text_view(&m)), "t: piece 1: 'a' is piece 0 already");
    text_close(&m);
    put_piece(&m, "a", 0, 1);
    CHECK_TEXT(told(text_view(&m)), "t: expected a SentencePiece model, but no piece is of the kind 'unknown'");
    put_piece(&m, "b", 0, 9);
    CHECK_TEXT(told(text_view(&m)), "t: piece 1 ('b'): kind 9 and score 0; expected a kind from 1 to 6 and a number");
    text_close(&m);
}

TEST(tekken_and_tiktoken)
{
    tokenizer *t = open_text(
        "{\"config\": {\"pattern\": \"\\\\p{L}+|\\\\s+\", \"default_vocab_size\": 7, \"default_num_special_tokens\": 2}, "
        "\"special_tokens\": [{\"rank\": 1, \"token_str\": \"<s>\"}], \"vocab\": [{\"rank\": 0, \"token_bytes\": \"YQ==\"}, "
        "{\"rank\": 1, \"token_bytes\": \"Yg==\"}, {\"rank\": 2, \"token_bytes\": \"IA==\"}, {\"rank\": 3, \"token_bytes\": "
        "\"YWI=\"}, {\"rank\": 4, \"token_bytes\": \"YWJi\"}]}");
    CHECK_TEXT(show(t, "ab abb<s>ba", 0), "5[0,2] 4[2,3] 6[3,6] 1[6,9] 3[9,10] 2[10,11]");
    CHECK(t && tokenizer_id(t, STR("<SPECIAL_0>")) == 0 && tokenizer_bos(t) == 1);
    tokenizer_close(t);
    CHECK_TEXT(told(STR("YQ== 0\nYg== 1\nYWI= x\n")), "t:3:1: expected a token in base64, a space and its rank, got 'YWI= x'");
    CHECK_TEXT(told(STR("YQ== 0\nYg== 0\n")), "t:2:1: the token 'b' or its number 0 stands there twice");
    CHECK_TEXT(told(STR("YQ== 7\n")), "t:1:1: rank 7, but the file has 1 tokens; is it whole?");
    CHECK(strstr(told(STR("YQ== 0\n")), "t: a tiktoken file of 1 tokens, which says neither how texts are cut"));
}

// What is written of the other vocabularies is read again as a tokenizer.json with the same ids.
TEST(saved_as_tokenizer_json)
{
    static const char *const paths[] = { "fixtures/vocab/ggml-vocab-llama-spm.gguf", "fixtures/mistral/tokenizer.model.v1" };
    for (size_t i = 0; i < COUNT(paths); i++) {
        err e = {0};
        char folder[] = "/tmp/skiff-models-XXXXXX", want[2000];
        CHECK(mkdtemp(folder));
        tokenizer *t = tokenizer_open(paths[i], &e);
        CHECK(t && tokenizer_save(t, folder, (str){0}, -1, &e));
        tokenizer *again = tokenizer_open(folder, &e);
        snprintf(want, sizeof want, "%s", show(t, "Hello,  world \xc3\xa9\xf0\x9f\x98\x80</s>\n", ENCODE_ADD_SPECIAL));
        CHECK_TEXT(show(again, "Hello,  world \xc3\xa9\xf0\x9f\x98\x80</s>\n", ENCODE_ADD_SPECIAL), want);
        tokenizer_close(again);
        tokenizer_close(t);
        CHECK(folder_remove(folder, &e));
    }
}
