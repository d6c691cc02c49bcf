"""Optimizer steps of a model in transformers and torch: AdamW on all weights, clipping. Prints seconds of each step as JSON.

    python bench/step_torch.py FOLDER ROWS TOKENS MICRO_BATCHES bf16|f32 STEPS [compile]
"""
import json
import sys
import time

import torch
from transformers import AutoModelForCausalLM

folder, rows, tokens, micro, precision, steps = sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5], int(sys.argv[6])
torch.manual_seed(0)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa").train()
forward = torch.compile(model) if "compile" in sys.argv else model
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0, fused=True)
ids = torch.randint(0, model.config.vocab_size, (rows, tokens))
seconds = []
for _ in range(steps + 1):              # the first, which compiles and asks for memory, is not counted
    begun = time.perf_counter()
    for part in ids.chunk(micro):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
            loss = forward(input_ids=part, labels=part).loss / micro
        loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    loss.item()
    seconds.append(time.perf_counter() - begun)
print(json.dumps({"step_seconds": seconds[1:]}))
