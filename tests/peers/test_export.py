"""What Skiff exports, transformers loads: the same logits, the same greedy answers, the stop token known.

Trains a few steps on the quickstart's chats, exports, and compares with transformers in float32.
"""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

SKIFF = os.environ.get("SKIFF", "build/skiff")
DUMP = os.path.join(os.environ.get("BUILD", "build"), "tests/peers/logits_dump")
MODEL = "fixtures/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
passed = failed = 0


def check(name, good, detail=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    print("ok" if good else "FAILED", name, detail)


def skiff(*args, stdin=None):
    r = subprocess.run([SKIFF, *args], input=stdin, capture_output=True, text=True, env={**os.environ, "SKIFF_PROGRESS": "0"})
    if r.returncode:
        print(r.stderr)
        raise SystemExit(f"skiff {' '.join(args)}: exit {r.returncode}")
    return r.stdout


with tempfile.TemporaryDirectory() as folder:
    report = json.loads(skiff("sft", "--model", MODEL, "--data", "data/quickstart/train.jsonl", "--output", folder, "--json",
                              "num_train_steps=8", "train_batch_size=2", "max_seq_len=256", "learning_rate=1e-4", "precision=f32",
                              "export_dtype=bf16"))
    export = report["export"]
    tokenizer = AutoTokenizer.from_pretrained(export)
    model, info = AutoModelForCausalLM.from_pretrained(export, dtype=torch.float32, output_loading_info=True)
    model.eval()
    check("no tensor missing or left over", not info["missing_keys"] and not info["unexpected_keys"], str(info)[:200])
    stops = GenerationConfig.from_pretrained(export).eos_token_id
    stops = stops if isinstance(stops, list) else [stops]
    check("generation_config stops at the token trained", tokenizer.convert_tokens_to_ids("<|im_end|>") in stops, str(stops))
    check("the chat template came along", tokenizer.chat_template is not None)

    questions = ["Why is the sky blue?", "What is 12 times 12?", "Tell me about otters."]
    worst = 0.0
    for q in questions:
        messages = [{"role": "user", "content": q}]
        ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=True, return_dict=True)["input_ids"]
        ours = json.loads(skiff("render", "--model", export, "--json", "--add-generation-prompt",
                                stdin=json.dumps({"messages": messages}) + "\n"))["ids"]
        check(f"prompt of '{q}' is the same", ids == ours)
        with torch.no_grad():
            want = model(torch.tensor([ids])).logits[0, -1].numpy()
        out = os.path.join(folder, "logits")
        subprocess.run([DUMP, export, out, *map(str, ids)], check=True)
        got = np.fromfile(out, dtype=np.float32)
        worst = max(worst, float(np.abs(got - want).max() / np.abs(want).max()))
        with torch.no_grad():
            answer = model.generate(torch.tensor([ids]), do_sample=False, max_new_tokens=60, eos_token_id=stops,
                                    pad_token_id=stops[0])[0, len(ids):].tolist()
        said = json.loads(skiff("chat", export, "--prompt", q, "--max-tokens", "60", "--json", "precision=f32"))
        check(f"greedy answer to '{q}' has the same tokens", said["ids"] == answer, f"{len(answer)} tokens")
    check("logits within 1e-4 of the largest", worst <= 1e-4, f"{worst:.2e}")

print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
