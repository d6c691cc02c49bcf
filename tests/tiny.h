// A tiny model with random weights, its byte-level tokenizer, and chats, written as files by the tests that train.
#pragma once
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/random.h"
#include "base/util.h"
#include "format/safetensors.h"
#include "model/model.h"
#include "data/cache.h"
#include "train/trainer.h"

enum { TINY_VOCAB = 264, TINY_STOP = 258 };

// GPT-2's letters for bytes, as UTF-8.
static void tiny_letter(int byte, char out[4])
{
    int code = byte, next = 256;
    for (int b = 0; b <= byte; b++) {
        bool plain = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
        code = plain ? b : next++;
    }
    if (code < 128)
        snprintf(out, 4, "%s%c", code == '"' || code == '\\' ? "\\" : "", code);
    else
        snprintf(out, 4, "%c%c", 0xc0 | code >> 6, 0x80 | (code & 63));
}

static bool tiny_tokenizer(arena *a, const char *folder, const char *stop, err *e)
{
    static const char *const added[] = { "<|endoftext|>", "<|im_start|>", NULL };
    static const char turn_of[] = "{% for m in messages %}<|im_start|>{{ m.role }}\\n{{ m.content }}";
    static const char rest[] = "\\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\\n{% endif %}";
    text t = { 0 };
    text_add(&t, "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[");
    for (int i = 0; i < 3; i++)
        text_add(&t, "%s{\"id\":%d,\"content\":\"%s\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,\"special\":true}",
                 i ? "," : "", 256 + i, added[i] ? added[i] : stop);
    text_add(&t, "],\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":true},"
                 "\"post_processor\":null,\"decoder\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,\"use_regex\":true},"
                 "\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":null,\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,"
                 "\"fuse_unk\":false,\"byte_fallback\":false,\"ignore_merges\":false,\"vocab\":{");
    for (int b = 0; b < 256; b++) {
        char letter[4];
        tiny_letter(b, letter);
        text_add(&t, "%s\"%s\":%d", b ? "," : "", letter, b);
    }
    text_add(&t, "},\"merges\":[]}}");
    bool ok = text_ok(&t, e) && file_write(path_join(a, folder, "tokenizer.json"), text_view(&t), e);
    text_clear(&t);
    text_add(&t, "{\"tokenizer_class\":\"PreTrainedTokenizerFast\",\"eos_token\":\"%s\",\"pad_token\":\"<|endoftext|>\",\"chat_template\":\"", stop);
    text_add(&t, "%s%s%s\"}", turn_of, stop, rest);
    ok = ok && text_ok(&t, e) && file_write(path_join(a, folder, "tokenizer_config.json"), text_view(&t), e);
    text_close(&t);
    return ok;
}

// Numbers around 0, as large as `scale`.
static float tiny_number(uint64_t i, float scale)
{
    return scale * ((float)(key_bits(key_from_seed(5), i) >> 8) / (float)(1 << 23) - 1);
}

static bool tiny_weights(arena *a, const char *folder, const model_config *c, float scale, err *e)
{
    weight_part parts[16];
    st_row rows[64];
    int64_t count = 0;
    int part_count = model_parts(c, parts);
    for (int i = 0; i < part_count; i++)
        for (int64_t l = 0; l < (parts[i].per_layer ? c->layers : 1); l++) {
            st_row r = { .type = ST_F32, .rank = parts[i].columns ? 2 : 1, .dim = { parts[i].rows, parts[i].columns } };
            char *name = arena_alloc(a, 96);
            snprintf(name, 96, parts[i].hf, (int)l);
            r.name = name;
            rows[count++] = r;
        }
    writer w;
    TRY(writer_open(&w, path_join(a, folder, "model.safetensors"), e) && safetensors_begin(&w, rows, count, NULL, 0, e));
    uint64_t at = 0;
    for (int64_t i = 0; i < count; i++)
        for (int64_t n = rows[i].dim[0] * (rows[i].rank == 2 ? rows[i].dim[1] : 1); n--; at++) {
            float x = rows[i].rank == 1 ? 1 + tiny_number(at, 0.1f) : tiny_number(at, scale);
            writer_put(&w, &x, sizeof x);
        }
    return writer_commit(&w, e);
}

// A folder of Hugging Face's layout. `stop` names the third added token ("<|im_end|>").
__attribute__((unused))
static bool tiny_model(const char *folder, const char *stop, float scale, err *e)
{
    static const char config[] = "{\"architectures\":[\"LlamaForCausalLM\"],\"model_type\":\"llama\",\"vocab_size\":264,\"hidden_size\":32,"
        "\"num_hidden_layers\":2,\"num_attention_heads\":4,\"num_key_value_heads\":2,\"intermediate_size\":64,\"max_position_embeddings\":256,"
        "\"rms_norm_eps\":1e-05,\"rope_theta\":10000.0,\"tie_word_embeddings\":true,\"hidden_act\":\"silu\",\"torch_dtype\":\"float32\"}";
    arena a = { 0 };
    model_config c;
    bool ok = folder_make(folder, e) && file_write(path_join(&a, folder, "config.json"), str_of(config), e)
           && tiny_tokenizer(&a, folder, stop, e) && model_config_read(&c, folder, e) && tiny_weights(&a, folder, &c, scale, e);
    arena_close(&a);
    return ok;
}

// Chats of `count` rows, no two alike; `salt` makes other ones.
static bool tiny_chats(const char *path, int count, uint64_t salt, err *e)
{
    static const char *const words[] = { "harbour", "lantern", "pepper", "violin", "snow", "ladder", "candle", "river", "button", "meadow", "copper", "owl" };
    text t = { 0 };
    for (int i = 0; i < count; i++) {
        uint64_t n = salt * 1000003 + (uint64_t)i * 64;
#define WORD(j) words[key_bits(key_from_seed(9), n + (uint64_t)(j)) % COUNT(words)]
        text_add(&t, "{\"messages\":[{\"role\":\"user\",\"content\":\"What of the %s, no. %d?\"},{\"role\":\"assistant\",\"content\":\"", WORD(0), i);
        for (uint64_t j = 0, all = 1 + key_bits(key_from_seed(9), n + 50) % 9; j < all; j++)
            text_add(&t, "%s%s", j ? " " : "", WORD(j + 1));
        text_add(&t, "!\"}]}\n");
#undef WORD
    }
    bool ok = text_ok(&t, e) && file_write(path, text_view(&t), e);
    text_close(&t);
    return ok;
}

__attribute__((unused))
static bool tiny_cache(const char *folder, const char *base, const char *chats, int count, uint64_t salt, err *e)
{
    TRY(tiny_chats(chats, count, salt, e));
    tokenizer *t = tokenizer_open(base, e);
    if (!t)
        return false;
    cache_totals totals;
    bool ok = cache_build(folder, "tiny", &chats, 1, t, &(cache_options){ .threads = 1 }, &totals, e);
    tokenizer_close(t);
    return ok;
}

// A place in /tmp with a model, train and held-out caches, and settings to train it.
typedef struct tiny { char folder[64], model[96], cache[96], held_out[96], output[96]; const char *caches[1]; train_config c; } tiny;

__attribute__((unused))
static bool tiny_open(tiny *t, err *e)
{
    char chats[112];
    *t = (tiny){ .folder = "/tmp/skiff-test-XXXXXX" };
    if (!mkdtemp(t->folder))
        return fail_io(e, "make", t->folder);
    snprintf(t->model, sizeof t->model, "%s/model", t->folder);
    snprintf(t->cache, sizeof t->cache, "%s/cache", t->folder);
    snprintf(t->held_out, sizeof t->held_out, "%s/held", t->folder);
    snprintf(t->output, sizeof t->output, "%s/out", t->folder);
    TRY(tiny_model(t->model, "<|im_end|>", 0.2f, e));
    snprintf(chats, sizeof chats, "%s/chats.jsonl", t->folder);
    TRY(tiny_cache(t->cache, t->model, chats, 60, 1, e));
    snprintf(chats, sizeof chats, "%s/held.jsonl", t->folder);
    TRY(tiny_cache(t->held_out, t->model, chats, 12, 2, e));
    t->caches[0] = t->cache;
    t->c = (train_config){
        .output = t->output, .model = t->model, .caches = t->caches, .cache_count = 1, .eval_cache = t->held_out, .batch = 4, .micro_batch = 2,
        .seq = 192, .steps = 8, .schedule = { .learning_rate = 1e-2, .warmup = 0.25, .decay = DECAY_REST },
        .beta1 = 0.9, .beta2 = 0.95, .epsilon = 1e-8, .max_grad_norm = 1, .weight_decay = 0.1, .seed = 3, .permute = PERMUTE_FEISTEL, .compute = F32,
        .steps_per_checkpoint = 4, .steps_per_eval = 4, .trackers = "jsonl", .base_name = "tiny", .threads = 2,
    };
    return true;
}

__attribute__((unused))
static void tiny_close(tiny *t)
{
    err e = { 0 };
    if (!folder_remove(t->folder, &e))
        fprintf(stderr, "%s\n", e.text);
}

// Are two files the same bytes?
__attribute__((unused))
static bool same_file(const char *folder_a, const char *folder_b, const char *name)
{
    arena a = { 0 };
    str x, y;
    err e = { 0 };
    bool same = file_read(&a, path_join(&a, folder_a, name), &x, &e) && file_read(&a, path_join(&a, folder_b, name), &y, &e) && str_equal(x, y);
    arena_close(&a);
    return same;
}

// The settings with a mixture of two datasets of 60 and 25 chats, and one without weight that is held out.
typedef struct tiny_mixed { char folders[3][112]; const char *caches[3], *names[3]; double weights[3]; mixture_stage stage; } tiny_mixed;

__attribute__((unused))
static bool tiny_mix(tiny *t, tiny_mixed *m, err *e)
{
    static const int counts[] = { 60, 25, 9 };
    static const char *const names[] = { "large", "small", "aside" };
    *m = (tiny_mixed){ .weights = { 1, 2, 0 } };
    for (int i = 0; i < 3; i++) {
        char chats[160];
        snprintf(m->folders[i], sizeof m->folders[i], "%s/%s", t->folder, names[i]);
        snprintf(chats, sizeof chats, "%s.jsonl", m->folders[i]);
        TRY(tiny_cache(m->folders[i], t->model, chats, counts[i], 11 + (uint64_t)i, e));
        m->caches[i] = m->folders[i];
        m->names[i] = names[i];
    }
    m->stage.weights = m->weights;
    t->c.caches = m->caches, t->c.names = m->names, t->c.cache_count = 3;
    t->c.stages = &m->stage, t->c.stage_count = 1, t->c.mixture_block = 12;
    return true;
}
