"""Cases for the tokenizers' tests, and the program under test seen from Python.

    env: BUILD the build folder with tests/peers/token_dump (default build)
         TEXTS a folder of texts, each line one case (default data)
         COUNT random strings per vocabulary (default 20000)
"""
import functools
import glob
import os
import struct
import subprocess
import unicodedata

import numpy

BUILD = os.environ.get("BUILD", "build")
DUMP = os.path.join(BUILD, "tests/peers/token_dump")
COUNT = int(os.environ.get("COUNT", "20000"))
FULL = 100000                                           # from so many on nothing is done with fewer
FIXTURES = "fixtures"
PLAIN, ADD_SPECIAL, NO_SPECIAL = 0, 1, 2

passed = failed = 0


def check(name, ok, detail=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    print(f"{'ok  ' if ok else 'FAIL'} {name}{': ' + detail if detail and not ok else ''}", flush=True)


def dump(*arguments, records=()):
    data = b"".join(struct.pack("<I", len(r)) + r for r in records)
    run = subprocess.run([DUMP, *arguments], input=data, capture_output=True, check=False)
    if run.returncode:
        raise RuntimeError(run.stderr.decode()[-500:])
    return run.stdout


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def encode(path, texts, flags=PLAIN):
    """Of each text the ids, and the first token whose place is not behind the one before and within the text (None)."""
    values, at, result = numpy.frombuffer(dump("encode", path, str(flags), records=[as_bytes(t) for t in texts]), dtype=numpy.int32), 0, []
    for _ in texts:
        end = at + 2 + int(values[at])
        result.append((values[at + 2 : end].tolist(), None if values[at + 1] < 0 else int(values[at + 1])))
        at = end
    return result


def decode(path, lists, skip):
    out, at, result = dump("decode", path, str(int(skip)), records=[struct.pack(f"<{len(i)}i", *i) for i in lists]), 0, []
    for _ in lists:
        (n,) = struct.unpack_from("<I", out, at)
        result.append(out[at + 4 : at + 4 + n].decode())
        at += 4 + n
    return result


WORDS = [
    "don't", "I'LL", "we'Ve", "'S", "'s", "'re", "'D", "'\u017f", "O'Neil", " hello", " World", "123", "12345678", "  ", "   ", "\n", "\r\n",
    "\n\n", "\t", " \n ", "\u3000", "\u00a0", "\u0085", "\u180e", "\u200b", "\u200d", "👨\u200d👩\u200d👧", "🇩🇪", "é", "e\u0301", "한국어", "ㄱ",
    "日本語のテスト", "中文字符", "२३४", "①②", "Ⅷ", "½", "²", "...", "!!!", "---", "<", "|>", "<|", "__x__", "a" * 30, "$5.00", "C++",
    "\ufeff", "\u212a", "ﬁ", "ß", "İ", "a\u0300\u0301b", "\u0b95\u0bca", "क्षि", "ไทยภาษา", "العربية", "עברית", "\x00", "\x13", "\x06",
]
RANGES = [
    (0x20, 0x7F), (0x20, 0x7F), (0x20, 0x7F), (0, 0x20), (0x80, 0x100), (0x100, 0x250), (0x300, 0x370), (0x370, 0x530), (0x590, 0x700),
    (0x900, 0xA00), (0xE00, 0xE80), (0x1100, 0x1200), (0x1E00, 0x2000), (0x2000, 0x2070), (0x2070, 0x2200), (0x2400, 0x2500),
    (0x3000, 0x3100), (0x3400, 0x3500), (0x4E00, 0x9FFF), (0xAC00, 0xD7A4), (0xF900, 0xFB00), (0xFE00, 0xFF00), (0xFF00, 0xFFFF),
    (0x10000, 0x11000), (0x1100, 0x11FFF), (0x1D100, 0x1D7FF), (0x1F000, 0x1FB00), (0x20000, 0x20100), (0xE0000, 0xE0200),
]


def random_text(rng, specials):
    parts = []
    for _ in range(rng.randint(1, 12)):
        r = rng.random()
        if r < 0.35:
            parts.append(rng.choice(WORDS))
        elif r < 0.45:
            parts.append(rng.choice(specials))
        elif r < 0.5:
            parts.append(rng.choice(specials)[: rng.randint(0, 12)])
        elif r < 0.6:
            parts.append(rng.choice(" \n\t\r") * rng.randint(1, 5))
        elif r < 0.7:
            parts.append("".join(rng.choice("0123456789") for _ in range(rng.randint(1, 7))))
        else:
            low, high = rng.choice(RANGES)
            chars = (rng.randrange(low, high) for _ in range(rng.randint(1, 6)))
            parts.append("".join(chr(c) for c in chars if not 0xD800 <= c < 0xE000))
    return "".join(parts)


def broken(rng, text):
    data = bytearray(text.encode() or b"x")
    for _ in range(rng.randint(1, 4)):
        at, kind = rng.randrange(len(data)), rng.random()
        if kind < 0.4:
            data[at] = rng.randrange(256)
        elif kind < 0.7 and len(data) > 1:
            del data[at]
        else:
            data.insert(at, rng.choice([0xFF, 0xC0, 0xED, 0xA0, 0x80, 0xF0, 0xF4, 0xE2]))
    return bytes(data)


PART = 5000                                             # texts at a time: what the peer makes of them is large


def difference(text, got, want):
    """What is wrong about the tokens of a text; nothing if they are those of the peer."""
    if got[0] != want:
        return f"{text!r}: {got[0]} for {want}"
    return f"{text!r}: place of token {got[1]}" if got[1] is not None else ""


def compare(name, path, tokenizer, texts, flags=PLAIN):
    strings = [t.decode(errors="replace") if isinstance(t, bytes) else t for t in texts]
    tokenizer.encode_special_tokens = bool(flags & NO_SPECIAL)
    ours, bad = encode(path, texts, flags), ""
    for at in range(0, len(texts), PART):
        want = tokenizer.encode_batch_fast(strings[at : at + PART], add_special_tokens=bool(flags & ADD_SPECIAL))
        for string, got, w in zip(strings[at : at + PART], ours[at : at + PART], want):
            bad = bad or difference(string, got, w.ids)
    tokenizer.encode_special_tokens = False
    check(f"{name}: {len(texts)} texts", not bad, bad[:600])


def compare_decoding(name, path, tokenizer, rng, texts):
    lists = [e.ids for e in tokenizer.encode_batch_fast(texts)]
    known = [i for i in range(tokenizer.get_vocab_size()) if tokenizer.id_to_token(i) is not None]
    lists += [[rng.choice(known) for _ in range(rng.randint(0, 30))] for _ in range(len(texts))]
    for skip in (False, True):
        want = tokenizer.decode_batch(lists, skip_special_tokens=skip)
        check(f"{name}: decode{' without special tokens' if skip else ''}", decode(path, lists, skip) == want)


FEWER = 1 if COUNT >= 20000 else 64                     # for characters() below


@functools.cache
def characters(size, step):
    """Each character once, in runs of `size`. Planes 4 to 13 have none assigned yet and 15 and 16 are private, all of one class: of these
    every `step`th run, and the first and the last, which has the two that are no characters."""
    planes = (range(p << 16, (p + 1) << 16, size) for p in range(17))
    starts = (at for p, runs in enumerate(planes) for at in ([*runs[::step], runs[-1]] if step > 1 and p > 3 and p != 14 else runs))
    runs = ([chr(c) for c in range(at, at + size) if not 0xD800 <= c < 0xE000] for at in starts)
    return [r for r in runs if r]


@functools.cache
def all_characters(step=1):
    """Each several times, beside other characters."""
    return [" a".join(r) + "1'" + "x".join(r) + "! ".join(r) for r in characters(16, step)]


@functools.cache
def each_character(step=1):
    """Each once, half of them as words of their own."""
    return [("a" if i % 2 else " ").join(r) for i, r in enumerate(characters(64, step))]


@functools.cache
def marks_and_bases():
    marks = [chr(c) for c in range(0x300, 0x20000) if unicodedata.category(chr(c))[0] == "M"] + [chr(c) for c in range(0x1100, 0x1200)]
    bases = [chr(c) for r in ((0x41, 0x5B), (0xC0, 0x250), (0x370, 0x400), (0x1E00, 0x2000), (0x2100, 0x2140), (0xAC00, 0xAD00),
                              (0xF900, 0xFA6D), (0x1D150, 0x1D170), (0x915, 0x940)) for c in range(*r)]
    return marks, bases


def composed(rng, count=COUNT):
    marks, bases = marks_and_bases()
    return ["".join(rng.choice(bases) + "".join(rng.choice(marks) for _ in range(rng.choice([0, 0, 1, 1, 2, 3])))
                    for _ in range(rng.randint(1, 5))) for _ in range(count)]


def lines_of_chats():
    files = sorted(glob.glob(os.environ.get("TEXTS", "data/**/*.json*").rstrip("/") + ("/*" if os.environ.get("TEXTS") else ""), recursive=True))
    return files, [line for name in files for line in open(name, encoding="utf-8")]


def finish():
    print(f"{passed} passed, {failed} failed")
    raise SystemExit(failed > 0)
