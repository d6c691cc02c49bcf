// exp808: nine datasets on Llama 3.1 8B, each weighted by its number of conversations, after Marin's experiment of that
// number: the guide's example of a mixture.
//
//     build/skiff run experiments/exp808_sft_mixture.c --dry_run
#include <skiff/experiment.h>

#include <stdio.h>

static ExecutorStep *create_tokenization_step(const char *short_name, const char *hf_name)
{
    char name[100];
    snprintf(name, sizeof name, "%s_llama3_instruct_tokenizer", short_name);
    ExecutorStep *dataset = get_instruction_dataset(hf_name, .splits = { "train" });
    return default_tokenize(
        .name = name,
        .dataset = path_in(dataset, "**/*.jsonl.gz"),
        .tokenizer = llama3_instruct_tokenizer,
        .format = ChatLmDatasetFormat(.input_field = "user", .output_field = "assistant"));
}

#define DATASETS(X)                                                                              \
    X("acecode_89k",              "TIGER-Lab/AceCode-89K",                          87149)       \
    X("smoltalk",                 "HuggingFaceTB/smoltalk",                       1043917)       \
    X("verifiable_math_problems", "PrimeIntellect/verifiable-math-problems",       777457)       \
    X("dolphin_r1_nonreasoning",  "cognitivecomputations/dolphin-r1-nonreasoning", 214318)       \
    X("dolphin_r1_reasoning",     "cognitivecomputations/dolphin-r1-reasoning",    585418)       \
    X("bespoke_stratos_17k",      "bespokelabs/Bespoke-Stratos-17k",                16710)       \
    X("openthoughts_114k_math",   "open-r1/OpenThoughts-114k-math",                 89120)       \
    X("tulu_3_sft_mixture",       "allenai/tulu-3-sft-mixture",                    939343)       \
    X("natural_reasoning",        "facebook/natural_reasoning",                   1145824)

int main(int argc, char **argv)
{
#define STEP(short_name, hf_name, documents)   { short_name, create_tokenization_step(short_name, hf_name) },
#define WEIGHT(short_name, hf_name, documents) { short_name, documents },
    ExecutorStep *mixture = lm_mixture_data_config(.components = { DATASETS(STEP) }, .weights = { DATASETS(WEIGHT) });

    ExecutorStep *training = default_sft(
        .name = "llama3.1_mixture_total",
        .tokenized = mixture,
        .model_config = llama_8b,
        .sft_config = SimpleSFTConfig(
            .train_batch_size = 128, .num_train_steps = 19086, .learning_rate = 5e-6,       // three epochs
            .tpu_type = "v4-128",
            .tokenizer = llama3_instruct_tokenizer, .model_name_or_path = "meta-llama/Llama-3.1-8B",
            .max_seq_len = 4096, .mixture_block_size = 2048, .stop_strategy = "restart", .seed = 0),
        .mixture_weights = { DATASETS(WEIGHT) });

    return executor_main(argc, argv, .steps = { training },
        .description = "SFT of Llama 3.1 8B on a mixture of nine instruction datasets.");
}
