# Writes the inputs of fuzz_sentencepiece and fuzz_tiktoken: small models trained here, and the same broken.
#     python fuzz/make_vocabularies.py          with sentencepiece, as tests/peers/requirements.txt has it
import base64
import io
import json
import os
import tempfile

import sentencepiece as sp

here = os.path.dirname(os.path.abspath(__file__))
TEXT = "the harbour  lies\tdown the hill <a>\u00e9\u0301 <s> \u2581x\n".encode()


def put(target, name, data, text=TEXT):
    os.makedirs(os.path.join(here, "corpus", target), exist_ok=True)
    with open(os.path.join(here, "corpus", target, name), "wb") as f:
        f.write(text + b"\n--\n" + data)


def train(rules=None, **options):
    model = io.BytesIO()
    lines = ["the harbour lies down the hill", "the hill lies over the harbour", "down the hill, over the water"] * 5
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as tsv:
        if rules:
            tsv.write(rules)
            tsv.flush()
            options["normalization_rule_tsv"] = tsv.name
        else:
            options["normalization_rule_name"] = "identity"
        sp.SentencePieceTrainer.train(sentence_iterator=iter(lines), model_writer=model, minloglevel=2, hard_vocab_limit=False, **options)
    return model.getvalue()


RULES = "41\t61\n42\t62 62\n65 301\tE9\n300\t\n9\t20\n"
for kind in ("bpe", "unigram"):
    put("sentencepiece", kind, train(model_type=kind, vocab_size=45))
    put("sentencepiece", f"{kind}_rules", train(RULES, model_type=kind, vocab_size=45, user_defined_symbols=["<a>", "  "]))
    put("sentencepiece", f"{kind}_suffix", train(model_type=kind, vocab_size=45, treat_whitespace_as_suffix=True, remove_extra_whitespaces=False))
    put("sentencepiece", f"{kind}_bytes", train(model_type=kind, vocab_size=300, byte_fallback=True, add_dummy_prefix=False))
whole = train(model_type="bpe", vocab_size=45)
put("sentencepiece", "cut", whole[: len(whole) // 2])
put("sentencepiece", "char", train(model_type="char", vocab_size=45))
put("sentencepiece", "twice", whole + whole)
put("sentencepiece", "long_part", b"\x0a\xff\xff\xff\x7f\x0a\x01a")

tokens = [bytes([b]) for b in range(256)] + [b"th", b"the", b" the", b"ll", b"ill", b"hill", b"  ", b"\xc3\xa9"]
lines = [base64.b64encode(t) + b" %d" % i for i, t in enumerate(tokens)]
put("tiktoken", "ranks", b"\n".join(lines) + b"\n")
put("tiktoken", "twice", b"\n".join(lines[:3] + lines[1:2]))
put("tiktoken", "no_rank", b"\n".join(lines[:3]) + b"\nYQ==")
put("tiktoken", "not_base64", b"YQ== 0\nY? 1\n")
put("tiktoken", "far", b"YQ== 0\nYg== 4000000\n")
PATTERN = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s+"


def tekken(specials=None, **config):
    config = {"pattern": PATTERN, "num_vocab_tokens": len(tokens), "default_vocab_size": len(tokens) + 3, "default_num_special_tokens": 3, "version": "v3",
              **config}
    vocab = [{"rank": i, "token_bytes": base64.b64encode(t).decode(), "token_str": None} for i, t in enumerate(tokens)]
    return json.dumps({"config": config, "vocab": vocab, **({"special_tokens": specials} if specials else {})}).encode()


put("tiktoken", "tekken", tekken())
put("tiktoken", "tekken_specials", tekken([{"rank": 1, "token_str": "<s>", "is_control": True}, {"rank": 0, "token_str": "<a>", "is_control": True}]))
put("tiktoken", "tekken_small", tekken(default_vocab_size=300))
put("tiktoken", "tekken_pattern", tekken(pattern="(a*)*b"))
