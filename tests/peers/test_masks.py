"""Masks without tags against masks with tags: for each template of TRL's that has a twin with {% generation %}, what Skiff finds to be
trained by provenance on the template equals what transformers reads from the twin's tags, token by token, wherever both write the
same text. Where TRL's choice is another one, the difference is named below with its reason, and nothing else may differ.
SKIFF is the program, SMOL the model whose vocabulary is used (each template's own special tokens are added to it)."""
import copy
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
from transformers import AutoTokenizer  # noqa: E402

sys.path.insert(0, os.path.dirname(__file__))
from mask_chats import ALL, PARTS  # noqa: E402

SKIFF = os.environ.get("SKIFF", "build/skiff")
SMOL = os.environ["SMOL"]
TEMPLATES = os.environ.get("TEMPLATES", "fixtures/templates")
LEAST = 30  # conversations compared for each template
counts = [0, 0]

# Special tokens that the usual form (<|…|>) does not show, and the tokenizer's EOS and BOS.
MORE = {
    "gemma": (["<start_of_turn>", "<end_of_turn>"], "<eos>", "<bos>"),
    "gemma3": (["<start_of_turn>", "<end_of_turn>"], "<eos>", "<bos>"),
    "diffusion_gemma": (["<|turn>", "<turn|>", "<|tool_call>", "<tool_call|>", "<|tool_response>", "<tool_response|>", "<|channel>", "<channel|>",
                         "<|tool>", "<tool|>", "<|think|>"], "<eos>", "<bos>"),
    "cohere": ([], "<|END_OF_TURN_TOKEN|>", "<BOS_TOKEN>"),
    "cohere2": ([], "<|END_OF_TURN_TOKEN|>", "<BOS_TOKEN>"),
    "deepseek_r1_distill": ([], "<｜end▁of▁sentence｜>", "<｜begin▁of▁sentence｜>"),
    "deepseekv3": ([], "<｜end▁of▁sentence｜>", "<｜begin▁of▁sentence｜>"),
    "glm4moe": (["[gMASK]", "<sop>"], "<|endoftext|>", None),
    "gptoss": ([], "<|return|>", "<|startoftext|>"),
    "idefics3": (["<end_of_utterance>", "<fake_token_around_image>", "<image>"], "<end_of_utterance>", "<|begin_of_text|>"),
    "smolvlm": (["<end_of_utterance>", "<fake_token_around_image>", "<image>"], "<end_of_utterance>", "<|im_start|>"),
    "llama3": ([], "<|eot_id|>", "<|begin_of_text|>"),
    "lfm2": ([], "<|im_end|>", "<|startoftext|>"),
    "lfm2_v2": ([], "<|im_end|>", "<|startoftext|>"),
    "llava_next": (["<image>"], "</s>", "<s>"),
    "phi3": ([], "<|endoftext|>", "<s>"),
    "phi3_5": ([], "<|endoftext|>", "<s>"),
}
CHATML = ([], "<|im_end|>", None)
SPECIAL = re.compile(r"<[|｜][^<>|｜\s{}'\"]+[|｜]>")

# Where TRL's tags and Skiff's rule differ, and why:
#   (who trains it, what the token's text is, what stands before it, what stands behind it), as regular expressions.
def newline(stop):
    """TRL also trains the newline that the template writes behind the stop token. The model has stopped by then."""
    return "trl", r"\n", re.escape(stop), r""


def header(*words):
    """TRL also trains what stands in the generation prompt, which the model is given."""
    return [("trl", re.escape(word), r"", r"") for word in words]


# TRL trains the thinking that the template itself leaves empty; generation prompts that begin to think hold another text, so that Skiff
# begins with the first byte of the message.
EMPTY_THINKING = [("trl", r"<|think|></|>|\n+|</|think>|<think>|</think>|>", r"(assistant\n|</?think|</?think>|</?|\n)", r"")]
# TRL also trains "<think>", which the generation prompt ends with.
OPENED = [("trl", r"<|think|>|>\n|\n", r"(assistant\n|<|<think|<think>)", r"")]
OPENED += [newline("<|im_end|>")]
# An empty answer behind empty thinking: neither a prompt nor a byte of the message says where it would begin.
NEMOTRON = EMPTY_THINKING + [newline("<|im_end|>"), ("trl", re.escape("<|im_end|>"), "<think></think>", r"")]
DIFFERENCES = {
    "deepseek_r1_distill": header("<｜Assistant｜>", "<｜tool▁outputs▁end｜>"),
    "deepseekv3": header("<｜Assistant｜>", "<｜tool▁outputs▁end｜>"),
    # Behind the results of a call the template opens the turn once more, and its generation prompt does not: the model has to write that.
    "diffusion_gemma": [newline("<turn|>")] + [("skiff", r"<\|turn>|model|\n", r"(<tool_response\|>|<\|turn>|model)", r"")],
    "gemma": [newline("<end_of_turn>")],
    "gemma3": [newline("<end_of_turn>")],
    "gptoss": header("<|start|>", "ass", "istant"),
    "idefics3": [newline("<end_of_utterance>")],
    "lfm2": [newline("<|im_end|>")],
    "lfm2_v2": [newline("<|im_end|>")],
    "muse_glimmer": header("<|start|>", "ass", "istant"),
    "nemotron_3_5_lightning": NEMOTRON, "nemotron_3_nano": NEMOTRON, "nemotron_3_super": NEMOTRON, "nemotron_3_ultra": NEMOTRON,
    # The whole text ends with <|endoftext|>, behind the stop token of the last turn.
    "phi3": [newline("<|end|>"), ("trl", re.escape("<|endoftext|>"), r"<\|end\|>\n", r"\Z")],
    "phi3_5": [newline("<|end|>"), ("trl", re.escape("<|endoftext|>"), r"<\|end\|>\n", r"\Z")],
    "glm4moe": EMPTY_THINKING + [("trl", r"\n", r"<\|assistant\|>", r"<think>")],
    "qwen2_5_vl": [newline("<|im_end|>")], "qwen3": [newline("<|im_end|>")], "qwen3_instruct_2507": [newline("<|im_end|>")],
    "qwen3_vl": [newline("<|im_end|>")], "smolvlm": [newline("<end_of_utterance>")],
    # Its generation prompt holds all of the empty thinking.
    "qwen3_5_nothink": EMPTY_THINKING + [newline("<|im_end|>")],
    "qwen3_5_think": OPENED, "qwen3_6": OPENED, "qwen3_8": OPENED,
    # The header's newline, too: the twin's tag stands before it.
    "qwen2_5": [newline("<|im_end|>"), ("trl", r"\n", r"<\|im_start\|>assistant", r"")],
}
PARTS_ONLY = {"idefics3", "smolvlm"}  # print nothing of a content that is text
# Templates whose last answer has no end, and what the twin writes there: the text before it is compared. (Skiff refuses to train on such
# an answer; it is rendered here to be looked at.)
ENDS = {"glm4moe": "<|user|>"}


def check(name, ok, why=""):
    counts[0 if ok else 1] += 1
    print(("ok   " if ok else "FAIL ") + name + (": " + why if why else ""))


def read(name):
    return open(f"{TEMPLATES}/trl/{name}.jinja", encoding="utf-8", newline="").read()


def make_tokenizer(name, source, folder):
    more, eos, bos = MORE.get(name, CHATML)
    tokenizer = AutoTokenizer.from_pretrained(SMOL)
    words = sorted(set(SPECIAL.findall(source)) | set(more) | {eos} | ({bos} if bos else set()))
    tokenizer.add_special_tokens({"additional_special_tokens": words})
    tokenizer.eos_token = eos
    if bos:
        tokenizer.bos_token = bos
    tokenizer.chat_template = source
    tokenizer.save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder)


def render(rows, folder):
    """One answer per row, or None where the program refuses it."""
    out, rest = [], list(rows)
    while rest:
        lines = "".join(json.dumps(r) + "\n" for r in rest)
        done = subprocess.run([SKIFF, "render", "--json", "--model", folder], input=lines.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        got = [json.loads(x) for x in done.stdout.decode().split("\n") if x]
        out += got
        rest = rest[len(got):]
        if rest:
            out.append(None)
            rest = rest[1:]
    return out


def tagged(tokenizer, row, twin):
    row = copy.deepcopy(row)
    messages, tools = row.pop("messages"), row.pop("tools", None)
    try:
        out = tokenizer.apply_chat_template(messages, tools=tools, chat_template=twin, tokenize=True, return_dict=True,
                                            return_assistant_tokens_mask=True, **row)
        text = tokenizer.apply_chat_template(messages, tools=tools, chat_template=twin, tokenize=False, **row)
        return text, out["input_ids"], out["assistant_masks"]
    except Exception:  # templates raise what they like
        return None, None, None


def leaves_out(row, text):
    """Does the template print nothing of an answer: tool calls it knows no form for, a text where it wants parts? Skiff leaves such an
    answer out and counts it; TRL's tags train the end of an empty one."""
    for m in row["messages"]:
        content = m.get("content")
        words = [p["text"] for p in content] if isinstance(content, list) else [content or ""]
        if m["role"] == "assistant" and any(w.strip() and w.strip() not in text for w in words):
            return True
        if m["role"] == "assistant" and m.get("tool_calls") and not content and "arguments" not in text and "tool_call" not in text:
            return True
    return False


def is_named(name, text, begin, end, ours):
    """Is this a difference that the table names?"""
    for who, token, before, after in DIFFERENCES.get(name, []):
        if who == ("skiff" if ours else "trl") and re.fullmatch(token, text[begin:end]) and re.search(before + r"\Z", text[:begin]) \
                and re.match(after, text[end:]):
            return True
    return False


def compare(name):
    source, twin = read(name), read(name + "_training")
    with tempfile.TemporaryDirectory() as folder:
        tokenizer = make_tokenizer(name, source, folder)
        compared = named = other_text = 0
        rows = PARTS if name in PARTS_ONLY else ALL + PARTS
        for row, got in zip(rows, render(rows, folder)):
            text, ids, mask = tagged(tokenizer, row, twin)
            if not got or not text:
                continue
            if name in ENDS and text == got["text"] + ENDS[name]:
                text, ids, mask = got["text"], ids[:len(got["ids"])], mask[:len(got["ids"])]
            if "[{'type'" in text:  # Python's own spelling of a list: no template means that
                continue
            if got["text"] != text or got["ids"] != ids:
                other_text += 1
                continue
            compared += 1
            if got["mask"] == mask:
                continue
            offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
            wrong = [(b, e, o) for (b, e), o, t in zip(offsets, got["mask"], mask)
                     if o != t and not is_named(name, text, b, e, o) and not (leaves_out(row, text) and not o)]
            named += 1
            if wrong:
                b, e, ours = wrong[0]
                if not os.environ.get("SHOW"):
                    return check(name, False, f"{'skiff' if ours else 'trl'} alone trains {text[b:e]!r} in {text[max(0, b - 60):e + 60]!r}: "
                                 f"{json.dumps(row)[:300]}")
                seen = [("skiff" if o else "trl", text[max(0, b - 22):b], text[b:e], text[e:e + 12]) for b, e, o in wrong]
                print("    ", *seen[:3], sep="\n        ")
        check(name, compared >= LEAST, f"{compared} masks compared, {named} of them with a named difference; {other_text} texts differ")


if __name__ == "__main__":
    only = sys.argv[1:]
    for path in sorted(glob.glob(f"{TEMPLATES}/trl/*_training.jinja")):
        template = os.path.basename(path)[:-len("_training.jinja")]
        if os.path.exists(f"{TEMPLATES}/trl/{template}.jinja") and (not only or template in only):
            compare(template)
    print(f"{counts[0]} passed, {counts[1]} failed")
    sys.exit(counts[1] > 0)
