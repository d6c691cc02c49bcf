"""Optimizer steps of a model of the same shape in Levanter, JAX on the CPU: AdamW on all weights, clipping. Prints seconds of each step as JSON.

    python bench/step_levanter.py FOLDER ROWS TOKENS MICRO_BATCHES bf16|f32 STEPS [recompute]

Weights are drawn, since only the time counts; the shape is that of FOLDER/config.json.
"""
import json
import sys
import time

import equinox as eqx
import haliax as hax
import jax
import jmp
from haliax import Axis
from levanter.layers.attention import AttentionMask
from levanter.models.llama import LlamaConfig, LlamaLMHeadModel
from levanter.models.lm_model import LmExample
from levanter.optim import AdamConfig

folder, rows, tokens, micro, precision, steps = sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5], int(sys.argv[6])
with open(f"{folder}/config.json") as f:
    shape = json.load(f)
config = LlamaConfig(
    max_seq_len=tokens, hidden_dim=shape["hidden_size"], intermediate_dim=shape["intermediate_size"], num_layers=shape["num_hidden_layers"],
    num_heads=shape["num_attention_heads"], num_kv_heads=shape["num_key_value_heads"], tie_word_embeddings=shape["tie_word_embeddings"],
    gradient_checkpointing="recompute" in sys.argv)
Vocab, Batch, Position = Axis("vocab", shape["vocab_size"]), Axis("batch", rows // micro), Axis("position", tokens)
policy = jmp.get_policy("p=f32,c=bf16" if precision == "bf16" else "f32")
optimizer = AdamConfig(learning_rate=1e-5, weight_decay=0, max_grad_norm=1.0).build(1000)
mask = AttentionMask.causal()


@eqx.filter_jit
def begin(key):
    model = LlamaLMHeadModel.init(Vocab, config, key=key)
    return model, optimizer.init(eqx.filter(model, eqx.is_inexact_array))


def loss_of(model, ids):
    named = hax.named(ids, (Batch, Position))
    weight = hax.ones((Batch, Position)) * hax.named(jax.numpy.arange(tokens) < tokens - 1, Position)
    loss = policy.cast_to_compute(model).compute_next_token_loss(LmExample(named, weight, mask), key=None)
    return loss.scalar() if hasattr(loss, "scalar") else loss


@eqx.filter_jit(donate="all")
def step(model, state, ids):
    def part(sums, ids):
        return jax.tree.map(jax.numpy.add, sums, eqx.filter_value_and_grad(loss_of)(model, ids)), None

    if micro == 1:
        loss, gradient = eqx.filter_value_and_grad(loss_of)(model, ids[0])
    else:
        zero = jax.tree.map(jax.numpy.zeros_like, eqx.filter(model, eqx.is_inexact_array))
        (loss, gradient), _ = jax.lax.scan(part, (jax.numpy.zeros(()), zero), ids)
        loss, gradient = jax.tree.map(lambda x: x / micro, (loss, gradient))
    updates, state = optimizer.update(gradient, state, eqx.filter(model, eqx.is_inexact_array))
    return eqx.apply_updates(model, updates), state, loss


model, state = begin(jax.random.PRNGKey(0))
ids = jax.random.randint(jax.random.PRNGKey(1), (micro, rows // micro, tokens), 0, Vocab.size)
seconds = []
for _ in range(steps + 1):              # the first compiles
    begun = time.perf_counter()
    model, state, loss = step(model, state, ids + 0)
    float(loss)
    jax.block_until_ready((model, state))
    seconds.append(time.perf_counter() - begun)
print(json.dumps({"step_seconds": seconds[1:]}))
