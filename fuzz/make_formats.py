# Writes the hand-made inputs of fuzz_gguf and fuzz_safetensors: valid files of every kind of value and tensor, and
# the same broken in one place each.     python fuzz/make_formats.py
import json
import os
import struct

here = os.path.dirname(os.path.abspath(__file__))


def put(target, name, data):
    os.makedirs(os.path.join(here, "corpus", target), exist_ok=True)
    with open(os.path.join(here, "corpus", target, name), "wb") as f:
        f.write(data)


def text(s):
    s = s.encode()
    return struct.pack("<Q", len(s)) + s


KINDS = {"u8": (0, "<B"), "i8": (1, "<b"), "u16": (2, "<H"), "i16": (3, "<h"), "u32": (4, "<I"), "i32": (5, "<i"), "f32": (6, "<f"),
         "bool": (7, "<?"), "u64": (10, "<Q"), "i64": (11, "<q"), "f64": (12, "<d")}


def value(kind, v):
    if kind == "text":
        return struct.pack("<I", 8) + text(v)
    if isinstance(v, list):
        item = 8 if kind == "texts" else KINDS[kind][0]
        items = b"".join(text(x) if kind == "texts" else struct.pack(KINDS[kind][1], x) for x in v)
        return struct.pack("<IIQ", 9, item, len(v)) + items
    return struct.pack("<I", KINDS[kind][0]) + struct.pack(KINDS[kind][1], v)


SIZES = {0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 12: (256, 144), 13: (256, 176),
         14: (256, 210), 30: (1, 2), 16: (256, 66)}


def gguf(values, tensors, version=3, align=32, magic=b"GGUF"):
    out = magic + struct.pack("<IQQ", version, len(tensors), len(values))
    for key, kind, v in values:
        out += text(key) + value(kind, v)
    offset, data = 0, b""
    for name, dims, type in tensors:
        out += text(name) + struct.pack("<I", len(dims)) + b"".join(struct.pack("<Q", d) for d in dims)
        out += struct.pack("<IQ", type, len(data))
        count = 1
        for d in dims:
            count *= d
        elements, size = SIZES[type]
        data += bytes((i * 37 + type) % 251 for i in range(count // elements * size))
        data += bytes(-len(data) % align)
    return out + bytes(-len(out) % align) + data


llama = [("general.architecture", "text", "llama"), ("llama.block_count", "u32", 1), ("llama.embedding_length", "u32", 4),
         ("llama.attention.head_count", "u32", 2), ("llama.attention.head_count_kv", "u32", 1), ("llama.feed_forward_length", "u32", 8),
         ("llama.attention.layer_norm_rms_epsilon", "f32", 1e-5), ("llama.rope.freq_base", "f32", 10000.0),
         ("llama.context_length", "u32", 64), ("tokenizer.ggml.tokens", "texts", ["a", "b", "<s>"])]
every = [(k, k, True if k == "bool" else 7) for k in KINDS] + [("text", "text", "words"), ("texts", "texts", ["", "x"])] + \
        [("list." + k, k, [True] if k == "bool" else [1, 2, 3]) for k in KINDS]
put("gguf", "empty", gguf([], []))
put("gguf", "values", gguf(every, []))
put("gguf", "version2", gguf(every[:2], [], version=2))
put("gguf", "llama", gguf(llama, [("token_embd.weight", [4, 3], 0), ("blk.0.attn_norm.weight", [4], 0), ("rope_freqs.weight", [1], 0)]))
put("gguf", "scaled", gguf(llama + [("llama.rope.scaling.type", "text", "linear"), ("llama.rope.scaling.factor", "f32", 2.0)], []))
put("gguf", "types", gguf([], [("t%d" % t, [256, 2] if t in (0, 1, 12) else [256], t) for t in SIZES]))
put("gguf", "aligned", gguf([("general.alignment", "u32", 8)], [("a", [1, 2, 3, 4], 0), ("b", [1], 30)], align=8))
whole = gguf(llama, [("a", [32, 2], 8)])
put("gguf", "cut", whole[:-20])
put("gguf", "cut_header", whole[:100])
put("gguf", "many", whole[:8] + struct.pack("<Q", 1 << 60) + whole[16:])
put("gguf", "magic", b"GGML" + whole[4:])
put("gguf", "twice", gguf(every[:1] * 2, []))
put("gguf", "overlap", gguf([], [("a", [64], 0), ("b", [64], 0)]).replace(struct.pack("<Q", 256), struct.pack("<Q", 32)))
put("gguf", "big", gguf([], [("a", [64, 64], 0)]).replace(struct.pack("<Q", 64), struct.pack("<Q", 1 << 33)))


def st(header, data):
    h = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(h)) + h + data


def row(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


put("safetensors", "empty", st({}, b""))
put("safetensors", "one", st({"__metadata__": {"format": "pt"}, "a": row("F32", [2, 2], 0, 16)}, bytes(range(16))))
types, at = {}, 0
for name, size in [("F64", 8), ("I64", 8), ("F32", 4), ("I32", 4), ("F16", 2), ("BF16", 2), ("I16", 2), ("I8", 1), ("U8", 1), ("BOOL", 1)]:
    types[name.lower()] = row(name, [3], at, at + 3 * size)
    at += 3 * size
put("safetensors", "types", st(types, bytes(range(at))))
put("safetensors", "scalar", st({"s": row("U8", [], 0, 1), "none": row("F16", [0, 7], 1, 1)}, b"x"))
put("safetensors", "padded", st(b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}     ', b"x"))
put("safetensors", "escaped", st(b'{"\\u00e4\\n":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"x"))
put("safetensors", "cut", st({"a": row("F32", [2, 2], 0, 16)}, bytes(9)))
put("safetensors", "hole", st({"a": row("U8", [1], 0, 1), "b": row("U8", [1], 2, 3)}, bytes(3)))
put("safetensors", "overlap", st({"a": row("U8", [2], 0, 2), "b": row("U8", [2], 1, 3)}, bytes(3)))
put("safetensors", "more", st({"a": row("U8", [2], 0, 2)}, bytes(5)))
put("safetensors", "huge", st({"a": row("F64", [1 << 31, 1 << 31], 0, 1 << 62)}, b""))
put("safetensors", "negative", st({"a": row("F32", [-1], 0, -4)}, b""))
put("safetensors", "twice", st(b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}', b""))
put("safetensors", "metadata", st({"__metadata__": {"a": 1}}, b""))
put("safetensors", "no_header", struct.pack("<Q", 1 << 40) + b"{}")
put("safetensors", "pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
