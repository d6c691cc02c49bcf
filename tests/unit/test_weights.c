// The table of weights; configurations from config.json and from GGUF.
#include <stdlib.h>
#include <unistd.h>

#include "../test.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "model/model.h"

static char folder[64];

static void new_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/skiff-test-XXXXXX");
    CHECK(mkdtemp(folder));
}

static void remove_folder(void)
{
    err e = {0};
    CHECK(folder_remove(folder, &e));
}

static char said_text[512];

// What reading this config.json says, without the folder's name; "" when it is fine.
static const char *read_json(const char *json, model_config *c, err_code code)
{
    err e = {0};
    arena a = {0};
    new_folder();
    CHECK(file_write(path_join(&a, folder, "config.json"), str_of(json), &e));
    said_text[0] = 0;
    if (!model_config_read(c, folder, &e)) {
        size_t begin = strncmp(e.text, folder, strlen(folder)) ? 0 : strlen(folder) + 1;
        memcpy(said_text, e.text + begin, sizeof e.text - begin);
    }
    CHECK(e.code == code);
    arena_close(&a);
    remove_folder();
    return said_text;
}

// A small configuration with further lines, which replace earlier ones of the same key.
static const char *with(const char *line, model_config *c, err_code code)
{
    static const char *const base[] = {
        "\"architectures\": [\"LlamaForCausalLM\"]", "\"model_type\": \"llama\"", "\"vocab_size\": 60", "\"hidden_size\": 8",
        "\"num_hidden_layers\": 3", "\"num_attention_heads\": 4", "\"num_key_value_heads\": 2", "\"intermediate_size\": 12",
        "\"max_position_embeddings\": 64", "\"rms_norm_eps\": 1e-05", "\"tie_word_embeddings\": false", "\"hidden_act\": \"silu\"",
    };
    text t = {0};
    text_add(&t, "{");
    const char *colon = strchr(line, ':');
    for (size_t i = 0; i < COUNT(base); i++) {
        bool same = colon && !strncmp(line, base[i], (size_t)(colon - line) + 1);
        bool gone = !colon && *line && strstr(base[i], line);
        if (!gone)
            text_add(&t, "%s\n  %s", t.size > 1 ? "," : "", same ? line : base[i]);
        line = same ? "" : line;
        colon = same ? NULL : colon;
    }
    if (colon)
        text_add(&t, ",\n  %s", line);
    text_add(&t, "\n}\n");
    const char *s = read_json(t.chars, c, code);
    text_close(&t);
    return s;
}

TEST(parts_fill_the_weights)
{
    for (int tied = 0; tied < 2; tied++) {
        model_config c = { .family = "llama", .vocab = 60, .hidden = 8, .layers = 3, .heads = 4, .kv_heads = 2, .head_size = 6,
                           .ffn = 12, .tied = tied };
        weight_part p[16];
        int64_t rows[WEIGHTS] = {0}, numbers = 0;
        int count = model_parts(&c, p);
        CHECK(count == 12 - tied);
        for (int i = 0; i < count; i++) {
            CHECK(p[i].row == rows[p[i].in]);
            CHECK(p[i].per_layer == !!strstr(p[i].hf, "%d") && p[i].per_layer == !!strstr(p[i].gguf, "%d"));
            rows[p[i].in] += p[i].rows;
            numbers += p[i].rows * MAX(p[i].columns, 1) * (p[i].per_layer ? c.layers : 1);
        }
        int64_t in_shapes = 0;
        for (int w = 0; w < WEIGHTS; w++) {
            shape s = weight_shape(&c, (weight_id)w);
            CHECK((s.rank == 0) == (w == W_HEAD && tied));
            in_shapes += s.rank ? shape_count(s) : 0;
        }
        CHECK(numbers == in_shapes);
        shape qkv = weight_shape(&c, W_QKV), gate_up = weight_shape(&c, W_GATE_UP), norm = weight_shape(&c, W_MLP_NORM);
        CHECK(qkv.rank == 3 && qkv.dim[0] == 3 && qkv.dim[1] == (4 + 2 * 2) * 6 && qkv.dim[2] == 8);
        CHECK(gate_up.rank == 3 && gate_up.dim[1] == 24 && gate_up.dim[2] == 8);
        CHECK(norm.rank == 2 && norm.dim[0] == 3 && norm.dim[1] == 8);
        CHECK(weight_shape(&c, W_O).dim[1] == 8 && weight_shape(&c, W_O).dim[2] == 24);
        CHECK(weight_shape(&c, W_NORM).rank == 1 && weight_shape(&c, W_EMBED).dim[0] == 60);
    }
    CHECK(!strcmp(weight_name(W_EMBED), "embed") && !strcmp(weight_name(W_GATE_UP), "gate_up"));
    static const bool decays[WEIGHTS] = { [W_QKV] = true, [W_O] = true, [W_GATE_UP] = true, [W_DOWN] = true, [W_HEAD] = true };
    for (int w = 0; w < WEIGHTS; w++)
        CHECK(weight_decays((weight_id)w) == decays[w]);
}

TEST(config_json)
{
    model_config c;
    CHECK_TEXT(with("", &c, ERR_NONE), "");
    CHECK(!strcmp(c.family, "llama") && c.vocab == 60 && c.hidden == 8 && c.layers == 3 && c.heads == 4 && c.kv_heads == 2);
    CHECK(c.head_size == 2 && c.ffn == 12 && c.max_positions == 64 && c.norm_eps == 1e-5 && !c.tied && c.rope_theta == 10000);
    CHECK(c.rope.kind == ROPE_PLAIN);
    CHECK(c.parameters == 2 * 60 * 8 + 8 + 3 * (8 + 8 * 8 + 4 * 8 + 4 * 8 + 8 * 8 + 8 + 3 * 12 * 8));
    CHECK_TEXT(with("num_key_value_heads", &c, ERR_NONE), "");                          // without that line
    CHECK(c.kv_heads == 4);
    CHECK_TEXT(with("\"head_dim\": 16", &c, ERR_NONE), "");
    CHECK(c.head_size == 16);
    CHECK_TEXT(with("\"tie_word_embeddings\": true", &c, ERR_NONE), "");
    CHECK(c.tied);
    CHECK_TEXT(with("\"rope_theta\": 500000.0", &c, ERR_NONE), "");
    CHECK(c.rope_theta == 500000);
    CHECK_TEXT(with("architectures", &c, ERR_NONE), "");
    CHECK_TEXT(with("model_type", &c, ERR_NONE), "");
}

TEST(rope_old_and_new)
{
    model_config c;
    CHECK_TEXT(with("\"rope_parameters\": {\"rope_theta\": 1e5, \"rope_type\": \"default\"}", &c, ERR_NONE), "");
    CHECK(c.rope_theta == 1e5 && c.rope.kind == ROPE_PLAIN);
    CHECK_TEXT(with("\"rope_scaling\": {\"type\": \"linear\", \"factor\": 2.5}", &c, ERR_NONE), "");
    CHECK(c.rope.kind == ROPE_LINEAR && c.rope.factor == 2.5 && c.rope_theta == 10000);
    CHECK_TEXT(with("\"rope_theta\": 500000, \"rope_scaling\": {\"factor\": 32, \"high_freq_factor\": 4.0, \"low_freq_factor\": 1.0, "
                    "\"original_max_position_embeddings\": 8192, \"rope_type\": \"llama3\"}", &c, ERR_NONE), "");
    CHECK(c.rope.kind == ROPE_LLAMA3 && c.rope.factor == 32 && c.rope.low == 1 && c.rope.high == 4 && c.rope.original == 8192);
    CHECK(c.rope_theta == 500000);
    CHECK_TEXT(with("\"rope_parameters\": {\"rope_theta\": 5e5, \"factor\": 8, \"high_freq_factor\": 4, \"low_freq_factor\": 1, "
                    "\"rope_type\": \"llama3\"}", &c, ERR_NONE), "");
    CHECK(c.rope.original == 64 && c.rope_theta == 5e5);                                // as transformers: max_position_embeddings
    CHECK_TEXT(with("\"rope_scaling\": {\"rope_type\": \"yarn\", \"factor\": 2}", &c, ERR_UNSUPPORTED),
               "config.json:14:33: rope_type: only 'default', 'linear' and 'llama3' are supported");
    CHECK_TEXT(with("\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 2}", &c, ERR_INPUT),
               "config.json:14:19: low_freq_factor: missing");
    CHECK_TEXT(with("\"rope_scaling\": {\"type\": \"linear\", \"factor\": 0.5}", &c, ERR_INPUT),
               "config.json: the rope scaling's factor is 0.5; a number from 1 is expected");
    CHECK_TEXT(with("\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 2, \"low_freq_factor\": 4, \"high_freq_factor\": 1}", &c,
                    ERR_INPUT), "config.json: the rope scaling's low_freq_factor 4, high_freq_factor 1 and "
               "original_max_position_embeddings 64 do not fit each other: 0 < low < high and original from 1 are expected");
    CHECK_TEXT(with("\"rope_scaling\": 3", &c, ERR_INPUT), "config.json:14:19: rope_scaling: expected an object, got a whole number");
    CHECK_TEXT(with("\"partial_rotary_factor\": 0.5", &c, ERR_UNSUPPORTED),
               "config.json:14:28: partial_rotary_factor: this is not supported for the llama family");
}

TEST(config_json_that_is_wrong)
{
    model_config c;
    err e = {0};
    CHECK_TEXT(with("\"model_type\": \"lama\"", &c, ERR_UNSUPPORTED), "config.json:3:17: model_type: 'lama' is not supported, the nearest "
               "is 'llama'; supported: 'llama'");
    CHECK_TEXT(with("\"model_type\": \"qwen2\"", &c, ERR_UNSUPPORTED), "config.json:3:17: model_type: 'qwen2' is not supported; "
               "supported: 'llama'");
    CHECK_TEXT(with("\"architectures\": [\"LlamaForSequenceClassification\"]", &c, ERR_UNSUPPORTED), "config.json:2:21: architectures: "
               "'LlamaForSequenceClassification' is not supported; supported: 'LlamaForCausalLM'");
    CHECK_TEXT(with("\"architectures\": []", &c, ERR_INPUT), "config.json:2:20: architectures: expected a list with one name");
    CHECK_TEXT(read_json("{}", &c, ERR_INPUT), "config.json: model_type: missing; this is no model's configuration");
    CHECK_TEXT(read_json("[]", &c, ERR_INPUT), "config.json:1:1: expected an object, got a list");
    CHECK_TEXT(read_json("{", &c, ERR_INPUT), "config.json:1:2: JSON: expected a key in double quotes, got the end of the text");
    CHECK_TEXT(with("hidden_size", &c, ERR_INPUT), "config.json:1:1: hidden_size: missing");
    CHECK_TEXT(with("\"hidden_size\": \"8\"", &c, ERR_INPUT), "config.json:5:18: hidden_size: expected a whole number, got text");
    CHECK_TEXT(with("\"hidden_size\": 0", &c, ERR_INPUT), "config.json:5:18: hidden_size is 0; 1 to 1048576 are possible");
    CHECK_TEXT(with("\"vocab_size\": 99999999999", &c, ERR_INPUT), "config.json:4:17: vocab_size is 99999999999; 1 to 16777216 are "
               "possible");
    CHECK_TEXT(with("\"hidden_size\": 9", &c, ERR_INPUT), "config.json:7:26: num_attention_heads, 4, must divide hidden_size, 9, where "
               "there is no head_dim");
    CHECK_TEXT(with("\"num_key_value_heads\": 3", &c, ERR_INPUT), "config.json: num_key_value_heads, 3, must divide "
               "num_attention_heads, 4");
    CHECK_TEXT(with("\"head_dim\": 3", &c, ERR_INPUT), "config.json: head_dim is 3; rotary positions need an even number");
    CHECK_TEXT(with("\"rms_norm_eps\": 0", &c, ERR_INPUT), "config.json: rms_norm_eps is 0; a number between 0 and 1 is expected");
    CHECK_TEXT(with("\"rope_theta\": -1", &c, ERR_INPUT), "config.json: rope_theta is -1; a number from 1 is expected");
    CHECK_TEXT(with("\"tie_word_embeddings\": 1", &c, ERR_INPUT), "config.json:12:26: tie_word_embeddings: expected true or false, got a "
               "whole number");
    CHECK_TEXT(with("\"hidden_act\": \"gelu\"", &c, ERR_UNSUPPORTED), "config.json:13:17: hidden_act: only 'silu' is supported");
    CHECK_TEXT(with("\"attention_bias\": true", &c, ERR_UNSUPPORTED), "config.json:14:21: attention_bias: true is not supported: weights "
               "have no biases here");
    CHECK_TEXT(with("\"mlp_bias\": true", &c, ERR_UNSUPPORTED), "config.json:14:15: mlp_bias: true is not supported: weights have no "
               "biases here");
    CHECK_TEXT(with("\"quantization_config\": {\"bits\": 4}", &c, ERR_UNSUPPORTED), "config.json:14:26: quantization_config: quantised "
               "checkpoints are not read; use the original weights or a .gguf");
    CHECK(!model_config_read(&c, "tests/unit", &e) && e.code == ERR_INPUT);
    CHECK_TEXT(e.text, "tests/unit: no config.json in this folder; a model is a folder with config.json and model.safetensors, or a "
               ".gguf file");
    CHECK(!model_config_read(&c, "tests/none", &e) && e.code == ERR_INPUT);
}

// Every key with a value of another kind.
TEST(wrong_kinds_in_config_json)
{
    static const char *const lines[][2] = {
        { "\"model_type\": 1", "model_type: expected text, got a whole number" },
        { "\"architectures\": \"LlamaForCausalLM\"", "architectures: expected a list with one name" },
        { "\"rms_norm_eps\": \"1e-5\"", "rms_norm_eps: expected a number, got text" },
        { "\"rope_theta\": []", "rope_theta: expected a number, got a list" },
        { "\"partial_rotary_factor\": true", "partial_rotary_factor: expected a number, got true or false" },
        { "\"attention_bias\": 0", "attention_bias: expected true or false, got a whole number" },
        { "\"attention_dropout\": \"no\"", "attention_dropout: expected a number, got text" },
        { "\"head_dim\": 2.5", "head_dim: expected a whole number, got a number" },
        { "\"rope_parameters\": {\"rope_theta\": \"x\"}", "rope_theta: expected a number, got text" },
        { "\"rope_parameters\": {\"rope_type\": 7}", "rope_type: expected text, got a whole number" },
        { "\"rope_parameters\": {\"partial_rotary_factor\": 0.5}", "partial_rotary_factor: this is not supported for the llama family" },
        { "\"rope_scaling\": {\"type\": \"linear\"}", "factor: missing" },
        { "\"rope_scaling\": {\"type\": \"llama3\", \"factor\": 2, \"low_freq_factor\": 1}", "high_freq_factor: missing" },
        { "\"rope_scaling\": {\"type\": \"llama3\", \"factor\": 2, \"low_freq_factor\": 1, \"high_freq_factor\": 2, "
          "\"original_max_position_embeddings\": {}}", "original_max_position_embeddings: expected a number, got an object" },
    };
    for (size_t i = 0; i < COUNT(lines); i++) {
        model_config c;
        const char *said = with(lines[i][0], &c, strstr(lines[i][1], "not supported") ? ERR_UNSUPPORTED : ERR_INPUT);
        CHECK(!strncmp(said, "config.json:", 12) && strlen(said) > strlen(lines[i][1]));
        CHECK_TEXT(said + strlen(said) - strlen(lines[i][1]), lines[i][1]);
    }
}

TEST(bounds_of_numbers)
{
    static const char *const wrong[] = {
        "\"rms_norm_eps\": 1", "\"rope_theta\": 1e30", "\"head_dim\": 4098", "\"num_hidden_layers\": 4097",
        "\"rope_scaling\": {\"type\": \"linear\", \"factor\": 1e9}",
        "\"rope_scaling\": {\"type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 0, \"high_freq_factor\": 4}",
        "\"rope_scaling\": {\"type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 1, \"high_freq_factor\": 1}",
    };
    static const char *const right[] = {
        "\"num_hidden_layers\": 4096", "\"num_hidden_layers\": 1", "\"head_dim\": 4096", "\"rms_norm_eps\": 0.5", "\"rope_theta\": 1",
        "\"rope_scaling\": {\"type\": \"linear\", \"factor\": 1}",
    };
    model_config c;
    for (size_t i = 0; i < COUNT(wrong); i++)
        CHECK(*with(wrong[i], &c, ERR_INPUT));
    for (size_t i = 0; i < COUNT(right); i++)
        CHECK_TEXT(with(right[i], &c, ERR_NONE), "");
}

// ---- GGUF ----

typedef struct pair { const char *key; uint32_t kind; double number; const char *chars; } pair;

static void put_text(text *t, const char *s)
{
    uint64_t n = strlen(s);
    text_bytes(t, &n, 8);
    text_bytes(t, s, n);
}

static void put_pair(text *t, const pair *p)
{
    put_text(t, p->key);
    text_bytes(t, &p->kind, 4);
    if (p->kind == 8)
        put_text(t, p->chars);
    else if (p->kind == 7)
        text_char(t, (char)p->number);
    else if (p->kind == 9)                              // a list of so many empty texts
        text_bytes(t, &(uint32_t){ 8 }, 4), text_bytes(t, &(uint64_t){ (uint64_t)p->number }, 8);
    for (int i = 0; p->kind == 9 && i < (int)p->number; i++)
        put_text(t, "");
    if (p->kind > 6)
        return;
    if (p->kind == 4)
        text_bytes(t, &(uint32_t){ (uint32_t)p->number }, 4);
    else
        text_bytes(t, &(float){ (float)p->number }, 4);
}

// A GGUF with the small configuration, further keys (which replace earlier ones), and rope_freqs when there are any.
static const char *read_gguf(const pair *more, int more_count, const float *freqs, int freq_count, model_config *c, err_code code)
{
    static const pair base[] = {
        { "general.architecture", 8, 0, "llama" }, { "llama.block_count", 4, 3, 0 }, { "llama.embedding_length", 4, 512, 0 },
        { "llama.attention.head_count", 4, 4, 0 }, { "llama.attention.head_count_kv", 4, 2, 0 },
        { "llama.feed_forward_length", 4, 12, 0 }, { "llama.attention.layer_norm_rms_epsilon", 6, 1e-5, 0 },
        { "llama.context_length", 4, 131072, 0 }, { "llama.vocab_size", 4, 60, 0 }, { "llama.rope.freq_base", 6, 500000, 0 },
        { "llama.rope.dimension_count", 4, 128, 0 },
    };
    text t = {0}, pairs = {0};
    uint64_t count = 0;
    for (size_t i = 0; i < COUNT(base); i++) {
        bool replaced = false;
        for (int j = 0; j < more_count; j++)
            replaced = replaced || !strcmp(more[j].key, base[i].key);
        if (!replaced)
            put_pair(&pairs, &base[i]), count++;
    }
    for (int j = 0; j < more_count; j++)
        if (more[j].kind != 99)
            put_pair(&pairs, &more[j]), count++;
    text_bytes(&t, "GGUF\3\0\0\0", 8);
    text_bytes(&t, &(uint64_t){ freqs ? 1 : 0 }, 8);
    text_bytes(&t, &count, 8);
    text_str(&t, text_view(&pairs));
    if (freqs) {
        put_text(&t, "rope_freqs.weight");
        text_bytes(&t, &(uint32_t){ 1 }, 4);
        text_bytes(&t, &(uint64_t){ (uint64_t)freq_count }, 8);
        text_bytes(&t, &(uint32_t){ 0 }, 4);
        text_bytes(&t, &(uint64_t){ 0 }, 8);
        while (t.size % 32)
            text_char(&t, 0);
        text_bytes(&t, freqs, (size_t)freq_count * 4);
    }
    err e = {0};
    arena a = {0};
    new_folder();
    const char *path = path_join(&a, folder, "m.gguf");
    CHECK(file_write(path, text_view(&t), &e));
    said_text[0] = 0;
    if (!model_config_read(c, path, &e))
        memcpy(said_text, e.text + strlen(folder) + 1, sizeof e.text - strlen(folder) - 1);
    CHECK(e.code == code);
    remove_folder();
    arena_close(&a);
    text_close(&t);
    text_close(&pairs);
    return said_text;
}

static const char *gguf_with(pair p, model_config *c, err_code code) { return read_gguf(&p, 1, NULL, 0, c, code); }

TEST(config_of_a_gguf)
{
    model_config c;
    CHECK_TEXT(read_gguf(NULL, 0, NULL, 0, &c, ERR_NONE), "");
    CHECK(!strcmp(c.family, "llama") && c.vocab == 60 && c.hidden == 512 && c.layers == 3 && c.heads == 4 && c.kv_heads == 2);
    CHECK(c.head_size == 128 && c.ffn == 12 && c.max_positions == 131072 && c.norm_eps == (double)1e-5f && c.tied);
    CHECK(c.rope_theta == 500000 && c.rope.kind == ROPE_PLAIN);
    CHECK_TEXT(gguf_with((pair){ "general.architecture", 8, 0, "qwen2" }, &c, ERR_UNSUPPORTED), "m.gguf: general.architecture: 'qwen2' "
               "is not supported; supported: 'llama'");
    CHECK_TEXT(gguf_with((pair){ "general.architecture", 99, 0, 0 }, &c, ERR_INPUT), "m.gguf: general.architecture: missing");
    CHECK_TEXT(gguf_with((pair){ "llama.block_count", 99, 0, 0 }, &c, ERR_INPUT), "m.gguf: llama.block_count: missing");
    CHECK_TEXT(gguf_with((pair){ "llama.block_count", 4, 0, 0 }, &c, ERR_INPUT), "m.gguf: block_count is 0; 1 to 4096 are possible");
    CHECK_TEXT(gguf_with((pair){ "llama.attention.head_count", 4, 3, 0 }, &c, ERR_INPUT), "m.gguf: llama.attention.head_count, 3, must "
               "divide llama.embedding_length, 512");
    CHECK_TEXT(gguf_with((pair){ "llama.attention.head_count", 4, 0, 0 }, &c, ERR_INPUT), "m.gguf: llama.attention.head_count, 0, must "
               "divide llama.embedding_length, 512");
    CHECK_TEXT(gguf_with((pair){ "llama.vocab_size", 99, 0, 0 }, &c, ERR_INPUT), "m.gguf: vocab_size is 0; 1 to 16777216 are possible");
    CHECK_TEXT(gguf_with((pair){ "llama.rope.dimension_count", 4, 64, 0 }, &c, ERR_UNSUPPORTED), "m.gguf: llama.rope.dimension_count: this "
               "is not supported for the llama family");
    CHECK_TEXT(gguf_with((pair){ "llama.expert_count", 4, 8, 0 }, &c, ERR_UNSUPPORTED), "m.gguf: llama.expert_count: this is not supported "
               "for the llama family");
    CHECK_TEXT(gguf_with((pair){ "llama.rope.scaling.type", 8, 0, "yarn" }, &c, ERR_UNSUPPORTED), "m.gguf: llama.rope.scaling.type: only "
               "'none' and 'linear' are supported");
    CHECK_TEXT(gguf_with((pair){ "split.count", 4, 3, 0 }, &c, ERR_UNSUPPORTED), "m.gguf: split.count: the model lies in several files; "
               "merge them with `llama-gguf-split --merge`");
    CHECK_TEXT(gguf_with((pair){ "split.count", 4, 1, 0 }, &c, ERR_NONE), "");
    pair linear[] = { { "llama.rope.scaling.type", 8, 0, "linear" }, { "llama.rope.scaling.factor", 6, 4, 0 } };
    CHECK_TEXT(read_gguf(linear, 2, NULL, 0, &c, ERR_NONE), "");
    CHECK(c.rope.kind == ROPE_LINEAR && c.rope.factor == 4);
}

TEST(more_keys_of_a_gguf)
{
    model_config c;
    float ones[64];
    for (int i = 0; i < 64; i++)
        ones[i] = 1;
    pair wide[] = { { "llama.attention.key_length", 4, 64, 0 }, { "llama.rope.dimension_count", 4, 64, 0 },
                    { "llama.attention.value_length", 4, 64, 0 } };
    CHECK_TEXT(read_gguf(wide, 3, NULL, 0, &c, ERR_NONE), "");
    CHECK(c.head_size == 64);
    CHECK_TEXT(read_gguf(wide, 2, NULL, 0, &c, ERR_NONE), "");
    CHECK_TEXT(gguf_with((pair){ "llama.attention.value_length", 4, 64, 0 }, &c, ERR_UNSUPPORTED), "m.gguf: llama.attention.value_length: "
               "this is not supported for the llama family");
    pair one[] = { { "llama.attention.head_count", 4, 1, 0 }, { "llama.attention.head_count_kv", 99, 0, 0 },
                   { "llama.rope.dimension_count", 99, 0, 0 } };
    CHECK_TEXT(read_gguf(one, 3, NULL, 0, &c, ERR_NONE), "");
    CHECK(c.kv_heads == 1 && c.head_size == 512);
    pair tokens[] = { { "llama.vocab_size", 99, 0, 0 }, { "tokenizer.ggml.tokens", 9, 7, 0 }, { "llama.context_length", 99, 0, 0 } };
    CHECK_TEXT(read_gguf(tokens, 3, NULL, 0, &c, ERR_NONE), "");
    CHECK(c.vocab == 7 && c.max_positions == 2048);
    CHECK_TEXT(gguf_with((pair){ "llama.attention.causal", 7, 1, 0 }, &c, ERR_NONE), "");
    CHECK_TEXT(gguf_with((pair){ "llama.attention.causal", 7, 0, 0 }, &c, ERR_UNSUPPORTED), "m.gguf: llama.attention.causal: only true is "
               "supported");
    CHECK_TEXT(gguf_with((pair){ "llama.attention.causal", 4, 1, 0 }, &c, ERR_UNSUPPORTED), "m.gguf: llama.attention.causal: only true is "
               "supported");
    pair linear = { "llama.rope.scale_linear", 6, 2, 0 };
    CHECK_TEXT(read_gguf(&linear, 1, NULL, 0, &c, ERR_NONE), "");
    CHECK(c.rope.kind == ROPE_LINEAR && c.rope.factor == 2);
    CHECK_TEXT(read_gguf(&linear, 1, ones, 64, &c, ERR_UNSUPPORTED), "m.gguf: rope_freqs.weight: not together with linear scaling");
    static const char *const numbers[] = { "llama.rope.freq_base", "llama.rope.dimension_count", "llama.attention.value_length",
                                           "llama.expert_count", "llama.rope.scale_linear", "llama.vocab_size",
                                           "llama.attention.layer_norm_rms_epsilon" };
    for (size_t i = 0; i < COUNT(numbers); i++) {
        const char *said = gguf_with((pair){ numbers[i], 8, 0, "x" }, &c, ERR_INPUT);
        CHECK(strstr(said, numbers[i]) && strstr(said, "number, got text"));
    }
    CHECK_TEXT(gguf_with((pair){ "llama.rope.scaling.type", 4, 1, 0 }, &c, ERR_INPUT), "m.gguf: llama.rope.scaling.type: expected text, got "
               "a whole number");
}

static int warnings;
static char warning[512];

static void count_warnings(void *self, log_level level, const char *line)
{
    (void)self;
    warnings += level == LOG_WARNING;
    snprintf(warning, sizeof warning, "%s", line);
}

TEST(unknown_keys_are_named)
{
    model_config c;
    log_to(count_warnings, NULL);
    warnings = 0;
    CHECK_TEXT(gguf_with((pair){ "llama.logit_scale", 6, 2, 0 }, &c, ERR_NONE), "");
    CHECK(warnings == 1 && strstr(warning, "the key llama.logit_scale is not known and not used"));
    CHECK_TEXT(with("\"attention_dropout\": 0.1", &c, ERR_NONE), "");
    CHECK(warnings == 2 && strstr(warning, "attention_dropout is 0.1, but nothing is dropped here"));
    CHECK_TEXT(with("\"attention_dropout\": 0.0", &c, ERR_NONE), "");
    CHECK(warnings == 2);
    log_to(NULL, NULL);
}

// Llama 3's factors for theta 500000, heads of 128, as its converter computes them; some also by hand.
TEST(llama3_factors_of_a_gguf)
{
    model_config c;
    float f[64];
    for (int i = 0; i < 64; i++) {
        double wavelength = 2 * M_PI * pow(500000, i / 64.0), smooth = (8192 / wavelength - 1) / 3;
        f[i] = (float)(wavelength < 2048 ? 1 : wavelength > 8192 ? 8 : 1 / ((1 - smooth) / 8 + smooth));
    }
    CHECK(f[0] == 1 && f[28] == 1 && f[63] == 8 && f[36] == 8 && f[31] > 1 && f[31] < 8);
    CHECK_TEXT(read_gguf(NULL, 0, f, 64, &c, ERR_NONE), "");
    CHECK(c.rope.kind == ROPE_LLAMA3 && c.rope.factor == 8 && c.rope.low == 1 && c.rope.high == 4 && c.rope.original == 8192);
    CHECK_TEXT(read_gguf(NULL, 0, f, 63, &c, ERR_INPUT), "m.gguf: tensor 'rope_freqs.weight' has 63 numbers, expected 64 (half a head)");
    pair original = { "llama.rope.scaling.original_context_length", 4, 4096, 0 };
    CHECK(*read_gguf(&original, 1, f, 64, &c, ERR_UNSUPPORTED));                        // the factors are those of 8192
    f[31] *= 1.001f;
    CHECK_TEXT(read_gguf(NULL, 0, f, 64, &c, ERR_UNSUPPORTED), "m.gguf: rope_freqs.weight: these factors are not those of Llama 3's "
               "scaling; no other is supported");
    for (int i = 0; i < 64; i++)
        f[i] = 1;
    CHECK_TEXT(read_gguf(NULL, 0, f, 64, &c, ERR_NONE), "");
    CHECK(c.rope.kind == ROPE_PLAIN);
}

TEST(config_of_real_files)
{
    model_config c;
    err e = {0};
    CHECK(model_config_read(&c, "fixtures/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", &e));
    CHECK(c.layers == 30 && c.hidden == 576 && c.heads == 9 && c.kv_heads == 3 && c.head_size == 64 && c.ffn == 1536 && c.tied);
    CHECK(c.vocab == 49152 && c.max_positions == 8192 && c.rope_theta == 100000 && c.parameters == 134515008);
    CHECK(!model_config_read(&c, "fixtures/vocab/ggml-vocab-qwen2.gguf", &e) && e.code == ERR_UNSUPPORTED);
}
