// Opening and saving: what broken files are told, what stands beside tokenizer.json, what a saved folder holds.
#include "../test.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "text/tokenizer.h"

#define SMALL "tests/data/tokenizer/small.json"
#define SMOLLM2 "fixtures/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"

static arena memory;

// The small tokenizer.json with one part replaced; to its end when `part` ends with "…".
static str small_with(const char *part, const char *by)
{
    err e = {0};
    str s = {0}, p = str_of(part);
    text t = {0};
    CHECK(file_read(&memory, SMALL, &s, &e));
    bool rest = str_ends(p, STR("…"));
    if (rest)
        p.size -= strlen("…");
    size_t at = str_find(s, p, 0);
    CHECK(at < s.size);
    text_str(&t, str_slice(s, 0, at));
    text_add(&t, "%s", by);
    if (!rest)
        text_str(&t, str_from(s, at + p.size));
    s = arena_str(&memory, text_view(&t));
    text_close(&t);
    return s;
}

// What a broken tokenizer.json is told.
static const char *told(const char *part, const char *by)
{
    static err e;
    e = (err){0};
    tokenizer *t = tokenizer_open_json(small_with(part, by), "t.json", &e);
    CHECK(!t);
    tokenizer_close(t);
    return e.text;
}

TEST(broken_models)
{
    CHECK_TEXT(told("\"type\": \"BPE\"", "\"type\": \"Trigram\""), "t.json:13:13: model.type 'Trigram' is not supported");
    CHECK_TEXT(told("\"type\": \"BPE\"", "\"type\": \"Unigram\""), "t.json:18:14: vocab: expected a list, got an object");
    CHECK_TEXT(told("\"dropout\": null", "\"dropout\": 0.1"), "t.json:14:16: model.dropout '0.1' is not supported");
    CHECK_TEXT(told("\"ā\": 1,", "\"ā\": 0,"), "t.json:19:22: model.vocab: id 0 of 'ā' is taken by 'Ā'");
    CHECK_TEXT(told("\"ā\": 1,", "\"ā\": -1,"), "t.json:19:22: model.vocab: the id of 'ā' is not a whole number from 0 to 4194303");
    CHECK_TEXT(told("\"ā\": 1,", "\"ā\": 70000,"), "t.json:18:14: model.vocab: 272 tokens with ids up to 70000; is the file whole?");
    CHECK_TEXT(told("\"ā\": 1,", "\"ā\": 4194303,"), "t.json:18:14: model.vocab: more than 4194304 tokens");
    CHECK_TEXT(told("[\"h\", \"e\"]", "\"he\""), "t.json:44:7: model.merges[0]: expected two tokens, as \"a b\" or [\"a\", \"b\"]");
    CHECK_TEXT(told("[\"h\", \"e\"]", "\"h e l\""), "t.json:44:7: model.merges[0]: expected two tokens, as \"a b\" or [\"a\", \"b\"]");
    CHECK_TEXT(told("[\"h\", \"e\"]", "\"h zz\""), "t.json:44:7: model.merges[0]: 'zz' is not in model.vocab");
    CHECK_TEXT(told("[\"h\", \"e\"]", "\"h l\""), "t.json:44:7: model.merges[0]: what 'h' and 'l' make together is not in model.vocab");
    CHECK_TEXT(told("\"unk_token\": null", "\"unk_token\": \"<unk>\""), "t.json:15:18: model.unk_token: '<unk>' is not in model.vocab");
    CHECK_TEXT(told("\"model\"", "\"modell\""), "t.json:1:1: model: missing");
}

TEST(broken_parts)
{
    CHECK_TEXT(told("{\"type\": \"ByteLevel\", \"add_prefix_space\": false", "{\"type\": \"Monospace\", \"add_prefix_space\": false"),
               "t.json:9:20: pre_tokenizer of type 'Monospace' is not supported");
    CHECK_TEXT(told("{\"type\": \"ByteLevel\", \"add_prefix_space\": false",
                    "{\"type\": \"Metaspace\", \"replacement\": \"_\", \"prepend_scheme\": \"last\""),
               "t.json:9:80: pre_tokenizer.prepend_scheme: expected never, first or always");
    CHECK_TEXT(told("{\"type\": \"ByteLevel\", \"add_prefix_space\": false", "{\"type\": \"FixedLength\", \"length\": 0"),
               "t.json:9:54: pre_tokenizer.length: 0, expected at least 1");
    CHECK_TEXT(told("\"add_prefix_space\": false", "\"add_prefix_space\": 1"),
               "t.json:9:62: pre_tokenizer.add_prefix_space: expected true or false, got a whole number");
    CHECK_TEXT(told("\"normalizer\": null", "\"normalizer\": {\"type\": \"NFX\"}"), "t.json:8:17: normalizer of type 'NFX' is not supported");
    CHECK_TEXT(told("\"normalizer\": null", "\"normalizer\": {\"type\": \"Precompiled\", \"precompiled_charsmap\": \"AAAA\"}"),
               "t.json:8:65: precompiled_charsmap: 3 bytes, which do not hold the 0 bytes of its index; is the file whole?");
    CHECK_TEXT(told("\"ids\": [272]", "\"ids\": [275]"), "t.json:10:212: post_processor: expected a token id below 275");
    CHECK_TEXT(told("\"decoder\": {\"type\": \"ByteLevel\"", "\"decoder\": {\"type\": \"Fuze\""), "t.json:11:14: decoder of type 'Fuze' is not supported");
    CHECK_TEXT(told("\"content\": \"<s>\"", "\"contents\": \"<s>\""), "t.json:4:5: content: missing");
    CHECK_TEXT(told("{…", "[1]"), "t.json:1:1: expected a tokenizer.json, that is an object, got a list");
    CHECK(strstr(told("\"version\"…", ""), "t.json:2:3: "));
}

// As strings, the way files wrote merges before pairs.
TEST(merges_as_strings)
{
    err e = {0};
    tokens k = {0};
    str s = small_with("[\"h\", \"e\"]", "\"#version: 0.2\", \"h e\"");
    tokenizer *t = tokenizer_open_json(s, "t.json", &e);
    CHECK(t && tokenizer_encode(t, STR("hello"), 0, &k, &e) && k.count == 1);
    tokens_close(&k);
    tokenizer_close(t);
}

static int warnings;
static char last_warning[300];

static void count_warning(void *self, log_level level, const char *line)
{
    (void)self;
    warnings += level == LOG_WARNING;
    snprintf(last_warning, sizeof last_warning, "%s", line);
}

TEST(ids_of_added_tokens_are_those_of_tokenizers)
{
    err e = {0};
    log_to(count_warning, NULL);
    warnings = 0;
    tokenizer *t = tokenizer_open_json(small_with("{\"id\": 273", "{\"id\": 300"), "t.json", &e);
    log_to(NULL, NULL);
    CHECK(t && tokenizer_id(t, STR("</s>")) == 273 && tokenizer_size(t) == 275);
    CHECK(warnings == 1 && strstr(last_warning, "t.json:5:5: added token '</s>' says id 300, but gets 273 as in `tokenizers`"));
    tokenizer_close(t);
}

static void put(const char *folder, const char *name, str bytes)
{
    err e = {0};
    CHECK(file_write(path_join(&memory, folder, name), bytes, &e));
}

static const char *new_folder(void)
{
    char name[] = "/tmp/skiff-tokenizer-XXXXXX";
    CHECK(mkdtemp(name));
    return arena_chars(&memory, str_of(name));
}

TEST(what_stands_beside_tokenizer_json)
{
    const char *folder = new_folder();
    err e = {0};
    CHECK(!tokenizer_open(folder, &e));
    CHECK(strstr(e.text, "has none of tokenizer.json, tokenizer.model and tekken.json; other vocabularies (vocab.json) are not supported"));
    str json = {0};
    CHECK(file_read(&memory, SMALL, &json, &e));
    put(folder, "tokenizer.json", json);
    put(folder, "generation_config.json", STR("{\"eos_token_id\": [5, 6], \"pad_token_id\": 7}"));
    put(folder, "tokenizer_config.json", STR("{\"bos_token\": {\"content\": \"<s>\"}, \"eos_token\": \"hello\", \"chat_template\": "
                                              "[{\"name\": \"tool_use\", \"template\": \"T\"}, {\"name\": \"default\", \"template\": \"D\"}]}"));
    tokenizer *t = tokenizer_open(folder, &e);
    CHECK(t && tokenizer_bos(t) == 272 && tokenizer_eos(t) == 259 && tokenizer_pad(t) == 7 && tokenizer_adds_bos(t));
    CHECK(t && str_is(tokenizer_chat_template(t), "D"));
    CHECK(t && tokenizer_is_special(t, 259));           // named in the configuration, so matched whole
    tokenizer_close(t);
    put(folder, "chat_template.jinja", STR("J"));
    t = tokenizer_open(folder, &e);
    CHECK(t && str_is(tokenizer_chat_template(t), "J"));
    tokenizer_close(t);
    put(folder, "tokenizer_config.json", STR("{\"chat_template\": 3}"));
    CHECK(!tokenizer_open(folder, &e));
    CHECK(strstr(e.text, "tokenizer_config.json:1:19: chat_template: expected text or a list, got a whole number"));
    CHECK(folder_remove(folder, &e));
}

static const node *saved(const char *folder, const char *name, const char *key)
{
    const node *root = NULL;
    err e = {0};
    CHECK(json_read_file(&memory, path_join(&memory, folder, name), &root, &e));
    return node_get(root, key);
}

TEST(a_gguf_becomes_a_folder)
{
    err e = {0};
    const char *folder = new_folder();
    tokenizer *t = tokenizer_open(SMOLLM2, &e);
    CHECK(t && tokenizer_save(t, folder, STR("{{ messages }}"), 0, &e));
    tokenizer *again = tokenizer_open(folder, &e);
    CHECK(again && tokenizer_size(again) == 49152 && tokenizer_bos(again) == 1 && tokenizer_eos(again) == 0 && tokenizer_pad(again) == 2);
    CHECK(again && str_is(tokenizer_chat_template(again), "{{ messages }}"));
    CHECK_TEXT(tokenizer_digest(t), tokenizer_digest(again));
    const node *eos = saved(folder, "tokenizer_config.json", "eos_token"), *map = saved(folder, "special_tokens_map.json", "eos_token");
    CHECK(node_is(eos, NODE_TEXT) && str_is(eos->text, "<|endoftext|>") && node_is(map, NODE_TEXT) && str_is(map->text, "<|endoftext|>"));
    const node *jinja = saved(folder, "tokenizer_config.json", "chat_template");
    CHECK(node_is(jinja, NODE_TEXT) && str_is(jinja->text, "{{ messages }}"));
    // Saving that folder again copies its tokenizer.json and keeps what its configuration says besides.
    put(folder, "tokenizer_config.json", STR("{\"mine\": 1000000000000000019884624838656, \"eos_token\": \"<|im_end|>\"}"));
    put(folder, "vocab.json", STR("{}"));
    tokenizer_close(again);
    again = tokenizer_open(folder, &e);
    const char *second = new_folder();
    CHECK(again && tokenizer_save(again, second, (str){0}, -1, &e));
    CHECK(str_is(saved(second, "tokenizer_config.json", "mine")->raw, "1000000000000000019884624838656"));
    CHECK(str_is(saved(second, "tokenizer_config.json", "eos_token")->text, "<|im_end|>"));
    CHECK(str_is(saved(second, "tokenizer_config.json", "chat_template")->text, "{{ messages }}"));
    CHECK(file_exists(path_join(&memory, second, "vocab.json")));
    str one = {0}, two = {0};
    CHECK(file_read(&memory, path_join(&memory, folder, "tokenizer.json"), &one, &e));
    CHECK(file_read(&memory, path_join(&memory, second, "tokenizer.json"), &two, &e));
    CHECK(str_equal(one, two));
    CHECK(!tokenizer_save(again, second, (str){0}, 50000, &e));
    CHECK(strstr(e.text, "50000 is no token of"));
    tokenizer_close(again);
    tokenizer_close(t);
    CHECK(folder_remove(folder, &e) && folder_remove(second, &e));
}

TEST(digests_follow_what_decides_ids)
{
    err e = {0};
    static const struct { const char *part, *by; bool same; } changes[] = {
        { "\"version\": \"1.0\"", "\"version\": \"1.1\"", true },
        { "\"ignore_merges\": false", "\"ignore_merges\": true", false },
        { "[\"h\", \"e\"],", "", false },
        { "\"normalizer\": null", "\"normalizer\": {\"type\": \"NFC\"}", false },
        { "\"rstrip\": false", "\"rstrip\": true", false },
        { "\"use_regex\": true", "\"use_regex\": false", false },
        { "\"ids\": [272]", "\"ids\": [273]", false },
    };
    tokenizer *t = tokenizer_open(SMALL, &e);
    CHECK(t && strlen(tokenizer_digest(t)) == 64);
    for (size_t i = 0; t && i < COUNT(changes); i++) {
        tokenizer *other = tokenizer_open_json(small_with(changes[i].part, changes[i].by), "t.json", &e);
        CHECK(other && (strcmp(tokenizer_digest(t), tokenizer_digest(other)) == 0) == changes[i].same);
        tokenizer_close(other);
    }
    tokenizer_close(t);
}

TEST(gguf_vocabularies_of_other_kinds)
{
    err e = {0};
    CHECK(!tokenizer_open("fixtures/vocab/ggml-vocab-bert-bge.gguf", &e));
    CHECK_TEXT(e.text, "fixtures/vocab/ggml-vocab-bert-bge.gguf: tokenizer.ggml.model: 'bert' is not supported; byte-level BPE ('gpt2') and "
               "SentencePiece's BPE ('llama') are");
    CHECK(e.code == ERR_UNSUPPORTED);
    CHECK(!tokenizer_open("no/such/file.json", &e));
    CHECK(e.code == ERR_INPUT && strstr(e.text, "no/such/file.json"));
}
