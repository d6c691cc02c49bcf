// exp727: instruction following on top of a model that was fine-tuned before, after Marin's experiment of that number. Only
// the weights of that run's checkpoint are taken: step, optimizer and schedule begin anew.
//
//     build/skiff run experiments/exp727_sft.c --dry_run
#include <skiff/experiment.h>

int main(int argc, char **argv)
{
    ExecutorStep *dataset =
        get_instruction_dataset("sherryy/tulu-3-sft-personas-instruction-following-expanded", .splits = { "train" });

    ExecutorStep *tokenized = default_tokenize(
        .name = "sherryy_tulu_3_sft_personas_instruction_following_expanded",
        .dataset = path_in(dataset, "**/*.jsonl.gz"),
        .tokenizer = llama3_instruct_tokenizer,
        .format = ChatLmDatasetFormat(.input_field = "user", .output_field = "assistant"));

    ExecutorStep *training = default_sft(
        .name = "checkpoints/tulu3_sft_synthetic_instruction1",
        .tokenized = tokenized,
        .model_config = llama_8b,
        .sft_config = SimpleSFTConfig(
            .train_batch_size = 64, .num_train_steps = 2500, .learning_rate = 5e-6,
            .tpu_type = "v4-64",
            .tokenizer = llama3_instruct_tokenizer, .model_name_or_path = "meta-llama/Llama-3.1-8B",
            .initialize_from_checkpoint_path =
                "gs://marin-us-central2/checkpoints/llama3.1_8b_tulu_3-12305c/checkpoints/step-9980",
            .max_seq_len = 4096, .seed = 1));

    return executor_main(argc, argv, .steps = { tokenized, training },
        .description = "Further SFT of a Tulu 3 model on persona instructions.");
}
