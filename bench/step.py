"""The optimizer step beside torch's and Levanter's: SmolLM2-135M, all weights trained, AdamW, clipping; each a process of its own, in turn.

    bench/run step      env: SHAPES      rows x tokens, /micro-batches (default "4x512 1x2048 8x128 16x512/4")
                             PRECISIONS  (default "bf16 f32")
                             STEPS       timed in each process, after one that is not (default 3)
                             ROUNDS      processes of each trainer (default 3)
                             TRAINERS    (default "Skiff torch Levanter"); HOWS  eager, compiled, recompute, kept (default all four)

torch runs eager and compiled, Levanter with and without recomputing: after the first round only the faster of each runs on, and counts.
In the rows of bfloat16 a peer may be faster in float32 than in its bfloat16 (Levanter on a CPU is): it runs in either, and its best counts.
"""
import os
import statistics

import common

SKIFF, TORCH, LEVANTER = "Skiff", "torch", "Levanter"


class Shape:
    def __init__(self, text):
        size, _, micro = text.partition("/")
        self.text, self.micro = text, int(micro or 1)
        self.rows, self.tokens = map(int, size.split("x"))


def variants(precision):
    """Who is measured: (trainer, precision and mode, the words that choose it)."""
    out = [(SKIFF, precision, [])]
    wanted, hows = os.environ.get("TRAINERS", "Skiff torch Levanter").split(), os.environ.get("HOWS", "eager compiled recompute kept").split()
    torch = common.python_of(common.PEERS, "torch") if TORCH in wanted else None
    levanter = common.python_of(common.LEVANTER, "levanter") if LEVANTER in wanted else None
    if torch and os.path.exists(common.SMOL):
        out += [(TORCH, precision + " " + how, [torch, "bench/step_torch.py", precision, *more])
                for how, more in (("eager", []), ("compiled", ["compile"])) if how in hows]
    if levanter and os.path.exists(common.SMOL):
        out += [(LEVANTER, p + " " + how, [levanter, "bench/step_levanter.py", p, *more])
                for p in dict.fromkeys([precision, "f32"]) for how, more in (("recompute", ["recompute"]), ("kept", [])) if how in hows]
    return out


def line_of(variant, shape, precision, steps):
    if variant[0] == SKIFF:
        return [common.SKIFF, "bench", "--model", common.MODEL, "--batch", str(shape.rows), "--seq", str(shape.tokens), "--steps", str(steps),
                "--json", f"precision={precision}", f"micro_batch={shape.rows // shape.micro}"]
    python, script, p, *more = variant[2]
    return [python, script, common.SMOL, str(shape.rows), str(shape.tokens), str(shape.micro), p, str(steps), *more]


def measure(variant, shape, precision, steps, results):
    """One process; adds what it was to `results`."""
    log = f"{common.folder('step')}/{variant[0]}-{variant[1].replace(' ', '-')}-{shape.text.replace('/', '-')}"
    measured = common.run(line_of(variant, shape, precision, steps), log)
    if not measured:
        return
    said = common.last_json(log)
    r = results.setdefault(variant[:2], {"trainer": variant[0], "how": variant[1], "seconds": [], "peak_memory": [], "mfu": []})
    r["seconds"] += said["step_seconds"]
    r["peak_memory"].append(measured[1])
    r["mfu"] += [said["mfu_causal"]] if "mfu_causal" in said else []
    print(f"    {variant[0]:9} {variant[1]:14} {shape.rows * shape.tokens / statistics.median(said['step_seconds']):7.0f} tokens/s "
          f"{measured[1] * 1e-9:6.2f} GB" + (f", {said['mfu_causal']:.1f} % of {said['peak_gflops']:.0f} GFLOP/s" if r["mfu"] else ""), flush=True)


def best(results, trainer):
    of = [r for r in results.values() if r["trainer"] == trainer]
    return min(of, key=lambda r: statistics.median(r["seconds"])) if of else None


def compare(shape, precision, steps, rounds):
    print(f"{shape.text} {precision}", flush=True)
    results, everyone = {}, variants(precision)
    for number in range(rounds):
        for trainer in dict.fromkeys(v[0] for v in everyone):
            fastest = best(results, trainer) if number else None
            for v in everyone:
                if v[0] == trainer and (not fastest or fastest["how"] == v[1]):
                    if trainer != SKIFF and number == 0:        # A B A C …: between any two peers Skiff runs again
                        measure(everyone[0], shape, precision, steps, results)
                    measure(v, shape, precision, steps, results)
    return list(results.values())


def main():
    rows = []
    for precision in os.environ.get("PRECISIONS", "bf16 f32").split():
        for text in os.environ.get("SHAPES", "4x512 1x2048 8x128 16x512/4").split():
            shape = Shape(text)
            results = compare(shape, precision, common.number("STEPS", 3), common.number("ROUNDS", 3))
            rows.append({"shape": text, "tokens": shape.rows * shape.tokens, "precision": precision, "trainers": results})
            common.save("step", {"rows": rows})


main()
