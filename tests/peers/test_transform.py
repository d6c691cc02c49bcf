"""get_instruction_dataset against Python: the ids and messages of every form of rows as a few lines of Python make them, the files
of a dataset as `datasets` finds them, the names of folders. SKIFF is the program."""
import gzip
import hashlib
import json
import os
import random
import re
import subprocess
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from datasets.data_files import DataFilesDict, get_data_patterns, sanitize_patterns  # noqa: E402
from datasets.utils.metadata import MetadataConfigs  # noqa: E402
from huggingface_hub import DatasetCardData  # noqa: E402

SKIFF = os.environ.get("SKIFF", "build/skiff")
counts = [0, 0]


def check(name, ok, why=""):
    counts[0 if ok else 1] += 1
    print(("ok   " if ok else "FAIL ") + name + (f": {why}" if why and not ok else ""))


# ---- texts that are hard to print -------------------------------------------------------------------------------------------

PIECES = ["'", '"', "\\", "\n", "\r", "\t", "\x00", "\x1b", "\x7f", "\x80", "\xa0", "\xad", "é", "ß", "漢", "\u200b", "\u2028", "\u3000",
          "\ufeff", "\ufffd", "\uffff", "🙂", "👩‍👩‍👧", "\U000e0001", "\U0010ffff", "\U000f0000", "\u0378", "<think>", "</think>", "a b",
          "don't", '"so"', "x" * 40, "{}", "%s", "1e5"]


def words(r):
    return "".join(r.choice(PIECES) if r.random() < 0.6 else chr(r.choice((r.randrange(32, 127), r.randrange(0xA0, 0x3000))))
                   for _ in range(r.randrange(0, 12)))


# Characters that came after Unicode 14 are escaped by Python 3.11, but not by a later one that runs this: they are left out.
def known(text):
    import unicodedata
    return sys.version_info < (3, 12) or all(unicodedata.ucd_3_2_0.category(c) != "Cn" or not c.isprintable() for c in text)


def message(role, content):
    return {"role": role, "content": content}


# ---- a dataset that lies in raw/ as the hub has it, transformed -----------------------------------------------------------------

class Work:
    def __init__(self, folder, name, revision="r1"):
        self.prefix, self.name = folder, name
        self.raw = f"{folder}/raw/{name.replace('/', '--')}-{revision}"
        os.makedirs(self.raw)
        with open(f"{self.raw}/.executor_status", "w") as f:
            f.write('{"date": "2026-01-01T00:00:00", "status": "SUCCESS", "message": null}\n')

    def put(self, path, rows):
        path = f"{self.raw}/{path}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        data = "".join(json.dumps(x, ensure_ascii=False) + "\n" for x in rows) if isinstance(rows, list) else rows
        (gzip.open(path, "wt") if path.endswith(".gz") else open(path, "w", newline="")).write(data)

    def run(self, **options):
        text = {"steps": [{"get_instruction_dataset": {"name": self.name, **options}}]}
        with open(f"{self.prefix}/x.yaml", "w") as f:
            json.dump(text, f)
        p = subprocess.run([SKIFF, "run", f"{self.prefix}/x.yaml", "--prefix", self.prefix, "--json"], capture_output=True, text=True,
                           env={**os.environ, "SKIFF_PROGRESS": "0"})
        if p.returncode:
            return p.returncode, p.stderr.strip().splitlines()[-1], ""
        step = [s for s in json.loads(p.stdout)["steps"] if s["name"].startswith("documents/")][0]
        return 0, step["output_path"], p.stderr


def read(folder):
    out = {}
    for root, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            if name.endswith(".jsonl.gz"):
                path = os.path.join(root, name)
                rows = [json.loads(line) for line in gzip.open(path, "rt", encoding="utf-8", newline="\n").read().split("\n")[:-1]]
                out[os.path.relpath(path, folder)] = rows
    return out


def every_row(folder):
    return [row for rows in read(folder).values() for row in rows]


# ---- what the forms of rows mean, in Python ------------------------------------------------------------------------------------

def instruction_response(row, question, answer, best=None, text="content"):
    if row[question] is None or row[answer] is None:
        return None
    said = row[answer]
    if best:
        chosen, most = None, float("-inf")
        for one in said:
            if one[best] > most:
                chosen, most = one, one[best]
        if chosen is None:
            return None
        said = chosen[text]
    return [message("user", row[question]), message("assistant", said)]


def column_response(row, question, answers, text):
    return [message("user", row[question]), message("assistant", row[answers][0][text])] if row[answers] else None


def message_response(row, messages, answer, role, text):
    if row[answer] is None or len(row[messages]) != 1 or role not in row[messages][0]:
        return None
    return [message("user", row[messages][0][text]), message("assistant", row[answer])]


def conversation(row, field, role, text, roles):
    return [message(roles[m[role]], m[text]) for m in row[field]]


def turns(r, role, text, user, gpt, system):
    said = [{role: system, text: words(r)}] if r.random() < 0.3 else []
    for _ in range(r.randrange(1, 4)):
        said += [{role: user, text: words(r)}, {role: gpt, text: words(r)}]
    return said


OPENAI = {"user": "user", "assistant": "assistant", "system": "system"}
FORMS = {
    "messages": ({"adapter": "messages"}, lambda r: {"messages": turns(r, "role", "content", "user", "assistant", "system")},
                 lambda row: conversation(row, "messages", "role", "content", OPENAI)),
    "named roles": ({"adapter": "messages", "messages_field": "talk", "role_key": "who", "content_key": "says", "user_value": "asker",
                     "assistant_value": "teller", "system_value": "frame"},
                    lambda r: {"talk": turns(r, "who", "says", "asker", "teller", "frame")},
                    lambda row: conversation(row, "talk", "who", "says",
                                             {"asker": "user", "teller": "assistant", "frame": "system"})),
    "sharegpt": ({"adapter": "auto"}, lambda r: {"conversations": turns(r, "from", "value", "human", "gpt", "system")},
                 lambda row: conversation(row, "conversations", "from", "value",
                                          {"human": "user", "gpt": "assistant", "system": "system"})),
    "instruction_response": ({"adapter": "instruction_response", "input_field": "query", "output_field": "reply"},
                             lambda r: {"query": words(r), "reply": None if r.random() < 0.1 else words(r)},
                             lambda row: instruction_response(row, "query", "reply")),
    "best answer": ({"adapter": "instruction_response", "input_field": "question", "output_field": "inferences",
                     "filter_on_key": "pass_rate", "content_key": "completion"},
                    lambda r: {"question": words(r), "inferences": [{"completion": words(r), "pass_rate": r.choice((0, 0.5, 1, 0.25))}
                                                                    for _ in range(r.randrange(0, 4))]},
                    lambda row: instruction_response(row, "question", "inferences", "pass_rate", "completion")),
    "instruct_column_response": ({"adapter": "instruct_column_response"},
                                 lambda r: {"question": words(r), "responses": [{"model": "m", "response": words(r)}
                                                                                for _ in range(r.randrange(0, 3))]},
                                 lambda row: column_response(row, "question", "responses", "response")),
    "instruct_msg_response": ({"adapter": "instruct_msg_response"},
                              lambda r: {"messages": [{"content": words(r), **({} if r.random() < 0.1 else {"role": "user"})}
                                                      for _ in range(r.choice((0, 1, 1, 1, 1, 2)))],
                                         "answer": None if r.random() < 0.1 else words(r)},
                              lambda row: message_response(row, "messages", "answer", "role", "content")),
}


def replaced(messages, pairs):
    out = []
    for m in messages:
        text = m["content"]
        for a, b in pairs:
            text = text.replace(a, b)
        out.append(message(m["role"], text))
    return out


def forms(folder):
    for number, (name, (options, make, want)) in enumerate(FORMS.items()):
        r = random.Random(number)
        rows = []
        while len(rows) < 700:
            row = {**make(r), "kind": r.choice(("a", None, 0, "é'")), "n": len(rows)}
            if known(json.dumps(row, ensure_ascii=False)):
                rows.append(row)
        if want(rows[0]) is None:
            rows.insert(0, next(x for x in rows if want(x) is not None))        # the first row shows the form
        w = Work(folder, f"form/f{number}")
        w.put("data/train-00000-of-00002.jsonl", rows[:300])
        w.put("data/train-00001-of-00002.jsonl.gz", rows[300:])
        pairs = [("<think>", "<|start_think|>"), ("</think>", "<|end_think|>")]
        code, path, said = w.run(revision="r1", metadata_columns=["kind", "n", "none"],
                                 replacements=[f"{a} => {b}" for a, b in pairs], **options)
        check(f"{name}: runs", code == 0, path)
        if code:
            continue
        expected = []
        for row in rows:
            messages = want(row)
            if messages is not None:
                expected.append({"id": hashlib.sha256(str(messages).encode()).hexdigest(), "source": w.name,
                                 "messages": replaced(messages, pairs), "created": "",
                                 "metadata": {"kind": "" if row["kind"] is None else row["kind"], "n": row["n"], "none": ""}})
        got = every_row(path)
        times = {row.pop("added") for row in got}
        check(f"{name}: one time", len(times) == 1)
        check(f"{name}: {len(expected)} rows of {len(rows)}", len(got) == len(expected), str(len(got)))
        wrong = [i for i, (a, b) in enumerate(zip(got, expected)) if a != b]
        check(f"{name}: ids, messages and metadata", not wrong, wrong and f"row {wrong[0]}: {got[wrong[0]]!r}, want {expected[wrong[0]]!r}")
        left = len(rows) - len(expected)
        check(f"{name}: {left} rows left out are counted", sum(map(int, re.findall(r"(\d+) rows are left out", said))) == left,
              said)


def parquet(folder):
    """The same forms as the hub mostly has them. Arrow puts nulls where a row has no such member."""
    for number, (name, (options, make, want)) in enumerate(FORMS.items()):
        r = random.Random(100 + number)
        rows = [row for row in ({**make(r), "kind": r.choice(("a", None, "é'")), "n": i} for i in range(6000)) if known(str(row))]
        while want(rows[0]) is None:
            rows.pop(0)
        table = pa.Table.from_pylist(rows)
        w = Work(folder, f"parquet/p{number}")
        os.makedirs(f"{w.raw}/data")
        pq.write_table(table.slice(0, 2500), f"{w.raw}/data/train-00000-of-00002.parquet", row_group_size=700)
        pq.write_table(table.slice(2500), f"{w.raw}/data/train-00001-of-00002.parquet", row_group_size=1000, compression="zstd")
        code, path, _ = w.run(revision="r1", metadata_columns=["kind", "n"], **options)
        made = [(want(row), row) for row in table.to_pylist()]
        expected = [(hashlib.sha256(str(m).encode()).hexdigest(), m, {"kind": row["kind"] or "", "n": row["n"]}) for m, row in made if m]
        got = [(x["id"], x["messages"], x["metadata"]) for x in every_row(path)] if code == 0 else []
        check(f"parquet, {name}: {len(expected)} rows of {len(rows)}", got == expected, path if code else str(len(got)))


def more_members(folder):
    """Tool calls, parts, names: what stays beside role and content is part of the id."""
    w = Work(folder, "form/tools")
    call = {"type": "function", "function": {"name": "f", "arguments": {"x": 1.5, "y": [None, True, "it's"], "z": -0.0, "e": 1e22, "i": 10**30}}}
    row = {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "name": None},
                        {"role": "assistant", "content": None, "tool_calls": [call]},
                        {"role": "tool", "content": "5", "tool_call_id": "7", "tool_calls": []}, {"role": "assistant", "content": "x"}],
           "tools": [{"name": "f"}], "chat_template_kwargs": {"enable_thinking": True}}
    w.put("train.jsonl", [row])
    code, path, _ = w.run(revision="r1", adapter="messages")
    want = [message("user", "ab"), {**message("assistant", ""), "tool_calls": [call]},
            {**message("tool", "5"), "tool_call_id": "7"}, message("assistant", "x")]
    got = every_row(path)[0] if code == 0 else {}
    check("tool calls: id", got.get("id") == hashlib.sha256(str(want).encode()).hexdigest(), path)
    check("tool calls: messages", got.get("messages") == want, str(got.get("messages")))
    check("tools and the template's variables stay", got.get("tools") == row["tools"] and
          got.get("chat_template_kwargs") == row["chat_template_kwargs"], str(got))


# ---- files of splits -----------------------------------------------------------------------------------------------------------

LAYOUTS = {
    "sharded": ["data/train-00000-of-00002.jsonl", "data/train-00001-of-00002.jsonl", "data/test-00000-of-00001.jsonl",
                "data/extra.x-00000-of-00001-abc.jsonl", "README.txt"],
    "names": ["train.jsonl", "my-dev-part.jsonl", "x/testing 1.jsonl", "notes.jsonl", "trainer.jsonl"],
    "folders": ["train/a.jsonl", "train/b/c.jsonl", "eval_2/d.jsonl", "other/e.jsonl", ".hidden/train/f.jsonl"],
    "one": ["a.jsonl", "b/c.jsonl", "dataset_info.json", "license.txt"],
    "half of a name": ["xtrain-a.jsonl", "a_train.jsonl", "valid-train.jsonl", "0validation9.jsonl"],
    "most are json": ["train/a.json", "train/b.json", "train/c.jsonl"],
}
WRITTEN = {
    "text": "- config_name: default\n  data_files: \"*.jsonl\"\n",
    "list": "- config_name: default\n  data_files:\n  - b/c.jsonl\n  - a.jsonl\n",
    "splits": "- config_name: one\n  data_files:\n  - split: train\n    path: b/**\n  - split: held.out\n    path: [\"a.jsonl\", \"b/[!d]*\"]\n",
    "data_dir": "- config_name: one\n  data_dir: b\n- config_name: two\n  data_dir: z\n  data_files:\n  - split: q\n    path: \"t*/*.jsonl\"\n",
}


def of_datasets(raw):
    """{subset: {split: files}} as `datasets` says. Its data files are then cut to those of the commonest type, which all here are."""
    readme = f"{raw}/README.md"
    configs = {}
    if os.path.exists(readme):
        text = open(readme).read()
        card = DatasetCardData(**__import__("yaml").safe_load(text.split("---")[1]))
        configs = MetadataConfigs.from_dataset_card_data(card)
    out = {}
    for name, config in (configs or {"default": {}}).items():
        base = os.path.join(raw, config.get("data_dir") or "")
        patterns = sanitize_patterns(config["data_files"]) if config.get("data_files") else get_data_patterns(base)
        files = DataFilesDict.from_patterns(patterns, base_path=base)
        out[name] = {str(split): [os.path.relpath(x, raw) for x in paths] for split, paths in files.items()}
    return out


def of_skiff(work, all_splits):
    code, path, _ = work.run(revision="r1", adapter="messages", metadata_columns=["file"], splits=all_splits)
    if code:
        return path
    out = {}
    for name, rows in read(path).items():
        parts = name.split("/")
        subset, split = (parts[0], parts[1]) if len(parts) == 3 else ("default", parts[0])
        out.setdefault(subset, {})[split] = [row["metadata"]["file"] for row in rows]
    return out


def layouts(folder):
    cases = [(name, files, None) for name, files in LAYOUTS.items()]
    cases += [(f"README {name}", ["a.jsonl", "b/c.jsonl", "b/dd.jsonl", "z/t1/x.jsonl", "z/t2/y.jsonl"], text) for name, text in WRITTEN.items()]
    for number, (name, files, text) in enumerate(cases):
        w = Work(folder, f"layout/l{number}")
        for path in files:
            w.put(path, [{"messages": [message("user", "q"), message("assistant", "a")], "file": path}])
        if text:
            w.put("README.md", f"---\nlicense: mit\nconfigs:\n{text}---\n# Words\n")
        want = of_datasets(w.raw)
        readable = {".jsonl": 0, ".json": 0}
        for splits in want.values():
            for paths in splits.values():
                for p in paths:
                    if os.path.splitext(p)[1] in readable:
                        readable[os.path.splitext(p)[1]] += 1
        ending = max(readable, key=readable.get)
        want = {s: {k: [p for p in v if p.endswith(ending)] for k, v in splits.items()} for s, splits in want.items()}
        want = {s: {k: v for k, v in splits.items() if v} for s, splits in want.items()}
        names = sorted({k for splits in want.values() for k in splits})
        got = of_skiff(w, names)
        check(f"files of '{name}'", got == want, f"{got}, want {want}")


# ---- names of folders ------------------------------------------------------------------------------------------------------------

def folders(folder):
    for number, (subsets, splits) in enumerate([([], ["train"]), (["b", "a"], ["train", "dev's"]), ([], ['"x"', "é"])]):
        with open(f"{folder}/y.yaml", "w") as f:
            json.dump({"steps": [{"get_instruction_dataset": {"name": "allenai/tulu-3-sft-mixture", "subsets": subsets, "splits": splits}}]}, f)
        p = subprocess.run([SKIFF, "run", f"{folder}/y.yaml", "--prefix", folder, "--dry_run", "--json"], capture_output=True, text=True)
        name, gap = "allenai--tulu-3-sft-mixture", " " * 8
        text = f"{name}-{gap}55e9fd6{gap}-{sorted(subsets)}{gap}-{sorted(splits)}"
        want = f"{folder}/documents/{name}-55e9fd6-{hashlib.md5(text.encode()).hexdigest()[:6]}"
        check(f"folder {number}", f'"{want}"' in p.stdout, p.stdout + p.stderr)


with tempfile.TemporaryDirectory() as top:
    forms(top)
    parquet(top)
    more_members(top)
    layouts(top)
    folders(top)
print(f"{counts[0]} passed, {counts[1]} failed")
sys.exit(counts[1] != 0)
