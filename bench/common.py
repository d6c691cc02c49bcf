"""What the benches share: where things are, processes that are measured, figures with their spread, and the files of results."""
import functools
import json
import os
import platform
import statistics
import sys
import time

OUT = os.environ.get("OUT", "build/bench")
SKIFF = os.path.abspath(os.environ.get("SKIFF", "build/skiff"))
PEERS = os.environ.get("PEERS", "build/peers")                  # torch, transformers, TRL, llama-cpp-python
LEVANTER = os.environ.get("LEVANTER", "build/bench-peers")      # Levanter, whose transformers is another
SMOL = os.environ.get("SMOL", "build/smollm2-hf")
MODEL = os.environ.get("MODEL", SMOL if os.path.exists(SMOL + "/config.json") else "fixtures/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
LOAD = os.getloadavg()[0]           # before anything was measured
CHATS = os.environ.get("DATA", "data/quickstart/train.jsonl")


def number(name, default):
    return int(os.environ.get(name, default))


@functools.cache
def python_of(venv, module):
    """The Python of a virtual environment that has a module; None, and said, if it is not installed."""
    python = f"{venv}/bin/python"
    if os.path.exists(python) and any(os.path.isdir(f"{venv}/lib/{lib}/site-packages/{module}") for lib in os.listdir(f"{venv}/lib")):
        return python
    print(f"  no {module} in {venv}: its rows are left out (bench/install)", flush=True)
    return None


def has_bf16():
    with open("/proc/cpuinfo") as f:
        flags = f.read()
    return any(word in flags for word in ("avx512_bf16", "amx_bf16", " bf16"))


def processor():
    with open("/proc/cpuinfo") as f:
        names = [line.split(":", 1)[1].strip() for line in f if line.startswith("model name")]
    return f"{os.cpu_count()} × {names[0] if names else platform.machine()}"


def clean_environment(more=None):
    """That of a timed process: nothing chooses kernels for OpenBLAS, all processors, no network, and malloc keeps its memory, which helps torch."""
    env = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    env |= {"OMP_NUM_THREADS": str(os.cpu_count()), "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1", "JAX_PLATFORMS": "cpu",
            "PYTHONDONTWRITEBYTECODE": "1", "MALLOC_TRIM_THRESHOLD_": "1000000000000", "MALLOC_MMAP_THRESHOLD_": "1000000000000"}
    return env | (more or {})


def start(line, log):
    """A process with its output in the files `log` and `log`.err: its number."""
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [(os.POSIX_SPAWN_OPEN, 1, log, write, 0o644), (os.POSIX_SPAWN_OPEN, 2, log + ".err", write, 0o644)]
    return os.posix_spawnp(line[0], line, clean_environment(), file_actions=actions)


def run(line, log):
    """A command to its end: seconds of the whole process, its peak in bytes. None, and said, where it fails."""
    begun = time.perf_counter()
    _, status, usage = os.wait4(start(line, log), 0)
    if status:
        with open(log + ".err", errors="replace") as f:
            print(f"  failed: {' '.join(line[:2])} …; the end of {log}.err:\n" + "".join(f.readlines()[-5:]), flush=True)
        return None
    return time.perf_counter() - begun, usage.ru_maxrss * 1024


def must(measured):
    return measured or sys.exit(1)


def last_json(path):
    """The last line of a file, which a program printed as JSON."""
    with open(path) as f:
        return json.loads(f.read().strip().splitlines()[-1])


def spread(x):
    """"12.3 (12.1–12.6)": the median, and from the least to the most."""
    form = "{:.0f}" if max(x) >= 100 else "{:.1f}" if max(x) >= 10 else "{:.2f}"
    text = form.format(statistics.median(x))
    return text if len(x) == 1 else f"{text} ({form.format(min(x))}–{form.format(max(x))})"


def folder(name):
    path = f"{OUT}/{name}"
    os.makedirs(path, exist_ok=True)
    return path


def save(name, values):
    values = {"row": name, "when": time.strftime("%Y-%m-%d %H:%M"), "machine": processor(), "load": LOAD} | values
    os.makedirs(OUT, exist_ok=True)
    with open(f"{OUT}/{name}.json", "w") as f:
        json.dump(values, f, indent=1)
