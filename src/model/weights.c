// THE TABLE of weights. A row is a tensor of a checkpoint: its names in Hugging Face's and llama.cpp's files, and where
// it lies in ours. Shapes, loading, saving, counting and decay all come from it.
#include "model/model.h"

#include "base/util.h"

typedef enum size { NONE, HIDDEN, VOCAB, Q, KV, FFN } size;    // NONE as columns: a vector

static int64_t size_of(const model_config *c, size s)
{
    switch (s) {
    case HIDDEN: return c->hidden;
    case VOCAB: return c->vocab;
    case Q: return c->heads * c->head_size;
    case KV: return c->kv_heads * c->head_size;
    case FFN: return c->ffn;
    default: return 0;
    }
}

static const struct row {
    const char *hf, *gguf;
    weight_id in;
    size rows, columns;
    bool per_layer, permuted_in_gguf;
} table[] = {
    { "model.embed_tokens.weight", "token_embd.weight", W_EMBED, VOCAB, HIDDEN, false, false },
    { "model.layers.%d.input_layernorm.weight", "blk.%d.attn_norm.weight", W_ATTN_NORM, HIDDEN, NONE, true, false },
    { "model.layers.%d.self_attn.q_proj.weight", "blk.%d.attn_q.weight", W_QKV, Q, HIDDEN, true, true },
    { "model.layers.%d.self_attn.k_proj.weight", "blk.%d.attn_k.weight", W_QKV, KV, HIDDEN, true, true },
    { "model.layers.%d.self_attn.v_proj.weight", "blk.%d.attn_v.weight", W_QKV, KV, HIDDEN, true, false },
    { "model.layers.%d.self_attn.o_proj.weight", "blk.%d.attn_output.weight", W_O, HIDDEN, Q, true, false },
    { "model.layers.%d.post_attention_layernorm.weight", "blk.%d.ffn_norm.weight", W_MLP_NORM, HIDDEN, NONE, true, false },
    { "model.layers.%d.mlp.gate_proj.weight", "blk.%d.ffn_gate.weight", W_GATE_UP, FFN, HIDDEN, true, false },
    { "model.layers.%d.mlp.up_proj.weight", "blk.%d.ffn_up.weight", W_GATE_UP, FFN, HIDDEN, true, false },
    { "model.layers.%d.mlp.down_proj.weight", "blk.%d.ffn_down.weight", W_DOWN, HIDDEN, FFN, true, false },
    { "model.norm.weight", "output_norm.weight", W_NORM, HIDDEN, NONE, false, false },
    { "lm_head.weight", "output.weight", W_HEAD, VOCAB, HIDDEN, false, false },
};

static const struct { const char *name; bool decays; } weights[WEIGHTS] = {
    [W_EMBED] = { "embed", false }, [W_ATTN_NORM] = { "attn_norm", false }, [W_QKV] = { "qkv", true }, [W_O] = { "o", true },
    [W_MLP_NORM] = { "mlp_norm", false }, [W_GATE_UP] = { "gate_up", true }, [W_DOWN] = { "down", true },
    [W_NORM] = { "norm", false }, [W_HEAD] = { "head", true },
};

const char *weight_name(weight_id w) { return weights[w].name; }
bool weight_decays(weight_id w) { return weights[w].decays; }

bool weight_is_matrix(weight_id w)
{
    for (size_t i = 0; i < COUNT(table); i++)
        if (table[i].in == w)
            return table[i].columns != NONE;
    return false;
}

int model_parts(const model_config *c, weight_part out[16])
{
    int count = 0;
    int64_t filled[WEIGHTS] = {0};
    for (size_t i = 0; i < COUNT(table); i++) {
        const struct row *r = &table[i];
        if (r->in == W_HEAD && c->tied)
            continue;
        out[count++] = (weight_part){
            .hf = r->hf, .gguf = r->gguf, .in = r->in, .row = filled[r->in], .rows = size_of(c, r->rows),
            .columns = size_of(c, r->columns), .per_layer = r->per_layer, .permuted_in_gguf = r->permuted_in_gguf,
        };
        filled[r->in] += size_of(c, r->rows);
    }
    return count;
}

shape weight_shape(const model_config *c, weight_id w)
{
    weight_part parts[16];
    shape s = {0};
    int count = model_parts(c, parts);
    for (int i = 0; i < count; i++) {
        const weight_part *p = &parts[i];
        if (p->in != w)
            continue;
        s = p->columns ? SHAPE(p->row + p->rows, p->columns) : SHAPE(p->row + p->rows);
        if (p->per_layer)
            s = shape_stack(c->layers, s);
    }
    return s;
}
