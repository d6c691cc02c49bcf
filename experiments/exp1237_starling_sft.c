// exp1237: Marin 8B Instruct. The mixture of exp808 with Marin's tokenizer on Marin 8B, after Marin's experiment of that number.
//
//     build/skiff run experiments/exp1237_starling_sft.c --dry_run
#include <skiff/experiment.h>

#include <stdio.h>

static ExecutorStep *create_tokenization_step(const char *short_name, const char *hf_name)
{
    char name[100];
    snprintf(name, sizeof name, "%s_marin_tokenizer", short_name);
    ExecutorStep *dataset = get_instruction_dataset(hf_name, .splits = { "train" });
    return default_tokenize(
        .name = name,
        .dataset = path_in(dataset, "**/*.jsonl.gz"),
        .tokenizer = marin_tokenizer,
        .format = ChatLmDatasetFormat());
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
        .name = "sft/mixture_sft_deeper_starling",
        .tokenized = mixture,
        .model_config = llama_8b,
        .sft_config = SimpleSFTConfig(
            .train_batch_size = 128, .num_train_steps = 10228, .learning_rate = 1e-4,
            .tpu_type = "v4-128",
            .tokenizer = marin_tokenizer, .model_name_or_path = "marin-community/marin-8b-base",
            .max_seq_len = 4096, .mixture_block_size = 2048, .seed = 0));

    return executor_main(argc, argv, .steps = { training },
        .description = "Marin 8B Instruct: SFT of Marin 8B on nine instruction datasets.");
}
