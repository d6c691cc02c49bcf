"""The optimizer step against transformers + torch, on real text.
    python tests/peers/test_step.py        env: SMOL folder of SmolLM2-135M in float32, STEP_DUMP the program tests/peers/step_dump.c
"""
import os, pydoc_data.topics, shutil, subprocess, sys, tempfile
import numpy as np, torch
from transformers import AutoModelForCausalLM, AutoTokenizer

SMOL = os.environ.get("SMOL", "smol")
DUMP = os.environ.get("STEP_DUMP", "build/tests/peers/step_dump")
ROWS, SEQ, MICRO, STEPS, RATE, DECAY = int(os.environ.get("ROWS", 4)), int(os.environ.get("SEQ", 128)), 2, int(os.environ.get("STEPS", 10)), 1e-4, 0.1
# For bf16: batches, and conversations of each. torch's autocast multiplies bf16 some hundred times slower where the CPU does not.
NATIVE = "avx512_bf16" in open("/proc/cpuinfo").read()
BATCHES, PIECES = int(os.environ.get("BATCHES", 4 if NATIVE else 1)), int(os.environ.get("PIECES", 0 if NATIVE else 2))
passed = failed = 0


def check(what, ok, detail):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    print(("ok    " if ok else "FAILED ") + what + ": " + detail, flush=True)


# Rows of one to three pieces of Python's own manual, the last row with padding; two thirds of the tokens are trained.
def make_batches():
    tokenizer = AutoTokenizer.from_pretrained(SMOL)
    topics = pydoc_data.topics.topics
    ids = np.array(tokenizer("\n\n".join(topics[k] for k in sorted(topics))).input_ids[500:500 + 40000], dtype=np.int32)
    rng, at, steps = np.random.default_rng(1), 0, []
    for _ in range(STEPS):
        segments = []
        for row in range(MICRO * ROWS):
            end = SEQ - 20 if row == MICRO * ROWS - 1 else SEQ
            cuts = [0] + sorted(rng.choice(np.arange(6, end - 6), size=row % 3, replace=False).tolist()) + [end]
            for begin, stop in zip(cuts, cuts[1:]):
                trained = rng.random(stop - begin - 1) < 2 / 3
                segments.append((row, begin, ids[at:at + stop - begin].copy(), trained))
                at += stop - begin
        steps.append(segments)
    return steps


def write_batches(path, steps):
    with open(path, "wb") as f:
        for segments in steps:
            i, p, t = (np.zeros((MICRO * ROWS, SEQ), np.int32) for _ in range(3))
            s = np.tile(np.arange(SEQ, dtype=np.int32), (MICRO * ROWS, 1))
            t[:] = -1
            for row, begin, ids, trained in segments:
                here = slice(begin, begin + len(ids))
                i[row, here], p[row, here], s[row, here] = ids, np.arange(len(ids)), begin
                t[row, begin:begin + len(ids) - 1] = np.where(trained, ids[1:], -1)
            for x in (i, p, s, t):
                f.write(x.tobytes())


# Each segment by itself, one mean over all trained tokens. The logits' softmax in double: torch's own in float32 is off by 1e-5
# at 49,152 entries.
def backward(m, segments, autocast=False, z=0):
    count, loss = sum(int(t.sum()) for _, _, _, t in segments), 0.0
    for _, _, ids, trained in segments:
        x = torch.tensor(ids, dtype=torch.long)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            logits = m(input_ids=x[None]).logits[0, :-1]
        nll = torch.nn.functional.cross_entropy(logits.double(), x[1:], reduction="none")
        if z:                                           # as Levanter has it: of each trained token, in the same mean
            nll = nll + z * torch.logsumexp(logits.double(), -1) ** 2
        part = (nll * torch.tensor(trained)).sum() / count
        part.backward()
        loss += part.item()
    return loss


def gradients_of(m):
    return {n: p.grad.detach().numpy().copy() for n, p in m.named_parameters()}


# Our stacked gradients under the checkpoint's names.
def read_gradients(folder, c):
    load = lambda n, *shape: np.fromfile(os.path.join(folder, "d.%s.f32" % n), dtype=np.float32).reshape(shape)
    L, D, F = c.num_hidden_layers, c.hidden_size, c.intermediate_size
    q, kv = c.num_attention_heads * c.head_dim, c.num_key_value_heads * c.head_dim
    g = {"model.embed_tokens.weight": load("embed", c.vocab_size, D), "model.norm.weight": load("norm", D)}
    if not c.tie_word_embeddings:
        g["lm_head.weight"] = load("head", c.vocab_size, D)
    qkv, gu, o, down = load("qkv", L, q + 2 * kv, D), load("gate_up", L, 2 * F, D), load("o", L, D, q), load("down", L, D, F)
    n1, n2 = load("attn_norm", L, D), load("mlp_norm", L, D)
    for l in range(L):
        g.update({"model.layers.%d.%s.weight" % (l, n): x for n, x in {
            "self_attn.q_proj": qkv[l, :q], "self_attn.k_proj": qkv[l, q:q + kv], "self_attn.v_proj": qkv[l, q + kv:],
            "self_attn.o_proj": o[l], "mlp.gate_proj": gu[l, :F], "mlp.up_proj": gu[l, F:], "mlp.down_proj": down[l],
            "input_layernorm": n1[l], "post_attention_layernorm": n2[l]}.items()})
    return g


def run_ours(work, batches, compute, steps, c, z=0):
    out = os.path.join(work, compute)
    os.makedirs(out, exist_ok=True)
    subprocess.run([DUMP, SMOL, batches, out, compute] + [str(x) for x in (ROWS, SEQ, MICRO, steps, RATE, DECAY, z)], check=True)
    return np.fromfile(os.path.join(out, "losses.f32"), dtype=np.float32), read_gradients(out, c)


def torch_steps(m, batches):
    plain = [p for n, p in m.named_parameters() if "norm" in n or "embed" in n]
    rest = [p for n, p in m.named_parameters() if not ("norm" in n or "embed" in n)]
    opt = torch.optim.AdamW([{"params": rest, "weight_decay": DECAY}, {"params": plain, "weight_decay": 0.0}], lr=RATE, betas=(0.9, 0.95), eps=1e-8)
    losses, first = [], None
    for segments in batches:
        opt.zero_grad()
        losses.append(backward(m, segments))
        first = first or gradients_of(m)
        torch.nn.utils.clip_grad_norm_(m.parameters(), 1.0)
        opt.step()
    return losses, first


# Squared errors against float32, ours and autocast's, summed over batches and the layers of a stack: the gradient of a single
# norm hangs on one entry (the channel of the first token's huge activation), so its error alone is a matter of luck.
def bf16_errors(work, m, steps):
    stacks, single = {}, {}
    for segments in steps:
        segments = segments[:PIECES or None]
        path = os.path.join(work, "one")
        write_batches(path, [segments])
        m.zero_grad()
        backward(m, segments, autocast=True)
        theirs = gradients_of(m)
        m.zero_grad()
        backward(m, segments)
        want = gradients_of(m)
        ours = run_ours(work, path, "bf16", 1, m.config)[1]
        for n in want:
            a, b = float(((ours[n] - want[n]) ** 2).sum()), float(((theirs[n] - want[n]) ** 2).sum())
            for table, name in (single, n), (stacks, ".".join(p for p in n.split(".")[-3:-1] if not p.isdigit())):
                e = table.setdefault(name, [0.0, 0.0])
                e[0], e[1] = e[0] + a, e[1] + b
    m.zero_grad()
    ratio = sorted(((e[0] / e[1]) ** 0.5, n) for n, e in stacks.items())
    alone = [(e[0] / e[1]) ** 0.5 for e in single.values()]
    print("      largest one by one: " + ", ".join("%s %.2f" % (n, (e[0] / e[1]) ** 0.5) for n, e in sorted(
        single.items(), key=lambda x: -x[1][0] / x[1][1])[:5]), flush=True)
    check("gradients in bf16", ratio[-1][0] <= 1.25, "error against float32 at most %.2f of autocast's (%s); one by one %.2f on average, "
          "%d of %d above 1.25" % (ratio[-1] + (np.mean(alone), sum(x > 1.25 for x in alone), len(alone))))


# The first step again with a weight so large that the second term decides; the model has its weights of the start.
def z_loss(work, path, steps):
    m = AutoModelForCausalLM.from_pretrained(SMOL, dtype=torch.float32, attn_implementation="sdpa").train()
    loss, want = backward(m, steps, z=1e-2), gradients_of(m)
    ours, got = run_ours(work, path, "f32", 1, m.config, z=1e-2)
    off = abs(ours[0] / loss - 1)
    check("loss with z_loss_weight", off < 1e-5, "%.7f, torch %.7f, off by %.1e" % (ours[0], loss, off))
    worst = max((float(np.abs(got[n] - want[n]).max() / np.abs(want[n]).max()), n) for n in want)
    check("gradients with z_loss_weight", worst[0] < 1e-3, "at most %.1e of the largest entry (%s)" % worst)


def main():
    work = tempfile.mkdtemp()
    try:
        path, steps = os.path.join(work, "batches"), make_batches()
        write_batches(path, steps)
        m = AutoModelForCausalLM.from_pretrained(SMOL, dtype=torch.float32, attn_implementation="sdpa").train()
        bf16_errors(work, m, steps[:BATCHES])
        losses, want = torch_steps(m, steps)
        ours, got = run_ours(work, path, "f32", STEPS, m.config)

        off = abs(ours[0] / losses[0] - 1)
        check("loss in float32", off < 1e-5, "%.7f, torch %.7f, off by %.1e" % (ours[0], losses[0], off))
        worst = max((float(np.abs(got[n] - want[n]).max() / np.abs(want[n]).max()), n) for n in want)
        check("gradients in float32, %d weights" % len(want), set(got) == set(want) and worst[0] < 1e-3, "at most %.1e of the largest entry (%s)" % worst)
        z_loss(work, path, steps[0])
        off = max(abs(a / b - 1) for a, b in zip(ours, losses))
        check("ten AdamW steps", off < 1e-4, "losses %.4f … %.4f, off by at most %.1e" % (losses[0], losses[-1], off))
    finally:
        shutil.rmtree(work)
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(failed != 0)


main()
