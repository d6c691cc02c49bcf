"""Tokens equal to those of `tokenizers` and transformers.

    python tests/peers/test_tokenizer.py [NAME…]
                            env: SMOL  a Hugging Face folder of SmolLM2-135M-Instruct
                                 BUILD the build folder with tests/peers/token_dump (default build)
                                 TEXTS a folder of texts, each line one case (default data)
                                 COUNT random strings per vocabulary (default 20000; a tenth of them for most, but from 100000 on)
"""
import json
import os
import random
import subprocess
import sys
import tempfile

os.environ["TOKENIZERS_PARALLELISM"] = "true"
from tokenizers import Tokenizer  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

from tokenizer_cases import (COUNT, DUMP, FEWER, FIXTURES, FULL, NO_SPECIAL, ADD_SPECIAL, PLAIN, WORDS, all_characters, broken, check, compare,  # noqa: E402
                             compare_decoding, composed, dump, encode, finish, lines_of_chats, random_text)

NAMED = sys.argv[1:]                                    # of vocabularies; all of them
SMOL = os.environ.get("SMOL")
SMOL_GGUF = f"{FIXTURES}/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


def check_vocabulary(name, path, tokenizer, lines, seed, count=COUNT):
    rng = random.Random(seed)
    specials = [t.content for t in tokenizer.get_added_tokens_decoder().values()]
    texts = [random_text(rng, specials[:30] + specials[-30:]) for _ in range(count)]
    compare(f"{name}, lines of chats", path, tokenizer, lines)
    compare(f"{name}, random", path, tokenizer, texts)
    compare(f"{name}, broken UTF-8", path, tokenizer, [broken(rng, t) for t in texts])
    compare(f"{name}, special tokens as text", path, tokenizer, texts[: count // 4], NO_SPECIAL)
    compare(f"{name}, special tokens added", path, tokenizer, texts[: count // 4], ADD_SPECIAL)
    if count == COUNT:
        compare(f"{name}, every character", path, tokenizer, all_characters(FEWER if seed > 1 else 1))
    if tokenizer.normalizer is not None:
        compare(f"{name}, composed characters", path, tokenizer, composed(rng))
    compare_decoding(name, path, tokenizer, rng, texts[: count // 8])


def check_auto(name, folder, path, texts):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for flags in (PLAIN, ADD_SPECIAL):
        got = [g[0] for g in encode(path, texts, flags)]
        check(f"{name}: AutoTokenizer of what was saved{', special tokens added' if flags else ''}",
              got == tokenizer(texts, add_special_tokens=bool(flags))["input_ids"])


def check_speed(files):
    tokenizer = Tokenizer.from_file(f"{SMOL}/tokenizer.json")
    ours = float(subprocess.run([DUMP, "speed", SMOL, *files], capture_output=True, check=True).stdout)
    env = dict(os.environ, RAYON_NUM_THREADS="1")
    code = ("import sys, time\nfrom tokenizers import Tokenizer\nt = Tokenizer.from_file(sys.argv[1])\n"
            "lines = [l for f in sys.argv[2:] for l in open(f, encoding='utf-8')]\nsize = sum(len(l.encode()) for l in lines)\n"
            "best = 0\nfor _ in range(3):\n    a = time.time()\n    for l in lines: t.encode(l)\n"
            "    best = max(best, size / (time.time() - a))\nprint(best / 1e6)")
    theirs = float(subprocess.run([sys.executable, "-c", code, f"{SMOL}/tokenizer.json", *files], capture_output=True, check=True, env=env).stdout)
    check(f"speed on one thread: {ours:.1f} MB/s, tokenizers {theirs:.1f} MB/s", ours > theirs)
    del tokenizer


def main():
    files, lines = lines_of_chats()
    check("texts were found", len(lines) > 0, "set TEXTS")
    if SMOL and (not NAMED or "folder" in NAMED):
        check_vocabulary("SmolLM2 folder", SMOL, Tokenizer.from_file(f"{SMOL}/tokenizer.json"), lines, 1)
    check("SMOL is set", SMOL)
    vocabularies = [("SmolLM2", SMOL_GGUF)] + [(n, f"{FIXTURES}/vocab/ggml-vocab-{n}.gguf") for n in (
        "gpt-2", "llama-bpe", "qwen2", "falcon", "deepseek-llm", "deepseek-coder", "command-r", "starcoder", "mpt", "refact", "qwen35")]
    for seed, (name, path) in enumerate(vocabularies):
        if NAMED and name not in NAMED:
            continue
        with tempfile.TemporaryDirectory() as folder:
            dump("save", path, folder)
            tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
            check_vocabulary(name, path, tokenizer, lines, 100 + seed, COUNT if seed < 4 or COUNT >= FULL else COUNT // 10)
            rng = random.Random(seed)
            if name in ("SmolLM2", "llama-bpe", "qwen2"):
                with open(f"{folder}/config.json", "w") as f:
                    json.dump({"model_type": "qwen2" if name == "qwen2" else "llama"}, f)
                check_auto(name, folder, path, [random_text(rng, WORDS) for _ in range(2000)])
    if SMOL and files and not NAMED:
        check_speed(files)
    finish()


main()
