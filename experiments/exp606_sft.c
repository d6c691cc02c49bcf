// exp606: Tulu 3 on Llama 3.1 8B, after Marin's experiment of that number: the guide's example of one dataset.
//
//     build/skiff run experiments/exp606_sft.c --dry_run
#include <skiff/experiment.h>

int main(int argc, char **argv)
{
    ExecutorStep *dataset = get_instruction_dataset("allenai/tulu-3-sft-mixture", .splits = { "train" });

    ExecutorStep *tokenized = default_tokenize(
        .name = "tulu_3_llama3_instruct",
        .dataset = path_in(dataset, "**/*.jsonl.gz"),
        .tokenizer = llama3_instruct_tokenizer,
        .format = ChatLmDatasetFormat(.input_field = "user", .output_field = "assistant"));

    ExecutorStep *training = default_sft(
        .name = "tulu3_llama3_sft",
        .tokenized = tokenized,
        .model_config = llama_8b,
        .sft_config = SimpleSFTConfig(
            .train_batch_size = 128, .num_train_steps = 3834, .learning_rate = 5e-6,
            .tpu_type = "v4-128",
            .tokenizer = llama3_instruct_tokenizer, .model_name_or_path = "meta-llama/Llama-3.1-8B",
            .max_seq_len = 4096, .steps_per_checkpoint = 1000, .steps_per_hf_export = 500, .seed = 1));

    return executor_main(argc, argv, .steps = { tokenized, training },
        .description = "SFT of Llama 3.1 8B on Tulu 3.");
}
