"""Generation beside llama.cpp's: tokens a second of the prompt and of the answer, on the same bfloat16 weights, in turn, in one run.

    python bench/generate.py [SKIFF]        (an idle machine; needs the packages llama-cpp-python and gguf: pip install llama-cpp-python==0.3.36 gguf)

The model is SmolLM2-135M-Instruct of the fixtures, its 4-bit weights written out as bfloat16 (build/smollm2-bf16.gguf). Both answer greedily
with all processors of this machine. llama.cpp's times are its own (llama_perf_context), without sampling; Skiff's include it.
"""
import json
import os
import statistics
import subprocess
import sys

import common
import gguf
import llama_cpp

SKIFF = sys.argv[1] if len(sys.argv) > 1 else "build/skiff"
SOURCE = "fixtures/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
MODEL = "build/smollm2-bf16.gguf"
TOKENS, ROUNDS = 128, int(os.environ.get("ROUNDS", 3))
SHORT = "Write a long story about a lighthouse keeper and her dog."
LONG = "Continue this story: " + " ".join(f"On day {i} the keeper walked to the harbour and counted {i + 3} ships." for i in range(1, 25))


def write_bf16():
    reader = gguf.GGUFReader(SOURCE)
    writer = gguf.GGUFWriter(MODEL, "llama")
    for name, field in reader.fields.items():
        if not name.startswith("GGUF.") and name not in ("general.architecture", "general.file_type"):
            writer.add_key_value(name, field.contents(), field.types[0], field.types[-1] if len(field.types) > 1 else None)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_BF16)
    for t in reader.tensors:
        numbers = gguf.quants.dequantize(t.data, t.tensor_type)
        if len(t.shape) == 1:
            writer.add_tensor(t.name, numbers)
        else:
            kind = gguf.GGMLQuantizationType.BF16
            writer.add_tensor(t.name, gguf.quants.quantize(numbers, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def skiff(prompt, *options):
    line = [SKIFF, "chat", MODEL, "--prompt", prompt, "--max-tokens", str(TOKENS), "--json", *options]
    r = json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)
    return r["prompt_tokens_per_second"], r["tokens_per_second"], len(r["ids"]), r["prompt_tokens"], r["text"]


def llama(prompt):
    n = os.cpu_count()
    model = llama_cpp.Llama(MODEL, n_ctx=1024, n_threads=n, n_threads_batch=n, verbose=False)
    messages = [{"role": "user", "content": prompt}]
    r = model.create_chat_completion(messages, temperature=0, max_tokens=TOKENS, repeat_penalty=1)
    t = llama_cpp.llama_perf_context(model.ctx)
    text = r["choices"][0]["message"]["content"]
    model.close()
    return t.n_p_eval / t.t_p_eval_ms * 1e3, t.n_eval / t.t_eval_ms * 1e3, r["usage"]["completion_tokens"], t.n_p_eval, text


def main():
    rows = []
    if not os.path.exists(MODEL):
        write_bf16()
    for name, prompt in ("short prompt", SHORT), ("long prompt", LONG):
        runs = [(skiff(prompt), llama(prompt)) for _ in range(ROUNDS)]
        mine, theirs = ([statistics.median(run[i][k] for run in runs) for k in (0, 1)] for i in (0, 1))
        tokens = runs[0][0]
        same = os.path.commonprefix([runs[0][0][4], runs[0][1][4]])
        print(f"{name} ({tokens[3]} tokens, llama.cpp {runs[0][1][3]}), {tokens[2]} answered; {len(same)} characters of {len(tokens[4])} are the same")
        for k, what in enumerate(("prompt", "answer")):
            print(f"  {what}: Skiff {mine[k]:7.1f} tokens/s, llama.cpp {theirs[k]:7.1f} tokens/s, ratio {mine[k] / theirs[k]:.2f}")
        rows.append({"tokens": tokens[3]} | {who: {what: [run[i][k] for run in runs] for k, what in enumerate(("prompt", "answer"))}
                                             for i, who in enumerate(("skiff", "llama.cpp"))})
    common.save("generate", {"rows": rows})


main()
