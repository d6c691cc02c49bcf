"""Parquet of chats to rows: Skiff's reader beside pyarrow's read_table(…).to_pylist(), one run and one thread each, in turn.

    python bench/parquet.py [MEGABYTES (250)]     BUILD: the folder of the build; makes its file in a temporary folder

Rates are per second of CPU: a machine that others use changes them less.
"""
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time

import common

BUILD = os.environ.get("BUILD", "build")
ROWS = f"{BUILD}/bench/parquet_rows"
WORDS = ("the a of and to in is you that it he was for on are as with his they I at be this have from or one had by word but not what all were we "
         "when your can said there use an each which she do how their if will up other about out many then them these so some her would make like "
         "him into time has look two more write go see number no way could people my than first water been call who oil its now find long "
         "down day did get come made may part Größe naïve façade 数据 模型 рассказ 🙂 def return "
         "import for_loop {x} \"quoted\" \\path\\to 3.14159").split()


def chats(megabytes):
    "Chats of 1 to 20 messages, answers of a few words to some thousands; half with a system message, some with tools."
    r = random.Random(1)
    size, roles, wanted = 0, ("user", "assistant"), megabytes << 20
    texts = [" ".join(r.choices(WORDS, k=k)) + r.choice(["", ".", "\n\n", "?"]) for k in [r.randint(1, 60) for _ in range(4000)]]
    number = 0
    while size < wanted:
        messages = [{"role": "system", "content": r.choice(texts)}] if r.random() < .5 else []
        for i in range(2 * r.randint(1, 10)):
            content = " ".join(r.choices(texts, k=1 if i % 2 == 0 else r.choice([1, 3, 10])))
            size += len(content.encode())
            messages.append({"role": roles[i % 2], "content": content})
        number += 1
        yield {"id": f"chat-{number}", "messages": messages, "source": r.choice(["web", "code", "math"]), "score": r.random(),
               "tools": json.dumps([{"name": "search"}]) if r.random() < .1 else None}


def write(path, megabytes):
    import pyarrow as pa
    import pyarrow.parquet as pq
    pq.write_table(pa.Table.from_pylist(list(chats(megabytes))), path, compression="snappy", row_group_size=20000)


def peer(path):
    import pyarrow as pa
    import pyarrow.parquet as pq
    pa.set_cpu_count(1)
    start, before = time.perf_counter(), time.process_time()
    rows = pq.read_table(path, use_threads=False).to_pylist()
    seconds, busy = time.perf_counter() - start, time.process_time() - before
    print(json.dumps({"rows": len(rows), "seconds": seconds, "cpu": busy, "text_bytes": sum(text_bytes(r) for r in rows),
                      "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10}))


def text_bytes(v):
    return len(v.encode()) if isinstance(v, str) else sum(map(text_bytes, v.values() if isinstance(v, dict) else v)) if isinstance(v, (dict, list)) else 0


def run(*command):
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def timed(*command):
    start = time.perf_counter()
    with open(os.devnull, "w") as nowhere:
        process = subprocess.Popen(command, stdout=nowhere)
        _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss >> 10


if len(sys.argv) > 2 and sys.argv[1] in ("peer", "write"):      # in processes of their own, whose memory is not the parent's
    peer(sys.argv[2]) if sys.argv[1] == "peer" else write(sys.argv[2], int(sys.argv[3]))
    sys.exit()
subprocess.run(["make", "-s", f"B={BUILD}", ROWS], check=True)
folder = tempfile.mkdtemp(prefix="skiff-bench-")
path = f"{folder}/chats.parquet"
subprocess.run([sys.executable, __file__, "write", path, sys.argv[1] if len(sys.argv) > 1 else "250"], check=True)
table = [("skiff, rows", *timed(ROWS, path))]
theirs = run(sys.executable, __file__, "peer", path)
table += [("skiff data cat", *timed(f"{BUILD}/skiff", "data", "cat", path)), ("pyarrow, to_pylist", theirs["seconds"], theirs["cpu"], theirs["peak"])]
mine = run(ROWS, path)
assert mine["rows"] == theirs["rows"] and mine["text_bytes"] == theirs["text_bytes"], (mine, theirs)
size = mine["text_bytes"] / 1e6
print(f"{mine['rows']} chats, {size:.0f} MB of text, {os.path.getsize(path) / 1e6:.0f} MB of Parquet (snappy)")
print(f"{'':<20} {'seconds':>8} {'of CPU':>8} {'MB/s':>8} {'peak MB':>8}")
for name, seconds, cpu, memory in table:
    print(f"{name:<20} {seconds:8.2f} {cpu:8.2f} {size / cpu:8.0f} {memory:8d}")
print(f"skiff / pyarrow: {theirs['seconds'] / table[0][1]:.1f} by the clock, {theirs['cpu'] / table[0][2]:.1f} by CPU")
common.save("parquet", {"rows": [{"what": "Parquet to rows, of CPU", "skiff": [size / table[0][2]], "peer": "pyarrow", "theirs": [size / theirs["cpu"]]}]})
shutil.rmtree(folder)
