"""Makes tests/golden/tokenizer.jsonl: ids and texts as `tokenizers` gives them for the vocabularies of the fixtures.

    python tests/golden/make_tokenizer.py SKIFF_SAVED > tests/golden/tokenizer.jsonl

SKIFF_SAVED holds the folders smollm2, gpt-2, llama-bpe and qwen2, each with a tokenizer.json of that vocabulary.
"""
import json
import random
import sys

from tokenizers import Tokenizer

WORDS = [
    "don't", "I'LL", "we'Ve", "'S", "it\u017f'\u017f", "O'Neil", " hello", " World", "123", "12345678", "  ", "   ", "\n", "\r\n",
    "\t", " \n ", "\u3000", "\u00a0", "\u0085", "\u180e", "\u200d", "👨‍👩‍👧", "🇩🇪", "é", "e\u0301", "\u0323\u0301", "한국어", "日本語",
    "२३४", "①", "Ⅷ", "½", "...", "!!!", "<", "|>", "__x__", "a" * 40, "$5.00", "\ufeff", "\u212b", "ß", "क्षि", "ไทย", "עברית",
    "\x13", "\x00", "<|im_end|>", "<|eot_id|>", "<|endoftext|>", "<|im_", "\U00011383", "\U0001ccf0",
]


def main(folder):
    rng = random.Random(7)
    for name in ("smollm2", "gpt-2", "llama-bpe", "qwen2"):
        tokenizer = Tokenizer.from_file(f"{folder}/{name}/tokenizer.json")
        for number in range(60):
            text = "".join(rng.choice(WORDS) for _ in range(rng.randint(1, 9)))
            if number % 3 == 0:
                text = "".join(chr(rng.choice([rng.randrange(32, 127), rng.randrange(0xA0, 0x3000)])) for _ in range(12)) + text
            tokenizer.encode_special_tokens = number % 4 == 1
            ids = tokenizer.encode(text, add_special_tokens=number % 4 == 2).ids
            case = {"vocab": name, "flags": {0: 0, 1: 2, 2: 1, 3: 0}[number % 4], "text": text, "ids": ids,
                    "decoded": tokenizer.decode(ids, skip_special_tokens=False),
                    "skipped": tokenizer.decode(ids, skip_special_tokens=True)}
            print(json.dumps(case, ensure_ascii=True))


main(sys.argv[1])
