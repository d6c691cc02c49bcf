"""skiff render against transformers: text, ids and masks, for the chats of the shared data and for every template of the
fixtures. SKIFF is the program, SMOL the model whose tokenizer is used, CHATS a folder with the three data files."""
import copy
import glob
import json
import os
import re
import subprocess
import sys

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
from transformers import AutoTokenizer  # noqa: E402

sys.path.insert(0, os.path.dirname(__file__))
from mask_chats import PLAIN, REASONING, TOOLS  # noqa: E402
from render_chats import CONVERSATIONS  # noqa: E402

SKIFF = os.environ.get("SKIFF", "build/skiff")
SMOL = os.environ["SMOL"]
CHATS = os.environ.get("CHATS")  # a folder with the three public files named below; without it, the quickstart's chats
TEMPLATES = os.environ.get("TEMPLATES", "fixtures/templates")
CHATML = ("{% for m in messages %}{{'<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n'}}{% endfor %}"
          "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")
GENERATION = re.compile(r"\{%-?\s*generation\s*-?%\}")
tokenizer = AutoTokenizer.from_pretrained(SMOL)
counts = [0, 0]


def check(name, ok, why=""):
    counts[0 if ok else 1] += 1
    print(("ok   " if ok else "FAIL ") + name + (": " + why if why else ""))


def render(rows, template, *flags):
    """One answer per row; the program stops at the first bad row."""
    command = [SKIFF, "render", "--json", "--model", SMOL, *flags]
    if template:
        command += ["--chat-template", template]
    lines = "".join(json.dumps(r) + "\n" for r in rows)
    done = subprocess.run(command, input=lines.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return [json.loads(x) for x in done.stdout.decode().split("\n") if x], done.stderr.decode()


def expected(row, source, mask=False):
    """What transformers gives; the text when it refuses."""
    row = copy.deepcopy(row)
    messages, tools = row.pop("messages"), row.pop("tools", None)
    try:
        if not mask:
            return tokenizer.apply_chat_template(messages, tools=tools, chat_template=source, tokenize=False, **row), None
        out = tokenizer.apply_chat_template(messages, tools=tools, chat_template=source, tokenize=True, return_dict=True,
                                            return_assistant_tokens_mask=True, **row)
        return out, None
    except Exception as why:  # templates raise what they like
        return None, f"{type(why).__name__}: {why}"


def alpaca():
    for r in json.load(open(f"{CHATS}/alpaca_en_demo.json")):
        ask = r["instruction"] + ("\n" + r["input"] if r["input"] else "")
        yield {"messages": [{"role": "user", "content": ask}, {"role": "assistant", "content": r["output"]}]}


def gsm8k():
    for line in open(f"{CHATS}/gsm8k_test.jsonl"):
        r = json.loads(line)
        yield {"messages": [{"role": "user", "content": r["question"]}, {"role": "assistant", "content": r["answer"]}]}


def glaive(as_calls):
    """ShareGPT with tools; function calls as tool_calls, or as plain text for templates that know none."""
    for r in json.load(open(f"{CHATS}/glaive_toolcall_en_demo.json")):
        messages = []
        if r.get("system"):
            messages.append({"role": "system", "content": r["system"]})
        for turn in r["conversations"]:
            if turn["from"] == "function_call" and as_calls:
                call = json.loads(turn["value"])
                messages.append({"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": call}]})
            else:
                role = {"human": "user", "observation": "tool"}.get(turn["from"], "assistant")
                messages.append({"role": role, "content": turn["value"]})
        tools = json.loads(r["tools"]) if isinstance(r.get("tools"), str) else r.get("tools")
        yield {"messages": messages, "tools": tools} if tools else {"messages": messages}


def first_difference(got, want):
    at = next((i for i in range(min(len(got), len(want))) if got[i] != want[i]), min(len(got), len(want)))
    return f"at {at}: got {got[max(0, at - 20):at + 20]!r}, want {want[max(0, at - 20):at + 20]!r}"


def without_headers(text, mask):
    """TRL's Qwen template also trains, around tool calls, the newline of the generation prompt and the one after the stop token."""
    offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    headers = [m.span() for m in re.finditer(r"<\|im_start\|>assistant\n|(?<=<\|im_end\|>)\n", text)]
    return [int(m and not any(a <= b and e <= z for a, z in headers)) for m, (b, e) in zip(mask, offsets)]


def compare(name, rows, source, template, twin=None):
    """Text and ids of every row; the mask too where the template, or its twin that writes the same text, has tags."""
    got, errors = render(rows, template)
    if len(got) != len(rows):
        return check(name, False, f"{len(got)} of {len(rows)} rows; {errors.strip()}")
    tagged = source if GENERATION.search(source) else twin
    masks = 0
    for row, g in zip(rows, got):
        want, why = expected(row, source)
        if why or g["text"] != want:
            return check(name, False, why or first_difference(g["text"], want))
        ids = tokenizer(want, add_special_tokens=False)["input_ids"]
        if g["ids"] != ids:
            return check(name, False, "ids " + first_difference(g["ids"], ids))
        if tagged:
            out, why = expected(row, tagged, mask=True)
            if why or out["input_ids"] != ids:
                return check(name, False, why or "the twin writes another text")
            want_mask = out["assistant_masks"]
            if tagged is twin and tagged is not source:
                want_mask = without_headers(want, want_mask)
            if g["mask"] != want_mask:
                return check(name, False, "mask " + first_difference(g["mask"], want_mask))
            masks += 1
    check(name, True, f"{len(rows)} texts and ids, {masks} masks equal")


def chatml_mask(name, rows, template):
    """Independent of any engine: trained is what stands between the assistant's header and <|im_end|>, that included."""
    got, _ = render(rows, template)
    for g in got:
        want, inside = [], False
        out = tokenizer(g["text"], add_special_tokens=False, return_offsets_mapping=True)
        spans = [(m.start(1), m.end(1)) for m in re.finditer(r"<\|im_start\|>assistant\n(.*?<\|im_end\|>)", g["text"], re.S)]
        want = [int(any(b < e2 and e > b2 for b2, e2 in spans)) for b, e in out["offset_mapping"]]
        if g["mask"] != want:
            return check(name, False, first_difference(g["mask"], want))
    check(name, len(got) == len(rows), f"{len(got)} masks")


def quickstart():
    return [json.loads(line) for line in open("data/quickstart/train.jsonl", encoding="utf-8")]


def shared_chats():
    plain = list(alpaca()) + list(gsm8k()) if CHATS else quickstart()
    tools, text = (list(glaive(True)), list(glaive(False))) if CHATS else ([], [])
    trl = {n: open(f"{TEMPLATES}/trl/{n}.jinja", encoding="utf-8").read() for n in
           ("llama3", "llama3_training", "qwen2_5", "qwen2_5_training")}
    compare("SmolLM2's own template", plain + text, tokenizer.chat_template, None)
    chatml_mask("SmolLM2's masks", plain + text, None)
    compare("chatml", plain + text, CHATML, "chatml")
    chatml_mask("chatml's masks", plain + text, "chatml")
    for n in ("llama3", "llama3_training"):
        compare(n, plain + text, trl[n], f"{TEMPLATES}/trl/{n}.jinja")
    for n in ("qwen2_5", "qwen2_5_training"):
        compare(n, plain + tools, trl[n], f"{TEMPLATES}/trl/{n}.jinja", trl["qwen2_5_training"])
    compare("Skiff's llama3 = trl's", plain + text, trl["llama3"], "llama3")
    compare("Skiff's qwen2.5 = trl's", plain + tools, trl["qwen2_5"], "qwen2.5", trl["qwen2_5_training"])


ROWS = CONVERSATIONS + PLAIN[:14] + TOOLS + REASONING


def every_template():
    """Every template on conversations of more than 50 kinds: the same texts, and the same refusals, each by the program itself."""
    texts = refusals = wrong = 0
    check("kinds of conversations", len(ROWS) >= 50, str(len(ROWS)))
    for path in sorted(glob.glob(f"{TEMPLATES}/*/*.jinja")):
        source = open(path, encoding="utf-8", newline="").read()
        good, refused, want = [], [], []
        for row in ROWS:
            text, why = expected(row, source)
            if why:
                refused.append(row)
            else:
                good.append(row)
                want.append(text)
        got, errors = render(good, path)
        different = [i for i, (g, w) in enumerate(zip(got, want)) if g["text"] != w]
        if different or len(got) != len(good):
            wrong += 1
            i = different[0] if different else len(got)
            check(os.path.relpath(path, TEMPLATES), False, errors.strip() if not different else first_difference(got[i]["text"], want[i]))
        texts += len(got)
        for row in refused:
            got, errors = render([row], path)
            refusals += not got
            if got:
                wrong += 1
                check(os.path.relpath(path, TEMPLATES), False, f"not refused: {json.dumps(row)[:200]}")
    check("every template", not wrong, f"{texts} texts equal, {refusals} refusals equal")


if __name__ == "__main__":
    shared_chats()
    every_template()
    print(f"{counts[0]} passed, {counts[1]} failed")
    sys.exit(counts[1] > 0)
