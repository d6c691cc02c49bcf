// The configuration of a model from Hugging Face's config.json, and the checks that every configuration passes.
// What would change the result and is not computed here is refused, not ignored.
#include "model/config.h"

#include <math.h>
#include <stdio.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/near.h"
#include "base/util.h"

#define AT(field) offsetof(model_config, field)

// The products stay below 2^60: layers * (heads + 2 kv) * head size * hidden * 4 bytes.
const config_size config_sizes[CONFIG_SIZES] = {
    { "vocab_size", "vocab_size", AT(vocab), 1 << 24, true },
    { "hidden_size", "embedding_length", AT(hidden), 1 << 20, true },
    { "num_hidden_layers", "block_count", AT(layers), 1 << 12, true },
    { "num_attention_heads", "attention.head_count", AT(heads), 1 << 12, true },
    { "num_key_value_heads", "attention.head_count_kv", AT(kv_heads), 1 << 12, false },
    { "head_dim", "attention.key_length", AT(head_size), 1 << 12, false },
    { "intermediate_size", "feed_forward_length", AT(ffn), 1 << 22, true },
    { "max_position_embeddings", "context_length", AT(max_positions), 1 << 30, false },
};

const family families[FAMILIES] = { { "llama", "LlamaForCausalLM", "llama" } };

static const char *family_name(int i) { return families[i].name; }
static const char *family_architecture(int i) { return families[i].architecture; }

bool config_unknown(err *e, place at, const char *key, str came, const char *(*name)(int))
{
    const char *names[FAMILIES];
    char word[64], near[100], all[200] = "";
    for (int i = 0; i < FAMILIES; i++) {
        names[i] = name(i);
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s'%s'", i ? ", " : "", name(i));
    }
    snprintf(word, sizeof word, "%.*s", (int)MIN(came.size, sizeof word - 1), came.at);
    near_names(word, names, FAMILIES, near, sizeof near);
    fail_at(e, at, "%s: '%s' is not supported%s%s; supported: %s", key, word, *near ? ", the nearest is " : "", near, all);
    e->code = ERR_UNSUPPORTED;
    return false;
}

static int64_t *size_at(model_config *c, int i) { return (int64_t *)((char *)c + config_sizes[i].at); }

static bool check_shape(const model_config *c, place at, bool hf, err *e)
{
    if (c->heads % c->kv_heads)
        return fail_at(e, at, "%s, %lld, must divide %s, %lld", hf ? config_sizes[4].hf : config_sizes[4].gguf,
                       (long long)c->kv_heads, hf ? config_sizes[3].hf : config_sizes[3].gguf, (long long)c->heads);
    if (c->head_size % 2)
        return fail_at(e, at, "%s is %lld; rotary positions need an even number", hf ? config_sizes[5].hf : config_sizes[5].gguf,
                       (long long)c->head_size);
    if (!(c->norm_eps > 0 && c->norm_eps < 1))
        return fail_at(e, at, "%s is %g; a number between 0 and 1 is expected",
                       hf ? "rms_norm_eps" : "attention.layer_norm_rms_epsilon", c->norm_eps);
    if (!(c->rope_theta >= 1 && c->rope_theta < 1e30))
        return fail_at(e, at, "%s is %g; a number from 1 is expected", hf ? "rope_theta" : "rope.freq_base", c->rope_theta);
    if (c->rope.kind != ROPE_PLAIN && !(c->rope.factor >= 1 && c->rope.factor < 1e9))
        return fail_at(e, at, "the rope scaling's factor is %g; a number from 1 is expected", c->rope.factor);
    if (c->rope.kind == ROPE_LLAMA3 && !(c->rope.low > 0 && c->rope.high > c->rope.low && c->rope.high < 1e9 &&
                                         c->rope.original >= 1 && c->rope.original < 1e12))
        return fail_at(e, at, "the rope scaling's low_freq_factor %g, high_freq_factor %g and original_max_position_embeddings %g do "
                       "not fit each other: 0 < low < high and original from 1 are expected", c->rope.low, c->rope.high,
                       c->rope.original);
    return true;
}

bool config_check(model_config *c, const char *file, bool hf, err *e)
{
    place at = { .file = file };
    for (int i = 0; i < CONFIG_SIZES; i++)
        if (*size_at(c, i) < 1 || *size_at(c, i) > config_sizes[i].most)
            return fail_at(e, at, "%s is %lld; 1 to %lld are possible", hf ? config_sizes[i].hf : config_sizes[i].gguf,
                           (long long)*size_at(c, i), (long long)config_sizes[i].most);
    TRY(check_shape(c, at, hf, e));
    weight_part parts[16];
    int count = model_parts(c, parts);
    c->parameters = 0;
    for (int i = 0; i < count; i++)
        c->parameters += parts[i].rows * MAX(parts[i].columns, 1) * (parts[i].per_layer ? c->layers : 1);
    return true;
}

bool model_config_check(model_config *c, const char *name, err *e) { return config_check(c, name, true, e); }

// ---- config.json ----

static bool is_set(const node *n) { return n && n->kind != NODE_NULL; }

static bool unsupported(err *e, const char *file, const node *n, const char *key, const char *why)
{
    fail_at(e, node_place(n, file), "%s: %s", key, why);
    e->code = ERR_UNSUPPORTED;
    return false;
}

static bool read_family(model_config *c, const node *root, const char *file, err *e)
{
    const node *named = node_get(root, "model_type"), *list = node_get(root, "architectures");
    if (!is_set(named) && !is_set(list))
        return fail_at(e, (place){ .file = file }, "model_type: missing; this is no model's configuration");
    int found = -1;
    if (is_set(named)) {
        str name;
        TRY(node_want_text(root, file, "model_type", &name, e));
        for (int i = 0; i < FAMILIES; i++)
            found = str_is(name, families[i].name) ? i : found;
        if (found < 0)
            return config_unknown(e, node_place(named, file), "model_type", name, family_name);
    }
    if (is_set(list)) {
        const node *first = node_at(list, 0);
        if (!node_is(first, NODE_TEXT) || list->list.count != 1)
            return fail_at(e, node_place(list, file), "architectures: expected a list with one name");
        int as = -1;
        for (int i = 0; i < FAMILIES; i++)
            as = str_is(first->text, families[i].architecture) ? i : as;
        if (as < 0 || (found >= 0 && as != found))
            return config_unknown(e, node_place(first, file), "architectures", first->text, family_architecture);
        found = as;
    }
    snprintf(c->family, sizeof c->family, "%s", families[found].name);
    return true;
}

static bool read_sizes(model_config *c, const node *root, const char *file, err *e)
{
    for (int i = 0; i < CONFIG_SIZES; i++) {
        const node *n = node_get(root, config_sizes[i].hf);
        if (!is_set(n) && !config_sizes[i].wanted)
            continue;
        TRY(node_want_int(root, file, config_sizes[i].hf, size_at(c, i), e));
        if (*size_at(c, i) < 1 || *size_at(c, i) > config_sizes[i].most)
            return fail_at(e, node_place(n, file), "%s is %lld; 1 to %lld are possible", config_sizes[i].hf,
                           (long long)*size_at(c, i), (long long)config_sizes[i].most);
    }
    c->kv_heads = c->kv_heads ? c->kv_heads : c->heads;
    c->max_positions = c->max_positions ? c->max_positions : 2048;
    if (!c->head_size && c->hidden % c->heads)
        return fail_at(e, node_place(node_get(root, "num_attention_heads"), file), "num_attention_heads, %lld, must divide "
                       "hidden_size, %lld, where there is no head_dim", (long long)c->heads, (long long)c->hidden);
    c->head_size = c->head_size ? c->head_size : c->hidden / c->heads;
    return true;
}

static bool read_number(const node *object, const char *file, const char *key, double *out, err *e)
{
    return !is_set(node_get(object, key)) || node_want_number(object, file, key, out, e);
}

static bool read_bool(const node *object, const char *file, const char *key, bool *out, err *e)
{
    const node *n = node_get(object, key);
    if (!is_set(n))
        return true;
    TRY(node_want(object, file, key, NODE_BOOL, &n, e));
    *out = n->truth;
    return true;
}

// Numbers that must have one value, since nothing here computes with another.
static bool want_one(const node *object, const char *file, const char *key, double only, err *e)
{
    double d = only;
    TRY(read_number(object, file, key, &d, e));
    return d == only || unsupported(e, file, node_get(object, key), key, "this is not supported for the llama family");
}

// transformers 5 writes rope_parameters with the base in it; before, rope_theta stood beside rope_scaling (or null).
static bool read_rope(model_config *c, const node *root, const char *file, err *e)
{
    const node *old = node_get(root, "rope_scaling"), *rope = is_set(old) ? old : node_get(root, "rope_parameters");
    c->rope_theta = 10000;
    TRY(read_number(root, file, "rope_theta", &c->rope_theta, e));
    TRY(want_one(root, file, "partial_rotary_factor", 1, e));
    if (!is_set(rope))
        return true;
    if (rope->kind != NODE_OBJECT)
        return fail_at(e, node_place(rope, file), "%s: expected an object, got %s", rope == old ? "rope_scaling" : "rope_parameters",
                       node_kind_name(rope->kind));
    TRY(read_number(rope, file, "rope_theta", &c->rope_theta, e));
    TRY(want_one(rope, file, "partial_rotary_factor", 1, e));
    const char *key = is_set(node_get(rope, "rope_type")) ? "rope_type" : "type";
    const node *named = node_get(rope, key);
    str scaling = STR("default");
    if (is_set(named))
        TRY(node_want_text(rope, file, key, &scaling, e));
    if (str_is(scaling, "default"))
        return true;
    if (!str_is(scaling, "linear") && !str_is(scaling, "llama3"))
        return unsupported(e, file, named, key, "only 'default', 'linear' and 'llama3' are supported");
    c->rope.kind = str_is(scaling, "linear") ? ROPE_LINEAR : ROPE_LLAMA3;
    TRY(node_want_number(rope, file, "factor", &c->rope.factor, e));
    if (c->rope.kind == ROPE_LINEAR)
        return true;
    c->rope.original = (double)c->max_positions;
    TRY(node_want_number(rope, file, "low_freq_factor", &c->rope.low, e));
    TRY(node_want_number(rope, file, "high_freq_factor", &c->rope.high, e));
    return read_number(rope, file, "original_max_position_embeddings", &c->rope.original, e);
}

static bool refuse_others(const node *root, const char *file, err *e)
{
    static const char *const biases[] = { "attention_bias", "mlp_bias" };
    for (size_t i = 0; i < COUNT(biases); i++) {
        bool set = false;
        TRY(read_bool(root, file, biases[i], &set, e));
        if (set)
            return unsupported(e, file, node_get(root, biases[i]), biases[i], "true is not supported: weights have no biases here");
    }
    const node *act = node_get(root, "hidden_act"), *quantised = node_get(root, "quantization_config");
    if (is_set(act) && !(act->kind == NODE_TEXT && (str_is(act->text, "silu") || str_is(act->text, "swish"))))
        return unsupported(e, file, act, "hidden_act", "only 'silu' is supported");
    if (is_set(quantised))
        return unsupported(e, file, quantised, "quantization_config", "quantised checkpoints are not read; use the original weights or "
                           "a .gguf");
    double dropout = 0;
    TRY(read_number(root, file, "attention_dropout", &dropout, e));
    if (dropout != 0)
        log_warning("%s: attention_dropout is %g, but nothing is dropped here", file, dropout);
    return true;
}

static bool read_json(model_config *c, const char *file, arena *a, err *e)
{
    const node *root;
    TRY(json_read_file(a, file, &root, e));
    if (root->kind != NODE_OBJECT)
        return fail_at(e, node_place(root, file), "expected an object, got %s", node_kind_name(root->kind));
    c->norm_eps = 1e-6;
    TRY(read_family(c, root, file, e) && read_sizes(c, root, file, e));
    TRY(read_number(root, file, "rms_norm_eps", &c->norm_eps, e));
    TRY(read_bool(root, file, "tie_word_embeddings", &c->tied, e));
    TRY(read_rope(c, root, file, e) && refuse_others(root, file, e));
    return config_check(c, file, true, e);
}

bool model_config_read(model_config *c, const char *path, err *e)
{
    *c = (model_config){0};
    arena a = {0};
    bool ok;
    if (file_is_folder(path) || str_ends(str_of(path), STR(".json"))) {
        const char *file = file_is_folder(path) ? path_join(&a, path, "config.json") : path;
        ok = file_exists(file) ? read_json(c, file, &a, e) :
             fail_at(e, (place){ .file = path }, "no config.json in this folder; a model is a folder with config.json and "
                     "model.safetensors, or a .gguf file");
    } else {
        gguf g;
        ok = gguf_open(&g, path, e) && config_read_gguf(c, &g, e);
        gguf_close(&g);
    }
    arena_close(&a);
    return ok;
}
