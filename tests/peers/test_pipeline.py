"""experiments/small_hub_mixture with a real model: four datasets of a hub, two as Parquet of pyarrow, to a model that transformers loads.

CHATS names a folder with alpaca_en_demo.json, glaive_toolcall_en_demo.json and gsm8k_test.jsonl; without it the quickstart's chats stand in.
Rows as pyarrow reads them are the chats that Skiff made of them; what was trained has in torch the loss that Skiff finds.
"""
import glob
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import pyarrow.parquet
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

SKIFF = os.path.abspath(os.environ.get("SKIFF", "build/skiff"))
GGUF = "fixtures/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
EXPERIMENT = "experiments/small_hub_mixture.c"
DATASETS = ["alpaca", "tools", "questions", "ferryman"]
TRAINING = "checkpoints/small_hub_mixture_seed0"
passed = failed = 0


def check(name, good, detail=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    print("ok" if good else "FAILED", name, detail)


def skiff(*args):
    r = subprocess.run([SKIFF, *args], capture_output=True, text=True, env=env, timeout=900)
    if r.returncode:
        print(r.stderr[-1500:])
    return r


def run(*flags, experiment=EXPERIMENT):
    """The steps that were not skipped, by name, and what was done with them; None where it failed."""
    r = skiff("run", experiment, "--json", "small_hub_mixture.steps_per_checkpoint=0", *flags)
    return None if r.returncode else {s["name"]: s["action"] for s in json.loads(r.stdout)["steps"] if s["action"] != "skip"}


def documents(name):
    rows = []
    for path in sorted(glob.glob(f"{folder}/out/documents/harbour--{name}-main-*/train/*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as f:
            rows += [json.loads(line) for line in f]
    return rows


def parquet_rows(name):
    files = sorted(glob.glob(f"{folder}/hub/datasets/harbour/{name}/main/*.parquet"))
    return [row for f in files for row in pyarrow.parquet.read_table(f).to_pylist()]


def torch_loss(model, tokenizer, chats):
    """The mean loss over the answers of chats of two messages, stop tokens included."""
    total = count = 0
    for chat in chats:
        text = tokenizer.apply_chat_template(chat, tokenize=False)
        before = tokenizer.apply_chat_template(chat[:1], tokenize=False, add_generation_prompt=True)
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        begin = len(tokenizer(before, add_special_tokens=False)["input_ids"])
        end = len(ids) - ids[::-1].index(tokenizer.convert_tokens_to_ids("<|im_end|>"))
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0].float()
        lost = torch.nn.functional.cross_entropy(logits[begin - 1:end - 1], torch.tensor(ids[begin:end]), reduction="sum")
        total, count = total + lost.item(), count + end - begin
    return total / count, count


folder, server = tempfile.mkdtemp(), None
try:
    subprocess.run([sys.executable, "tests/hub/small_mixture.py", f"{folder}/hub", "--model", GGUF], check=True)
    server = subprocess.Popen([sys.executable, "tests/hub/server.py", f"{folder}/hub", "--ports", f"{folder}/ports"])
    while not os.path.exists(f"{folder}/ports") and server.poll() is None:
        time.sleep(0.05)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING", "SKIFF_MODEL", "MARIN_"))}
    env.update(HF_ENDPOINT=f"http://127.0.0.1:{open(f'{folder}/ports').read().split()[0]}", HF_HOME=f"{folder}/home", SKIFF_PROGRESS="0",
               SKIFF_PREFIX=f"{folder}/out", XDG_CACHE_HOME=f"{folder}/cache")

    # -- all of it
    began = time.time()
    did = run()
    every = [f"{kind}{name}" for name in DATASETS for kind in ["raw/harbour--", "documents/harbour--", "tokenized/"]] + [TRAINING]
    check("every step runs", did == {name: "run" for name in every}, f"{did if did is None or len(did) != 13 else ''} {time.time() - began:.1f} s")
    trained = glob.glob(f"{folder}/out/{TRAINING}-*")[0]
    losses = [json.loads(line)["train/loss"] for line in open(f"{trained}/metrics.jsonl") if "train/loss" in line]
    check("four steps", len(losses) == 4 and all(0 < x < 12 for x in losses), str([round(x, 3) for x in losses]))

    # -- chats are the rows that pyarrow reads
    for name, question, answer in [("alpaca", "instruction", "output"), ("questions", "question", "answer")]:
        rows, chats = parquet_rows(name), documents(name)
        same = ["\n".join(filter(None, [r[question], r.get("input")])) == d["messages"][0]["content"] and
                r[answer] == d["messages"][1]["content"] for r, d in zip(rows, chats)]
        check(f"{name}: the rows of pyarrow", len(rows) == len(chats) > 50 and all(same), f"{sum(same)} of {len(rows)}")
    calls = [m for d in documents("tools") for m in d["messages"] if m.get("tool_calls")]
    check("tools: calls", len(calls) >= 20 and all(m["role"] == "assistant" for m in calls), str(len(calls)))

    # -- the model is one to transformers
    export = f"{trained}/hf/step-4"
    model, tokenizer = AutoModelForCausalLM.from_pretrained(export, dtype=torch.float32), AutoTokenizer.from_pretrained(export)
    check("transformers loads it", sum(p.numel() for p in model.parameters()) == 134515008)
    chats = [json.loads(line)["messages"] for line in open("data/quickstart/heldout.jsonl")]
    chats = [c for c in chats if len(c) == 2][:8]
    with open(f"{folder}/heldout.jsonl", "w") as f:
        f.writelines(json.dumps({"messages": c}) + "\n" for c in chats)
    r = skiff("eval", "--model", export, "--data", f"{folder}/heldout.jsonl", "--json", "precision=f32")
    ours = json.loads(r.stdout)
    loss, count = torch_loss(model, tokenizer, chats)
    check("its loss is torch's", abs(ours["loss"] - loss) < 1e-4 * loss and ours["tokens"] == count, f"{ours['loss']:.6f} {loss:.6f} {count} tokens")

    # -- again, and after changes
    took = []
    for _ in range(5):
        began = time.time()
        did = run()
        took.append(time.time() - began)
        check("again: nothing runs", did == {}, str(did or ""))
    check("within 100 ms", min(took) < 0.1, f"{min(took) * 1000:.0f} ms")
    source = open(EXPERIMENT).read()
    with open(f"{folder}/weights.c", "w") as f:
        f.write(source.replace("300)", "600)"))
    check("other weights: the training", run("--dry_run", experiment=f"{folder}/weights.c") == {TRAINING: "run"})
    same = [f"{name}.chat_template=chatml" for name in DATASETS]
    check("another template: tokens and training", run("--dry_run", *same) == {**{f"tokenized/{n}": "run" for n in DATASETS}, TRAINING: "run"})
    did = run("--force_run", '["tokenized/tools"]')
    check("one dataset forced: it and the training", did == {"tokenized/tools": "run afresh", TRAINING: "run afresh"}, str(did))
    again = [json.loads(line)["train/loss"] for line in open(f"{trained}/metrics.jsonl") if "train/loss" in line]
    check("with the same losses", again == losses)
finally:
    if server:
        server.kill()
    shutil.rmtree(folder, ignore_errors=True)
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
