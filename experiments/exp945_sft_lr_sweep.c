// exp945: five learning rates on one dataset, after Marin's experiment of that number. The tokens are made once.
//
//     build/skiff run experiments/exp945_sft_lr_sweep.c --dry_run
//
// SPOONBILL names the base model, a Llama 8B that was cooled down with z-loss.
#include <skiff/experiment.h>

#include <stdio.h>

int main(int argc, char **argv)
{
    static const double rates[] = { 1e-5, 2e-5, 3e-5, 5e-5, 1e-4 };
    const char *base = env_or("SPOONBILL", "gs://marin-us-central2/checkpoints/tootsie-8b-spoonbill-zloss/hf/step-829999");
    ExecutorStep *dataset = get_instruction_dataset("allenai/tulu-3-sft-mixture", .splits = { "train" });

    ExecutorStep *tokenized = default_tokenize(
        .name = "tulu_3_llama3_instruct",
        .dataset = path_in(dataset, "**/*.jsonl.gz"),
        .tokenizer = llama3_instruct_tokenizer,
        .format = ChatLmDatasetFormat(.input_field = "user", .output_field = "assistant"));

    ExecutorStep *sweep[5];
    for (int i = 0; i < 5; i++) {
        char name[80];
        snprintf(name, sizeof name, "sft/tulu3_sft_spoonbill_945_lr_%.0e", rates[i]);
        sweep[i] = default_sft(
            .name = name,
            .tokenized = tokenized,
            .model_config = llama_8b,
            .sft_config = SimpleSFTConfig(
                .train_batch_size = 128, .num_train_steps = 3834, .learning_rate = rates[i],
                .tpu_type = "v4-128",
                .tokenizer = llama3_instruct_tokenizer, .model_name_or_path = base,
                .max_seq_len = 4096, .seed = 1));
    }
    return executor_main(argc, argv, .steps = { tokenized, sweep[0], sweep[1], sweep[2], sweep[3], sweep[4] },
        .description = "Which learning rate suits SFT of a cooled-down model.");
}
