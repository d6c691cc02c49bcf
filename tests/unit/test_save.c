// Exports: what is written reads back equal, in one file and in shards; what goes with the weights; failures leave nothing.
#include <signal.h>
#include <sys/resource.h>

#include "../test.h"
#include "../tiny_model.h"
#include "base/json.h"

// The tiny model in an engine, from a folder of its own that is gone afterwards.
static void tiny_engine(fake_engine *f, const model_config *c, type t)
{
    err e = {0};
    new_folder();
    tiny_checkpoint("model.safetensors", c, ST_F32, (tiny_change){0});
    fake_open(f, c, t);
    CHECK(model_load(folder, c, &f->w, &f->as, &e));
    remove_folder();
}

static const int32_t stops[] = { 5, 4 };

static save_options options(void)
{
    return (save_options){ .bos = 1, .eos = 2, .pad = 3, .stops = stops, .stop_count = 2 };
}

static const node *read_json(arena *a, const char *name)
{
    const node *n = NULL;
    err e = {0};
    CHECK(json_read_file(a, in_folder(name), &n, &e));
    return n;
}

static int files_in_folder(void)
{
    arena a = {0};
    char **names;
    int64_t count = -1;
    err e = {0};
    CHECK(folder_list(&a, folder, &names, &count, &e));
    arena_close(&a);
    return (int)count;
}

TEST(an_export_loads_again)
{
    for (int i = 0; i < 8; i++) {
        bool tied = i & 1, f32 = i & 2;
        fake_engine f, again;
        model_config c = tiny_config(tied), read;
        save_options o = options();
        err e = {0};
        o.f32 = f32;
        tiny_engine(&f, &c, i & 4 ? BF16 : F32);
        new_folder();
        CHECK(model_save(folder, &c, &f.w, &f.as, &o, &e));
        CHECK_TEXT(e.text, "");
        CHECK(files_in_folder() == 4);
        CHECK(model_config_read(&read, folder, &e));
        CHECK(read.tied == tied && read.vocab == 6 && read.head_size == 4 && read.norm_eps == 1e-5);
        fake_open(&again, &read, F32);
        CHECK(model_load(folder, &read, &again.w, &again.as, &e) && tiny_is_right(&again, &c));
        safetensors s;
        CHECK(safetensors_open(&s, folder, &e));
        CHECK(s.tensors[0].type == (f32 ? ST_F32 : ST_BF16) && !safetensors_find(&s, "lm_head.weight") == tied);
        safetensors_close(&s);
        fake_close(&again);
        fake_close(&f);
        remove_folder();
    }
}

TEST(tensors_of_several_runs)
{
    for (type t = F32; t <= BF16; t++) {
        fake_engine f, again;
        err e = {0};
        model_config c = large_config();
        save_options o = options();
        o.f32 = t == BF16;
        tiny_engine(&f, &c, t);
        new_folder();
        CHECK(model_save(folder, &c, &f.w, &f.as, &o, &e));
        fake_open(&again, &c, F32);
        CHECK(model_load(folder, &c, &again.w, &again.as, &e) && tiny_is_right(&again, &c));
        fake_close(&again);
        fake_close(&f);
        remove_folder();
    }
}

TEST(shards_and_what_an_earlier_export_left)
{
    fake_engine f, again;
    arena a = {0};
    err e = {0};
    model_config c = tiny_config(true);
    save_options o = options();
    tiny_engine(&f, &c, F32);
    new_folder();
    CHECK(model_save(folder, &c, &f.w, &f.as, &o, &e));
    o.shard_bytes = 600;
    CHECK(model_save(folder, &c, &f.w, &f.as, &o, &e));
    CHECK(!file_exists(in_folder("model.safetensors")));                                // it would be read in place of the shards
    const node *index = read_json(&a, "model.safetensors.index.json"), *map = node_get(index, "weight_map");
    CHECK(node_get(node_get(index, "metadata"), "total_size")->integer == 2 * c.parameters);
    CHECK(map->object.count == 20);
    CHECK(str_is(node_get(map, "model.embed_tokens.weight")->text, "model-00001-of-00003.safetensors"));
    CHECK(str_is(node_get(map, "model.norm.weight")->text, "model-00003-of-00003.safetensors"));
    int64_t size = 0;
    CHECK(file_size(in_folder("model-00001-of-00003.safetensors"), &size, &e) && size > 400);
    fake_open(&again, &c, F32);
    CHECK(model_load(folder, &c, &again.w, &again.as, &e) && tiny_is_right(&again, &c));
    fake_close(&again);
    o.shard_bytes = 0;
    CHECK(model_save(folder, &c, &f.w, &f.as, &o, &e));
    CHECK(file_exists(in_folder("model.safetensors")) && !file_exists(in_folder("model.safetensors.index.json")));
    fake_close(&f);
    arena_close(&a);
    remove_folder();
}

TEST(configs_written_afresh)
{
    fake_engine f;
    arena a = {0};
    err e = {0};
    model_config c = tiny_config(true);
    save_options o = options();
    c.rope_theta = 500000;
    c.rope.kind = ROPE_LLAMA3;
    c.rope.factor = 8, c.rope.low = 1, c.rope.high = 4, c.rope.original = 16;
    tiny_engine(&f, &c, F32);
    new_folder();
    CHECK(model_save(folder, &c, &f.w, &f.as, &o, &e));
    CHECK_TEXT(arena_chars(&a, get_file(&a, "config.json")),
               "{\n  \"vocab_size\": 6,\n  \"hidden_size\": 8,\n  \"num_hidden_layers\": 2,\n  \"num_attention_heads\": 2,\n"
               "  \"num_key_value_heads\": 1,\n  \"intermediate_size\": 3,\n  \"max_position_embeddings\": 32,\n"
               "  \"architectures\": [\n    \"LlamaForCausalLM\"\n  ],\n  \"model_type\": \"llama\",\n  \"tie_word_embeddings\": true,\n"
               "  \"torch_dtype\": \"bfloat16\",\n  \"bos_token_id\": 1,\n  \"eos_token_id\": 2,\n  \"pad_token_id\": 3,\n"
               "  \"rms_norm_eps\": 1e-05,\n  \"rope_theta\": 500000,\n  \"rope_scaling\": {\n    \"rope_type\": \"llama3\",\n"
               "    \"factor\": 8.0,\n    \"low_freq_factor\": 1.0,\n    \"high_freq_factor\": 4.0,\n"
               "    \"original_max_position_embeddings\": 16\n  },\n  \"hidden_act\": \"silu\",\n  \"attention_bias\": false,\n"
               "  \"mlp_bias\": false\n}\n");
    CHECK_TEXT(arena_chars(&a, get_file(&a, "generation_config.json")),
               "{\n  \"eos_token_id\": [\n    5,\n    4,\n    2\n  ],\n  \"bos_token_id\": 1,\n  \"pad_token_id\": 3\n}\n");
    CHECK_TEXT(arena_chars(&a, get_file(&a, "README.md")),
               "---\nlibrary_name: transformers\npipeline_tag: text-generation\ntags:\n- sft\n- skiff\n---\n\n"
               "A fine-tuned model (llama, 616 parameters), made with Skiff. The weights are bfloat16.\n\n"
               "The base's licence is not known from its files; look it up before passing this model on.\n");
    fake_close(&f);
    arena_close(&a);
    remove_folder();
}

TEST(what_a_base_folder_gives)
{
    fake_engine f;
    arena a = {0};
    err e = {0};
    char base[64];
    model_config c = tiny_config(false);
    save_options o = options();
    tiny_engine(&f, &c, F32);
    new_folder();
    memcpy(base, folder, sizeof base);
    put_file("config.json", STR("{\"_name_or_path\": \"/home/somebody\", \"model_type\": \"llama\", \"vocab_size\": 9, \"hidden_size\": 8, "
             "\"num_hidden_layers\": 2, \"num_attention_heads\": 2, \"num_key_value_heads\": 1, \"intermediate_size\": 3, "
             "\"max_position_embeddings\": 32, \"rms_norm_eps\": 1e-05, \"rope_parameters\": {\"rope_theta\": 10000.0, \"rope_type\": "
             "\"default\"}, \"dtype\": \"float32\", \"eos_token_id\": [7, 2], \"bos_token_id\": 4, \"initializer_range\": 0.02}"));
    put_file("generation_config.json", STR("{\"_from_model_config\": true, \"eos_token_id\": [4, 7], \"temperature\": 0.6}"));
    put_file("README.md", STR("---\nlanguage: en\nlicense: other\nlicense_name: \"a: b\"\nlicense_link: LICENSE\n---\nlicense: no\n"));
    put_file("LICENSE.txt", STR("the terms"));
    put_file("USE_POLICY.md", STR("the policy"));
    put_file("model.safetensors", STR("not copied"));
    o.base_path = base, o.base_name = "owner/name-1.5", o.f32 = true;
    new_folder();
    CHECK(model_save(folder, &c, &f.w, &f.as, &o, &e));
    CHECK_TEXT(e.text, "");
    CHECK_TEXT(arena_chars(&a, get_file(&a, "config.json")),
               "{\n  \"model_type\": \"llama\",\n  \"vocab_size\": 6,\n  \"hidden_size\": 8,\n  \"num_hidden_layers\": 2,\n"
               "  \"num_attention_heads\": 2,\n  \"num_key_value_heads\": 1,\n  \"intermediate_size\": 3,\n"
               "  \"max_position_embeddings\": 32,\n  \"rms_norm_eps\": 1e-05,\n  \"rope_parameters\": {\n    \"rope_theta\": 10000.0,\n"
               "    \"rope_type\": \"default\"\n  },\n  \"dtype\": \"float32\",\n  \"eos_token_id\": [\n    7,\n    2\n  ],\n"
               "  \"bos_token_id\": 1,\n  \"initializer_range\": 0.02,\n  \"architectures\": [\n    \"LlamaForCausalLM\"\n  ],\n"
               "  \"tie_word_embeddings\": false,\n  \"pad_token_id\": 3\n}\n");
    CHECK_TEXT(arena_chars(&a, get_file(&a, "generation_config.json")),
               "{\n  \"eos_token_id\": [\n    5,\n    4,\n    7,\n    2\n  ],\n  \"temperature\": 0.6,\n  \"bos_token_id\": 1,\n"
               "  \"pad_token_id\": 3\n}\n");
    CHECK_TEXT(arena_chars(&a, get_file(&a, "README.md")),
               "---\nbase_model: owner/name-1.5\nlicense: other\nlicense_name: \"a: b\"\nlicense_link: LICENSE\n"
               "library_name: transformers\npipeline_tag: text-generation\ntags:\n- sft\n- skiff\n---\n\n"
               "A fine-tune of `owner/name-1.5` (llama, 664 parameters), made with Skiff. The weights are float32.\n\n"
               "The base's licence, `other`, applies to it.\n");
    CHECK(str_is(get_file(&a, "LICENSE.txt"), "the terms") && str_is(get_file(&a, "USE_POLICY.md"), "the policy"));
    CHECK(files_in_folder() == 6);
    o.base_path = folder;
    CHECK(!model_save(folder, &c, &f.w, &f.as, &o, &e) && e.code == ERR_INPUT && files_in_folder() == 6);
    CHECK(strstr(e.text, "' holds the model that was trained from; choose another folder for the export"));
    o.base_path = base;
    c.rope_theta = 20000;                               // a model built otherwise than its base
    CHECK(model_save(folder, &c, &f.w, &f.as, &o, &e));
    const node *n = read_json(&a, "config.json");
    CHECK(node_get(n, "rope_theta")->integer == 20000 && !node_get(n, "rope_parameters"));
    remove_folder();
    memcpy(folder, base, sizeof base);
    remove_folder();
    arena_close(&a);
    fake_close(&f);
}

TEST(the_licence_of_a_gguf)
{
    fake_engine f;
    arena a = {0};
    err e = {0};
    model_config c = tiny_config(true);
    save_options o = options();
    tiny_engine(&f, &c, F32);
    o.base_path = o.base_name = "fixtures/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
    new_folder();
    CHECK(model_save(folder, &c, &f.w, &f.as, &o, &e));
    str card = get_file(&a, "README.md");
    CHECK(str_find(card, STR("\nlicense: apache-2.0\n"), 0) < card.size && str_find(card, STR("base_model:"), 0) == card.size);
    remove_folder();
    arena_close(&a);
    fake_close(&f);
}

// ---- failures ----

TEST(a_full_disk_leaves_nothing)
{
    fake_engine f;
    err e = {0};
    model_config c = tiny_config(true);
    save_options o = options();
    tiny_engine(&f, &c, F32);
    struct rlimit before, small;
    CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
    signal(SIGXFSZ, SIG_IGN);
    int64_t size = 0;
    new_folder();
    CHECK(model_save(folder, &c, &f.w, &f.as, &o, &e) && file_size(in_folder("model.safetensors"), &size, &e));
    remove_folder();
    for (rlim_t limit = 0; limit < (rlim_t)size + 250; limit += 250) {
        new_folder();
        small = before;
        small.rlim_cur = limit;
        CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
        bool ok = model_save(folder, &c, &f.w, &f.as, &o, &e);
        CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
        CHECK(ok == (limit >= (rlim_t)size));           // of the weights; the other files are smaller
        CHECK(ok || (e.code == ERR_IO && strstr(e.text, "model.safetensors': File too large")));
        CHECK(files_in_folder() == (ok ? 4 : 0));
        remove_folder();
    }
    CHECK(!model_save("/tmp/skiff-no-such-folder", &c, &f.w, &f.as, &o, &e) && e.code == ERR_INPUT);
    CHECK_TEXT(e.text, "'/tmp/skiff-no-such-folder' is not a folder; the export needs one to write into");
    fake_close(&f);
}

// Whatever file cannot be written: the others are taken back.
TEST(a_file_that_cannot_be_written)
{
    fake_engine f;
    err e = {0};
    char beside[64];
    model_config c = tiny_config(true);
    save_options o = options();
    tiny_engine(&f, &c, F32);
    snprintf(beside, sizeof beside, "model.safetensors.tmp-%ld", (long)getpid());
    const char *const in_the_way[] = { beside, "model.safetensors", "README.md", "generation_config.json", "config.json" };
    for (size_t i = 0; i < COUNT(in_the_way); i++) {
        new_folder();
        CHECK(folder_make(in_folder(in_the_way[i]), &e));
        CHECK(!model_save(folder, &c, &f.w, &f.as, &o, &e) && e.code == ERR_IO);
        CHECK(strstr(e.text, "cannot write '") && strstr(e.text, i ? in_the_way[i] : "model.safetensors") && strstr(e.text, "s a directory"));
        CHECK(files_in_folder() == 1);
        remove_folder();
    }
    fake_close(&f);
}

static int reads;

// The 25th read gives a number that is not the one written.
static bool faulty_read(engine *g, tensor t, int64_t from, int64_t count, void *to, err *e)
{
    bool ok = fake_read(g, t, from, count, to, e);
    if (++reads == 25)
        ((char *)to)[2] ^= 1;
    return ok && (reads != 50 || fail(e, ERR_IO, "the engine fails"));
}

TEST(what_reads_back_otherwise_is_an_error)
{
    fake_engine f;
    err e = {0};
    model_config c = tiny_config(true);
    save_options o = options();
    tiny_engine(&f, &c, F32);
    f.as.read = faulty_read;
    o.f32 = true;
    new_folder();
    put_file("other.txt", STR("stays"));
    CHECK(!model_save(folder, &c, &f.w, &f.as, &o, &e) && e.code == ERR_IO);
    CHECK(strstr(e.text, ": tensor 'model.layers.0.self_attn.v_proj.weight' read back from the export differs from the weights in memory"));
    CHECK(files_in_folder() == 1);
    reads = 45;                                         // while writing
    CHECK(!model_save(folder, &c, &f.w, &f.as, &o, &e) && e.code == ERR_IO);
    CHECK_TEXT(e.text, "the engine fails");
    CHECK(files_in_folder() == 1);
    reads = 25;                                         // while comparing
    CHECK(!model_save(folder, &c, &f.w, &f.as, &o, &e) && e.code == ERR_IO);
    CHECK_TEXT(e.text, "the engine fails");
    CHECK(files_in_folder() == 1);
    remove_folder();
    fake_close(&f);
}
