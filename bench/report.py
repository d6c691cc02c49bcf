"""From the results in build/bench to a table (Markdown, printed too) and a plot (SVG): Skiff beside each peer.

Every ratio is of medians of one run of one row; above 1 Skiff is faster, or takes less memory.
"""
import json
import os
import statistics
import sys
from html import escape

import common

FAMILY = "font-family='sans-serif' font-size='13'"
INK, FAINT, GOOD, BAD = "#222222", "#bbbbbb", "#2a7f8e", "#c7793a"


def median(x):
    return statistics.median(x)


def line(what, skiff, peer, theirs, ratio, note=""):
    return {"what": what, "skiff": skiff, "peer": peer, "theirs": theirs, "ratio": ratio, "note": note}


def rates(row, trainer):
    return [row["tokens"] / seconds for seconds in trainer["seconds"]]


def of_steps(result):
    """A line for each peer's best of each shape, and for memory."""
    for row in result["rows"]:
        name = f"step {row['shape'].replace('x', ' x ')} {row['precision']}"
        fastest = {}
        for r in row["trainers"]:
            if r["trainer"] not in fastest or median(r["seconds"]) < median(fastest[r["trainer"]]["seconds"]):
                fastest[r["trainer"]] = r
        mine = fastest.pop("Skiff", None)
        if not mine:
            continue
        share = f"{median(mine['mfu']):.1f} % of the measured peak"
        said = common.spread(rates(row, mine))
        for r in fastest.values():
            ratio = median(r["seconds"]) / median(mine["seconds"])
            yield line(name + ", tokens/s", said, f"{r['trainer']}, {r['how']}", common.spread(rates(row, r)), ratio, share)
        if not fastest:
            yield line(name + ", tokens/s", said, "", "", None, share)
        for r in fastest.values() if row is result["rows"][0] or row["shape"] == "4x512" else ():
            ratio = median(r["peak_memory"]) / median(mine["peak_memory"])
            yield line(name + ", peak GB", f"{median(mine['peak_memory']) * 1e-9:.2f}", f"{r['trainer']}, {r['how']}",
                       f"{median(r['peak_memory']) * 1e-9:.2f}", ratio)


def of_sft(result):
    runs = {}
    for r in result["runs"]:
        runs.setdefault(r["trainer"], []).append(r)
    seconds = {name: [r["seconds"] for r in of] for name, of in runs.items()}
    what = f"epoch of {result['rows']} rows of {result['data']}, {result['batch']} x {result['seq']} {result['precision']}, to the export, s"
    trained = {name: of[0]["trained_tokens"] for name, of in runs.items()}
    for name in [n for n in runs if n != "Skiff"] or [""]:
        ratio = median(seconds[name]) / median(seconds["Skiff"]) if name else None
        note = f"{trained['Skiff']} tokens trained" + (f", {trained[name]} by TRL" if name else "")
        yield line(what, common.spread(seconds["Skiff"]), name, common.spread(seconds[name]) if name else "", ratio, note)


def of_start(result):
    seconds = result["seconds"]
    peers = [n for n in seconds if not n.startswith("skiff")]
    for name in (n for n in seconds if n.startswith("skiff")):
        yield line(f"{name}, start to the end of the first step less a step, {result['shape']}, s", common.spread(seconds[name]), "", "", None)
    for name in peers:
        yield line("Python beside it, s", "", name, common.spread(seconds[name]), None)


def of_generate(result):
    for r in result["rows"]:
        for what in ("prompt", "answer"):
            mine, theirs = r["skiff"][what], r["llama.cpp"][what]
            yield line(f"generation, {what}, {r['tokens']} tokens of prompt, tokens/s", common.spread(mine), "llama.cpp", common.spread(theirs),
                       median(mine) / median(theirs))


def of_curve(result):
    steps = len(result["f32"])
    if "furthest" in result:
        yield line(f"loss of {steps} steps in bfloat16 beside float32, means of 20, at furthest", f"{result['furthest']:+.3f} %", "", "", None,
                   f"{result['end']:+.3f} % at the end")


def of_rates(result):
    """Rows of other benches that say nothing but two rates: encode, prepare, parquet."""
    for r in result["rows"]:
        yield line(f"{r['what']}, MB/s", common.spread(r["skiff"]), r["peer"], common.spread(r["theirs"]), median(r["skiff"]) / median(r["theirs"]))


KINDS = {"step": of_steps, "sft": of_sft, "start": of_start, "generate": of_generate, "curve": of_curve, "encode": of_rates, "prepare": of_rates,
         "parquet": of_rates}


def read():
    """[(result, its lines)], in the order of KINDS."""
    out = []
    for kind, lines in KINDS.items():
        path = f"{common.OUT}/{kind}.json"
        if os.path.exists(path):
            with open(path) as f:
                result = json.load(f)
            out.append((result, list(lines(result))))
    return out


def table(results):
    rows = [["what", "Skiff", "peer", "the peer's", "ratio", ""]]
    for _, lines in results:
        for n in lines:
            rows.append([n["what"], n["skiff"], n["peer"], n["theirs"], f"{n['ratio']:.2f}" if n["ratio"] else "", n["note"]])
    rows.insert(1, ["---"] * len(rows[0]))
    return "\n".join("| " + " | ".join(r) + " |" for r in rows) + "\n"


def plot(results):
    """Bars of the ratios, to a scale that ends at the largest, with a line at 1."""
    bars = [n for _, lines in results for n in lines if n["ratio"]]
    height, left, width = 24, 580, 380
    most = max([1.0, *(n["ratio"] for n in bars)])
    # A few ratios of tens would press all others together: the scale is of square roots then.
    place = (lambda v: width * v / most) if most <= 8 else (lambda v: width * (v / most) ** 0.5)
    one = left + place(1)
    out = [f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {left + width + 70} {height * (len(bars) + 2)}' {FAMILY}>",
           f"<rect width='100%' height='100%' fill='#ffffff'/><text x='{one:.1f}' y='16' text-anchor='middle' fill='{INK}'>1 (as the peer)</text>"]
    for i, n in enumerate(bars):
        y, size = height * (i + 1), place(n["ratio"])
        label = escape(f"{n['what'].rpartition(', ')[0]}{' memory' * n['what'].endswith('GB')}: {n['peer']}")
        out.append(f"<text x='{left - 8}' y='{y + 15}' text-anchor='end' fill='{INK}'>{label}</text>"
                   f"<rect x='{left}' y='{y + 3}' width='{size:.1f}' height='{height - 8}' fill='{GOOD if n['ratio'] >= 1 else BAD}'/>"
                   f"<text x='{left + size + 6:.1f}' y='{y + 15}' fill='{INK}'>{n['ratio']:.2f}</text>")
    out.append(f"<line x1='{one:.1f}' x2='{one:.1f}' y1='20' y2='{height * (len(bars) + 1)}' stroke='{FAINT}'/></svg>")
    return "\n".join(out) + "\n"


def main():
    results = read()
    if not results:
        sys.exit(f"bench: no results in {common.OUT}")
    text = table(results)
    head = "".join(f"{r['row']}: {r['when']}, {r['machine']}, load {r['load']:.1f} before it\n" for r, _ in results)
    for name, what in (("table.md", text + "\n" + head), ("plot.svg", plot(results))):
        with open(f"{common.OUT}/{name}", "w") as f:
            f.write(what)
    print(f"\n{text}\n{head}\n{common.OUT}/table.md, {common.OUT}/plot.svg")


main()
