"""Skiff's tokenizer beside Hugging Face's `tokenizers`: the same texts, one thread each, in one run; and the same ids.

    python bench/encode.py                    env: MB     megabytes of text per vocabulary (default 200)
                                                     TEXTS  a folder of .json and .jsonl chats to mix from (default data/quickstart)
                                                     BUILD  the build folder (default build); make builds what is missing
                                                     VOCABS names of the vocabularies below, comma-separated (default all)

Times are those of the thread, opening and reading apart. `tokenizers` encodes text by text (`encode`), and a part of them as batches of one (`encode_batch`).
"""
import glob
import json
import os
import subprocess
import sys
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
import common  # noqa: E402
import numpy  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

BUILD = os.environ.get("BUILD", "build")
MB = float(os.environ.get("MB", "200"))
TEXTS = os.environ.get("TEXTS", "data/quickstart")
VOCABS = {
    "SmolLM2": ("fixtures/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", "chatml"),
    "Llama-3": ("fixtures/vocab/ggml-vocab-llama-bpe.gguf", "llama3"),
    "Qwen2": ("fixtures/vocab/ggml-vocab-qwen2.gguf", "chatml"),
}
DEFAULT = "SmolLM2,Llama-3"
ROWS = []


def records(path):
    data, at, texts = open(path, "rb").read(), 0, []
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "little")
        texts.append(data[at + 4 : at + 4 + size].decode())
        at += 4 + size
    return texts


def same_ids(path, lists):
    """Whether the file of bench_encode holds these ids; the number of the first text that differs."""
    ids, at = numpy.memmap(path, dtype=numpy.int32, mode="r"), 0
    for number, want in enumerate(lists):
        count = int(ids[at])
        if count != len(want) or not numpy.array_equal(ids[at + 1 : at + 1 + count], want):
            return number
        at += 1 + count
    return None


def theirs(tokenizer, texts):
    """Seconds of `encode` over all texts and of `encode_batch` over the first tenth, and the ids."""
    ids, spent = [], 0.0
    for text in texts:
        start = time.thread_time()
        encoding = tokenizer.encode(text, add_special_tokens=False)
        spent += time.thread_time() - start
        ids.append(numpy.array(encoding.ids, dtype=numpy.int32))
    part = texts[: max(1, len(texts) // 10)]
    start = time.thread_time()
    for text in part:
        tokenizer.encode_batch([text], add_special_tokens=False)
    return spent, time.thread_time() - start, part, ids


def ours(path, texts, ids=()):
    run = subprocess.run([f"{BUILD}/bench/bench_encode", path, texts, "3", *ids], capture_output=True, check=True, text=True)
    return json.loads(run.stdout)


def compare(name, folder, seeds):
    path, form = VOCABS[name]
    texts_path, ids_path = f"{folder}/texts", f"{folder}/ids"
    subprocess.run([f"{BUILD}/bench/chat_text", str(MB), form, texts_path, *seeds], check=True)
    subprocess.run([f"{BUILD}/tests/peers/token_dump", "save", path, folder], check=True)
    texts = records(texts_path)
    before = ours(path, texts_path)
    spent, batch_spent, part, ids = theirs(Tokenizer.from_file(f"{folder}/tokenizer.json"), texts)
    after = ours(path, texts_path, [ids_path])
    different = same_ids(ids_path, ids)
    size = sum(len(t.encode()) for t in texts)
    words = len({w for t in texts for w in t.split()})
    encode, batch = size / spent / 1e6, sum(len(t.encode()) for t in part) / batch_spent / 1e6
    first, again = before["first_mb_per_s"], after["mb_per_s"]
    print(f"{name}: {size / 1e6:.0f} MB, {len(texts)} chats, {words} different words, {size / before['tokens']:.2f} bytes a token")
    print(f"  skiff        {first:7.1f} MB/s at first, {max(again, before['mb_per_s']):.1f} at best; opened in {before['open_ms']:.0f} ms")
    print(f"  tokenizers   {encode:7.1f} MB/s encode, {batch:.1f} encode_batch of one")
    print(f"  ratio        {first / encode:7.1f} to encode, {first / batch:.1f} to encode_batch; ids "
          + ("equal" if different is None else f"DIFFER in text {different}"), flush=True)
    ROWS.append({"what": f"encoding, {name}", "skiff": [first], "peer": "tokenizers", "theirs": [max(encode, batch)]})
    return different is None


def main():
    seeds = sorted(glob.glob(f"{TEXTS}/*.json") + glob.glob(f"{TEXTS}/*.jsonl"))
    programs = [f"{BUILD}/bench/chat_text", f"{BUILD}/bench/bench_encode", f"{BUILD}/tests/peers/token_dump"]
    subprocess.run(["make", "-s", f"B={BUILD}", *programs], check=True)
    ok = True
    for name in os.environ.get("VOCABS", DEFAULT).split(","):
        with tempfile.TemporaryDirectory() as folder:
            ok &= compare(name, folder, seeds)
    common.save("encode", {"rows": ROWS})
    sys.exit(not ok)


main()
