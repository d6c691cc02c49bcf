// THE TABLE of models and tokenizers that experiments name: in C as values (`.model_config = llama_8b`), in YAML as words
// (`model_config: llama_8b`). A model's row says what its config.json is expected to say; the file itself decides.
#ifndef SKIFF_MODELS_H
#define SKIFF_MODELS_H

//   X(name, hidden_dim, intermediate_dim, num_layers, num_heads, num_kv_heads, vocab_size, tie_word_embeddings)
#define SKIFF_MODELS(X)                                                                                                       \
    X(llama_nano,      32,   128,  2,  2,  2, SKIFF_INT_UNSET, SKIFF_CHOICE_UNSET)                                            \
    X(llama_1_4b,    2048,  7168, 16, 16,  8, SKIFF_INT_UNSET, SKIFF_CHOICE_UNSET)                                            \
    X(llama_8b,      4096, 14336, 32, 32,  8, 128256,          0)                                                             \
    X(llama_3_2_1b,  2048,  8192, 16, 32,  8, 128256,          1)                                                             \
    X(llama_3_2_3b,  3072,  8192, 28, 24,  8, 128256,          1)                                                             \
    X(olmo_7b,       4096, 11008, 32, 32, 32, SKIFF_INT_UNSET, 0)                                                             \
    X(smollm2_135m,   576,  1536, 30,  9,  3,  49152,          1)                                                             \
    X(smollm2_360m,   960,  2560, 32, 15,  5,  49152,          1)                                                             \
    X(smollm2_1_7b,  2048,  8192, 24, 32, 32,  49152,          1)

//   X(name, "where it lies")
#define SKIFF_TOKENIZERS(X)                                                                                                   \
    X(llama3_tokenizer,          "meta-llama/Meta-Llama-3.1-8B")                                                              \
    X(llama3_instruct_tokenizer, "meta-llama/Llama-3.1-8B-Instruct")                                                     \
    X(marin_tokenizer,           "marin-community/marin-tokenizer")                                                           \
    X(marin_olmo2_tokenizer,     "marin-community/marin-olmo2-tokenizer")                                                     \
    X(smollm2_tokenizer,         "HuggingFaceTB/SmolLM2-135M-Instruct")

#endif
