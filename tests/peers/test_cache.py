"""skiff tokenize against transformers: a cache read by docs/cache.md alone holds the ids of apply_chat_template, whatever the file's
form, and its mask trains the answers. SKIFF is the program, SMOL the model whose tokenizer is used."""
import gzip
import hashlib
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
from transformers import AutoTokenizer  # noqa: E402

SKIFF = os.environ.get("SKIFF", "build/skiff")
SMOL = os.environ["SMOL"]
tokenizer = AutoTokenizer.from_pretrained(SMOL)
counts = [0, 0]


def check(name, ok, why=""):
    counts[0 if ok else 1] += 1
    print(("ok   " if ok else "FAIL ") + name + (f": {why}" if why and not ok else ""))


def read_shard(path):
    data = open(path, "rb").read()
    assert hashlib.sha256(data[:-64]).hexdigest().encode() == data[-64:], "digest"
    magic, version, vocab, key, index, rows, count, tokens, info_size, zero = struct.unpack_from("<8sII64sqqqqqq", data)
    assert (magic, version, zero) == (b"SKIFFTOK", 1, 0)
    at = 128

    def section(kind, n):
        nonlocal at
        out = struct.unpack_from(f"<{n}{kind}", data, at)
        at += struct.calcsize(f"<{n}{kind}")
        at += -at % 8
        return out
    offsets, source_rows, files = section("q", count + 1), section("q", count), section("i", count)
    ids, mask = section("i", tokens), section("B", tokens)
    info = json.loads(data[at:at + info_size])
    assert info["rows"] == rows and info["tokens"] == tokens and all(0 <= i < vocab for i in ids)
    for i in range(count):
        part = slice(offsets[i], offsets[i + 1])
        yield files[i], source_rows[i], list(ids[part]), list(mask[part])


def read_cache(folder):
    ledger = json.load(open(f"{folder}/ledger.json"))
    assert ledger["magic"] == "skiff token cache" and ledger["is_finished"]
    paths = [os.path.basename(s["path"]) for s in ledger["sources"]]
    return ledger, [(paths[f], row, ids, mask) for s in ledger["shards"] for f, row, ids, mask in read_shard(f"{folder}/{s['name']}")]


WORDS = "the harbour lies below. Über 漢字 🙂 \t\n\n  x=1; 'quoted' \"said\" don't I'LL 1234567 <b>".split(" ") + ["\n", "  "]


def words(r, n):
    return "A" + " ".join(r.choice(WORDS) for _ in range(n))


def chats(n):
    r = random.Random(5)
    for i in range(n):
        messages = [{"role": "system", "content": words(r, 5)}] if i % 3 == 0 else []
        for _ in range(1 + i % 3):
            messages += [{"role": "user", "content": words(r, r.randrange(1, 60))},
                         {"role": "assistant", "content": words(r, r.randrange(1, 90))}]
        yield messages


def lines(rows):
    return "".join(json.dumps(r, ensure_ascii=i % 2 == 0) + "\n" for i, r in enumerate(rows)).encode()


FROM = {"user": "human", "assistant": "gpt", "system": "system"}
SEVERAL = list(chats(400))
PAIRS = [m[-2:] for m in chats(200)]
def messages(rows):
    return lines({"messages": m} for m in rows)


def shared(m):
    return {"conversations": [{"from": FROM[x["role"]], "value": x["content"]} for x in m]}


def alpaca(m):
    return {"instruction": m[0]["content"], "input": "", "output": m[1]["content"]}


def question(m):
    return {"question": m[0]["content"], "answer": m[1]["content"]}


FILES = {
    "a.jsonl": (messages(SEVERAL), SEVERAL),
    "b.jsonl.gz": (gzip.compress(messages(SEVERAL[:100])) + gzip.compress(messages(SEVERAL[100:200])), SEVERAL[:200]),
    "c.json": (json.dumps([shared(m) for m in SEVERAL], indent=2).encode(), SEVERAL),
    "d.json.gz": (gzip.compress(json.dumps([alpaca(m) for m in PAIRS]).encode()), PAIRS),
    "e.jsonl": (lines(question(m) for m in PAIRS).replace(b"\n", b"\r\n"), PAIRS),
}


def expected_mask(ids):
    """After <|im_start|>assistant\\n, up to and with <|im_end|>. (No answer here begins with white space, which would join that \\n.)"""
    begin, end = tokenizer.encode("<|im_start|>assistant\n", add_special_tokens=False), tokenizer.convert_tokens_to_ids("<|im_end|>")
    mask, on, i = [0] * len(ids), False, 0
    while i < len(ids):
        if not on and ids[i:i + len(begin)] == begin:
            on, i = True, i + len(begin)
            continue
        mask[i] = int(on)
        on = on and ids[i] != end
        i += 1
    return mask


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/data")
        for name, (data, _) in FILES.items():
            open(f"{folder}/data/{name}", "wb").write(data)
        done = subprocess.run([SKIFF, "tokenize", f"{folder}/data", "--model", SMOL, "--output", f"{folder}/cache"], capture_output=True)
        check("tokenize", done.returncode == 0, done.stderr.decode())
        if done.returncode:
            return
        ledger, cache = read_cache(f"{folder}/cache")
        check("all rows", len(cache) == sum(len(m) for _, m in FILES.values()) == ledger["total_num_rows"], len(cache))
        for name, (_, rows) in FILES.items():
            mine = [(row, ids, mask) for file, row, ids, mask in cache if file == name]
            theirs = [tokenizer.apply_chat_template(m, tokenize=True, return_dict=True)["input_ids"] for m in rows]
            check(f"{name}: order and rows", [row for row, _, _ in mine] == list(range(1, len(rows) + 1)))
            check(f"{name}: ids of {len(rows)} conversations", [ids for _, ids, _ in mine] == theirs)
            check(f"{name}: masks", [mask for _, _, mask in mine] == [expected_mask(ids) for ids in theirs])


main()
print(f"{counts[0]} passed, {counts[1]} failed")
sys.exit(counts[1] > 0)
