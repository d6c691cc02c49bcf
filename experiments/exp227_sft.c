// exp227: the OLMo fine-tune. Tulu v2 on a 7 B OLMo-like model, three epochs, after Marin's experiment of that number.
//
//     build/skiff run experiments/exp227_sft.c --dry_run
#include <skiff/experiment.h>

enum { TOKENS = 150849275, BATCH = 128, SEQ = 4096, EPOCHS = 3 };

int main(int argc, char **argv)
{
    ExecutorStep *dataset = get_instruction_dataset("allenai/tulu-v2-sft-mixture-olmo-4096", .splits = { "train" });

    ExecutorStep *tokenized = default_tokenize(
        .name = "tulu_v2_sft_mixture_olmo_4096",
        .dataset = path_in(dataset, "**/*.jsonl.gz"),
        .tokenizer = marin_olmo2_tokenizer,
        .format = ChatLmDatasetFormat());

    ExecutorStep *training = default_sft(
        .name = "checkpoints/olmo7_072024_sft_4096_3eps",
        .tokenized = tokenized,
        .model_config = olmo_7b,
        .sft_config = SimpleSFTConfig(
            .train_batch_size = BATCH, .num_train_steps = TOKENS / (BATCH * SEQ) * EPOCHS, .learning_rate = 2e-6,
            .tpu_type = "v4-128",
            .tokenizer = marin_olmo2_tokenizer,
            .model_name_or_path = "gs://levanter-checkpoints/marin/olmoish7b_v4_1024_0627/dlwh_7b0627/step-510000",
            .max_seq_len = SEQ, .max_grad_norm = 0, .seed = 0));

    return executor_main(argc, argv, .steps = { tokenized, training },
        .description = "SFT of OLMo 7B on the Tulu v2 mixture.");
}
