# Weights through Skiff's loader and exporter against transformers, safetensors and gguf: bits, not tolerances.
#   python tests/peers/test_formats.py      SMOL: a float32 folder of SmolLM2-135M-Instruct that transformers made of the GGUF
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

import gguf
import numpy as np
import torch
import transformers
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType as T
from safetensors import safe_open
from safetensors.torch import load_file

SMOL = os.environ.get("SMOL", "build/smol")
BUILD = os.environ.get("BUILD", "build")
COPY = os.environ.get("COPY_MODEL", f"{BUILD}/tests/peers/copy_model")
if not os.path.exists(COPY):
    subprocess.run(["make", "-s", f"B={BUILD}", COPY], check=True)
GGUF = glob.glob("fixtures/smollm2/*.gguf")[0]
transformers.utils.logging.disable_progress_bar()
work = tempfile.mkdtemp(prefix="skiff-formats-")
counts = {True: 0, False: 0}


def check(what, ok):
    counts[bool(ok)] += 1
    print(("ok      " if ok else "FAILED  ") + what, flush=True)


def copy(source, *args):
    to = tempfile.mkdtemp(dir=work)
    r = subprocess.run([COPY, source, to, *args], capture_output=True, text=True)
    return to, r


def weights(folder):
    out = {}
    for f in sorted(glob.glob(folder + "/*.safetensors")):
        out.update(load_file(f))
    return out


def same(a, b):
    return a.keys() == b.keys() and all(a[k].dtype == b[k].dtype and a[k].shape == b[k].shape and
                                        torch.equal(a[k].view(torch.uint8), b[k].view(torch.uint8)) for k in a)


class Warnings:
    def __enter__(self):
        self.lines = []
        self.handler = type("H", (__import__("logging").Handler,), {"emit": lambda h, r: self.lines.append(r.getMessage())})(30)
        __import__("logging").getLogger("transformers").addHandler(self.handler)
        return self.lines

    def __exit__(self, *a):
        __import__("logging").getLogger("transformers").removeHandler(self.handler)


def load(folder):
    with Warnings() as lines:
        model, info = transformers.AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True, dtype="auto")
    clean = not any(info[k] for k in ("missing_keys", "unexpected_keys", "mismatched_keys")) and not lines
    if not clean:
        print(info, lines)
    return model.eval(), clean


ids = torch.tensor([[1, 4093, 198, 2683, 359, 260, 3575, 282, 4649, 47, 2, 198]])


def logits(model):
    with torch.no_grad():
        return model(ids % model.config.vocab_size).logits


# ---- SmolLM2: the GGUF, and the folder that transformers made of it ----
smol = weights(SMOL)
to, r = copy(GGUF, "f32")
print(r.stdout.strip(), r.stderr.strip())
check("the GGUF loads", r.returncode == 0)
check("all 272 tensors equal transformers' dequantisation bit for bit", len(smol) == 272 and same(weights(to), smol))
model, clean = load(to)
check("transformers loads the export without a word", clean and model.dtype == torch.float32)
want = logits(transformers.AutoModelForCausalLM.from_pretrained(SMOL))
check("logits are equal to the last bit", torch.equal(logits(model), want))
check("generation_config.json", model.generation_config.eos_token_id in ([2], 2) and model.generation_config.bos_token_id == 1
      and model.generation_config.pad_token_id == 2)
check("licence of the GGUF in the model card", "license: apache-2.0" in open(to + "/README.md").read())
shutil.rmtree(to)

to, r = copy(SMOL, "f32")
print(r.stdout.strip(), r.stderr.strip())
check("the folder through Skiff is the folder", r.returncode == 0 and same(weights(to), smol))
a, b = json.load(open(SMOL + "/config.json")), json.load(open(to + "/config.json"))
changed = {k for k in a.keys() | b.keys() if a.get(k) != b.get(k)}
check(f"config.json is carried over (but {changed})", changed <= {"_name_or_path"})
with safe_open(to + "/model.safetensors", "np") as f:
    check("metadata says pt", f.metadata() == {"format": "pt"})
shutil.rmtree(to)

to, r = copy(SMOL, "bf16", "100000000")
print(r.stdout.strip(), r.stderr.strip())
files = sorted(os.path.basename(f) for f in glob.glob(to + "/*.safetensors"))
check(f"bfloat16 in {len(files)} shards", r.returncode == 0 and files == [f"model-{i + 1:05}-of-{len(files):05}.safetensors" for i in range(len(files))])
check("rounded as torch rounds", same(weights(to), {k: v.to(torch.bfloat16) for k, v in smol.items()}))
index = json.load(open(to + "/model.safetensors.index.json"))
check("total_size", index["metadata"]["total_size"] == 2 * sum(v.numel() for v in smol.values()))
model, clean = load(to)
check("transformers loads the shards without a word", clean and model.dtype == torch.bfloat16)
again, r = copy(to, "bf16")
check("the shards load and export equal in one file", r.returncode == 0 and same(weights(again), weights(to)))
shutil.rmtree(to), shutil.rmtree(again)
del model, smol

# ---- other Llamas, made by transformers ----
rope = {"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64,
        "rope_theta": 500000.0}
cases = {
    "tied": dict(tie_word_embeddings=True, num_key_value_heads=2),
    "own head, llama3 rope": dict(num_key_value_heads=4, rope_parameters=rope),
    "wide heads, linear rope": dict(num_key_value_heads=1, head_dim=32, rope_parameters={"rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0}),
}
for name, options in cases.items():
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        torch.manual_seed(3)
        config = transformers.LlamaConfig(vocab_size=67, hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4,
                                          max_position_embeddings=256, bos_token_id=1, eos_token_id=2, pad_token_id=2, **options)
        made = transformers.LlamaForCausalLM(config).to(dtype)
        for p in made.parameters():
            torch.nn.init.normal_(p)
        source = tempfile.mkdtemp(dir=work)
        made.save_pretrained(source)
        whole = transformers.LlamaForCausalLM.from_pretrained(source, dtype=torch.float32)
        to, r = copy(source, "f32")
        got, clean = load(to) if r.returncode == 0 else (None, False)
        check(f"{name}, {dtype}: the same weights, rope and logits {r.stderr.strip()}", clean and
              all(torch.equal(p.float(), q) for p, q in zip(made.state_dict().values(), got.state_dict().values())) and
              got.config.rope_parameters == made.config.rope_parameters and torch.equal(logits(whole), logits(got)))

# ---- blocks of every type, as a model ----
rng = np.random.default_rng(5)
HALVES = {T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208]}


def blocks(t, rows, columns):
    elements, size = GGML_QUANT_SIZES[t]
    if t not in HALVES:
        x = rng.normal(0, 1, (rows, columns)).astype(np.float32)
        return gguf.quants.quantize(x, t)
    raw = rng.integers(0, 256, (rows, columns // elements, size), dtype=np.uint8)
    for at in HALVES[t]:
        raw[:, :, at:at + 2] = rng.normal(0, 1e-2, (rows, columns // elements, 1)).astype(np.float16).view(np.uint8)
    return raw.reshape(rows, -1)


path, h, want = work + "/blocks.gguf", 512, {}
w = gguf.GGUFWriter(path, "llama")
w.add_block_count(1), w.add_context_length(64), w.add_embedding_length(h), w.add_feed_forward_length(h), w.add_head_count(4)
w.add_head_count_kv(4), w.add_layer_norm_rms_eps(1e-5), w.add_vocab_size(h), w.add_rope_dimension_count(h // 4)
named = {"token_embd": T.Q6_K, "blk.0.attn_q": T.Q4_0, "blk.0.attn_k": T.Q4_K, "blk.0.attn_v": T.Q5_K, "blk.0.attn_output": T.Q4_1,
         "blk.0.ffn_gate": T.Q8_0, "blk.0.ffn_up": T.F16, "blk.0.ffn_down": T.BF16, "output": T.Q5_1}
for name, t in named.items():
    raw = blocks(t, h, h)
    want[name] = np.asarray(gguf.quants.dequantize(raw, t), dtype=np.float32).reshape(h, h)
    w.add_tensor(name + ".weight", raw, raw_dtype=t)
for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
    want[name] = rng.normal(0, 1, h).astype(np.float32)
    w.add_tensor(name + ".weight", want[name])
w.write_header_to_file(), w.write_kv_data_to_file(), w.write_tensors_to_file(), w.close()
to, r = copy(path, "f32")
check(f"a GGUF with nine types of blocks loads {r.stderr.strip()}", r.returncode == 0)
got = weights(to)
names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, 1)
for hf, tensor in got.items():
    name = names.get_name(hf, try_suffixes=(".weight",))
    x = want[name.removesuffix(".weight")]
    if "attn_q" in name or "attn_k" in name:
        x = x.reshape(4, h // 8, 2, h).swapaxes(1, 2).reshape(h, h)
    check(f"{name}: {named.get(name.removesuffix('.weight'), T.F32).name} bit for bit", np.array_equal(tensor.numpy().view(np.uint32), x.view(np.uint32)))

# ---- what is cut off ----
for source in (SMOL + "/model.safetensors", GGUF):
    cut = tempfile.mkdtemp(dir=work)
    if source != GGUF:
        shutil.copy(SMOL + "/config.json", cut)
    with open(source, "rb") as f, open(cut + "/" + os.path.basename(source), "wb") as g:
        g.write(f.read(5_000_000))
    to, r = copy(cut if source != GGUF else cut + "/" + os.path.basename(source))
    line = r.stderr.strip()
    check(f"exit 2 and one line: {line.replace(cut, '')}", r.returncode == 2 and len(line.splitlines()) == 1 and
          "fetch it again" in line and os.listdir(to) == [])

shutil.rmtree(work)
print(f"{counts[True]} passed, {counts[False]} failed")
sys.exit(counts[False] > 0)
