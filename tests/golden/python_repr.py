"""Writes tests/golden/python_repr.jsonl: values and what Python's str() makes of them, then the digest of the repr of every
character. To be run with Python 3.11 (Unicode 14), which python_repr.c is held to."""
import hashlib
import json
import sys
import unicodedata

assert unicodedata.unidata_version == "14.0.0", sys.version
values = [
    "", "plain", "it's", 'say "so"', "it's \"both\"", "back\\slash", "\n\r\t\x00\x01\x1f\x7f", "\x80\x9f\xa0\xad\xff", "é漢字🙂", "\u200b\u200d\u2028\u2029",
    "\u3000\ufeff\ufffd\uffff", "\U000e0001\U000f0000\U0010ffff", "\u0378\U0001fae8\U00031350", [], {}, [None, True, False],
    [0, -1, 10**18, -10**30, 1.0, -0.0, 0.1, 1e16, 1e22, 1e-4, 1e-5, 123456789.123, 5e-324, 1.7976931348623157e308],
    {"role": "user", "content": "q"}, [{"role": "user", "content": "don't"}, {"role": "assistant", "content": 'a"b'}],
    [{"it's": {"a": [1, [2, {"b": None}]]}}],
]
with open("tests/golden/python_repr.jsonl", "w", encoding="utf-8") as f:
    for value in values:
        f.write(json.dumps({"value": value, "repr": str([value])}) + "\n")
    every = "".join(repr(chr(c)) for c in range(0x110000) if not 0xD800 <= c < 0xE000)
    f.write(json.dumps({"every": hashlib.sha256(every.encode()).hexdigest()}) + "\n")
