"""One epoch from a JSON file of instructions to the exported model, beside TRL: the wall time of the whole process.

    bench/run sft       env: DATA       a file of Alpaca's form (default: made of data/quickstart)
                             ROWS       of its first rows (default: all);  ROUNDS (default 1)
                             SEQ        max_seq_len (default 1024);  BATCH (default 4)
                             PRECISION  bf16 or f32, of both (default: bf16 where the CPU multiplies it)
                             TRL        which of TRL's modes (default "packed padded")

The work is the same: the same rows and template, loss on the assistant's tokens alone, AdamW at 2e-5 on all weights, a batch of 4 rows,
a model and tokenizer saved at the end. Skiff packs; TRL is measured packing and, as it does by default, padding. Skiff fills the last
batch of the epoch with packs of the next, so it may train a few tokens more.
"""
import json
import os
import shutil

import common

RATE = 2e-5
TEMPLATE = """{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' }}{% if message['role'] == 'assistant' %}\
{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}{% else %}{{ message['content'] + '<|im_end|>' }}{% endif %}\
{{ '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""


def instructions(path):
    """Rows of Alpaca's form: as they are, or the first question and answer of each chat."""
    with open(path) as f:
        if path.endswith(".json"):
            return json.load(f)
        chats = [json.loads(line)["messages"] for line in f]
    pairs = [{m["role"]: m["content"] for m in reversed(c)} for c in chats]
    return [{"instruction": p["user"], "input": "", "output": p["assistant"]} for p in pairs if "user" in p and "assistant" in p]


def skiff(data, template, output, log, batch, seq, precision):
    line = [common.SKIFF, "sft", "--model", common.MODEL, "--data", data, "--output", output, "--json", "epochs=1", f"train_batch_size={batch}",
            f"max_seq_len={seq}", f"learning_rate={RATE}", f"chat_template={template}", f"precision={precision}", "truncate=right"]
    measured = common.must(common.run(line, log))
    with open(f"{output}/metrics.jsonl") as f:
        steps = [r for r in map(json.loads, f) if "train/loss" in r]
    trained = round(sum(r["throughput/trained_tokens_per_second"] * r["throughput/duration"] for r in steps))
    return measured, {"trained_tokens": trained, "steps": len(steps), "first_loss": steps[0]["train/loss"], "last_loss": steps[-1]["train/loss"]}


def trl(python, mode, data, template, output, log, batch, seq, precision):
    line = [python, "bench/sft_trl.py", common.SMOL, data, template, output, str(batch), str(seq), str(RATE), precision, mode]
    measured = common.run(line, log)
    return measured and (measured, common.last_json(log))


def main():
    folder = common.folder("sft")
    rows = instructions(common.CHATS)[:common.number("ROWS", 10**9)]
    batch, seq = common.number("BATCH", 4), common.number("SEQ", 1024)
    precision = os.environ.get("PRECISION") or ("bf16" if common.has_bf16() else "f32")
    data, template = os.path.abspath(f"{folder}/instructions.json"), os.path.abspath(f"{folder}/chatml.jinja")
    with open(data, "w") as f:
        json.dump(rows, f)
    with open(template, "w") as f:
        f.write(TEMPLATE)
    python = common.python_of(common.PEERS, "trl")
    modes = os.environ.get("TRL", "packed padded").split() if python else []
    results = []
    print(f"{len(rows)} rows, {batch} x {seq}, {precision}", flush=True)

    def add(name, output, took):
        if took:
            (seconds, peak), said = took
            results.append({"trainer": name, "seconds": seconds, "peak_memory": peak} | said)
            print(f"  {name:12} {seconds:8.1f} s, {said['trained_tokens']} tokens trained in {said['steps']} steps, "
                  f"{said['trained_tokens'] / seconds:.0f} a second, loss {said['first_loss']:.3f} to {said['last_loss']:.3f}, {peak * 1e-9:.2f} GB",
                  flush=True)
        shutil.rmtree(output, ignore_errors=True)

    for _ in range(common.number("ROUNDS", 1)):
        for mode in [None, *modes]:
            output = os.path.abspath(f"{folder}/out")
            shutil.rmtree(output, ignore_errors=True)
            how = (data, template, output, f"{folder}/{mode or 'skiff'}", batch, seq, precision)
            add(f"TRL {mode}" if mode else "Skiff", output, trl(python, mode, *how) if mode else skiff(*how))
    common.save("sft", {"rows": len(rows), "batch": batch, "seq": seq, "precision": precision, "data": os.path.basename(common.CHATS), "runs": results})


main()
