"""Every model, normalizer, pre-tokenizer, post-processor and decoder of tokenizer.json as `tokenizers` has them: small models are
trained here, put together with each of the parts, and their ids, places and texts compared.

    python tests/peers/test_tokenizer_parts.py          env as in tokenizer_cases.py; a tenth of COUNT strings
    per model, a hundredth per part; COUNT from 100000 on is the full run: all of them per model, a tenth per part
"""
import json
import os
import random
import sys
import tempfile

os.environ["TOKENIZERS_PARALLELISM"] = "true"
from tokenizers import AddedToken, Regex, Tokenizer, decoders as D, models as M, normalizers as N  # noqa: E402
from tokenizers import pre_tokenizers as P, processors as X, trainers as T  # noqa: E402

from tokenizer_cases import (ADD_SPECIAL, COUNT, FEWER, FULL, NO_SPECIAL, PLAIN, WORDS, each_character, check, compare, compare_decoding,  # noqa: E402
                             composed, dump, finish, lines_of_chats, random_text)

MANY = COUNT if COUNT >= FULL else max(COUNT // 10, 100)
FEW = max(MANY // 10, 100)
BYTES = [f"<0x{b:02X}>" for b in range(256)]
SPECIALS = ["<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"]
NAMED = sys.argv[1:]
FOLDER = tempfile.TemporaryDirectory()


def charsmap():
    """A precompiled charsmap of SentencePiece's nmt_nfkc rules, in base64, from a model trained here."""
    import base64
    import io

    import sentencepiece as sp
    from sentencepiece import sentencepiece_model_pb2 as pb

    model = io.BytesIO()
    sp.SentencePieceTrainer.train(sentence_iterator=iter(["a b c d e f g"] * 20), model_writer=model, vocab_size=12, model_type="bpe",
                                  normalization_rule_name="nmt_nfkc", minloglevel=2)
    proto = pb.ModelProto.FromString(model.getvalue())
    return base64.b64encode(proto.normalizer_spec.precompiled_charsmap).decode()


def train(model, trainer, lines, normalizer=None, pre=None):
    t = Tokenizer(model)
    if normalizer:
        t.normalizer = normalizer
    if pre:
        t.pre_tokenizer = pre
    t.train_from_iterator(lines, trainer)
    return t


def models(lines):
    """Small models of all kinds, each with the parts that real ones have around it."""
    spaces = N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")])
    t = train(M.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True),
              T.BpeTrainer(vocab_size=2000, special_tokens=SPECIALS + BYTES, show_progress=False), lines, None, P.Metaspace(split=True))
    t.pre_tokenizer, t.normalizer = None, spaces
    t.decoder = D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse(), D.Strip(" ", 1, 0)])
    t.post_processor = X.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    yield "BPE like Llama 2", t
    t = Tokenizer.from_str(t.to_str())
    t.normalizer, t.pre_tokenizer = N.NFC(), P.Metaspace(prepend_scheme="first", split=False)
    yield "BPE, Metaspace first", t
    for fuse in (False, True):
        t = train(M.BPE(unk_token="<unk>", fuse_unk=fuse), T.BpeTrainer(vocab_size=600, special_tokens=SPECIALS, show_progress=False), lines,
                  N.Lowercase(), P.Whitespace())
        yield f"BPE with unknown characters{', fused' if fuse else ''}", t
    t = train(M.BPE(), T.BpeTrainer(vocab_size=600, special_tokens=SPECIALS, show_progress=False), lines, None, P.WhitespaceSplit())
    yield "BPE without an unknown token", t
    t = train(M.BPE(unk_token="<unk>", continuing_subword_prefix="##", end_of_word_suffix="</w>"),
              T.BpeTrainer(vocab_size=900, special_tokens=SPECIALS, continuing_subword_prefix="##", end_of_word_suffix="</w>",
                           show_progress=False), lines, N.NFKC(), P.BertPreTokenizer())
    t.decoder = D.BPEDecoder("</w>")
    yield "BPE with prefix and suffix", t
    t = train(M.BPE(unk_token="<unk>", end_of_word_suffix="</w>", byte_fallback=True),
              T.BpeTrainer(vocab_size=1200, special_tokens=SPECIALS + BYTES, end_of_word_suffix="</w>", show_progress=False), lines, None,
              P.Whitespace())
    yield "BPE with suffix and bytes", t
    t = train(M.BPE(), T.BpeTrainer(vocab_size=800, special_tokens=SPECIALS, initial_alphabet=P.ByteLevel.alphabet(), show_progress=False), lines,
              None, P.ByteLevel())
    t.decoder, t.post_processor = D.ByteLevel(), X.RobertaProcessing(("</s>", 2), ("<s>", 1))
    yield "byte-level BPE", t
    t = Tokenizer.from_str(t.to_str())
    t.normalizer, t.pre_tokenizer = N.ByteLevel(), P.Split(Regex("Ġ?[^Ġ]+"), "isolated")
    yield "byte-level BPE by its normalizer", t
    data = json.loads(t.to_str())
    data["model"]["ignore_merges"], data["normalizer"] = True, None
    data["pre_tokenizer"] = json.loads(P.ByteLevel(add_prefix_space=False).__getstate__())
    yield "byte-level BPE, whole words first", Tokenizer.from_str(json.dumps(data))
    for fallback in (False, True):
        t = train(M.Unigram(), T.UnigramTrainer(vocab_size=1500, special_tokens=SPECIALS + (BYTES if fallback else []), unk_token="<unk>",
                                                show_progress=False), lines, N.NFKC(), P.Metaspace())
        data = json.loads(t.to_str())
        data["model"]["byte_fallback"] = fallback
        t = Tokenizer.from_str(json.dumps(data))
        t.decoder = D.Sequence([D.ByteFallback(), D.Metaspace()]) if fallback else D.Metaspace()
        yield f"Unigram{' with bytes' if fallback else ''}", t
    t = Tokenizer.from_str(t.to_str())
    t.normalizer = N.Sequence([N.Precompiled(__import__("base64").b64decode(charsmap())), N.Strip(left=False, right=True), N.Replace(Regex(" {2,}"), "▁")])
    t.pre_tokenizer = P.Metaspace(prepend_scheme="first")
    yield "Unigram like T5", t
    t.pre_tokenizer = P.Sequence([P.WhitespaceSplit(), P.Metaspace()])
    yield "Unigram like XLM-R", t
    t = train(M.WordPiece(unk_token="<unk>"), T.WordPieceTrainer(vocab_size=900, special_tokens=SPECIALS, show_progress=False), lines,
              N.BertNormalizer(), P.BertPreTokenizer())
    t.decoder, t.post_processor = D.WordPiece(), X.BertProcessing(("</s>", 2), ("<s>", 1))
    yield "WordPiece like BERT", t
    t = train(M.WordLevel(unk_token="<unk>"), T.WordLevelTrainer(vocab_size=900, special_tokens=SPECIALS, show_progress=False), lines,
              N.Lowercase(), P.Whitespace())
    yield "WordLevel", t


def normalizers():
    yield from ((f"normalizer {n}", getattr(N, n)()) for n in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Strip", "StripAccents", "Nmt", "ByteLevel"))
    for clean in (False, True):
        for chinese in (False, True):
            for accents in (None, False, True):
                for lower in (False, True):
                    yield f"BertNormalizer {clean} {chinese} {accents} {lower}", N.BertNormalizer(clean, chinese, accents, lower)
    yield "Strip left", N.Strip(left=True, right=False)
    yield "Strip right", N.Strip(left=False, right=True)
    yield "Prepend", N.Prepend("▁x")
    yield "Replace", N.Replace("a", "bä")
    yield "Replace by nothing", N.Replace("an", "")
    yield "Replace a pattern", N.Replace(Regex(r"\s+|(?<=a)b|x*"), "_")
    yield "Sequence", N.Sequence([N.NFD(), N.StripAccents(), N.Lowercase(), N.Replace(Regex("[0-9]"), "#"), N.Prepend("▁"), N.NFC()])
    yield "Precompiled", N.Precompiled(__import__("base64").b64decode(charsmap()))


def pre_tokenizers():
    for scheme in ("always", "first", "never"):
        for split in (False, True):
            yield f"Metaspace {scheme} {split}", P.Metaspace(prepend_scheme=scheme, split=split)
    behaviours = ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous")
    for behaviour in behaviours:
        yield f"Punctuation {behaviour}", P.Punctuation(behaviour)
        for invert in (False, True):
            yield f"Split {behaviour} {invert}", P.Split(" ", behaviour, invert)
            yield f"Split pattern {behaviour} {invert}", P.Split(Regex(r"\w+|\s*"), behaviour, invert)
    for name in ("Whitespace", "WhitespaceSplit", "BertPreTokenizer", "UnicodeScripts"):
        yield name, getattr(P, name)()
    yield "Digits", P.Digits(False)
    yield "Digits one by one", P.Digits(True)
    yield "CharDelimiterSplit", P.CharDelimiterSplit("e")
    yield "FixedLength", P.FixedLength(3)
    yield "ByteLevel", P.ByteLevel(add_prefix_space=True, use_regex=True)
    yield "ByteLevel, then more", P.Sequence([P.ByteLevel(add_prefix_space=False, use_regex=False), P.Digits(True), P.Split("Ã", "isolated")])
    yield "Sequence", P.Sequence([P.Digits(True), P.Punctuation(), P.Metaspace(), P.FixedLength(4)])


def decoders():
    yield "ByteLevel", D.ByteLevel()
    for scheme in ("always", "first", "never"):
        yield f"Metaspace {scheme}", D.Metaspace(prepend_scheme=scheme)
    yield "ByteFallback", D.ByteFallback()
    yield "Fuse", D.Fuse()
    yield "Strip", D.Sequence([D.Fuse(), D.Strip("▁", 2, 0)])
    yield "Replace", D.Replace("▁", "  ")
    yield "Replace a pattern", D.Replace(Regex("[a-e]+|x*"), "_")
    yield "WordPiece", D.WordPiece("##", False)
    yield "WordPiece, cleaned", D.WordPiece("▁", True)
    yield "BPEDecoder", D.BPEDecoder("e")
    yield "CTC", D.CTC("<unk>", "▁", True)
    yield "CTC as it is", D.CTC("<unk>", "▁", False)
    yield "Sequence", D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse(), D.Strip(" ", 1, 0)])
    yield "none", None


def processors():
    pair = [("<s>", 1), ("</s>", 2)]
    yield "TemplateProcessing", X.TemplateProcessing(single="<s> <s> $A </s>", special_tokens=pair)
    yield "BertProcessing", X.BertProcessing(("</s>", 2), ("<s>", 1))
    yield "RobertaProcessing", X.RobertaProcessing(("</s>", 2), ("<s>", 1))
    yield "ByteLevel", X.ByteLevel()
    yield "Sequence", X.Sequence([X.ByteLevel(), X.TemplateProcessing(single="$A </s>", special_tokens=pair)])


ADDED = [
    AddedToken("<|a|>", special=True), AddedToken("[left]", lstrip=True), AddedToken("[right]", rstrip=True),
    AddedToken("word", single_word=True, normalized=False), AddedToken("Ünïcode", normalized=True), AddedToken("ab cd", normalized=True),
    AddedToken("Ab", normalized=False, lstrip=True, rstrip=True), AddedToken("é", normalized=True, special=True),
]


def saved(t, name):
    path = os.path.join(FOLDER.name, "".join(c if c.isalnum() else "_" for c in name) + ".json")
    t.save(path)
    return path


def texts_of(rng, specials, count):
    return ["", " ", "   "] + [random_text(rng, specials) for _ in range(count)]


def check_all(name, t, rng, lines, count, everything=False):
    if NAMED and not any(n in name for n in NAMED):
        return
    path = saved(t, name)
    specials = [a.content for a in t.get_added_tokens_decoder().values()]
    texts = texts_of(rng, specials, count)
    compare(f"{name}, random", path, t, texts)
    compare(f"{name}, special tokens as text", path, t, texts[: count // 4], NO_SPECIAL)
    compare(f"{name}, special tokens added", path, t, texts[: count // 4], ADD_SPECIAL)
    if everything:
        compare(f"{name}, lines of chats", path, t, lines)
        compare(f"{name}, every character", path, t, each_character())
        compare(f"{name}, long", path, t, ["a" * 2000, " " * 1500, "ab" * 900, "é" * 900, "\u0301" * 900, "<s>" * 200, "▁" * 999])
    compare_decoding(name, path, t, rng, texts[: count // 4])


def check_saved(name, t, rng):
    """What Skiff writes of a tokenizer.json is the file itself."""
    if NAMED and not any(n in name for n in NAMED):
        return
    path = saved(t, name)
    with tempfile.TemporaryDirectory() as folder:
        dump("save", path, folder)
        check(f"{name}: saved as it was", open(path).read() == open(f"{folder}/tokenizer.json").read())


def main():
    rng = random.Random(1)
    _, lines = lines_of_chats()
    lines = lines[:3000]
    base = None
    for name, t in models(lines):
        base = base or t
        check_all(name, t, rng, lines, MANY, True)
        check_saved(name, t, rng)
        t = Tokenizer.from_str(t.to_str())
        t.add_tokens(ADDED)
        check_all(f"{name}, added tokens", t, rng, lines, FEW)
    for kind, part in [("normalizer", normalizers), ("pre_tokenizer", pre_tokenizers), ("decoder", decoders), ("post_processor", processors)]:
        for name, value in part():
            t = Tokenizer.from_str(base.to_str())
            setattr(t, kind, value)
            if kind in ("normalizer", "pre_tokenizer"):
                t.add_tokens(ADDED)
            check_all(f"{kind} {name}", t, rng, lines, FEW)
            if kind == "normalizer" and (not NAMED or any(n in f"{kind} {name}" for n in NAMED)):
                compare(f"{kind} {name}, every character", saved(t, name), t, each_character(FEWER))
                compare(f"{kind} {name}, composed", saved(t, name), t, composed(rng, FEW))
            if kind == "pre_tokenizer" and (not NAMED or any(n in f"{kind} {name}" for n in NAMED)):
                compare(f"{kind} {name}, every character", saved(t, name), t, each_character(FEWER))
    finish()


main()
