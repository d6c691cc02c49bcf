// Prompts read in part: what the cache has of the last one is not read again, and no logit changes by a bit.
#include "../test.h"
#include "../tiny_model.h"
#include "train/generate.h"

enum { VOCAB = 50, ROOM = 290 };

static const model_config shape_of_it = {
    .family = "llama", .vocab = VOCAB, .hidden = 48, .layers = 2, .heads = 6, .kv_heads = 2, .head_size = 8, .ffn = 40,
    .max_positions = ROOM, .norm_eps = 1e-5, .rope_theta = 10000, .tied = true,
};

static generator *open_new(type compute)
{
    err e = {0};
    generator *g = generator_open(&shape_of_it, folder, NULL, compute, NULL, 0, &e);
    if (!g)
        fprintf(stderr, "%s\n", e.text), exit(1);
    return g;
}

static void logits_of(generator *g, const int32_t *ids, int64_t count, float *out)
{
    err e = {0};
    CHECK(generator_logits(g, ids, count, out, &e));
}

// An answer, and how much of its prompt was read.
typedef struct answer { int32_t ids[ROOM]; int64_t count, read; } answer;

static answer answer_to(generator *g, const int32_t *ids, int64_t count, int64_t most, double temperature)
{
    answer a = {0};
    err e = {0};
    const generate_options o = { .max_new = most, .temperature = temperature, .seed = 3 };
    CHECK(generate(g, ids, count, &o, a.ids, &a.count, &e));
    a.read = generator_times(g).read;
    CHECK(generator_times(g).prompt_tokens == count);
    return a;
}

static void check_same(const answer *x, const answer *y)
{
    CHECK(x->count == y->count && memcmp(x->ids, y->ids, (size_t)x->count * sizeof *x->ids) == 0);
}

static void fill_ids(int32_t *ids, int64_t from, int64_t count, int64_t what)
{
    for (int64_t i = from; i < from + count; i++)
        ids[i] = (int32_t)((i * i * 7 + i * what + what) % VOCAB);
}

static void for_all(void (*check)(type compute))
{
    static const st_type stored[] = { ST_F32, ST_BF16 };
    for (size_t i = 0; i < COUNT(stored); i++) {
        new_folder();
        tiny_checkpoint("model.safetensors", &shape_of_it, stored[i], (tiny_change){0});
        for (type compute = F32; compute <= BF16; compute++)
            check(compute);
        remove_folder();
    }
}

// A conversation: each prompt begins with the one before, its answer, and some more.
static void check_conversation(type compute)
{
    const bool alike = cpu_least_alike(NULL, compute) == 1;
    static const int64_t more[] = { 1, 3, 40, 2, 70, 1, 20 };
    generator *g = open_new(compute);
    int32_t ids[ROOM];
    int64_t count = 0, answered = 0;
    for (size_t k = 0; k < COUNT(more); k++) {
        fill_ids(ids, count, more[k], (int64_t)k);
        count += more[k];
        generator *fresh = open_new(compute);
        const answer got = answer_to(g, ids, count, 9, 2), want = answer_to(fresh, ids, count, 9, 2);
        float a[VOCAB], b[VOCAB];
        check_same(&got, &want);
        CHECK(want.read == count);
        CHECK(got.read == more[k] + (!k ? 0 : alike ? 1 : answered));       // the answer's last token was only chosen
        memcpy(ids + count, got.ids, (size_t)got.count * sizeof *ids);
        count += answered = got.count;
        logits_of(g, ids, count, a);
        generator_close(fresh);
        fresh = open_new(compute);
        logits_of(fresh, ids, count, b);
        CHECK(memcmp(a, b, sizeof a) == 0);
        answer_to(g, ids, count - answered, 9, 2);                          // back to where it was
        generator_close(fresh);
    }
    generator_close(g);
}

TEST(a_conversation_reads_what_is_new) { for_all(check_conversation); }

// Prompts that part from the last one anywhere, and are longer or shorter.
static void check_parting(type compute)
{
    static const int64_t lengths[] = { 1, 2, 17, 64, 65, 130, 131 }, common[] = { 0, 1, 16, 63, 64, 65, 129 };
    generator *g = open_new(compute);
    for (size_t i = 0; i < COUNT(lengths); i++)
        for (size_t k = 0; k < COUNT(common); k++) {
            int32_t ids[ROOM], other[ROOM];
            float a[VOCAB], b[VOCAB];
            fill_ids(ids, 0, ROOM, 1);
            memcpy(other, ids, sizeof ids);
            for (int64_t j = common[k]; j < ROOM; j++)
                other[j] = (ids[j] + 1) % VOCAB;
            generator *fresh = open_new(compute);
            logits_of(g, ids, 140, a);
            const answer got = answer_to(g, other, lengths[i], 3, 2), want = answer_to(fresh, other, lengths[i], 3, 2);
            check_same(&got, &want);
            CHECK(got.read == lengths[i] - MIN(common[k], lengths[i] - 1));
            logits_of(g, other, lengths[i], a);
            generator_close(fresh);
            fresh = open_new(compute);
            logits_of(fresh, other, lengths[i], b);
            CHECK(memcmp(a, b, sizeof a) == 0);
            generator_close(fresh);
        }
    generator_close(g);
}

TEST(prompts_that_part_anywhere_keep_their_bits) { for_all(check_parting); }

// A prompt that is refused leaves the cache as it was.
TEST(a_refused_prompt_costs_nothing)
{
    new_folder();
    tiny_checkpoint("model.safetensors", &shape_of_it, ST_BF16, (tiny_change){0});
    generator *g = open_new(F32);
    int32_t ids[ROOM + 1], out[4];
    fill_ids(ids, 0, ROOM + 1, 2);
    answer_to(g, ids, 100, 0, 0);
    err e = {0};
    int64_t count;
    CHECK(!generate(g, ids, ROOM + 1, &(generate_options){ .max_new = 4 }, out, &count, &e));
    CHECK_TEXT(e.text, "the prompt has 291 tokens, there is room for 290");
    CHECK(answer_to(g, ids, 101, 0, 0).read == 1);
    CHECK(answer_to(g, ids, ROOM, 0, 0).read == ROOM - 101);
    CHECK(answer_to(g, ids, ROOM, 0, 0).read == 1);
    generator_close(g);
    remove_folder();
}
