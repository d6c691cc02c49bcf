// A mixture: the quickstart's chats as two datasets, of which the small one is seen more often than the large one.
//
//     build/skiff run experiments/small_mixture.c
//
// Every 16 rows hold 12 of one_turn and 4 of two_turns, whatever their sizes; what has no weight is held out, and evaluated.
// SKIFF_MODEL names another model: a folder in Hugging Face's layout or a .gguf file.
#include <skiff/experiment.h>

int main(int argc, char **argv)
{
    const char *model = env_or("SKIFF_MODEL", "fixtures/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf");

    ExecutorStep *one_turn = default_tokenize(
        .name = "one_turn",
        .dataset = "data/mixture/one_turn.jsonl",
        .tokenizer = model,
        .format = ChatLmDatasetFormat());

    ExecutorStep *two_turns = default_tokenize(
        .name = "two_turns",
        .dataset = "data/mixture/two_turns.jsonl",
        .tokenizer = model,
        .format = ChatLmDatasetFormat());

    ExecutorStep *heldout = default_tokenize(
        .name = "quickstart_heldout",
        .dataset = "data/quickstart/heldout.jsonl",
        .tokenizer = model,
        .format = ChatLmDatasetFormat(),
        .is_validation = true);

    ExecutorStep *mixture = lm_mixture_data_config(
        .components = { { "one_turn", one_turn }, { "two_turns", two_turns }, { "heldout", heldout } },
        .weights = { { "one_turn", 3 }, { "two_turns", 1 } });

    ExecutorStep *training = default_sft(
        .name = "small_mixture",
        .tokenized = mixture,
        .sft_config = SimpleSFTConfig(
            .model_name_or_path = model,
            .train_batch_size = 4,
            .max_seq_len = 512,
            .num_train_steps = 24,
            .learning_rate = 1e-4,
            .mixture_block_size = 16,
            .steps_per_eval = 12,
            .steps_per_checkpoint = 12,
            .steps_per_hf_export = 0,
            .seed = 0));

    return executor_main(argc, argv, .steps = { one_turn, two_turns, heldout, training },
        .description = "SmolLM2-135M-Instruct on a mixture of two datasets.");
}
