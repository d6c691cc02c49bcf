"""What `skiff plan` says of memory beside what a run took: the peak of its process, as the kernel counted it.

    python3 bench/memory.py MODEL DATA [SKIFF [SETTING]]            only settings whose line holds SETTING

A training of one step for each setting, in a folder of its own below build/memory: all memory is taken before the first step, and a
step takes none. Exit 1 when a plan is off by more than 2 %.
"""
import json
import os
import shutil
import subprocess
import sys

MODEL, DATA = sys.argv[1], sys.argv[2]
SKIFF = os.path.abspath(sys.argv[3] if len(sys.argv) > 3 else "build/skiff")
ONLY = sys.argv[4] if len(sys.argv) > 4 else ""
FOLDER = "build/memory"
SETTINGS = [                        # rows, tokens of a row, options
    (4, 512, {"recompute": "none", "precision": "f32"}),
    (4, 512, {"recompute": "cheap", "precision": "f32"}),
    (4, 512, {"recompute": "block", "precision": "f32"}),
    (4, 512, {"recompute": "none", "precision": "bf16"}),
    (4, 512, {"recompute": "cheap", "precision": "bf16"}),
    (4, 512, {"recompute": "block", "precision": "bf16"}),
    (4, 512, {"recompute": "cheap", "precision": "f32", "micro_batch": "2"}),
    (8, 128, {"recompute": "cheap", "precision": "f32"}),
    (1, 1024, {"recompute": "none", "precision": "bf16"}),
    (4, 512, {"recompute": "cheap", "precision": "f32", "moments": "bf16"}),
    (4, 512, {"recompute": "cheap", "precision": "bf16", "moments": "bf16"}),
]


def peak_of(line):
    """Exit code and the most that was resident, in bytes."""
    pid = os.posix_spawn(line[0], line, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 2, FOLDER + "/log", os.O_WRONLY | os.O_CREAT, 0o644),
                                                                  (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    return status, usage.ru_maxrss * 1024


def main():
    os.makedirs(FOLDER, exist_ok=True)
    cache = FOLDER + "/cache"
    if not os.path.exists(cache):
        subprocess.run([SKIFF, "tokenize", DATA, "--model", MODEL, "--output", cache], check=True)
    worst = 0
    print(f"{'setting':58} {'planned':>9} {'measured':>9} {'off':>7}")
    for rows, seq, options in SETTINGS:
        words = [f"{k}={v}" for k, v in options.items()]
        setting = f"{rows} x {seq} " + " ".join(words)
        if ONLY not in setting:
            continue
        config, output = FOLDER + "/train.yaml", FOLDER + "/out"
        shutil.rmtree(output, ignore_errors=True)
        with open(config, "w") as f:
            f.write(f"model_name_or_path: {os.path.abspath(MODEL)}\ndata: {os.path.abspath(cache)}\noutput: {os.path.abspath(output)}\n"
                    f"train_batch_size: {rows}\nmax_seq_len: {seq}\nnum_train_steps: 1\nsteps_per_hf_export: -1\n")
        plan = json.loads(subprocess.run([SKIFF, "plan", config, "--json", *words], check=True, capture_output=True, text=True).stdout)
        status, measured = peak_of([SKIFF, "train", config, *words])
        if status:
            sys.exit(f"memory: skiff train failed, see {FOLDER}/log")
        planned = plan["memory_bytes"]["peak"]
        off = planned / measured - 1
        worst = max(worst, abs(off))
        print(f"{setting:58} {planned * 1e-9:6.3f} GB {measured * 1e-9:6.3f} GB {100 * off:+6.2f} %", flush=True)
    sys.exit(worst > 0.02)


main()
