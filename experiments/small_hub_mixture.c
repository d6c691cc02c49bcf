// The way of exp808 in small, all of it: four datasets of a hub in four forms, downloaded, made into chats, tokenized, mixed by their
// number of conversations, trained a few steps, exported.
//
// Its repositories, harbour/…, are made for it and served by a hub on this machine (experiments/README.md, "A hub of one's own"):
//
//     build/skiff run experiments/small_hub_mixture.c
//
// SKIFF_MODEL names another model.
#include <skiff/experiment.h>

static ExecutorStep *create_tokenization_step(const char *short_name, const char *hf_name, const char *adapter, const char *model)
{
    ExecutorStep *dataset = get_instruction_dataset(hf_name, .revision = "main", .adapter = adapter, .splits = { "train" });
    return default_tokenize(
        .name = short_name,
        .dataset = path_in(dataset, "**/*.jsonl.gz"),
        .tokenizer = model,
        .format = ChatLmDatasetFormat(.input_field = "user", .output_field = "assistant"));
}

#define DATASETS(X)                                                       \
    X("alpaca",    "harbour/alpaca",    "alpaca",                999)     \
    X("tools",     "harbour/tools",     "sharegpt",              300)     \
    X("questions", "harbour/questions", "instruction_response", 1319)     \
    X("ferryman",  "harbour/ferryman",  "messages",              278)

int main(int argc, char **argv)
{
    const char *model = env_or("SKIFF_MODEL", "harbour/model");

#define STEP(short_name, hf_name, adapter, conversations)   { short_name, create_tokenization_step(short_name, hf_name, adapter, model) },
#define WEIGHT(short_name, hf_name, adapter, conversations) { short_name, conversations },
    ExecutorStep *mixture = lm_mixture_data_config(.components = { DATASETS(STEP) }, .weights = { DATASETS(WEIGHT) });

    ExecutorStep *training = default_sft(
        .name = "small_hub_mixture",
        .tokenized = mixture,
        .sft_config = SimpleSFTConfig(
            .train_batch_size = 2, .num_train_steps = 4, .learning_rate = 1e-4,
            .tokenizer = model, .model_name_or_path = model,
            .max_seq_len = 256, .truncate = "right", .mixture_block_size = 32, .stop_strategy = "restart",
            .steps_per_checkpoint = 2, .steps_per_hf_export = 0, .seed = 0),
        .mixture_weights = { DATASETS(WEIGHT) });

    return executor_main(argc, argv, .steps = { training },
        .description = "Four small datasets of a hub, mixed by their number of conversations.");
}
