// The configuration of a model from the metadata of a GGUF.
#include <math.h>
#include <stdio.h>

#include "base/log.h"
#include "base/util.h"
#include "model/config.h"

static const char *family_gguf(int i) { return families[i].gguf; }

static bool unsupported(err *e, const gguf *g, const char *key, const char *why)
{
    fail_at(e, (place){ .file = g->path }, "%s: %s", key, why);
    e->code = ERR_UNSUPPORTED;
    return false;
}

static bool read_family(model_config *c, const gguf *g, err *e)
{
    str name;
    TRY(gguf_want_text(g, "general.architecture", &name, e));
    for (int i = 0; i < FAMILIES; i++)
        if (str_is(name, families[i].gguf)) {
            snprintf(c->family, sizeof c->family, "%s", families[i].name);
            return true;
        }
    return config_unknown(e, (place){ .file = g->path }, "general.architecture", name, family_gguf);
}

// Older files do not tell the size of the vocabulary: the embedding has it.
static bool read_sizes(model_config *c, const gguf *g, err *e)
{
    char key[80];
    for (int i = 0; i < CONFIG_SIZES; i++) {
        const config_size *s = &config_sizes[i];
        snprintf(key, sizeof key, "llama.%s", s->gguf);
        if (gguf_find(g, key) || (s->wanted && s->at != offsetof(model_config, vocab)))
            TRY(gguf_want_int(g, key, (int64_t *)((char *)c + s->at), e));
    }
    const gguf_tensor *embed = gguf_find_tensor(g, "token_embd.weight");
    const gguf_value *tokens = gguf_find(g, "tokenizer.ggml.tokens");
    if (!gguf_find(g, "llama.vocab_size"))
        c->vocab = embed ? embed->dim[0] : tokens && tokens->kind == GGUF_LIST ? tokens->count : 0;
    if (!gguf_find(g, "llama.attention.head_count_kv"))
        c->kv_heads = c->heads;
    if (!gguf_find(g, "llama.context_length"))
        c->max_positions = 2048;
    if (gguf_find(g, "llama.attention.key_length"))
        return true;
    if (c->heads < 1 || c->hidden % c->heads)
        return fail_at(e, (place){ .file = g->path }, "llama.attention.head_count, %lld, must divide llama.embedding_length, %lld",
                       (long long)c->heads, (long long)c->hidden);
    c->head_size = c->hidden / c->heads;
    return true;
}

// Numbers that must have one value, since nothing here computes with another.
static bool want_one(const gguf *g, const char *key, double only, err *e)
{
    double d = only;
    if (gguf_find(g, key))
        TRY(gguf_want_number(g, key, &d, e));
    return d == only || unsupported(e, g, key, "this is not supported for the llama family");
}

// The factors that llama.cpp's converter makes of Llama 3's scaling, one for each frequency; here the other way round. The
// factor is the largest of them, the other numbers are those of every Llama 3 model; whether they are it is then computed.
static bool read_rope_freqs(model_config *c, const gguf *g, const gguf_tensor *t, err *e)
{
    enum { MOST = 1 << 11 };
    float factor[MOST];
    double largest = 1, original = 8192;
    if (t->count != c->head_size / 2 || t->count > MOST)
        return fail_at(e, (place){ .file = g->path }, "tensor 'rope_freqs.weight' has %lld numbers, expected %lld (half a head)",
                       (long long)t->count, (long long)c->head_size / 2);
    TRY(gguf_to_f32(g, t, factor, e));
    for (int64_t i = 0; i < t->count; i++)
        largest = MAX(largest, (double)factor[i]);
    if (gguf_find(g, "llama.rope.scaling.original_context_length"))
        TRY(gguf_want_number(g, "llama.rope.scaling.original_context_length", &original, e));
    for (int64_t i = 0; i < t->count; i++) {
        double wavelength = 2 * M_PI * pow(c->rope_theta, 2.0 * (double)i / (double)c->head_size);
        double smooth = (original / wavelength - 1) / (4 - 1);
        double want = wavelength < original / 4 ? 1 : wavelength > original ? largest : 1 / ((1 - smooth) / largest + smooth);
        if (largest != 1 && !(fabs(factor[i] - want) <= 1e-4 * want))
            return unsupported(e, g, "rope_freqs.weight", "these factors are not those of Llama 3's scaling; no other is supported");
    }
    if (largest != 1) {
        c->rope.kind = ROPE_LLAMA3;
        c->rope.factor = largest;
        c->rope.low = 1;
        c->rope.high = 4;
        c->rope.original = original;
    }
    return true;
}

static bool read_rope(model_config *c, const gguf *g, err *e)
{
    str scaling = STR("none");
    c->rope_theta = 10000;
    if (gguf_find(g, "llama.rope.freq_base"))
        TRY(gguf_want_number(g, "llama.rope.freq_base", &c->rope_theta, e));
    TRY(want_one(g, "llama.rope.dimension_count", (double)c->head_size, e));
    TRY(want_one(g, "llama.attention.value_length", (double)c->head_size, e));
    if (gguf_find(g, "llama.rope.scaling.type"))
        TRY(gguf_want_text(g, "llama.rope.scaling.type", &scaling, e));
    if (!str_is(scaling, "none") && !str_is(scaling, "linear"))
        return unsupported(e, g, "llama.rope.scaling.type", "only 'none' and 'linear' are supported");
    const char *key = gguf_find(g, "llama.rope.scale_linear") ? "llama.rope.scale_linear" : "llama.rope.scaling.factor";
    double factor = 1;
    if (gguf_find(g, key) && (str_is(scaling, "linear") || !gguf_find(g, "llama.rope.scaling.type")))
        TRY(gguf_want_number(g, key, &factor, e));
    if (factor != 1 && factor != 0) {
        c->rope.kind = ROPE_LINEAR;
        c->rope.factor = factor;
    }
    const gguf_tensor *freqs = gguf_find_tensor(g, "rope_freqs.weight");
    if (freqs && c->rope.kind == ROPE_LINEAR)
        return unsupported(e, g, "rope_freqs.weight", "not together with linear scaling");
    return !freqs || read_rope_freqs(c, g, freqs, e);
}

// Keys that may change what the model computes are not passed over silently.
static void name_unknown(const gguf *g)
{
    static const char *const known[] = {
        "rope.freq_base", "rope.dimension_count", "rope.scaling.type", "rope.scaling.factor", "rope.scale_linear",
        "rope.scaling.original_context_length", "rope.scaling.finetuned", "attention.layer_norm_rms_epsilon",
        "attention.value_length", "expert_count", "expert_used_count", "tensor_data_layout", "attention.causal",
    };
    for (int64_t i = 0; i < g->value_count; i++) {
        str key = g->values[i].key;
        if (!str_begins(key, STR("llama.")))
            continue;
        bool found = false;
        for (size_t j = 0; j < COUNT(known); j++)
            found = found || str_is(str_from(key, 6), known[j]);
        for (int j = 0; j < CONFIG_SIZES; j++)
            found = found || str_is(str_from(key, 6), config_sizes[j].gguf);
        if (!found)
            log_warning("%s: the key %.*s is not known and not used", g->path, (int)MIN(key.size, 80), key.at);
    }
}

bool config_read_gguf(model_config *c, const gguf *g, err *e)
{
    *c = (model_config){0};
    TRY(read_family(c, g, e) && read_sizes(c, g, e));
    TRY(gguf_want_number(g, "llama.attention.layer_norm_rms_epsilon", &c->norm_eps, e));
    TRY(want_one(g, "llama.expert_count", 0, e));
    const gguf_value *split = gguf_find(g, "split.count");
    if (split && split->kind <= GGUF_I32 && split->u > 1)
        return unsupported(e, g, "split.count", "the model lies in several files; merge them with `llama-gguf-split --merge`");
    const gguf_value *causal = gguf_find(g, "llama.attention.causal");
    if (causal && !(causal->kind == GGUF_BOOL && causal->b))
        return unsupported(e, g, "llama.attention.causal", "only true is supported");
    c->rope_theta = 10000;
    c->tied = !gguf_find_tensor(g, "output.weight");
    TRY(config_check(c, g->path, false, e));            // before sizes are used
    TRY(read_rope(c, g, e));
    name_unknown(g);
    return config_check(c, g->path, false, e);
}
