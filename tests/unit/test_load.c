// Loading: every tensor to its place, from every type; what is missing, misshapen or too much is named.
#include "../test.h"
#include "../tiny_model.h"
#include "train/generate.h"
#include "train/step.h"

static char said_text[512];

// Loads the folder (or a file in it) into an engine of this type. Errors without the folder's name, "" when it is fine.
static const char *load(const char *name, const model_config *c, type t, fake_engine *f, err_code code)
{
    err e = {0};
    fake_open(f, c, t);
    said_text[0] = 0;
    bool ok = model_load(*name ? in_folder(name) : folder, c, &f->w, &f->as, &e);
    CHECK(f->prepared == ok && e.code == code);
    if (!ok) {
        size_t begin = strncmp(e.text, folder, strlen(folder)) ? 0 : strlen(folder);
        memcpy(said_text, e.text + begin, sizeof e.text - begin);
    }
    return said_text;
}

static const char *load_changed(bool tied, tiny_change change)
{
    fake_engine f;
    model_config c = tiny_config(tied);
    new_folder();
    tiny_checkpoint("model.safetensors", &c, ST_F32, change);
    err_code code = ERR_INPUT;
    err e = {0};
    fake_open(&f, &c, F32);
    if (model_load(folder, &c, &f.w, &f.as, &e))
        code = ERR_NONE;
    fake_close(&f);
    load("", &c, F32, &f, code);
    CHECK(code || tiny_is_right(&f, &c));
    fake_close(&f);
    remove_folder();
    return said_text;
}

TEST(every_type_finds_its_place)
{
    static const st_type types[] = { ST_F32, ST_F16, ST_BF16, ST_F64 };
    for (size_t i = 0; i < COUNT(types); i++)
        for (int tied = 0; tied < 2; tied++)
            for (type t = F32; t <= BF16; t++) {
                fake_engine f;
                model_config c = tiny_config(tied);
                new_folder();
                tiny_checkpoint("model.safetensors", &c, types[i], (tiny_change){0});
                CHECK_TEXT(load("", &c, t, &f, ERR_NONE), "");
                CHECK(tiny_is_right(&f, &c));
                fake_close(&f);
                CHECK_TEXT(load("model.safetensors", &c, t, &f, ERR_NONE), "");         // the file itself
                CHECK(tiny_is_right(&f, &c));
                fake_close(&f);
                remove_folder();
            }
}

TEST(the_fused_weights)
{
    fake_engine f;
    model_config c = tiny_config(true);
    new_folder();
    tiny_checkpoint("model.safetensors", &c, ST_F32, (tiny_change){0});
    CHECK_TEXT(load("", &c, F32, &f, ERR_NONE), "");
    // [layers, 8 rows of q, 4 of k, 4 of v; 8]: row 8 of layer 1 is k's first; the parts are 2, 3, 4 of the table
    CHECK(kept(&f, W_QKV, 0) == tiny_number(2, 0, 0) && kept(&f, W_QKV, 63) == tiny_number(2, 0, 63));
    CHECK(kept(&f, W_QKV, 64) == tiny_number(3, 0, 0) && kept(&f, W_QKV, 96) == tiny_number(4, 0, 0));
    CHECK(kept(&f, W_QKV, 128 + 64) == tiny_number(3, 1, 0) && kept(&f, W_QKV, 255) == tiny_number(4, 1, 31));
    CHECK(kept(&f, W_GATE_UP, 24) == tiny_number(8, 0, 0) && kept(&f, W_GATE_UP, 48) == tiny_number(7, 1, 0));
    fake_close(&f);
    remove_folder();
}

TEST(shards)
{
    fake_engine f;
    model_config c = tiny_config(true);
    new_folder();
    tiny_checkpoint("model-00001-of-00002.safetensors", &c, ST_F32, (tiny_change){ .leave_out = "model.norm.weight" });
    text t = {0};
    st_row r = { "model.norm.weight", ST_F32, 1, { 8 } };
    writer w;
    err e = {0};
    CHECK(writer_open(&w, in_folder("model-00002-of-00002.safetensors"), &e) && safetensors_begin(&w, &r, 1, NULL, 0, &e));
    for (int i = 0; i < 8; i++)
        writer_put(&w, &(float){ tiny_number(10, 0, i) }, 4);
    CHECK(writer_commit(&w, &e));
    put_file("model.safetensors.index.json", STR("{\"weight_map\": {\"model.norm.weight\": \"model-00002-of-00002.safetensors\", "
             "\"model.embed_tokens.weight\": \"model-00001-of-00002.safetensors\"}}"));
    CHECK_TEXT(load("", &c, F32, &f, ERR_NONE), "");
    CHECK(tiny_is_right(&f, &c));
    fake_close(&f);
    text_close(&t);
    remove_folder();
}

TEST(what_does_not_fit_is_named)
{
    CHECK_TEXT(load_changed(false, (tiny_change){ .leave_out = "model.layers.1.mlp.up_proj.weight" }),
               ": tensor 'model.layers.1.mlp.up_proj.weight' is missing");
    CHECK_TEXT(load_changed(false, (tiny_change){ .leave_out = "lm_head.weight" }), ": tensor 'lm_head.weight' is missing; where the head "
               "is the embedding, config.json says tie_word_embeddings: true");
    CHECK_TEXT(load_changed(false, (tiny_change){ .wrong_shape = "model.layers.0.self_attn.k_proj.weight" }),
               "/model.safetensors: tensor 'model.layers.0.self_attn.k_proj.weight' has the shape [4, 1, 8], but [4, 8] is expected from "
               "the configuration");
    CHECK_TEXT(load_changed(false, (tiny_change){ .too_wide = "model.layers.1.self_attn.v_proj.weight" }),
               "/model.safetensors: tensor 'model.layers.1.self_attn.v_proj.weight' has the shape [4, 9], but [4, 8] is expected from the "
               "configuration");
    CHECK_TEXT(load_changed(false, (tiny_change){ .whole_numbers = "model.norm.weight" }), "/model.safetensors: tensor "
               "'model.norm.weight' has the type I32; weights are F32, F16, BF16 or F64");
    CHECK_TEXT(load_changed(false, (tiny_change){ .rename = "model.layers.0.mlp.up_proj.weight", .to = "model.layers.0.mlp.up.weight" }),
               ": tensor 'model.layers.0.mlp.up_proj.weight' is missing");
    CHECK_TEXT(load_changed(false, (tiny_change){ .extra = "model.layers.0.mlp.up_proj.bias" }), "/model.safetensors: tensor "
               "'model.layers.0.mlp.up_proj.bias' has no place in a llama model of 2 layers; there is "
               "'model.layers.0.mlp.up_proj.weight', 'model.layers.0.mlp.gate_proj.weight' or 'model.layers.0.mlp.down_proj.weight'");
    CHECK_TEXT(load_changed(true, (tiny_change){ .extra = "x" }), "/model.safetensors: tensor 'x' has no place in a llama model of 2 "
               "layers");
    CHECK_TEXT(load_changed(false, (tiny_change){ .extra = "x" }), "/model.safetensors: tensor 'x' has no place in a llama model of 2 "
               "layers");
}

TEST(tensors_that_may_be_passed_over)
{
    CHECK_TEXT(load_changed(false, (tiny_change){ .extra = "model.layers.0.self_attn.rotary_emb.inv_freq" }), "");
    CHECK_TEXT(load_changed(true, (tiny_change){ .extra = "lm_head.weight" }), "");     // equal to the embedding
    CHECK_TEXT(load_changed(true, (tiny_change){ .extra = "lm_head.weight", .extra_shift = 1 }), "/model.safetensors: lm_head.weight "
               "differs from model.embed_tokens.weight, but config.json ties them; say tie_word_embeddings: false there");
    // the head alone
    CHECK_TEXT(load_changed(true, (tiny_change){ .rename = "model.embed_tokens.weight", .to = "lm_head.weight" }), "");
}

TEST(an_engine_that_fails)
{
    fake_engine f;
    err e = {0};
    model_config c = tiny_config(true);
    new_folder();
    tiny_checkpoint("model.safetensors", &c, ST_F32, (tiny_change){0});
    fake_open(&f, &c, F32);
    f.writes_left = 5;
    CHECK(!model_load(folder, &c, &f.w, &f.as, &e) && e.code == ERR_MEMORY && !f.prepared);
    fake_close(&f);
    model_config other = c;
    other.ffn = 5;
    fake_open(&f, &other, F32);
    CHECK(!model_load(folder, &c, &f.w, &f.as, &e) && e.code == ERR_BUG);
    CHECK_TEXT(e.text, "weight 'gate_up' has another shape in the program than in the table");
    fake_close(&f);
    remove_folder();
}

// ---- GGUF ----

static void put_text(text *t, const char *s)
{
    uint64_t n = strlen(s);
    text_bytes(t, &n, 8);
    text_bytes(t, s, n);
}

// The tiny model as llama.cpp's converter writes it: row 2 i + h of a head of q and k is Hugging Face's row h * half + i.
static void tiny_gguf(const model_config *c, const char *extra)
{
    text head = {0}, data = {0};
    weight_part parts[16];
    int count = model_parts(c, parts), tensors = extra ? 1 : 0;
    for (int i = 0; i < count; i++)
        tensors += parts[i].per_layer ? (int)c->layers : 1;
    text_bytes(&head, "GGUF\3\0\0\0", 8);
    text_bytes(&head, &(uint64_t){ (uint64_t)tensors }, 8);
    text_bytes(&head, &(uint64_t){ 0 }, 8);
    for (int i = 0; i < count + (extra ? 1 : 0); i++)
        for (int64_t layer = 0; layer < (i < count && parts[i].per_layer ? c->layers : 1); layer++) {
            weight_part p = i < count ? parts[i] : (weight_part){ .gguf = extra, .rows = 1 };
            int64_t columns = MAX(p.columns, 1), half = c->head_size / 2;
            char name[96];
            snprintf(name, sizeof name, p.gguf, (int)layer);
            put_text(&head, name);
            text_bytes(&head, &(uint32_t){ p.columns ? 2 : 1 }, 4);
            if (p.columns)
                text_bytes(&head, &p.columns, 8);
            text_bytes(&head, &p.rows, 8);
            text_bytes(&head, &(uint32_t){ 0 }, 4);
            text_bytes(&head, &(uint64_t){ data.size }, 8);
            for (int64_t r = 0; r < p.rows; r++) {
                int64_t in = r % c->head_size, from = p.permuted_in_gguf ? r - in + in % 2 * half + in / 2 : r;
                for (int64_t k = 0; k < columns; k++)
                    text_bytes(&data, &(float){ tiny_number(i, layer, from * columns + k) }, 4);
            }
            while (data.size % 32)
                text_char(&data, 0);
        }
    while (head.size % 32)
        text_char(&head, 0);
    text_str(&head, text_view(&data));
    put_file("m.gguf", text_view(&head));
    text_close(&head);
    text_close(&data);
}

TEST(a_gguf_with_q_and_k_permuted)
{
    for (int tied = 0; tied < 2; tied++) {
        fake_engine f;
        model_config c = tiny_config(tied);
        new_folder();
        tiny_gguf(&c, NULL);
        CHECK_TEXT(load("m.gguf", &c, F32, &f, ERR_NONE), "");
        CHECK(tiny_is_right(&f, &c));
        fake_close(&f);
        tiny_gguf(&c, "rope_freqs.weight");
        CHECK_TEXT(load("m.gguf", &c, F32, &f, ERR_NONE), "");
        fake_close(&f);
        tiny_gguf(&c, "blk.0.attn_q.bias");
        CHECK(strstr(load("m.gguf", &c, F32, &f, ERR_INPUT), "m.gguf: tensor 'blk.0.attn_q.bias' has no place in a llama model of 2 "
                     "layers; there is 'blk.0.attn_q.weight'"));
        fake_close(&f);
        c.layers = 3;
        CHECK_TEXT(load("m.gguf", &c, F32, &f, ERR_INPUT), "/m.gguf: tensor 'blk.2.attn_norm.weight' is missing");
        fake_close(&f);
        remove_folder();
    }
}

TEST(tensors_of_several_runs)
{
    fake_engine f;
    model_config c = large_config();
    new_folder();
    tiny_checkpoint("model.safetensors", &c, ST_BF16, (tiny_change){0});
    CHECK_TEXT(load("", &c, F32, &f, ERR_NONE), "");
    CHECK(tiny_is_right(&f, &c));
    fake_close(&f);
    tiny_gguf(&c, NULL);
    CHECK_TEXT(load("m.gguf", &c, BF16, &f, ERR_NONE), "");
    CHECK(tiny_is_right(&f, &c));
    fake_close(&f);
    c.hidden = 70000, c.heads = 1, c.kv_heads = 1, c.vocab = 6, c.ffn = 2, c.layers = 1;        // a head is more than a run
    tiny_gguf(&c, NULL);
    CHECK_TEXT(load("m.gguf", &c, F32, &f, ERR_NONE), "");
    CHECK(tiny_is_right(&f, &c));
    fake_close(&f);
    CHECK(strstr(load("none.gguf", &c, F32, &f, ERR_INPUT), "none.gguf': No such file or directory"));
    fake_close(&f);
    remove_folder();
}

// ---- by many threads ----

// Every number where it belongs, from both formats and into both types, for any number of threads.
TEST(threads_share_the_runs)
{
    static const int counts[] = { 2, 3, 8 };
    model_config c = large_config();
    new_folder();
    tiny_checkpoint("model.safetensors", &c, ST_BF16, (tiny_change){0});
    tiny_gguf(&c, NULL);
    for (size_t i = 0; i < COUNT(counts); i++)
        for (type t = F32; t <= BF16; t++) {
            fake_engine f;
            err e = {0};
            pool *threads = pool_open(counts[i], &e);
            CHECK(threads);
            for (int gguf = 0; gguf < 2; gguf++) {
                fake_open(&f, &c, t);
                f.as.pool = threads;
                CHECK(model_load(gguf ? in_folder("m.gguf") : folder, &c, &f.w, &f.as, &e) && f.prepared == 1);
                CHECK(tiny_is_right(&f, &c));
                fake_close(&f);
            }
            pool_close(threads);
        }
    remove_folder();
}

// Whoever is first to find a mistake, the one that is told is the first of the file's order: as with one thread.
TEST(threads_tell_of_the_first_mistake)
{
    model_config c = large_config();
    new_folder();
    tiny_checkpoint("model.safetensors", &c, ST_F32, (tiny_change){ .whole_numbers = "model.norm.weight" });
    err e = {0};
    pool *threads = pool_open(8, &e);
    CHECK(threads);
    for (int round = 0; round < 20; round++) {
        fake_engine f;
        fake_open(&f, &c, F32);
        f.as.pool = threads;
        f.refused = round % 2 ? NULL : &f.w.at[W_EMBED];
        e = (err){0};
        CHECK(!model_load(folder, &c, &f.w, &f.as, &e) && !f.prepared);
        CHECK(strstr(e.text, round % 2 ? "tensor 'model.norm.weight' has the type I32" : "fake engine: 'embed' is refused from 0 on"));
        fake_close(&f);
    }
    pool_close(threads);
    remove_folder();
}

// ---- for generation ------------------------------------------------------------------------------------------------

static type stored(const model_config *c, st_type as)
{
    err e = {0};
    type t = TYPES;
    new_folder();
    tiny_checkpoint("model.safetensors", c, as, (tiny_change){0});
    CHECK(model_stored_type(folder, c, &t, &e));
    remove_folder();
    return t;
}

TEST(only_bf16_is_kept_in_bf16)
{
    const model_config c = tiny_config(false);
    CHECK(stored(&c, ST_BF16) == BF16);
    CHECK(stored(&c, ST_F32) == F32 && stored(&c, ST_F16) == F32 && stored(&c, ST_F64) == F32);
}

TEST(logits_of_a_bf16_file_are_those_of_its_numbers)
{
    for (int tied = 0; tied < 2; tied++) {
        const model_config c = tiny_config(tied);
        const step_config how = { .model = { .config = c, .rows = 1, .seq = 4 }, .micro = 1, .loss_only = true };
        const int32_t ids[7] = { 1, 5, 0, 3, 2, 2, 4 };
        program p;
        arena a = {0};
        err e = {0};
        new_folder();
        tiny_checkpoint("model.safetensors", &c, ST_BF16, (tiny_change){0});
        program_open(&p, F32);
        const step s = step_record(&p, &how, &a);       // the weights in float32
        CHECK(program_finish(&p, &e));
        engine *wide = cpu_open(&p, &(cpu_options){0}, &e);
        CHECK(wide && model_load(folder, &c, &s.w, wide, &e));
        generator *want = generator_open(&c, NULL, wide, F32, NULL, 32, &e), *got = generator_open(&c, folder, NULL, F32, NULL, 32, &e);
        for (int64_t count = 1; count <= 7 && want && got; count++) {
            float x[6], y[6];
            CHECK(generator_logits(want, ids, count, x, &e) && generator_logits(got, ids, count, y, &e));
            CHECK_CLOSE(y, x, 6, 1e-6f);
        }
        CHECK(want && got);
        generator_close(want);
        generator_close(got);
        wide->close(wide);
        program_close(&p);
        arena_close(&a);
        remove_folder();
    }
}
