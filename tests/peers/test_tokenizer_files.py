"""Ids equal to those of the libraries that own the other kinds of vocabulary: SentencePiece (models trained here, and Mistral's v1 to
v7 through mistral-common), Tekken (mistral-common), tiktoken files of Llama 3 and 4 (llama-models), a folder with tokenizer.model
(transformers); and of what Skiff writes of them (transformers, tokenizers).

    python tests/peers/test_tokenizer_files.py          env as in tokenizer_cases.py; a tenth of COUNT strings per vocabulary, all
    of them from 100000 on
"""
import glob
import io
import json
import os
import random
import shutil
import sys
import tempfile

os.environ["TOKENIZERS_PARALLELISM"] = "true"
import sentencepiece as sp  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

from tokenizer_cases import (ADD_SPECIAL, COUNT, FIXTURES, FULL, NO_SPECIAL, PLAIN, WORDS, broken, check, compare_decoding, decode, difference,  # noqa: E402
                             dump, each_character, encode, finish, lines_of_chats, random_text)

NAMED = sys.argv[1:]
MISTRAL = f"{FIXTURES}/mistral"
MANY = COUNT if COUNT >= FULL else max(COUNT // 10, 100)


def wanted(name):
    return not NAMED or any(n in name for n in NAMED)


def compare_with(name, path, peer, texts, flags=NO_SPECIAL):
    """`peer` gives the ids of a string."""
    bad = ""
    for text, got in zip(texts, encode(path, texts, flags)):
        string = text.decode(errors="replace") if isinstance(text, bytes) else text
        bad = bad or difference(string, got, peer(string))
    check(f"{name}: {len(texts)} texts", not bad, bad[:600])


LONG = ["a" * 3000, " " * 1500, "ab" * 900, "é" * 900, "\u0301" * 900, "▁" * 999, "=" * 1000, "\n" * 500, " a" * 500]


def check_ids(name, path, peer, lines, rng, count=MANY):
    texts = ["", " ", "  ", " a", "a  b ", "▁", "▁▁a"] + [random_text(rng, WORDS + ["<s>", "</s>", "<unk>", "[INST]", "<0x0A>"]) for _ in range(count)]
    compare_with(f"{name}, random", path, peer, texts)
    compare_with(f"{name}, lines of chats", path, peer, lines)
    compare_with(f"{name}, broken UTF-8", path, peer, [broken(rng, t) for t in texts[: count // 4]])
    compare_with(f"{name}, each character", path, peer, each_character()[:: max(1, 4000 // max(count, 1))])
    compare_with(f"{name}, long", path, peer, LONG)


def check_decoded(name, path, peer, lists):
    got = decode(path, lists, True)
    bad = next((f"{i}: {g!r} for {peer(i)!r}" for i, g in zip(lists, got) if g != peer(i)), "")
    check(f"{name}, decoded: {len(lists)} lists", not bad, bad[:400])


def train(lines, **options):
    model = io.BytesIO()
    sp.SentencePieceTrainer.train(sentence_iterator=iter(lines), model_writer=model, minloglevel=2, max_sentence_length=100000, **options)
    return model.getvalue()


def trained():
    """Models of all kinds of normalization."""
    for kind in ("bpe", "unigram"):
        yield f"{kind} like Llama 2", dict(model_type=kind, byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False,
                                           vocab_size=1500, user_defined_symbols=["<|im_start|>", "<|im_end|>"])
        yield f"{kind} with spaces of the user", dict(model_type=kind, byte_fallback=True, vocab_size=1500, user_defined_symbols=["  ", "ab c", "\n"])
        yield f"{kind} by default", dict(model_type=kind, vocab_size=1000)
        yield f"{kind} at the end", dict(model_type=kind, vocab_size=1000, treat_whitespace_as_suffix=True)
        yield f"{kind} without a prefix", dict(model_type=kind, vocab_size=1200, add_dummy_prefix=False, byte_fallback=True,
                                               normalization_rule_name="nfkc_cf", user_defined_symbols=["<a>", "<a>b"])
        yield f"{kind} with few characters", dict(model_type=kind, vocab_size=300, character_coverage=0.98, split_digits=True,
                                                  split_by_whitespace=False, bos_id=-1, pad_id=3)


def check_trained(lines, rng):
    for name, options in trained():
        name = f"SentencePiece {name}"
        if not wanted(name):
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/any.model"
            bytes_of = train([line[:3000] for line in lines[:300]], **options)
            open(path, "wb").write(bytes_of)
            peer = sp.SentencePieceProcessor(model_proto=bytes_of)
            check_ids(name, path, peer.encode, lines[:300], rng)
            # `tokenizers` applies charsmaps by graphemes, and looks for the user's pieces before anything else.
            check_written(name, path, rng, lines[:300], 1 if "spaces of the user" in name else 0.05)


def check_written(name, path, rng, lines, exact=0.002):
    """The tokenizer.json of a SentencePiece model gives its ids: all but very few, where merges of one score meet."""
    with tempfile.TemporaryDirectory() as folder:
        dump("save", path, folder)
        peer = Tokenizer.from_file(f"{folder}/tokenizer.json")
        texts = [random_text(rng, WORDS) for _ in range(MANY // 4)] + lines
        for flags in (PLAIN, ADD_SPECIAL):
            got = [g[0] for g in encode(path, texts, flags)]
            want = [w.ids for w in peer.encode_batch_fast(texts, add_special_tokens=bool(flags))]
            other = [(t, g, w) for t, g, w in zip(texts, got, want) if g != w]
            check(f"{name}: {len(other)} of {len(texts)} texts other in the tokenizer.json written", len(other) <= exact * len(texts), str(other[:1])[:600])
            again = [g[0] for g in encode(folder, texts, flags)]
            check(f"{name}: its tokenizer.json read again", again == want)
        with open(f"{folder}/config.json", "w") as f:
            json.dump({"model_type": "llama"}, f)
        auto = AutoTokenizer.from_pretrained(folder)
        check(f"{name}: AutoTokenizer of what was saved", auto(texts[:200], add_special_tokens=False)["input_ids"] == [w.ids for w in
              peer.encode_batch_fast(texts[:200], add_special_tokens=False)])


def check_mistral(lines, rng):
    from mistral_common.tokens.tokenizers.sentencepiece import SentencePieceTokenizer
    from mistral_common.tokens.tokenizers.tekken import SpecialTokenPolicy, Tekkenizer

    files = sorted(glob.glob(f"{MISTRAL}/*"))
    check("Mistral's vocabularies are there", len(files) >= 7, MISTRAL)
    for path in files:
        base = os.path.basename(path)
        if not wanted(base):
            continue
        tekken = base.startswith("tekken")
        t = Tekkenizer.from_file(path) if tekken else SentencePieceTokenizer(path)
        check_ids(base, path, lambda s: t.encode(s, bos=False, eos=False), lines, rng, MANY)
        compare_with(f"{base}, begin of sentence", path, lambda s: t.encode(s, bos=True, eos=False), lines[:200], NO_SPECIAL | ADD_SPECIAL)
        lists = [t.encode(line, bos=True, eos=True) for line in lines[:300]]
        peer = (lambda i: t.decode(i, special_token_policy=SpecialTokenPolicy.IGNORE)) if tekken else t.decode
        check_decoded(base, path, peer, lists)
        special = encode(path, ["<s>[INST] hi [/INST]"])[0][0]
        check(f"{base}: special tokens are parsed where they may be", special[0] == t.bos_id)
        check_written(base, path, rng, lines[:200])


def check_llama(lines, rng):
    import llama_models.llama3.tokenizer as llama3
    import llama_models.llama4.tokenizer as llama4

    for name, module in (("llama3", llama3), ("llama4", llama4)):
        if not wanted(name):
            continue
        t = module.Tokenizer.get_instance()
        path = os.path.join(os.path.dirname(module.__file__), "tokenizer.model")
        check_ids(name, path, lambda s: t.encode(s, bos=False, eos=False), lines, rng, MANY)
        specials = list(t.special_tokens)
        texts = [random_text(rng, specials) for _ in range(MANY // 4)]
        compare_with(f"{name}, special tokens", path, lambda s: t.encode(s, bos=False, eos=False, allowed_special="all"), texts, PLAIN)
        compare_with(f"{name}, begin of text", path, lambda s: t.encode(s, bos=True, eos=False), texts[:200], NO_SPECIAL | ADD_SPECIAL)
        check(f"{name}: every special token", [g[0] for g in encode(path, specials)] == [[t.special_tokens[s]] for s in specials])
        lists = [t.encode(line, bos=False, eos=False) for line in lines[:300]]
        check_decoded(name, path, t.decode, lists)
        check_written(name, path, rng, lines[:200], 0)


def check_folders(lines, rng):
    """A Llama's folder with tokenizer.model but no tokenizer.json, as transformers reads it."""
    settings = [
        {}, {"legacy": False}, {"legacy": True}, {"add_bos_token": False}, {"add_eos_token": True}, {"add_prefix_space": False},
        {"added_tokens_decoder": {"0": {"content": "<unk>", "special": True}, "1": {"content": "<s>", "special": True},
                                  "2": {"content": "</s>", "special": True},
                                  "32000": {"content": "<|im_end|>", "special": True}, "32001": {"content": "<|x|>", "lstrip": True}}},
    ]
    for i, more in enumerate(settings):
        name = f"folder {json.dumps(more)[:60]}"
        if not wanted(name):
            continue
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(f"{MISTRAL}/tokenizer.model.v1", f"{folder}/tokenizer.model")
            config = {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", **more}
            json.dump(config, open(f"{folder}/tokenizer_config.json", "w"))
            json.dump({"model_type": "llama"}, open(f"{folder}/config.json", "w"))
            t = AutoTokenizer.from_pretrained(folder)
            texts = ["", " ", " a", "<s> a</s> b", "a <|im_end|> b <|x|>c"] + [random_text(rng, ["<s>", "</s>", "<unk>", "<|im_end|>", "<|x|>"])
                                                                              for _ in range(MANY // 8)] + lines[:200]
            for flags in (PLAIN, ADD_SPECIAL):
                compare_with(f"{name}{', special tokens added' if flags else ''}", folder,
                             lambda s: t(s, add_special_tokens=bool(flags))["input_ids"], texts, flags)
            compare_decoding(name, folder, t._tokenizer, rng, texts[: MANY // 8])
            with tempfile.TemporaryDirectory() as out:
                dump("save", folder, out)
                shutil.copy(f"{folder}/config.json", f"{out}/config.json")
                again = AutoTokenizer.from_pretrained(out)
                check(f"{name}: AutoTokenizer of what was saved", again(texts)["input_ids"] == t(texts)["input_ids"])


def check_gguf(lines, rng):
    """SentencePiece's vocabularies of GGUF files, and what is written of them; llama.cpp's own cases are in the unit tests."""
    for vocabulary in ("llama-spm", "phi-3", "baichuan"):
        name, path = f"GGUF {vocabulary}", f"{FIXTURES}/vocab/ggml-vocab-{vocabulary}.gguf"
        if wanted(name):
            check_written(name, path, rng, lines[:200])


def main():
    rng = random.Random(7)
    _, lines = lines_of_chats()
    lines = lines[:3000]
    check_trained(lines, rng)
    check_mistral(lines, rng)
    check_llama(lines, rng)
    check_folders(lines, rng)
    check_gguf(lines, rng)
    finish()


main()
