// Tokens drawn anew: which rows, from which distribution; and which tokens a base model never saw.
#include <math.h>
#include <stdlib.h>

#include "train/reinit.h"
#include "../test.h"

#define LLAMA "fixtures/vocab/ggml-vocab-llama-bpe.gguf"

enum { VOCAB = 500, HIDDEN = 64 };

// An engine of two matrices in memory.
typedef struct two { engine e; float *at[2]; } two;

static bool two_write(engine *e, tensor t, int64_t from, int64_t count, const void *source, err *why)
{
    (void)why;
    memcpy(((two *)e)->at[t.id - 1] + from, source, sizeof(float) * (size_t)count);
    return true;
}

static bool two_read(engine *e, tensor t, int64_t from, int64_t count, void *to, err *why)
{
    (void)why;
    memcpy(to, ((two *)e)->at[t.id - 1] + from, sizeof(float) * (size_t)count);
    return true;
}

static void two_open(two *x)
{
    *x = (two){ .e = { .name = "two", .write = two_write, .read = two_read } };
    for (int k = 0; k < 2; k++) {
        x->at[k] = malloc(sizeof(float) * VOCAB * HIDDEN);
        for (int i = 0; i < VOCAB * HIDDEN; i++)
            x->at[k][i] = (float)((i * 7919 + k * 31) % 2003) / 1000 - 1 + (float)(i % HIDDEN);
    }
}

static void two_close(two *x)
{
    free(x->at[0]);
    free(x->at[1]);
}

static const model_weights weights = { .at = { [W_EMBED] = { 1 }, [W_HEAD] = { 2 } } };

TEST(rows_are_drawn_from_the_vocabulary)
{
    two x, was;
    err e = {0};
    const model_config c = { .vocab = VOCAB, .hidden = HIDDEN };
    const int32_t ids[] = { 3, 77, 499 };
    two_open(&x);
    two_open(&was);
    CHECK(reinit_rows(&x.e, &c, &weights, ids, 3, 1, &e));
    for (int k = 0; k < 2; k++) {
        double squares = 0, sum = 0;
        for (int i = 0; i < VOCAB; i++) {
            const float *new = x.at[k] + i * HIDDEN, *old = was.at[k] + i * HIDDEN;
            bool drawn = i == 3 || i == 77 || i == 499;
            CHECK(!memcmp(new, old, sizeof(float) * HIDDEN) == !drawn);
            for (int d = 0; drawn && d < HIDDEN; d++) {
                double mean = 0, variance = 0;
                for (int r = 0; r < VOCAB; r++)
                    mean += (double)was.at[k][r * HIDDEN + d] / VOCAB;
                for (int r = 0; r < VOCAB; r++)
                    variance += pow((double)was.at[k][r * HIDDEN + d] - mean, 2) / VOCAB;
                double z = ((double)new[d] - mean) / sqrt(variance);
                CHECK(fabs(z) <= 3.0001);
                squares += z * z, sum += z;
            }
        }
        const double n = 3 * HIDDEN;                    // a truncated normal has a variance of 0.9733
        CHECK(fabs(sum / n) < 4 * sqrt(0.9733 / n) && fabs(squares / n - 0.9733) < 4 * sqrt(1.8 / n));
    }
    CHECK(memcmp(x.at[0] + 3 * HIDDEN, x.at[1] + 3 * HIDDEN, sizeof(float) * HIDDEN) != 0);     // the head draws numbers of its own
    two_close(&x);
    two_close(&was);
}

TEST(a_seed_decides_and_a_tied_head_is_left)
{
    two x, y, z, was;
    err e = {0};
    model_config c = { .vocab = VOCAB, .hidden = HIDDEN, .tied = true };
    const int32_t ids[] = { 9, 10 }, other_order[] = { 10, 9 };
    two_open(&x), two_open(&y), two_open(&z), two_open(&was);
    CHECK(reinit_rows(&x.e, &c, &weights, ids, 2, 5, &e) && reinit_rows(&y.e, &c, &weights, other_order, 2, 5, &e));
    CHECK(reinit_rows(&z.e, &c, &weights, ids, 2, 6, &e));
    CHECK(!memcmp(x.at[0], y.at[0], sizeof(float) * VOCAB * HIDDEN));
    CHECK(memcmp(x.at[0] + 9 * HIDDEN, z.at[0] + 9 * HIDDEN, sizeof(float) * HIDDEN) != 0);
    CHECK(!memcmp(x.at[1], was.at[1], sizeof(float) * VOCAB * HIDDEN));
    two_close(&x), two_close(&y), two_close(&z), two_close(&was);
}

TEST(rows_that_nothing_was_learned_in)
{
    two x;
    err e = {0};
    const model_config c = { .vocab = VOCAB, .hidden = HIDDEN };
    const int32_t ids[] = { 1, 2, 3, 4, 5 };
    int32_t out[5];
    int64_t found = 0;
    double median = 0;
    two_open(&x);
    for (int d = 0; d < HIDDEN; d++) {
        x.at[0][2 * HIDDEN + d] *= 0.01f;                               // far smaller
        x.at[0][4 * HIDDEN + d] = x.at[0][100 * HIDDEN + d];            // equal to another one
    }
    CHECK(reinit_unseen(&x.e, &c, &weights, ids, 5, out, &found, &median, &e));
    CHECK(found == 2 && out[0] == 2 && out[1] == 4 && median > 200);
    two_close(&x);
}

static void check_names(const tokenizer *t, const char *const *names, int want, const char *words)
{
    int32_t ids[MOST_REINIT];
    int count = 0;
    err e = {0};
    bool ok = reinit_find(t, names, ids, &count, &e);
    CHECK(ok == (want >= 0) && (!ok || count == want));
    CHECK_TEXT(e.text, words);
    CHECK(ok || e.code == ERR_INPUT);
}

TEST(names_of_tokens)
{
    err e = {0};
    tokenizer *t = tokenizer_open(LLAMA, &e);
    if (!t) {
        CHECK_TEXT(e.text, "opened");
        return;
    }
    int32_t ids[MOST_REINIT];
    int count;
    CHECK(reinit_find(t, (const char *const[]){ "<|eot_id|>", NULL }, ids, &count, &e) && count == 1 && ids[0] == 128009);
    check_names(t, (const char *const[]){ "<|eot|>", NULL }, -1, "reinit_tokens: '<|eot|>' is no token of " LLAMA);
    check_names(t, (const char *const[]){ "<|eot_id|>", "<|eot_id|>", NULL }, -1, "reinit_tokens: '<|eot_id|>' is named twice");
    check_names(t, (const char *const[]){ "a word of several", NULL }, -1, "reinit_tokens: 'a word of several' is no token of " LLAMA);
    // This vocabulary is of the first Llama 3, whose reserved tokens had not these names yet.
    check_names(t, (const char *const[]){ "true", NULL }, -1, "reinit_tokens: '<|finetune_right_pad_id|>' is no token of " LLAMA
                "; reinit_tokens=true means those of Llama 3: name this model's own");
    tokenizer_close(t);
}
