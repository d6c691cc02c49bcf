"""Rotary frequencies of transformers, for tests/golden/rope.h:   python tests/golden/rope.py > tests/golden/rope.h"""
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

cases = [
    ("ROPE_PLAIN", 64, dict(rope_type="default", rope_theta=100000.0)),
    ("ROPE_LINEAR", 32, dict(rope_type="linear", rope_theta=10000.0, factor=4.0)),
    ("ROPE_LLAMA3", 128, dict(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                              original_max_position_embeddings=8192)),
    ("ROPE_LLAMA3", 64, dict(rope_type="llama3", rope_theta=500000.0, factor=32.0, low_freq_factor=1.0, high_freq_factor=4.0,
                             original_max_position_embeddings=8192)),
]
print("// Rotary frequencies of transformers, made by tests/golden/rope.py.")
print("#pragma once")
print("static const struct rope_case {")
print("    rope_scaling kind; int head_size; double theta, factor, low, high, original; double frequency[64];")
print("} rope_cases[] = {")
for kind, size, rope in cases:
    config = LlamaConfig(hidden_size=4 * size, num_attention_heads=4, num_key_value_heads=4, head_dim=size,
                         max_position_embeddings=131072, rope_parameters=rope)
    f = LlamaRotaryEmbedding(config).inv_freq.tolist()
    print("    { %s, %d, %r, %r, %r, %r, %r, {" % (kind, size, rope["rope_theta"], rope.get("factor", 0.0), rope.get("low_freq_factor", 0.0),
          rope.get("high_freq_factor", 0.0), float(rope.get("original_max_position_embeddings", 0))))
    for i in range(0, len(f), 8):
        print("        " + " ".join("%.9g," % x for x in f[i:i + 8]))
    print("    } },")
print("};")
