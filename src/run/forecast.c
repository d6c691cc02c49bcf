// What is known of a training step before anything ran, without network, tokens or the model's files: for dry runs.
#include "base/file.h"
#include "base/util.h"
#include "run/plan.h"
#include "train/accelerator.h"
#include "train/memory.h"

// The model's own configuration where it lies here, else what the experiment says it is. False: not enough is said.
static bool expected_model(const struct LlamaConfig *said, const char *path, model_config *m)
{
    err e;
    if (path && file_exists(path) && model_config_read(m, path, &e))
        return true;
    const int64_t sizes[] = { said->hidden_dim, said->intermediate_dim, said->num_layers, said->num_heads, said->vocab_size };
    for (size_t i = 0; i < COUNT(sizes); i++)
        if (sizes[i] == SKIFF_INT_UNSET)
            return false;
    if (said->hidden_dim % said->num_heads)
        return false;
    *m = (model_config){
        .family = "llama", .vocab = said->vocab_size, .hidden = said->hidden_dim, .layers = said->num_layers, .heads = said->num_heads,
        .kv_heads = said->num_kv_heads == SKIFF_INT_UNSET ? said->num_heads : said->num_kv_heads,
        .head_size = said->hidden_dim / said->num_heads, .ffn = said->intermediate_dim, .max_positions = 1 << 20, .norm_eps = 1e-5,
        .rope_theta = 10000, .tied = said->tie_word_embeddings == 1,
    };
    return model_config_check(m, "model_config", &e);
}

// On one machine: the step's own plan. Over several devices: weights, gradients and moments are cut evenly, rows are shared
// out, whole layers are computed again in backward, and one layer's weights are gathered at a time.
static bool memory_per_device(const train_config *c, const model_config *m, int64_t count, bool many, int64_t *bytes)
{
    err e;
    memory_needs n;
    const int64_t rows = c->micro_batch ? MIN(c->micro_batch, MAX(c->batch / count, 1)) : many ? MAX(c->batch / count, 1)
                       : memory_micro_batch(c->batch, c->seq);
    const step_config how = {
        .model = { .config = *m, .rows = rows, .seq = c->seq, .recompute = many ? RECOMPUTE_BLOCK : c->recompute },
        .adamw = { (float)c->beta1, (float)c->beta2, (float)c->epsilon, (float)c->weight_decay, 0 }, .moments = c->moments, .micro = 1,
    };
    if (!memory_of_step(&how, many ? BF16 : c->compute, c->isa, c->threads, &n, &e))
        return false;
    const int64_t shared_out = n.weights + n.gradients + n.moments + (many ? n.weights / 2 : 0);
    *bytes = shared_out / count + n.activations + (many ? m->parameters * 2 / m->layers : n.other);
    return true;
}

bool train_least_memory(const train_config *c, const model_config *m, int64_t *bytes)
{
    train_config least = *c;
    least.micro_batch = c->micro_batch ? c->micro_batch : 1;
    return memory_per_device(&least, m, 1, false, bytes);
}

bool train_forecast(arena *a, const struct SimpleSFTConfig *o, const struct LlamaConfig *said, const train_config *c, node *out, err *e)
{
    devices on = { .count = 1 };
    model_config m;
    int64_t bytes;
    if (o->tpu_type)
        TRY(devices_read(o->tpu_type, &on, e));
    on.count *= on.kind ? MAX(o->node_count, 1) : 1;
    node_put(a, out, "steps", c->steps ? node_int(c->steps) : (node){ .kind = NODE_NULL });
    node_put(a, out, "tokens_per_step", node_int(c->batch * c->seq));
    node_put(a, out, "tokens", c->steps ? node_int(c->batch * c->seq * c->steps) : (node){ .kind = NODE_NULL });
    node_put(a, out, "devices", node_int(on.count));
    node_put(a, out, "device_kind", node_text(str_of(on.kind ? on.kind->name : "cpu")));
    const bool known = expected_model(said, c->model, &m) && memory_per_device(c, &m, on.count, on.kind != NULL, &bytes);
    node_put(a, out, "parameters", known ? node_int(m.parameters) : (node){ .kind = NODE_NULL });
    node_put(a, out, "memory_per_device_bytes", known ? node_int(bytes) : (node){ .kind = NODE_NULL });
    text line = {0};
    if (c->steps)
        text_add(&line, "%lld steps x %lld rows x %lld tokens = %lld tokens", (long long)c->steps, (long long)c->batch, (long long)c->seq,
                 (long long)(c->batch * c->seq * c->steps));
    else
        text_add(&line, "%g epochs in steps of %lld rows x %lld tokens", c->epochs, (long long)c->batch, (long long)c->seq);
    if (known)
        text_add(&line, "; %lld parameters, about %.1f GB", (long long)m.parameters, (double)bytes * 1e-9);
    if (known && on.kind)
        text_add(&line, " on each of %lld chips of %s, which have %.0f GB", (long long)on.count, on.kind->name, on.kind->memory * 1e-9);
    bool ok = text_ok(&line, e);
    node_put(a, out, "summary", node_text(str_of(arena_chars(a, text_view(&line)))));
    text_close(&line);
    return ok;
}
