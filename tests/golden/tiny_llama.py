"""A tiny Llama in transformers + torch: loss, gradients and five AdamW steps, for tests/golden/tiny_llama.h.
    python tests/golden/tiny_llama.py > tests/golden/tiny_llama.h
In float64 (rotary tables in transformers' own float32). Weights and tokens come from the formula of tests/net.h."""
import numpy as np, torch
from transformers import LlamaConfig, LlamaForCausalLM

V, D, L, H, K, S, F, ROWS, SEQ, STEPS = 97, 32, 2, 4, 2, 16, 48, 3, 16, 5
NAMES = ["embed", "attn_norm", "qkv", "o", "mlp_norm", "gate_up", "down", "norm", "head"]
NORMS = {"attn_norm", "mlp_norm", "norm"}
Q, KV = H * S, K * S
SHAPES = {"embed": (V, D), "attn_norm": (L, D), "qkv": (L, Q + 2 * KV, D), "o": (L, D, Q), "mlp_norm": (L, D), "gate_up": (L, 2 * F, D),
          "down": (L, D, F), "norm": (D,), "head": (V, D)}


def mixed(i, stream):
    m = np.uint64(0xffffffff)
    x = (np.asarray(i, dtype=np.uint64) * np.uint64(2654435761) + np.uint64(stream * 40503 + 12345)) & m
    x = ((x ^ x >> np.uint64(15)) * np.uint64(2246822519)) & m
    x = ((x ^ x >> np.uint64(13)) * np.uint64(3266489917)) & m
    return x ^ x >> np.uint64(16)


def some(name):
    shape = SHAPES[name]
    x = (mixed(np.arange(np.prod(shape)), NAMES.index(name)) >> np.uint64(8)).astype(np.float64) / 2**24 - 0.5
    return torch.tensor((1.0 if name in NORMS else 0.0) + x / 2).reshape(shape)


# Our stacked tensors as views of the checkpoint's.
def parts(m, name):
    layers = m.model.layers
    if name == "embed":
        return [m.model.embed_tokens.weight]
    if name == "head":
        return [m.lm_head.weight]
    if name == "norm":
        return [m.model.norm.weight]
    of = {"attn_norm": lambda l: [l.input_layernorm.weight], "mlp_norm": lambda l: [l.post_attention_layernorm.weight],
          "qkv": lambda l: [l.self_attn.q_proj.weight, l.self_attn.k_proj.weight, l.self_attn.v_proj.weight],
          "o": lambda l: [l.self_attn.o_proj.weight], "gate_up": lambda l: [l.mlp.gate_proj.weight, l.mlp.up_proj.weight],
          "down": lambda l: [l.mlp.down_proj.weight]}[name]
    return [p for l in layers for p in of(l)]


def make(tied, rope):
    m = LlamaForCausalLM(LlamaConfig(vocab_size=V, hidden_size=D, num_hidden_layers=L, num_attention_heads=H, num_key_value_heads=K,
                                     head_dim=S, intermediate_size=F, max_position_embeddings=64, rms_norm_eps=1e-5,
                                     tie_word_embeddings=tied, rope_parameters=rope, attn_implementation="eager")).double()
    with torch.no_grad():
        for name in NAMES[:8 if tied else 9]:
            flat, at = some(name).reshape(-1), 0
            for p in parts(m, name):
                p.copy_(flat[at:at + p.numel()].reshape(p.shape))
                at += p.numel()
            assert at == flat.numel()
    return m


# [(row, begin, end)]: row 0 is one conversation, row 1 two, row 2 two and padding.
SEGMENTS = [(0, 0, 16), (1, 0, 9), (1, 9, 16), (2, 0, 5), (2, 5, 12)]


def loss_of(m):
    total, count = 0.0, 0
    for row, begin, end in SEGMENTS:
        at = row * SEQ + np.arange(begin, end)
        ids = torch.tensor((mixed(at, 100) % np.uint64(V)).astype(np.int64))
        trained = torch.tensor(mixed(at[:-1], 101) % np.uint64(3) != 0)
        nll = torch.nn.functional.cross_entropy(m(input_ids=ids[None]).logits[0, :-1], ids[1:], reduction="none")
        total, count = total + (nll * trained).sum(), count + int(trained.sum())
    return total / count, count


def gradients(m, tied):
    rows = []
    for name in NAMES:
        if name == "head" and tied:
            rows.append((0, 0))
            continue
        g = torch.cat([p.grad.reshape(-1) for p in parts(m, name)]).numpy()
        share = (mixed(np.arange(g.size), 200) >> np.uint64(8)).astype(np.float64) / 2**24 - 0.5
        rows.append((float(g @ share), float(g @ g)))
    return rows


def case(tied, kind, rope, fields):
    m = make(tied, rope)
    decay = [p for n in ("qkv", "o", "gate_up", "down") + (() if tied else ("head",)) for p in parts(m, n)]
    rest = [p for n in ("embed", "attn_norm", "mlp_norm", "norm") for p in parts(m, n)]
    opt = torch.optim.AdamW([{"params": decay, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}], lr=1e-2, betas=(0.9, 0.95), eps=1e-8)
    losses = []
    for step in range(STEPS):
        opt.zero_grad()
        loss, count = loss_of(m)
        loss.backward()
        if not step:
            rows = gradients(m, tied)
        norm = torch.nn.utils.clip_grad_norm_(m.parameters(), 1.0)
        if not step:
            first_norm = float(norm)
        opt.step()
        losses.append(loss.item())
    print("    { %s, %s, %s, %d, %.10g, {" % ("true" if tied else "false", kind, fields, count, first_norm))
    for name, (dot, square) in zip(NAMES, rows):
        print("        { %.10g, %.10g }, // %s" % (dot, square, name))
    print("    }, { %s } }," % ", ".join("%.10g" % x for x in losses))


print("""// Loss, gradients and AdamW steps of a tiny Llama in transformers + torch, made by tests/golden/tiny_llama.py.
#pragma once
enum { TINY_SEQ = %d, TINY_ROWS = %d, TINY_STEPS = %d };
#define TINY_CONFIG {                                                                                            \\
    .family = "llama", .vocab = %d, .hidden = %d, .layers = %d, .heads = %d, .kv_heads = %d, .head_size = %d,       \\
    .ffn = %d, .max_positions = 64, .norm_eps = 1e-5, .rope_theta = 10000,                                        \\
}
static const int tiny_segments[][3] = { %s };       // row, begin, end
static const struct tiny_case {
    bool tied; rope_scaling kind; double factor, low, high, original;
    int trained; double norm;                           // of the gradient of the first step
    struct { double dot, sumsq; } gradient[9];          // with the shares of stream 200, and with itself
    double loss[TINY_STEPS];                            // rate 0.01, betas 0.9 0.95, eps 1e-8, decay 0.1, clip 1
} tiny_cases[] = {""" % (SEQ, ROWS, STEPS, V, D, L, H, K, S, F, ", ".join("{ %d, %d, %d }" % s for s in SEGMENTS)))
case(False, "ROPE_PLAIN", dict(rope_type="default", rope_theta=10000.0), "0, 0, 0, 0")
case(True, "ROPE_LLAMA3", dict(rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                               original_max_position_embeddings=16), "8, 1, 4, 16")
print("};")
