// The quickstart: a small chat model learns to answer as an old river ferryman.
//
//     build/skiff run experiments/quickstart.c
//
// Two steps tokenize the chats to learn from and those held out; a third trains. Held-out loss is printed before and after.
// SKIFF_MODEL names another model: a folder in Hugging Face's layout or a .gguf file.
#include <skiff/experiment.h>

int main(int argc, char **argv)
{
    const char *model = env_or("SKIFF_MODEL", "fixtures/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf");

    ExecutorStep *chats = default_tokenize(
        .name = "quickstart",
        .dataset = "data/quickstart/train.jsonl",
        .tokenizer = model,
        .format = ChatLmDatasetFormat());

    ExecutorStep *heldout = default_tokenize(
        .name = "quickstart_heldout",
        .dataset = "data/quickstart/heldout.jsonl",
        .tokenizer = model,
        .format = ChatLmDatasetFormat(),
        .is_validation = true);

    ExecutorStep *training = default_sft(
        .name = "quickstart",
        .tokenized = chats,
        .validation = heldout,
        .sft_config = SimpleSFTConfig(
            .model_name_or_path = model,
            .train_batch_size = 4,
            .max_seq_len = 512,
            .num_train_steps = 40,
            .learning_rate = 1e-4,
            .steps_per_eval = 20,
            .steps_per_checkpoint = 20,
            .steps_per_hf_export = 0,
            .seed = 0));

    return executor_main(argc, argv, .steps = { chats, heldout, training },
        .description = "SmolLM2-135M-Instruct learns to answer as an old river ferryman.");
}
