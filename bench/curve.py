"""Does training in bfloat16 follow float32? The same steps on the same rows of real chats in either precision, and their losses step by step.

    bench/run curve                   env: DATA   chats to train on (default data/quickstart/train.jsonl)
                                           STEPS  (300), BATCH (2), SEQ (128), RATE (2e-5)
                                           KEEP=1: runs that are there are gone on with, not made anew

Losses are compared as they are, and as means over a window of 20 steps, which leave out what single rows are made of.
"""
import json
import os
import shutil

import common

WINDOW = 20


def losses(precision, folder, data, steps):
    output = f"{folder}/{precision}"
    if not os.environ.get("KEEP"):
        shutil.rmtree(output, ignore_errors=True)
    config = f"{folder}/{precision}.yaml"
    with open(config, "w") as f:
        f.write(f"model_name_or_path: {os.path.abspath(common.MODEL)}\ndata: {data}\noutput: {os.path.abspath(output)}\n"
                f"train_batch_size: {os.environ.get('BATCH', 2)}\nmax_seq_len: {os.environ.get('SEQ', 128)}\nnum_train_steps: {steps}\n"
                f"learning_rate: {os.environ.get('RATE', 2e-5)}\nsteps_per_hf_export: -1\ntruncate: right\nprecision: {precision}\n")
    common.must(common.run([common.SKIFF, "train", config], f"{folder}/{precision}.log"))
    with open(f"{output}/metrics.jsonl") as f:
        rows = [json.loads(line) for line in f]
    return [r["train/loss"] for r in rows if "train/loss" in r]


def means(x):
    return [sum(x[i - WINDOW + 1:i + 1]) / WINDOW for i in range(WINDOW - 1, len(x))]


def furthest(x, y):
    """The greatest relative difference of x from y, and where it is."""
    at = max(range(len(y)), key=lambda i: abs(x[i] / y[i] - 1))
    return 100 * (x[at] / y[at] - 1), at


def main():
    folder = common.folder("curve")
    steps = common.number("STEPS", 300)
    cache = f"{folder}/cache"
    shutil.rmtree(cache, ignore_errors=True)
    common.must(common.run([common.SKIFF, "tokenize", common.CHATS, "--model", common.MODEL, "--output", cache], f"{folder}/log"))
    f32 = losses("f32", folder, os.path.abspath(cache), steps)
    bf16 = losses("bf16", folder, os.path.abspath(cache), steps)
    step, at = furthest(bf16, f32)
    print(f"loss of {len(f32)} steps: float32 {f32[0]:.4f} to {f32[-1]:.4f}, bfloat16 {bf16[0]:.4f} to {bf16[-1]:.4f}")
    print(f"  single steps             furthest {step:+.3f} % (step {at + 1}), at the end {100 * (bf16[-1] / f32[-1] - 1):+.3f} %")
    values = {"f32": f32, "bf16": bf16, "furthest_step": step}
    if len(f32) >= WINDOW:
        a, b = means(f32), means(bf16)
        mean, at = furthest(b, a)
        print(f"  means of {WINDOW} steps         furthest {mean:+.3f} % (steps {at + 1} to {at + WINDOW}), at the end {100 * (b[-1] / a[-1] - 1):+.3f} %")
        values |= {"furthest": mean, "end": 100 * (b[-1] / a[-1] - 1)}
    common.save("curve", values)


main()
