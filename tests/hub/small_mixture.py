#!/usr/bin/env python3
"""The repositories of experiments/small_hub_mixture.c as a folder for server.py; standard library, and pyarrow for Parquet if it is there.

    small_mixture.py ROOT [--model FILE.gguf] [--rows N]

Four datasets in four forms: `alpaca` and `questions` as Parquet (JSON lines without pyarrow), `tools` as one JSON array, `ferryman` as JSON
lines. They are made of alpaca_en_demo.json, glaive_toolcall_en_demo.json and gsm8k_test.jsonl in the folder that CHATS names, else of
the quickstart's chats. The model is FILE.gguf, else a tiny one with random weights whose tokens are bytes.
"""
import argparse
import json
import os
import random
import shutil
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
QUICKSTART = os.path.join(HERE, "../../data/quickstart/train.jsonl")
TEMPLATE = ("{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content or '' }}"
            "{% for c in m.tool_calls or [] %}<call>{{ c.function | tojson }}</call>{% endfor %}<|im_end|>\n{% endfor %}"
            "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}")


# -- datasets
def lines(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def chats_of(name):
    """A file of CHATS; None where there is none."""
    path = os.path.join(os.environ.get("CHATS", ""), name)
    if not os.environ.get("CHATS") or not os.path.exists(path):
        return None
    if path.endswith(".jsonl"):
        return lines(path)
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def tool_chats(chats):
    """Chats as ShareGPT writes them, each with a call of a tool before its last answer."""
    tool = {"name": "tide", "description": "When the tide turns", "parameters": {"type": "object", "properties": {}}}
    out = []
    for c in chats:
        turns = [{"from": {"user": "human", "assistant": "gpt"}[m["role"]], "value": m["content"]} for m in c]
        turns[-1:-1] = [{"from": "function_call", "value": json.dumps({"name": "tide", "arguments": {"day": "today"}})},
                        {"from": "observation", "value": json.dumps({"turns": "at noon"})}]
        out.append({"conversations": turns, "tools": json.dumps([tool])})
    return out


def datasets():
    chats = [r["messages"] for r in lines(QUICKSTART)]
    one_turn = [c for c in chats if len(c) == 2]
    third = len(one_turn) // 3
    pairs = [(c[0]["content"], c[1]["content"]) for c in one_turn]
    return {
        "alpaca": chats_of("alpaca_en_demo.json") or [{"instruction": q, "input": "", "output": a} for q, a in pairs[:third]],
        "tools": chats_of("glaive_toolcall_en_demo.json") or tool_chats(one_turn[third:third + 20]),
        "questions": chats_of("gsm8k_test.jsonl") or [{"question": q, "answer": a} for q, a in pairs[third + 20:]],
        "ferryman": [{"messages": c} for c in chats],
    }


def write_lines(folder, rows):
    with open(os.path.join(folder, "train.jsonl"), "w", encoding="utf-8") as f:
        f.writelines(json.dumps(r, ensure_ascii=False) + "\n" for r in rows)


def write_parquet(folder, rows):
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        write_lines(folder, rows)
        return
    half = len(rows) // 2
    for i, part in enumerate([rows[:half], rows[half:]]):
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(part), os.path.join(folder, f"train-{i:05d}-of-00002.parquet"), row_group_size=100)


def write_array(folder, rows):
    with open(os.path.join(folder, "train.json"), "w", encoding="utf-8") as f:
        json.dump(rows, f, ensure_ascii=False, indent=1)


# -- the model of bytes
def byte_letters():
    """A letter for each byte, as byte-level vocabularies spell them: those that print stand for themselves."""
    plain = [b for b in range(256) if 33 <= b <= 126 or 161 <= b <= 172 or b >= 174]
    rest = iter(range(256, 512))
    return [chr(b) if b in plain else chr(next(rest)) for b in range(256)]


def tokenizer():
    added = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {"version": "1.0", "truncation": None, "padding": None, "normalizer": None, "pre_tokenizer": level, "post_processor": None,
            "added_tokens": [{"id": 256 + i, "content": t, **flags} for i, t in enumerate(added)], "decoder": level,
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
                      "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "merges": [],
                      "vocab": {letter: i for i, letter in enumerate(byte_letters())}}}


def weights(vocab, hidden, ffn, layers):
    shapes = {"model.embed_tokens.weight": [vocab, hidden], "model.norm.weight": [hidden]}
    for i in range(layers):
        at = f"model.layers.{i}."
        for name in ["input_layernorm", "post_attention_layernorm"]:
            shapes[f"{at}{name}.weight"] = [hidden]
        for name in "qkvo":
            shapes[f"{at}self_attn.{name}_proj.weight"] = [hidden, hidden]
        shapes.update({at + "mlp.gate_proj.weight": [ffn, hidden], at + "mlp.up_proj.weight": [ffn, hidden],
                       at + "mlp.down_proj.weight": [hidden, ffn]})
    return shapes


def write_model(folder):
    draw, header, data = random.Random(0), {}, b""
    for name, shape in weights(264, 32, 64, 2).items():
        count = shape[0] * shape[-1] if len(shape) == 2 else shape[0]
        numbers = [1.0] * count if len(shape) == 1 else [draw.gauss(0, 0.05) for _ in range(count)]
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + 4 * count]}
        data += struct.pack(f"<{count}f", *numbers)
    said = json.dumps(header).encode()
    said += b" " * (-len(said) % 8)
    with open(os.path.join(folder, "model.safetensors"), "wb") as f:
        f.write(struct.pack("<Q", len(said)) + said + data)
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 264, "hidden_size": 32, "intermediate_size": 64,
              "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 4096,
              "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu", "tie_word_embeddings": True, "torch_dtype": "float32",
              "bos_token_id": 256, "eos_token_id": 258}
    told = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "chat_template": TEMPLATE}
    for name, value in [("config.json", config), ("tokenizer.json", tokenizer()), ("tokenizer_config.json", told)]:
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            json.dump(value, f, ensure_ascii=False)


def main():
    p = argparse.ArgumentParser(description="The repositories of experiments/small_hub_mixture.c as a folder for server.py.")
    p.add_argument("root")
    p.add_argument("--model", help="a .gguf file instead of the tiny model")
    p.add_argument("--rows", type=int, help="at most so many rows of each dataset")
    args = p.parse_args()
    writers = {"alpaca": write_parquet, "tools": write_array, "questions": write_parquet, "ferryman": write_lines}
    for name, rows in datasets().items():
        folder = os.path.join(args.root, "datasets/harbour", name, "main")
        os.makedirs(folder)
        writers[name](folder, rows[:args.rows])
    folder = os.path.join(args.root, "models/harbour/model/main")
    os.makedirs(folder)
    if args.model:
        shutil.copy(args.model, os.path.join(folder, "model.gguf"))
    else:
        write_model(folder)


main()
