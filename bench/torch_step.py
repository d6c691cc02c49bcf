"""One optimizer step of a model in transformers + torch: tokens a second and memory, as JSON.

    python bench/torch_step.py FOLDER BATCH SEQ bf16|f32 [compile]
"""
import json
import resource
import statistics
import sys
import time

import torch
from transformers import AutoModelForCausalLM

folder, batch, seq, precision = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
steps = 5
torch.manual_seed(0)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa").train()
step_model = torch.compile(model) if "compile" in sys.argv else model
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
ids = torch.randint(0, model.config.vocab_size, (batch, seq))
seconds = []
for _ in range(steps + 1):
    start = time.perf_counter()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
        loss = step_model(input_ids=ids, labels=ids).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    seconds.append(time.perf_counter() - start)
seconds = seconds[1:]
print(json.dumps({
    "tokens_per_second": batch * seq / statistics.median(seconds),
    "tokens_per_second_best": batch * seq / min(seconds),
    "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    "step_seconds": seconds,
}))
