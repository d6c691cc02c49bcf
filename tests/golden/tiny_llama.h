// Loss, gradients and AdamW steps of a tiny Llama in transformers + torch, made by tests/golden/tiny_llama.py.
#pragma once
enum { TINY_SEQ = 16, TINY_ROWS = 3, TINY_STEPS = 5 };
#define TINY_CONFIG {                                                                                            \
    .family = "llama", .vocab = 97, .hidden = 32, .layers = 2, .heads = 4, .kv_heads = 2, .head_size = 16,       \
    .ffn = 48, .max_positions = 64, .norm_eps = 1e-5, .rope_theta = 10000,                                        \
}
static const int tiny_segments[][3] = { { 0, 0, 16 }, { 1, 0, 9 }, { 1, 9, 16 }, { 2, 0, 5 }, { 2, 5, 12 } };       // row, begin, end
static const struct tiny_case {
    bool tied; rope_scaling kind; double factor, low, high, original;
    int trained; double norm;                           // of the gradient of the first step
    struct { double dot, sumsq; } gradient[9];          // with the shares of stream 200, and with itself
    double loss[TINY_STEPS];                            // rate 0.01, betas 0.9 0.95, eps 1e-8, decay 0.1, clip 1
} tiny_cases[] = {
    { false, ROPE_PLAIN, 0, 0, 0, 0, 26, 3.413071809, {
        { 0.3197197609, 2.644358988 }, // embed
        { 0.006427260212, 0.05421448294 }, // attn_norm
        { 0.4872892622, 3.376875153 }, // qkv
        { -0.4316346219, 2.409971967 }, // o
        { 0.06263837739, 0.0181552652 }, // mlp_norm
        { 0.5409084925, 1.170904274 }, // gate_up
        { 0.0536741055, 0.6127742435 }, // down
        { -0.03877565415, 0.04821320091 }, // norm
        { 0.0721417882, 1.313591599 }, // head
    }, { 4.98943077, 3.390702051, 2.422212358, 1.720371275, 1.234816034 } },
    { true, ROPE_LLAMA3, 8, 1, 4, 16, 26, 3.46570294, {
        { 0.1993664953, 3.830164752 }, // embed
        { -0.002635513502, 0.06253334986 }, // attn_norm
        { -0.7129887706, 3.348690799 }, // qkv
        { 0.7110801268, 2.701874601 }, // o
        { -0.03776357547, 0.02228048853 }, // mlp_norm
        { 0.4506417106, 1.376433465 }, // gate_up
        { 0.1206882322, 0.6151200289 }, // down
        { 0.07050961423, 0.05399938797 }, // norm
        { 0, 0 }, // head
    }, { 4.734501262, 3.261618375, 2.433685817, 1.843080408, 1.400221531 } },
};
