"""A fine-tune by TRL's SFTTrainer from a JSON file of instructions to a saved model. Prints assistant tokens that were trained as JSON.

    python bench/sft_trl.py MODEL FILE.json TEMPLATE.jinja OUTPUT ROWS TOKENS RATE bf16|f32 [packed]
"""
import json
import sys

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer

model_path, data, template, output = sys.argv[1:5]
rows, tokens, rate, precision = int(sys.argv[5]), int(sys.argv[6]), float(sys.argv[7]), sys.argv[8]
trained = 0


def chat(r):
    question = r["instruction"] + ("\n" + r["input"] if r["input"] else "")
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": r["output"]}]}


class Counting(SFTTrainer):
    def training_step(self, model, inputs, *more, **named):
        global trained
        trained += int((inputs["labels"][:, 1:] != -100).sum())
        return super().training_step(model, inputs, *more, **named)


with open(data) as f:
    chats = Dataset.from_list([chat(r) for r in json.load(f)])
with open(template) as f:
    tokenizer = AutoTokenizer.from_pretrained(model_path, chat_template=f.read())
model = AutoModelForCausalLM.from_pretrained(model_path, dtype=torch.float32)
config = SFTConfig(output_dir=output, num_train_epochs=1, per_device_train_batch_size=rows, learning_rate=rate, max_length=tokens,
                   packing="packed" in sys.argv, assistant_only_loss=True, bf16=precision == "bf16", use_cpu=True, gradient_checkpointing=False,
                   warmup_steps=0.03, max_grad_norm=1.0, weight_decay=0, logging_steps=1, report_to=[], save_strategy="no", dataset_num_proc=None)
trainer = Counting(model, args=config, train_dataset=chats, processing_class=tokenizer)
trainer.train()
trainer.save_model(output)
log = [entry for entry in trainer.state.log_history if "loss" in entry]
print(json.dumps({"trained_tokens": trained, "steps": trainer.state.global_step, "first_loss": log[0]["loss"], "last_loss": log[-1]["loss"]}))
