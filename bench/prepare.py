#!/usr/bin/env python3
"""Preparing data beside datasets.map: MB of uncompressed source a second, from .jsonl.gz of chats to a finished token cache.

    build/peers/bin/python bench/prepare.py [--mb 200] [--peer-mb 16] [--threads 2] [--folder build/prepare] [--runs 3] [--no-peer] [--template chatml]
    bench/prepare.py --make FILE --mb 5000          only writes chats (.gz in the name: compressed)

Environment: SKIFF, SMOL (SmolLM2 as transformers loads it), GGUF. The peer is what its users do: datasets.load_dataset("json"),
then map(apply_chat_template) with num_proc processes and the fast tokenizer, row by row and in batches; it writes an Arrow file."""
import argparse
import gzip
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import time

import common

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COMMON = """the of to and a in is it you that he was for on are with as his they be at one have this from or had by hot but some what there we can out
other were all your when up use word how said an each she which do their time if will way about many then them would write like so these her
long make thing see him two has look more day could go come did my sound no most number who over know water than call first people may down
side been now find any new work part take get place made live where after back little only round man year came show every good me give our
under name very through just form much great think say help low line before turn cause same mean differ move right boy old too does tell
sentence set three want air well also play small end put home read hand port large spell add even land here must big high such follow act
why ask men change went light kind off need house picture try us again animal point mother world near build self earth father head stand own
page should country found answer school grow study still learn plant cover food sun four thought let keep eye never last door between city
tree cross since hard start might story saw far sea draw left late run while press close night real life few stop open seem together next
white children begin got walk example ease paper often always music those both mark book letter until mile river car feet care second group
carry took rain eat room friend began idea fish mountain north once base hear horse cut sure watch colour face wood main enough plain girl
usual young ready above ever red list though feel talk bird soon body dog family direct pose leave song measure state product black short
numeral class wind question happen complete ship area half rock order fire south problem piece told knew pass farm top whole king size heard
best hour better true during hundred remember step early hold west ground interest reach fast five sing listen six table travel less morning
ten simple""".split()
SYLLABLES = """ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo yu zan ber cor dal fen gri hol ist jun kel lim mor nes
ost pra ru ster tion ing ous""".split()
CODE = ["for i in range(%d):\n    total += values[i] * %d\n", "if (count > %d) {\n\treturn result[%d];\n}\n",
        "SELECT name, size FROM files WHERE id = %d AND kind = %d;\n", "def step_%d(x):\n    '''Returns x + %d.'''\n    return x + 1\n"]
OTHER = ["Über die Brücke gehen zwei Männer.",
         "Où est la bibliothèque ?", "今日は天気がいいですね。", "Сегодня хорошая погода.", "¿Cuántos años tienes?", "🙂👍 1,234.56 €", "שלום עולם"]


class Maker:
    """Chats that look like those of instruction data sets: lengths, turns, lists, code and scripts vary; the seed decides all."""

    def __init__(self, seed):
        r = self.r = random.Random(seed)
        rare = ["".join(r.choices(SYLLABLES, k=r.randint(2, 4))) for _ in range(20000)]
        rare = [w.capitalize() if r.random() < 0.2 else w for w in rare]
        self.words = COMMON + rare
        weights = [1 / (i + 3) for i in range(len(COMMON))] + [0.1 / (i + 20) for i in range(len(rare))]
        total, self.sums = 0.0, []
        for w in weights:
            total += w
            self.sums.append(total)

    def sentence(self):
        r = self.r
        words = r.choices(self.words, cum_weights=self.sums, k=r.randint(5, 22))
        words[0] = words[0].capitalize()
        if r.random() < 0.3:
            words[len(words) // 2] += ","
        if r.random() < 0.15:
            words[-1] = str(r.randint(0, 99999))
        return " ".join(words) + r.choice(".....?!")

    def text(self, sentences):
        r, parts = self.r, []
        for _ in range(sentences):
            x = r.random()
            if x < 0.04:
                parts.append("\n```\n" + r.choice(CODE) % (r.randint(0, 99), r.randint(0, 9999)) + "```\n")
            elif x < 0.08:
                parts.append("\n%d. " % r.randint(1, 9) + self.sentence())
            elif x < 0.11:
                parts.append(r.choice(OTHER))
            elif x < 0.18:
                parts.append("\n\n" + self.sentence())
            else:
                parts.append(self.sentence())
        return " ".join(parts)

    def tools(self):
        r = self.r
        names = ["get_" + r.choice(self.words).lower() for _ in range(r.randint(1, 3))]
        return names, [{"type": "function", "function": {"name": n, "description": self.sentence(), "parameters": {
            "type": "object", "properties": {"city": {"type": "string"}, "count": {"type": "integer"}}, "required": ["city"]}}} for n in names]

    def row(self, number):
        r, messages, tools = self.r, [], []
        if r.random() < 0.4:
            messages.append({"role": "system", "content": self.text(r.randint(1, 4))})
        with_tools = r.random() < 0.1
        if with_tools:
            names, tools = self.tools()
        for _ in range(r.choice([1, 1, 1, 2, 2, 3, 4, 6])):
            messages.append({"role": "user", "content": self.text(r.choice([1, 1, 2, 3, 5, 12]))})
            if with_tools and r.random() < 0.6:
                call = {"name": r.choice(names), "arguments": json.dumps({"city": r.choice(self.words), "count": r.randint(1, 9)})}
                messages.append({"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": call}]})
                messages.append({"role": "tool", "content": json.dumps({"result": self.sentence(), "value": r.random()})})
            messages.append({"role": "assistant", "content": self.text(r.choice([1, 3, 6, 10, 18, 30]))})
        return {"id": "chat-%d" % number, "messages": messages, "tools": json.dumps(tools) if tools else ""}


def make(path, mb, seed=7):
    """Writes chats; past 200 MB of them, the same ones again: what is measured there is memory."""
    part, written, made = path + ".part", 0, []
    maker, number, once = Maker(seed), 0, 0
    with (gzip.open(part, "wb", compresslevel=6) if path.endswith(".gz") else open(part, "wb")) as out:
        while written < mb * 1e6:
            if once < 200e6:
                line = json.dumps(maker.row(number), ensure_ascii=number % 5 == 0).encode() + b"\n"
                number, once = number + 1, once + len(line)
                if mb > 200:
                    made.append(line)
                out.write(line)
                written += len(line)
            else:
                block = b"".join(made)
                out.write(block)
                written += len(block)
    os.rename(part, path)


def first_part(source, path, mb):
    size = 0
    with gzip.open(source, "rb") as lines, gzip.open(path, "wb", compresslevel=6) as out:
        for line in lines:
            if size + len(line) > mb * 1e6:
                break
            size += len(line)
            out.write(line)
    return size


def processor():
    """Seconds of processor time of this process and those that it waited for."""
    return sum(r.ru_utime + r.ru_stime for r in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def run_skiff(data, template, threads, folder):
    cache = os.path.join(folder, "cache")
    shutil.rmtree(cache, ignore_errors=True)
    command = [os.environ.get("SKIFF", os.path.join(HERE, "build/skiff")), "tokenize", data, "--model",
               os.environ.get("GGUF", os.path.join(HERE, "fixtures/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")), "--output", cache, "threads=%d" % threads]
    if template:
        command.append("chat_template=" + template)
    began, used = time.time(), processor()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.time() - began, processor() - used


def run_peer(data, threads, folder, batched, mask):
    import datasets
    from transformers import AutoTokenizer
    datasets.disable_progress_bars()
    tokenizer = AutoTokenizer.from_pretrained(os.environ.get("SMOL", os.path.join(HERE, "build/smollm2-hf")))
    if mask:
        plain = "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
        tokenizer.chat_template = tokenizer.chat_template.replace(plain, (
            "{{'<|im_start|>' + message['role'] + '\\n'}}{% if message['role'] == 'assistant' %}{% generation %}{{message['content'] + '<|im_end|>'}}"
            "{% endgeneration %}{% else %}{{message['content'] + '<|im_end|>'}}{% endif %}{{'\\n'}}"))
        assert "generation %}" in tokenizer.chat_template, "the template is another one"

    def one(row):
        made = tokenizer.apply_chat_template(row["messages"], tokenize=True, return_dict=True, return_assistant_tokens_mask=mask)
        return {k: made[k] for k in (("input_ids", "assistant_masks") if mask else ("input_ids",))}
    cache = os.path.join(folder, "arrow")
    shutil.rmtree(cache, ignore_errors=True)
    began, used = time.time(), processor()
    rows = datasets.load_dataset("json", data_files=data, split="train", cache_dir=cache)
    rows.map(one, num_proc=threads, batched=batched, remove_columns=rows.column_names)
    return time.time() - began, processor() - used


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--mb", type=float, default=200)
    a.add_argument("--peer-mb", type=float, default=16)
    a.add_argument("--threads", type=int, default=2)
    a.add_argument("--runs", type=int, default=3)
    a.add_argument("--folder", default=os.path.join(HERE, "build/prepare"))
    a.add_argument("--template", action="append")
    a.add_argument("--no-peer", action="store_true")
    a.add_argument("--make")
    o = a.parse_args()
    if o.make:
        return make(o.make, o.mb)
    os.makedirs(o.folder, exist_ok=True)
    data = os.path.join(o.folder, "chats-%d.jsonl.gz" % o.mb)
    if not os.path.exists(data):
        make(data, o.mb)
    with gzip.open(data, "rb") as f:
        size = sum(len(block) for block in iter(lambda: f.read(1 << 20), b""))
    rates = {}
    for template in o.template or ["", "chatml"]:
        if template == "chatml":            # which refuses tool calls: rows without
            data_of = os.path.join(o.folder, "plain-%d.jsonl.gz" % o.mb)
            if not os.path.exists(data_of):
                with gzip.open(data, "rb") as f, gzip.open(data_of + ".part", "wb", compresslevel=6) as out:
                    out.writelines(line for line in f if b'"tool_calls"' not in line)
                os.rename(data_of + ".part", data_of)
            with gzip.open(data_of, "rb") as f:
                size_of = sum(len(block) for block in iter(lambda: f.read(1 << 20), b""))
        else:
            data_of, size_of = data, size
        name = template or "the model's own"
        times = [run_skiff(data_of, template, o.threads, o.folder) for _ in range(o.runs)]
        seconds, used = min(times)
        rates[name] = size_of / seconds / 1e6
        print("skiff, template %-16s %8.1f MB/s   (%.2f s, %.2f of processors, for %.0f MB; %d runs: %s)" % (
            name, rates[name], seconds, used, size_of / 1e6, o.runs, " ".join("%.2f" % t for t, _ in times)), flush=True)
    print("peak memory of skiff: %.0f MB" % (resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3))
    if o.no_peer:
        return None
    part = os.path.join(o.folder, "part.jsonl.gz")
    part_size = first_part(data, part, o.peer_mb)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    best = 0
    for batched, mask in ((False, False), (True, False), (False, True)):
        seconds, used = run_peer(part, o.threads, o.folder, batched, mask)
        rate = part_size / seconds / 1e6
        best = max(best, rate)
        print("datasets.map %-10s %-14s %8.2f MB/s   (%.2f s, %.2f of processors, for %.0f MB)" % (
            "in batches" if batched else "by rows", "with its mask" if mask else "", rate, seconds, used, part_size / 1e6), flush=True)
    mine = rates.get("the model's own") or max(rates.values())
    print("skiff / datasets.map at its best: %.1f" % (mine / best))
    common.save("prepare", {"rows": [{"what": "preparing chats", "skiff": [mine], "peer": "datasets.map", "theirs": [best]}]})
    return None


if __name__ == "__main__":
    sys.exit(main())
