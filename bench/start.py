"""How long it takes from the command to the end of the first optimizer step, less a step: what a user waits for at every start.

    bench/run start     env: SHAPE   rows x tokens (default 4x512);  ROUNDS (default 3);  DATA  chats (default data/quickstart/train.jsonl)

`skiff train` begins with a tokenized cache, `skiff sft` with the JSON file. The step that is taken off is the median of the three after
the first, so that what the first has to do besides is counted. All files are in the page cache. Beside it: what Python takes to import
torch and transformers, and to load the same model.
"""
import json
import os
import shutil
import signal
import statistics
import time

import common

AFTER = 3
IMPORT = "import torch, transformers"
LOAD = IMPORT + "; transformers.AutoModelForCausalLM.from_pretrained({!r}, dtype=torch.float32)"


def rows_of(path):
    try:
        with open(path) as f:
            return [json.loads(line) for line in f if line.endswith("\n")]
    except FileNotFoundError:
        return []


def until_steps(line, metrics, log):
    """Seconds until the row of the first step was written, and of the steps after it. The run is ended there."""
    begun, first, pid = time.perf_counter(), None, common.start(line, log)
    while True:
        rows = [r for r in rows_of(metrics) if "throughput/duration" in r]
        if rows and first is None:
            first = time.perf_counter() - begun
        ended, _ = os.waitpid(pid, os.WNOHANG)
        if ended and len(rows) <= AFTER:
            raise SystemExit(f"bench: {' '.join(line[:2])} ended early, see {log}.err")
        if len(rows) > AFTER:
            break
        time.sleep(0.002)
    if not ended:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return first, [r["throughput/duration"] for r in rows[1:AFTER + 1]]


def overhead(what, line, output):
    shutil.rmtree(output, ignore_errors=True)
    first, steps = until_steps(line, f"{output}/metrics.jsonl", f"{common.folder('start')}/{what}")
    return first - statistics.median(steps)


def main():
    folder = common.folder("start")
    batch, seq = os.environ.get("SHAPE", "4x512").split("x")
    model, data = os.path.abspath(common.MODEL), os.path.abspath(common.CHATS)
    cache, output = os.path.abspath(f"{folder}/cache"), os.path.abspath(f"{folder}/out")
    shutil.rmtree(cache, ignore_errors=True)
    common.must(common.run([common.SKIFF, "tokenize", data, "--model", model, "--output", cache], f"{folder}/tokenize"))
    with open(f"{folder}/train.yaml", "w") as f:
        f.write(f"model_name_or_path: {model}\ndata: {cache}\noutput: {output}\n")
    options = [f"train_batch_size={batch}", f"max_seq_len={seq}", f"num_train_steps={AFTER + 1}", "steps_per_hf_export=-1"]
    ways = {"train": [common.SKIFF, "train", f"{folder}/train.yaml", *options],
            "sft": [common.SKIFF, "sft", "--model", model, "--data", data, "--output", output, *options]}
    python = common.python_of(common.PEERS, "transformers")
    seconds = {}
    for _ in range(common.number("ROUNDS", 3)):
        for what, line in ways.items():
            seconds.setdefault(f"skiff {what}", []).append(overhead(what, line, output))
        for what, code in (("import torch, transformers", IMPORT), ("and load the model", LOAD.format(common.SMOL))) if python else ():
            seconds.setdefault(what, []).append(common.must(common.run([python, "-c", code], f"{folder}/python"))[0])
    for what, x in seconds.items():
        print(f"  {what:28} {common.spread(x)} s" + (" to the end of the first step, less a step" if what.startswith("skiff") else ""))
    common.save("start", {"shape": f"{batch}x{seq}", "seconds": seconds})


main()
