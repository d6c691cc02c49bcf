// THE TABLE of options. Every option there is stands here once; the structs of experiment.h, their defaults, the keys of YAML
// files, the flags name=value, their bounds, --help, docs/options.md, the JSON of a resolved configuration and the hash of a
// step's version all come from these rows and from nothing else.
//
//   X(TYPE, name, default, least, most, words, flags, "what it does")
//
// TYPE is INT, NUMBER, BOOL, TEXT, CHOICE (one of `words`, kept as its index, so that `.pack = true` reads well) or LIST
// (texts). TEXT with words is one of them. `least` and `most` are checked when least < most. An option whose default is
// *_UNSET says in its text what happens then.
#ifndef SKIFF_OPTIONS_H
#define SKIFF_OPTIONS_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#define SKIFF_INT_UNSET    INT64_MIN
#define SKIFF_NUMBER_UNSET ((double)NAN)
#define SKIFF_TEXT_UNSET   ((const char *)0)
#define SKIFF_CHOICE_UNSET (-1)
#define SKIFF_LIST_UNSET   { 0 }

enum {
    SKIFF_IGNORED = 1,              // ignore_in_hash: cannot change what a step makes
    SKIFF_LATER   = 2,              // read and checked, but not built yet: anything but the default is refused
    SKIFF_MIXTURE = 4,              // used by mixtures only
    SKIFF_TRUE    = 8,              // a list that may also be `true`: the one text "true"
    SKIFF_LIST_ROOM = 16,
};

// C types of the values.
#define SKIFF_TYPE_INT(name)    int64_t name
#define SKIFF_TYPE_NUMBER(name) double name
#define SKIFF_TYPE_BOOL(name)   bool name
#define SKIFF_TYPE_TEXT(name)   const char *name
#define SKIFF_TYPE_CHOICE(name) int name
#define SKIFF_TYPE_LIST(name)   const char *name[SKIFF_LIST_ROOM]

// Rows as members of a struct, and as its designated initialisers.
#define SKIFF_MEMBER(TYPE, name, preset, least, most, words, flags, help)  SKIFF_TYPE_##TYPE(name);
#define SKIFF_DEFAULT(TYPE, name, preset, least, most, words, flags, help) .name = preset,

// For ChatLmDatasetFormat's `pack`: .pack = true, false or pack_sequential.
#define SKIFF_PACK_WORDS "false true sequential"
enum { pack_sequential = 2 };

// ---- SimpleSFTConfig: a training step ---------------------------------------------------------------------------------
#define SKIFF_SFT_OPTIONS(X)                                                                                                  \
    X(TEXT, model_name_or_path, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                 \
      "The model to start from: a folder in Hugging Face's layout, a .gguf file, or org/name on the hub.")                   \
    X(TEXT, tokenizer, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                          \
      "Must be the tokenizer of the tokenize step. Unset: the model's own, which must then be that one.")                    \
    X(INT, train_batch_size, 128, 1, 1 << 20, 0, 0,                                                                           \
      "Rows of an optimizer step; each row holds max_seq_len tokens.")                                                       \
    X(INT, num_train_steps, SKIFF_INT_UNSET, 1, 1e9, 0, 0,                                                                    \
      "Optimizer steps of the run. Unset: as many as `epochs` takes, or 10000 when that is unset too.")                      \
    X(NUMBER, epochs, SKIFF_NUMBER_UNSET, 0.001, 1e4, 0, 0,                                                                   \
      "Passes over the packed data, instead of num_train_steps.")                                                            \
    X(INT, max_seq_len, 4096, 16, 1 << 20, 0, 0,                                                                              \
      "Tokens of a row; longer conversations are cut as `truncate` says.")                                                   \
    X(NUMBER, learning_rate, 5e-6, 0, 1, 0, 0,                                                                                \
      "Highest learning rate, reached after the warm-up.")                                                                   \
    X(TEXT, lr_schedule, "linear", 0, 0, "linear cosine constant inv_sqrt inv", 0,                                            \
      "How the learning rate falls after the warm-up.")                                                                      \
    X(NUMBER, warmup, 0.03, 0, 1e9, 0, 0,                                                                                     \
      "Warm-up from 0: a share of the steps (up to 1) or a whole number of them.")                                           \
    X(NUMBER, min_lr_ratio, 0.0, 0, 1, 0, 0,                                                                                  \
      "Lowest learning rate as a share of the highest.")                                                                     \
    X(NUMBER, decay, SKIFF_NUMBER_UNSET, 0, 1e9, 0, 0,                                                                        \
      "Length of the fall: a share or a number of steps. Unset: everything after the warm-up.")                              \
    X(NUMBER, cooldown, 0.0, 0, 1e9, 0, 0,                                                                                    \
      "A last linear fall to min_lr_ratio: a share or a number of steps.")                                                   \
    X(INT, cycles, 1, 1, 1000, 0, 0,                                                                                          \
      "How often the schedule is gone through.")                                                                             \
    X(NUMBER, rewarmup, 0.0, 0, 1e9, 0, 0,                                                                                    \
      "Warm-up of the cycles after the first: a share or a number of steps.")                                                \
    X(NUMBER, weight_decay, 0.0, 0, 1, 0, 0,                                                                                  \
      "AdamW's decay, times the learning rate; for matrices, not embeddings and norms.")                                     \
    X(NUMBER, beta1, 0.9, 0, 0.999999, 0, 0,                                                                                  \
      "AdamW's memory of the gradient.")                                                                                     \
    X(NUMBER, beta2, 0.95, 0, 0.999999, 0, 0,                                                                                 \
      "AdamW's memory of the gradient's square.")                                                                            \
    X(NUMBER, epsilon, 1e-8, 1e-16, 1, 0, 0,                                                                                  \
      "AdamW's addend to the root in the divisor.")                                                                          \
    X(TEXT, moments, "f32", 0, 0, "f32 bf16", 0,                                                                              \
      "Type in which AdamW keeps both. bf16 is half the memory, rounded at random so that small changes are not lost.")      \
    X(NUMBER, max_grad_norm, 1.0, 0, 1e9, 0, 0,                                                                               \
      "Gradients of a larger norm are scaled down to it; 0 turns it off.")                                                   \
    X(INT, seed, 0, 0, 4294967295.0, 0, 0,                                                                                    \
      "Decides the order of the data. Part of the step's name: checkpoints/<name>_seed<seed>.")                              \
    X(TEXT, truncate, "turns", 0, 0, "turns right drop", 0,                                                                   \
      "Conversations longer than max_seq_len: cut at the last whole turn that fits, keep the beginning, or leave out.")      \
    X(CHOICE, pack, SKIFF_CHOICE_UNSET, 0, 0, SKIFF_PACK_WORDS, 0,                                                            \
      "Several conversations in a row, which cannot see each other. sequential: in order. Unset: as the dataset's format.")  \
    X(TEXT, permutation_type, "feistel", 0, 0, "feistel linear none", 0,                                                      \
      "How the packs of an epoch are shuffled.")                                                                             \
    X(TEXT, precision, "auto", 0, 0, "auto bf16 f32", 0,                                                                      \
      "Of matrix products. auto: bfloat16 with float32 sums where the CPU has it, else float32. Weights are float32.")       \
    X(INT, micro_batch, 0, 0, 1 << 20, 0, SKIFF_IGNORED,                                                                      \
      "Rows computed at once; the gradient is the same for any. 0: chosen to fit the memory.")                               \
    X(INT, per_device_parallelism, -1, -1, 1 << 20, 0, SKIFF_IGNORED,                                                         \
      "The same by Marin's name, per device; -1: chosen to fit.")                                                            \
    X(TEXT, recompute, "auto", 0, 0, "auto none cheap block", SKIFF_IGNORED,                                                  \
      "What backward computes again to save memory: nothing; norms and activations (cheap); whole layers. auto: cheap with "  \
      "float32 products, whose activations are twice as large; else nothing.")                                                \
    X(INT, steps_per_eval, 1000, -1, 1e9, 0, 0,                                                                               \
      "The loss on held-out data every so many steps, besides before and after; 0: only then; -1: never.")                   \
    X(INT, steps_per_checkpoint, 1000, 0, 1e9, 0, 0,                                                                          \
      "A checkpoint that stays, every so many steps; 0: only at the end.")                                                   \
    X(NUMBER, checkpoint_seconds, 600, 0, 1e6, 0, SKIFF_IGNORED,                                                              \
      "A checkpoint to resume from at least this often, replaced by the next; 0: never.")                                    \
    X(INT, steps_per_hf_export, 500, -1, 1e9, 0, 0,                                                                           \
      "A model in Hugging Face's layout every so many steps; 0: only at the end; -1: never.")                                \
    X(TEXT, export_dtype, "bf16", 0, 0, "bf16 f32", 0,                                                                        \
      "Type of the exported weights.")                                                                                       \
    X(TEXT, input_role, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                         \
      "Must be the format's input_field, where both are given.")                                                             \
    X(TEXT, output_role, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                        \
      "Must be the format's output_field, where both are given.")                                                            \
    X(INT, mixture_block_size, 2048, 1, 65535, 0, SKIFF_MIXTURE,                                                              \
      "Rows of a block of a mixture, within which every dataset has its exact share.")                                       \
    X(TEXT, stop_strategy, "restart", 0, 0, "restart first_exhausted all_exhausted", SKIFF_MIXTURE,                           \
      "A dataset used up begins again in another order, or the run ends: with the first (no row twice), with the last.")     \
    X(TEXT, mixture_unit, "packs", 0, 0, "packs rows", SKIFF_MIXTURE,                                                         \
      "What weights are shares of: packed rows of max_seq_len tokens, or rows of the datasets (conversations).")             \
    X(TEXT, tpu_type, SKIFF_TEXT_UNSET, 0, 0, 0, SKIFF_IGNORED,                                                               \
      "Asks for a TPU of this type (v4-128). Unset, or with --local: the machine at hand.")                                  \
    X(TEXT, resources, SKIFF_TEXT_UNSET, 0, 0, 0, SKIFF_IGNORED,                                                              \
      "The same by its later name.")                                                                                         \
    X(INT, node_count, 1, 1, 65536, 0, SKIFF_IGNORED | SKIFF_LATER,                                                           \
      "Hosts, or slices of a TPU.")                                                                                          \
    X(CHOICE, initialize_from_hf, SKIFF_CHOICE_UNSET, 0, 0, "false true", 0,                                                  \
      "Weights from model_name_or_path. Unset: true, unless initialize_from_checkpoint_path is given.")                      \
    X(TEXT, initialize_from_checkpoint_path, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                    \
      "A checkpoint of another run to take the weights from: step-<k>, or that run's output. Steps count anew.")             \
    X(BOOL, int8, false, 0, 0, 0, SKIFF_LATER,                                                                                \
      "Matrix products in 8-bit integers.")                                                                                  \
    X(NUMBER, z_loss_weight, 0.0, 0, 1, 0, 0,                                                                                 \
      "Weight of the logits' squared log-sum-exp in the loss that is trained (1e-4 keeps logits from growing).")              \
    X(LIST, reinit_tokens, SKIFF_LIST_UNSET, 0, 0, 0, SKIFF_TRUE,                                                             \
      "Tokens the base never saw, whose embeddings are drawn anew before training. true: Llama 3's five.")                   \
    X(BOOL, pad_tokenizer_to_match_model, false, 0, 0, 0, 0,                                                                  \
      "Adds unused tokens to the export's tokenizer until it has as many as the model.")                                     \
    X(LIST, hf_generation_eos_token_ids, SKIFF_LIST_UNSET, 0, 0, 0, 0,                                                        \
      "Stop tokens for generation_config.json: ids or tokens. Unset: those that were trained, and the base's.")              \
    X(BOOL, allow_out_of_region_reads, false, 0, 0, 0, SKIFF_IGNORED | SKIFF_LATER,                                           \
      "Reads from a bucket in another region than the machine.")                                                             \
    X(BOOL, allow_out_of_region_writes, false, 0, 0, 0, SKIFF_IGNORED | SKIFF_LATER,                                          \
      "Writes to a bucket in another region than the machine.")                                                              \
    X(BOOL, bypass_path_checks, false, 0, 0, 0, SKIFF_IGNORED | SKIFF_LATER,                                                  \
      "Leaves out the check that buckets lie in the machine's region.")                                                      \
    X(INT, threads, 0, 0, 4096, 0, SKIFF_IGNORED,                                                                             \
      "Threads to compute with. 0: as many as this process may use.")                                                        \
    X(BOOL, deterministic, true, 0, 0, 0, SKIFF_IGNORED,                                                                      \
      "Same bits in every run and for any number of threads. The CPU engine's always are, at no cost: false only stops asking.") \
    X(TEXT, isa, SKIFF_TEXT_UNSET, 0, 0, "generic avx2 avx512 avx512bf16 amx neon", SKIFF_IGNORED,                            \
      "Instruction set of the kernels. Unset: the best of this CPU.")

// ---- what rows look like: for ChatLmDatasetFormat and get_instruction_dataset alike ----------------------------------------
#define SKIFF_ADAPTER_OPTIONS(X)                                                                                              \
    X(TEXT, adapter, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                            \
      "How rows become messages: a name of the table of adapters. Unset or auto: found in the first row.")                    \
    X(TEXT, input_field, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                        \
      "The user's role where rows hold a message list, else the field of the prompt.")                                        \
    X(TEXT, output_field, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                       \
      "The assistant's role where rows hold a message list, else the field of the answer.")                                   \
    X(TEXT, messages_field, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                     \
      "The field that holds the message list. Unset: as the adapter has it, usually `messages`.")                             \
    X(TEXT, system_field, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                       \
      "A field whose text becomes the system message.")                                                                       \
    X(TEXT, role_key, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                           \
      "The key of a message that holds its role. Unset: as the adapter has it, usually `role`.")                              \
    X(TEXT, content_key, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                        \
      "The key of a message, or of an answer in a list, that holds its text. Unset: as the adapter has it.")                  \
    X(TEXT, user_value, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                         \
      "How rows spell the user's role, besides the usual names.")                                                             \
    X(TEXT, assistant_value, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                    \
      "How rows spell the assistant's role, besides the usual names.")                                                        \
    X(TEXT, system_value, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                       \
      "How rows spell the system's role, besides the usual names.")                                                           \
    X(TEXT, tool_value, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                         \
      "How rows spell a tool's role, besides the usual names.")                                                               \
    X(TEXT, filter_on_key, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                      \
      "Of a list of answers the one in which this number is largest; of equals the first.")                                   \
    X(TEXT, reasoning_field, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                    \
      "A field of on/off or true/false that becomes the template's variable enable_thinking.")                                \
    X(LIST, replacements, SKIFF_LIST_UNSET, 0, 0, 0, 0,                                                                       \
      "Texts to replace in messages, in order, each as `<think> => <|start_think|>`.")                                        \
    X(BOOL, single_turn, false, 0, 0, 0, 0,                                                                                   \
      "Only the first user and the first assistant message of a conversation.")

// ---- ChatLmDatasetFormat: what rows look like and what of them is trained ---------------------------------------------
#define SKIFF_FORMAT_OPTIONS(X)                                                                                               \
    SKIFF_ADAPTER_OPTIONS(X)                                                                                                  \
    X(TEXT, chat_template, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                      \
      "A template's text, a .jinja file, or one of Skiff's own: chatml, llama3, qwen2.5. Unset: the tokenizer's.")           \
    X(CHOICE, pack, 1, 0, 0, SKIFF_PACK_WORDS, SKIFF_IGNORED,                                                                 \
      "Several conversations in a row of a training step (which has it in its own version). sequential: in order.")          \
    X(BOOL, mask_user_turns, true, 0, 0, 0, 0,                                                                                \
      "Trains the assistant's tokens only. false: every token.")                                                             \
    X(TEXT, bos, "keep", 0, 0, "keep add", 0,                                                                                 \
      "add: a BOS token before a text that has none, in training and in the exported template.")                             \
    X(TEXT, special_tokens_in_content, "parse", 0, 0, "parse text", 0,                                                        \
      "Literals of special tokens inside a message: special tokens, or ordinary text.")

// ---- default_tokenize: chats to a token cache -------------------------------------------------------------------------
#define SKIFF_TOKENIZE_OPTIONS(X)                                                                                             \
    X(TEXT, name, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                               \
      "Name of the step, and of its output: tokenized/<name>.")                                                              \
    X(TEXT, dataset, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                            \
      "Chats: a file, a folder, a glob, files of another step, or org/name on the hub.")                                     \
    X(TEXT, tokenizer, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                          \
      "A folder with tokenizer.json or tokenizer.model, one of these files, a .gguf file, or org/name on the hub. "           \
      "Must match the model.")                                                                                               \
    X(BOOL, is_validation, false, 0, 0, 0, 0,                                                                                 \
      "Held-out data, never trained.")                                                                                       \
    X(INT, shard_rows, 4096, 1, 1 << 24, 0, SKIFF_IGNORED,                                                                    \
      "Rows of the source per shard of the cache; finished shards survive an interruption.")                                 \
    X(INT, threads, 0, 0, 4096, 0, SKIFF_IGNORED,                                                                             \
      "Threads to tokenize with. 0: as many as this process may use.")

// ---- get_instruction_dataset: chats from the hub ----------------------------------------------------------------------
#define SKIFF_DATASET_OPTIONS(X)                                                                                              \
    X(TEXT, name, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                               \
      "A key of the table of known datasets, or any dataset's name on the hub (with revision and adapter): org/name.")        \
    X(TEXT, revision, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                           \
      "Branch, tag or commit. Unset: the one in the table of known datasets.")                                                \
    X(LIST, subsets, SKIFF_LIST_UNSET, 0, 0, 0, 0,                                                                            \
      "Subsets (configurations) to take. Unset: the table's, else all.")                                                      \
    X(LIST, splits, SKIFF_LIST_UNSET, 0, 0, 0, 0,                                                                             \
      "Splits to take. Unset: the table's, else train.")                                                                      \
    X(TEXT, file_type, SKIFF_TEXT_UNSET, 0, 0, "parquet json jsonl", 0,                                                       \
      "Files of the dataset to read. Unset: the table's, else the kind of most of its files.")                                \
    X(LIST, metadata_columns, SKIFF_LIST_UNSET, 0, 0, 0, 0,                                                                   \
      "Columns to keep beside the messages. Unset: the table's.")                                                             \
    SKIFF_ADAPTER_OPTIONS(X)                                                                                                  \
    X(INT, threads, 0, 0, 4096, 0, SKIFF_IGNORED,                                                                             \
      "Threads to transform with. 0: as many as this process may use.")

// ---- default_sft: besides SimpleSFTConfig -----------------------------------------------------------------------------
#define SKIFF_TRAIN_OPTIONS(X)                                                                                                \
    X(TEXT, name, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                               \
      "Name of the step, and of its output: checkpoints/<name>_seed<seed>.")                                                 \
    X(LIST, tags, SKIFF_LIST_UNSET, 0, 0, 0, SKIFF_IGNORED,                                                                   \
      "Words that trackers show with the run.")

// ---- model_config: what the model is expected to be -------------------------------------------------------------------
#define SKIFF_MODEL_OPTIONS(X)                                                                                                \
    X(INT, hidden_dim, SKIFF_INT_UNSET, 1, 1 << 20, 0, 0, "Width of the model. Checked against the model's own config.json.") \
    X(INT, intermediate_dim, SKIFF_INT_UNSET, 1, 1 << 24, 0, 0, "Width of the feed-forward part. Checked likewise.")          \
    X(INT, num_layers, SKIFF_INT_UNSET, 1, 1 << 16, 0, 0, "Layers. Checked likewise.")                                        \
    X(INT, num_heads, SKIFF_INT_UNSET, 1, 1 << 16, 0, 0, "Attention heads. Checked likewise.")                                \
    X(INT, num_kv_heads, SKIFF_INT_UNSET, 1, 1 << 16, 0, 0, "Heads of keys and values. Checked likewise.")         \
    X(INT, vocab_size, SKIFF_INT_UNSET, 1, 1 << 24, 0, 0, "Rows of the embedding. Checked likewise.")                         \
    X(CHOICE, tie_word_embeddings, SKIFF_CHOICE_UNSET, 0, 0, "false true", 0,                                                 \
      "One matrix for embedding and head. Checked likewise.")

// ---- skiff train CONFIG.yaml: besides SimpleSFTConfig -----------------------------------------------------------------
#define SKIFF_RUN_OPTIONS(X)                                                                                                  \
    X(TEXT, data, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                               \
      "What to train on: a token cache (a folder made by skiff tokenize) or chats; in YAML also a mixture of such.")         \
    X(TEXT, validation, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                         \
      "Held-out data: a token cache or chats. Its loss is printed before and after.")                                        \
    X(TEXT, output, SKIFF_TEXT_UNSET, 0, 0, 0, 0,                                                                             \
      "Folder for checkpoints, exports and metrics.")

// ---- the executor's flags: skiff run EXPERIMENT --flag value ----------------------------------------------------------
#define SKIFF_EXECUTOR_OPTIONS(X)                                                                                             \
    X(TEXT, prefix, SKIFF_TEXT_UNSET, 0, 0, 0, SKIFF_IGNORED,                                                                 \
      "Where outputs go. Unset: $SKIFF_PREFIX, else $MARIN_PREFIX, else ./out.")                                             \
    X(TEXT, executor_info_base_path, SKIFF_TEXT_UNSET, 0, 0, 0, SKIFF_IGNORED,                                                \
      "Where the experiment's description goes. Unset: <prefix>/experiments.")                                               \
    X(BOOL, dry_run, false, 0, 0, 0, SKIFF_IGNORED,                                                                           \
      "Says what would run, and runs nothing.")                                                                              \
    X(BOOL, plan, false, 0, 0, 0, SKIFF_IGNORED,                                                                              \
      "Prints what the training steps will need (memory, steps, tokens, time) as JSON, and runs nothing.")                   \
    X(BOOL, explain, false, 0, 0, 0, SKIFF_IGNORED,                                                                           \
      "Prints as JSON why each step would run or be skipped, and runs nothing.")                                             \
    X(INT, explain_step, 0, 0, 1e12, 0, SKIFF_IGNORED,                                                                        \
      "With it, also the rows and metrics of this update of training steps.")                                                \
    X(LIST, force_run, SKIFF_LIST_UNSET, 0, 0, 0, SKIFF_IGNORED,                                                              \
      "Steps to run again from the beginning, as a JSON list of names; \"all\" for every step.")                             \
    X(BOOL, force_run_failed, false, 0, 0, 0, SKIFF_IGNORED,                                                                  \
      "Runs steps again that failed before.")                                                                                \
    X(LIST, run_only, SKIFF_LIST_UNSET, 0, 0, 0, SKIFF_IGNORED,                                                               \
      "Runs only steps whose names match, and what they depend on: a JSON list of regular expressions.")                     \
    X(LIST, skip_checks, SKIFF_LIST_UNSET, 0, 0, 0, SKIFF_IGNORED,                                                            \
      "Checks before the run to leave out, as a JSON list: paths, settings, template, tokenizer, length, memory.")           \
    X(INT, max_concurrent, SKIFF_INT_UNSET, 1, 256, 0, SKIFF_IGNORED,                                                         \
      "Steps that run at the same time, at most. Unset: as many as the machine's cores and memory have room for.")           \
    X(BOOL, local, false, 0, 0, 0, SKIFF_IGNORED,                                                                             \
      "Runs on the machine at hand whatever tpu_type says.")                                                                 \
    X(BOOL, json, false, 0, 0, 0, SKIFF_IGNORED,                                                                              \
      "Prints the summary as JSON on stdout.")

// The values of each section as a struct; in memory the members of experiment.h's arguments begin with the same.
struct SimpleSFTConfig { SKIFF_SFT_OPTIONS(SKIFF_MEMBER) };
struct skiff_adapter_options { SKIFF_ADAPTER_OPTIONS(SKIFF_MEMBER) };
struct ChatLmDatasetFormat { SKIFF_FORMAT_OPTIONS(SKIFF_MEMBER) };
struct skiff_tokenize_options { SKIFF_TOKENIZE_OPTIONS(SKIFF_MEMBER) };
struct skiff_dataset_options { SKIFF_DATASET_OPTIONS(SKIFF_MEMBER) };
struct skiff_sft_options { SKIFF_TRAIN_OPTIONS(SKIFF_MEMBER) };
struct LlamaConfig { SKIFF_MODEL_OPTIONS(SKIFF_MEMBER) };
struct skiff_train_options { SKIFF_RUN_OPTIONS(SKIFF_MEMBER) };
struct skiff_executor_options { SKIFF_EXECUTOR_OPTIONS(SKIFF_MEMBER) };

// The sections: S(id, name, struct, ROWS, "title").
#define SKIFF_SECTIONS(S)                                                                                                     \
    S(SFT, SimpleSFTConfig, struct SimpleSFTConfig, SKIFF_SFT_OPTIONS, "Training")                                            \
    S(FORMAT, ChatLmDatasetFormat, struct ChatLmDatasetFormat, SKIFF_FORMAT_OPTIONS, "Chats")                                 \
    S(TOKENIZE, default_tokenize, struct skiff_tokenize_options, SKIFF_TOKENIZE_OPTIONS, "Tokenizing")                        \
    S(DATASET, get_instruction_dataset, struct skiff_dataset_options, SKIFF_DATASET_OPTIONS, "Datasets")                      \
    S(STEP, default_sft, struct skiff_sft_options, SKIFF_TRAIN_OPTIONS, "A training step")                                    \
    S(MODEL, LlamaConfig, struct LlamaConfig, SKIFF_MODEL_OPTIONS, "The model expected")                                      \
    S(TRAIN, train, struct skiff_train_options, SKIFF_RUN_OPTIONS, "Training alone (`skiff train`)")                          \
    S(EXECUTOR, run, struct skiff_executor_options, SKIFF_EXECUTOR_OPTIONS, "The executor (`skiff run`)")

#endif
