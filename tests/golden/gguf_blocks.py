# Random blocks of every type that is read, and what the `gguf` package makes of them.
#   python tests/golden/gguf_blocks.py        writes gguf_blocks.gguf and gguf_blocks.f32 beside this script
import os

import gguf
import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType as T

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(20)
HALVES = {T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208]}
writer = gguf.GGUFWriter(os.path.join(here, "gguf_blocks.gguf"), "llama")
want = []
for t in [T.F32, T.F16, T.BF16, T.Q8_0, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q4_K, T.Q5_K, T.Q6_K]:
    elements, size = GGML_QUANT_SIZES[t]
    raw = rng.integers(0, 256, (2, 256 // elements, size), dtype=np.uint8)
    scales = rng.normal(0, 1e-2, (2, 256 // elements, 2)).astype(np.float16)
    scales[0, 0] = [6e-8, -5.5e-7]                      # subnormal halves
    for i, at in enumerate(HALVES.get(t, [])):          # finite scales, so that the bits can be compared
        raw[:, :, at:at + 2] = scales[:, :, i:i + 1].view(np.uint8)
    if t == T.F32:
        raw = rng.normal(0, 1, (2, 256)).astype(np.float32).view(np.uint8)
    if t == T.F16:
        raw = np.where(np.isfinite(raw.reshape(2, 512).view(np.float16)), raw.reshape(2, 512).view(np.float16), 0).astype(np.float16).view(np.uint8)
    if t == T.BF16:
        raw = (rng.normal(0, 1, (2, 256)).astype(np.float32).view(np.uint32) >> 16).astype(np.uint16).view(np.uint8)
    raw = raw.reshape(2, -1)
    want.append(np.asarray(gguf.quants.dequantize(raw, t), dtype=np.float32).reshape(-1))
    assert np.isfinite(want[-1]).all(), t
    writer.add_tensor(t.name, raw, raw_dtype=t)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
np.concatenate(want).tofile(os.path.join(here, "gguf_blocks.f32"))
