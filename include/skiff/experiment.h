// Experiments in the guide's words: steps that depend on each other, named by the hash of what they depend on.
//
//     ExecutorStep *tokenized = default_tokenize(.name = "mine", .dataset = "chats.jsonl", .tokenizer = "model/");
//     ExecutorStep *training = default_sft(.name = "mine", .tokenized = tokenized,
//         .sft_config = SimpleSFTConfig(.model_name_or_path = "model/", .num_train_steps = 100));
//     return executor_main(argc, argv, .steps = { tokenized, training });
//
// What is not given has the default of <skiff/options.h>. Steps live until the process ends; a mistake is remembered with
// the line of its step, and executor_main prints all of them and returns 2.
#ifndef SKIFF_EXPERIMENT_H
#define SKIFF_EXPERIMENT_H

#include <stdlib.h>

#include <skiff/models.h>
#include <skiff/options.h>

#ifdef __cplusplus
#error "experiment files are C: their calls are designated initialisers"
#endif

typedef struct ExecutorStep ExecutorStep;
typedef struct SimpleSFTConfig SimpleSFTConfig;
typedef struct ChatLmDatasetFormat ChatLmDatasetFormat;
typedef struct LlamaConfig LlamaConfig;

typedef struct skiff_here { const char *file; int line; } skiff_here;
#define SKIFF_HERE ((skiff_here){ __FILE__, __LINE__ })

enum { SKIFF_COMPONENTS = 64, SKIFF_STAGES = 16, SKIFF_STEPS = 256 };

// ---- values -----------------------------------------------------------------------------------------------------------
// Defaults stand first and what is given after them: the later initialiser of a member counts (C11 6.7.9p19).
#define SimpleSFTConfig(...)     ((struct SimpleSFTConfig){ SKIFF_SFT_OPTIONS(SKIFF_DEFAULT) __VA_ARGS__ })
#define ChatLmDatasetFormat(...) ((struct ChatLmDatasetFormat){ SKIFF_FORMAT_OPTIONS(SKIFF_DEFAULT) __VA_ARGS__ })

// What the model is expected to be; the model's own config.json decides, and must agree.
#define LlamaConfig(...) ((struct LlamaConfig){ SKIFF_MODEL_OPTIONS(SKIFF_DEFAULT) __VA_ARGS__ })
#define SKIFF_NAMED_MODEL(id, hidden, intermediate, layers, heads, kv_heads, vocab, tied)                                      \
    static const struct LlamaConfig id = { .hidden_dim = hidden, .intermediate_dim = intermediate, .num_layers = layers,      \
        .num_heads = heads, .num_kv_heads = kv_heads, .vocab_size = vocab, .tie_word_embeddings = tied };
SKIFF_MODELS(SKIFF_NAMED_MODEL)                         // llama_8b, smollm2_135m …
#define SKIFF_NAMED_TOKENIZER(id, path) static const char *const id = path;
SKIFF_TOKENIZERS(SKIFF_NAMED_TOKENIZER)                 // llama3_tokenizer …

// Every option counts in Skiff's versions, so marking one changes nothing.
#define versioned(value) (value)

// The environment's value, or `otherwise` where it is not set or empty.
static inline const char *env_or(const char *name, const char *otherwise)
{
    const char *set = getenv(name);
    return set && *set ? set : otherwise;
}

// ---- references -------------------------------------------------------------------------------------------------------
// Files of another step's output. The result stands for a text in any option, and makes the other step a dependency.
#define path_in(step, glob) skiff_path_in(SKIFF_HERE, step, glob)
#define output_path_of(...) SKIFF_OUTPUT_OF(__VA_ARGS__, (const char *)0, 0)
#define SKIFF_OUTPUT_OF(step, path, ...) skiff_path_in(SKIFF_HERE, step, path)
const char *skiff_path_in(skiff_here here, ExecutorStep *step, const char *path);

// ---- steps ------------------------------------------------------------------------------------------------------------
typedef struct skiff_tokenize_args {
    struct { SKIFF_TOKENIZE_OPTIONS(SKIFF_MEMBER) };
    struct ChatLmDatasetFormat format;
} skiff_tokenize_args;
#define default_tokenize(...)                                                                                                 \
    skiff_default_tokenize(SKIFF_HERE, (skiff_tokenize_args){                                                                 \
        SKIFF_TOKENIZE_OPTIONS(SKIFF_DEFAULT) .format = { SKIFF_FORMAT_OPTIONS(SKIFF_DEFAULT) }, __VA_ARGS__ })
ExecutorStep *skiff_default_tokenize(skiff_here here, skiff_tokenize_args args);

// get_instruction_dataset("org/name", .splits = { "train" })
typedef struct skiff_dataset_args {
    struct { SKIFF_DATASET_OPTIONS(SKIFF_MEMBER) };
} skiff_dataset_args;
#define get_instruction_dataset(...)                                                                                          \
    skiff_get_instruction_dataset(SKIFF_HERE, (skiff_dataset_args){ SKIFF_DATASET_OPTIONS(SKIFF_DEFAULT) .name = __VA_ARGS__ })
ExecutorStep *skiff_get_instruction_dataset(skiff_here here, skiff_dataset_args args);

typedef struct skiff_component { const char *name; ExecutorStep *step; } skiff_component;
typedef struct skiff_weight { const char *name; double weight; } skiff_weight;

// For default_sft's `.tokenized`. A component without a weight is held out: its loss is evaluated.
//     lm_mixture_data_config(.components = { { "a", step_a }, … }, .weights = { { "a", 1.0 }, … })
//     lm_varying_mixture_data_config(.components = …, .weights_list = { { 0, { { "a", 1.0 } } }, { 512, { { "b", 1.0 } } } })
typedef struct skiff_stage { int64_t start; skiff_weight weights[SKIFF_COMPONENTS]; } skiff_stage;      // from this step on
typedef struct skiff_mixture_args {
    skiff_component components[SKIFF_COMPONENTS];
    skiff_weight weights[SKIFF_COMPONENTS];
    skiff_stage weights_list[SKIFF_STAGES];
    bool missing_weights_are_validation;        // false: a component without a weight is a mistake
    int64_t mixture_block_size;                 // 0: that of SimpleSFTConfig
} skiff_mixture_args;
#define lm_mixture_data_config(...)                                                                                           \
    skiff_lm_mixture_data_config(SKIFF_HERE, (skiff_mixture_args){ .missing_weights_are_validation = true, __VA_ARGS__ })
#define lm_varying_mixture_data_config(...) lm_mixture_data_config(__VA_ARGS__)
ExecutorStep *skiff_lm_mixture_data_config(skiff_here here, skiff_mixture_args args);

typedef struct skiff_sft_args {
    struct { SKIFF_TRAIN_OPTIONS(SKIFF_MEMBER) };
    ExecutorStep *tokenized;                    // of default_tokenize or lm_mixture_data_config
    ExecutorStep *validation;                   // held-out data of default_tokenize; may be left out
    struct LlamaConfig model_config;
    struct SimpleSFTConfig sft_config;
    skiff_weight mixture_weights[SKIFF_COMPONENTS];     // instead of the mixture's own
} skiff_sft_args;
#define default_sft(...)                                                                                                      \
    skiff_default_sft(SKIFF_HERE, (skiff_sft_args){                                                                           \
        SKIFF_TRAIN_OPTIONS(SKIFF_DEFAULT) .model_config = { SKIFF_MODEL_OPTIONS(SKIFF_DEFAULT) },                            \
        .sft_config = { SKIFF_SFT_OPTIONS(SKIFF_DEFAULT) }, __VA_ARGS__ })
ExecutorStep *skiff_default_sft(skiff_here here, skiff_sft_args args);

// The step with its output at `path` (relative to the prefix) instead of <name>-<hash>.
ExecutorStep *with_output_path(ExecutorStep *step, const char *path);

// ---- running ----------------------------------------------------------------------------------------------------------
typedef struct skiff_main_args {
    ExecutorStep *steps[SKIFF_STEPS];
    const char *description;
} skiff_main_args;
// Runs the steps and what they depend on; returns the exit code. The flags are those of `skiff run`.
#define executor_main(argc, argv, ...) skiff_executor_main(argc, argv, __FILE__, (skiff_main_args){ __VA_ARGS__ })
int skiff_executor_main(int argc, char **argv, const char *script, skiff_main_args args);

// That a member is initialised twice is how defaults work here.
#if defined(__clang__)
#pragma clang diagnostic ignored "-Winitializer-overrides"
#elif defined(__GNUC__)
#pragma GCC diagnostic ignored "-Woverride-init"
#endif
#endif
