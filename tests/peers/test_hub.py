"""The hub of the tests is one to huggingface_hub, transformers and datasets too; caches are the same, whoever filled them.

tests/hub/server.py serves a small model and a dataset. huggingface_hub and Skiff fetch them into folders of their own, which must hold
the same files and links; what one has fetched, the other finds without a connection.
"""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

SKIFF = os.path.abspath(os.environ.get("SKIFF", "build/skiff"))
SMOL = os.environ.get("SMOL", "build/smollm2-hf")
passed = failed = 0


def check(name, good, detail=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    print("ok" if good else "FAILED", name, detail)


MODEL_FILES = ["config.json", "generation_config.json", "tokenizer*", "chat_template*", "special_tokens_map.json", "*.safetensors", "README.md"]
MAKE_MODEL = """
import sys, torch
from transformers import LlamaConfig, LlamaForCausalLM
torch.manual_seed(0)
c = LlamaConfig(vocab_size=49152, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
                max_position_embeddings=512, tie_word_embeddings=True, bos_token_id=1, eos_token_id=2)
LlamaForCausalLM(c).save_pretrained(sys.argv[1])
"""


def environment(home, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING"))}
    env.update(HF_ENDPOINT=f"http://127.0.0.1:{port}", HF_HOME=home, SKIFF_PROGRESS="0", HF_HUB_DISABLE_XET="1", HF_HUB_DISABLE_TELEMETRY="1", **more)
    return env


def run(args, home, **more):
    return subprocess.run(args, capture_output=True, text=True, env=environment(home, **more), timeout=300)


def python(code, home, **more):
    r = run([sys.executable, "-c", code], home, **more)
    if r.returncode:
        print(r.stderr[-1500:])
    return r


def skiff(*args, home, **more):
    r = run([SKIFF, *args], home, **more)
    if r.returncode:
        print(r.stderr[-500:])
    return r


def layout(home, repo):
    """Path to link or digest, for all of a repository's cache; lists of files as values, since their order is free."""
    base, out = os.path.join(home, "hub", repo), {}
    for at, _, names in os.walk(base):
        for name in names:
            path = os.path.join(at, name)
            key = os.path.relpath(path, base)
            if key.startswith("trees"):
                out[key] = json.load(open(path))
            elif os.path.islink(path):
                out[key] = os.readlink(path)
            else:
                out[key] = hashlib.sha256(open(path, "rb").read()).hexdigest()
    return out


def requests():
    path = os.path.join(root, "log.jsonl")
    return [json.loads(line) for line in open(path)] if os.path.exists(path) else []


def forget_requests():
    if os.path.exists(os.path.join(root, "log.jsonl")):
        os.remove(os.path.join(root, "log.jsonl"))


folder = tempfile.mkdtemp()
root, server = os.path.join(folder, "root"), None
try:
    model, data = os.path.join(root, "models/acme/tiny/main"), os.path.join(root, "datasets/acme/chats/main")
    os.makedirs(model)
    os.makedirs(os.path.join(data, "data"))
    subprocess.run([sys.executable, "-c", MAKE_MODEL, model], check=True, capture_output=True)
    for name in ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"]:
        shutil.copy(os.path.join(SMOL, name), model)
    open(os.path.join(model, "README.md"), "w").write("---\nlicense: apache-2.0\n---\n# tiny\n")
    open(os.path.join(model, "pytorch_model.bin"), "wb").write(b"not wanted")
    lines = open("data/quickstart/heldout.jsonl").read().splitlines(True)
    open(os.path.join(data, "data/train-00000.jsonl"), "w").writelines(lines[:20])
    open(os.path.join(data, "data/train-00001.jsonl"), "w").writelines(lines[20:25])
    open(os.path.join(data, "data/test.jsonl"), "w").writelines(lines[25:])
    open(os.path.join(data, "README.md"), "w").write("# chats\n")
    open(os.path.join(data, "notes é (1).txt"), "w").write("a name with blanks\n")
    ports = os.path.join(folder, "ports")
    server = subprocess.Popen([sys.executable, "tests/hub/server.py", root, "--page", "3", "--lfs", "1000000", "--ports", ports])
    while not os.path.exists(ports) and server.poll() is None:
        time.sleep(0.05)
    port = int(open(ports).read().split()[0])
    theirs, ours, all_of_it = (os.path.join(folder, n) for n in ["theirs", "ours", "all"])

    # -- the server is a hub to huggingface_hub and transformers
    r = python(f"from huggingface_hub import snapshot_download; print(snapshot_download('acme/tiny', allow_patterns={MODEL_FILES!r}))", theirs)
    check("huggingface_hub fetches the model", r.returncode == 0)
    r = python("from huggingface_hub import snapshot_download; snapshot_download('acme/tiny');"
               "snapshot_download('acme/chats', repo_type='dataset')", all_of_it)
    check("and everything, and the dataset", r.returncode == 0)
    r = python("from huggingface_hub import hf_hub_download; from huggingface_hub.errors import EntryNotFoundError\n"
               "try: hf_hub_download('acme/tiny', 'none.json')\nexcept EntryNotFoundError: print('none')", theirs)
    check("a missing file is one to it", r.stdout.strip() == "none")
    tokens = "from transformers import AutoTokenizer as T; print(T.from_pretrained('acme/tiny')('Hello world')['input_ids'])"
    r = python(tokens, os.path.join(folder, "transformers"))
    check("AutoTokenizer loads from it", r.returncode == 0)
    ids = json.loads(r.stdout)
    rows = "from datasets import load_dataset as l; d = l('acme/chats', split='train'); print(len(d), d[0]['messages'][0]['content'])"
    r = python(rows, os.path.join(folder, "datasets"))
    check("datasets loads from it", r.returncode == 0 and r.stdout.startswith("25 "), r.stdout[:60])

    # -- Skiff's cache is theirs
    r = run([SKIFF, "encode", "--model", "acme/tiny"], ours)
    said = subprocess.run([SKIFF, "encode", "--model", "acme/tiny"], input="Hello world", capture_output=True, text=True, env=environment(ours))
    check("encode by name has the ids of AutoTokenizer", json.loads(said.stdout) == ids, said.stdout.strip())
    r = skiff("chat", "acme/tiny", "--prompt", "Hi", "--max-tokens", "4", "--json", "precision=f32", home=ours)
    check("chat by name", r.returncode == 0)
    answer = json.loads(r.stdout)["ids"]
    a, b = layout(theirs, "models--acme--tiny"), layout(ours, "models--acme--tiny")
    a = {k: v for k, v in a.items() if not k.startswith(".no_exist")}
    check("the same files, links and lists", a == b, str([k for k in {**a, **b} if a.get(k) != b.get(k)])[:300])
    check("more than a few", len(b) > 15, str(len(b)))
    r = python("from huggingface_hub import scan_cache_dir as s; c = s(); print(len(c.warnings), [x.repo_id for x in c.repos])", ours)
    check("scan_cache_dir finds nothing to warn of", r.stdout.strip() == "0 ['acme/tiny']", r.stdout.strip())

    # -- what Skiff fetched, they find without a connection
    forget_requests()
    r = python(f"from huggingface_hub import snapshot_download, hf_hub_download; snapshot_download('acme/tiny', allow_patterns={MODEL_FILES!r});"
               "print(open(hf_hub_download('acme/tiny', 'config.json')).read()[:1])", ours, HF_HUB_OFFLINE="1")
    check("huggingface_hub, offline, from Skiff's cache", r.returncode == 0 and r.stdout.strip() == "{")
    r = python(tokens, ours, HF_HUB_OFFLINE="1")
    check("AutoTokenizer, offline, from Skiff's cache", r.returncode == 0 and json.loads(r.stdout) == ids)
    r = python("from transformers import AutoModelForCausalLM as M; print(sum(p.numel() for p in M.from_pretrained('acme/tiny').parameters()))",
               ours, HF_HUB_OFFLINE="1")
    check("AutoModel, offline, from Skiff's cache", r.returncode == 0 and int(r.stdout) > 3_000_000, r.stdout.strip())

    # -- what they fetched, Skiff finds without a connection
    for name, home in [("the files of a model", theirs), ("everything", all_of_it)]:
        r = skiff("chat", "acme/tiny", "--prompt", "Hi", "--max-tokens", "4", "--json", "precision=f32", home=home, HF_HUB_OFFLINE="1")
        check(f"chat, offline, from huggingface_hub's cache of {name}", r.returncode == 0 and json.loads(r.stdout)["ids"] == answer)
    r = skiff("tokenize", "acme/chats", "--model", "acme/tiny", "--output", os.path.join(folder, "cache"), "--json", home=all_of_it,
              HF_HUB_OFFLINE="1")
    check("tokenize, offline, the training split", r.returncode == 0 and json.loads(r.stdout)["rows"] == 25)
    check("nobody asked the hub", not requests(), str(requests())[:200])

    # -- the card says which files are rows: the same rows as datasets
    cards = os.path.join(root, "datasets/acme/cards/main")
    os.makedirs(os.path.join(cards, "many/deep"))
    for name, part in [("many/a.jsonl", lines[:7]), ("many/deep/b.jsonl", lines[7:9]), ("many/held.jsonl", lines[9:12]), ("few.jsonl", lines[12:15]),
                       ("train.jsonl", lines[15:])]:
        open(os.path.join(cards, name), "w").writelines(part)
    open(os.path.join(cards, "README.md"), "w").write(
        "---\nconfigs:\n- config_name: many\n  data_files:\n  - split: train\n    path:\n    - many/deep/*.jsonl\n    - many/a.*\n"
        "  - split: test\n    path: many/held.jsonl\n- config_name: few\n  default: true\n  data_files: few.jsonl\n---\n# cards\n")
    for subset, split in [(None, "train"), ("few", "train"), ("many", "train"), ("many", "test")]:
        r = python(f"from datasets import load_dataset as l; import json; d = l('acme/cards', {subset!r}, split={split!r});"
                   "print(json.dumps([x['messages'][0]['content'] for x in d]))", os.path.join(folder, "cards-theirs"))
        name = "hf://datasets/acme/cards/" + f"{subset}/{split}" if subset else "acme/cards"
        s = skiff("data", "cat", name, home=os.path.join(folder, "cards-ours"))
        got = [json.loads(x)["messages"][0]["content"] for x in s.stdout.splitlines()]
        check(f"rows of {name}, in the order of datasets", s.returncode == 0 and got and got == json.loads(r.stdout or "null"), str(len(got)))

    # -- and the dataset the other way round
    r = skiff("tokenize", "hf://datasets/acme/chats/**", "--model", "acme/tiny", "--output", os.path.join(folder, "cache2"), home=ours)
    check("a pattern that takes a text file is refused", r.returncode == 2 and "is not read" in r.stderr, r.stderr[-200:])
    r = python("from huggingface_hub import snapshot_download as s; s('acme/chats', repo_type='dataset')", ours, HF_HUB_OFFLINE="1")
    check("huggingface_hub, offline, the whole dataset from Skiff's cache", r.returncode == 0)
    a, b = layout(all_of_it, "datasets--acme--chats"), layout(ours, "datasets--acme--chats")
    check("the dataset's cache is the same", a == b, str([k for k in {**a, **b} if a.get(k) != b.get(k)])[:300])
finally:
    if server:
        server.kill()
    shutil.rmtree(folder, ignore_errors=True)

print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
