"""A GGUF as a float32 Hugging Face folder, read and written by transformers itself.

    python smollm2_base.py MODEL.gguf FOLDER
"""
import os
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

folder, name = os.path.split(os.path.abspath(sys.argv[1]))
quantised = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32)
config = quantised.config
config.__dict__.pop("quantization_config", None)
model = LlamaForCausalLM(config)
model.load_state_dict(quantised.state_dict(), strict=False)
model.tie_weights()
AutoTokenizer.from_pretrained(folder, gguf_file=name).save_pretrained(sys.argv[2])
model.save_pretrained(sys.argv[2])
