// Generation: the cache changes nothing, choosing tokens, stopping, bad prompts.
#include "../test.h"
#include "../net.h"
#include "train/generate.h"
#include "train/sample.h"

enum { VOCAB = 13, LONGEST = 150 };

static int32_t prompt_token(int64_t i) { return (int32_t)(mixed((uint32_t)i, 100) % VOCAB); }

static step_config whole_prompt(int64_t count)
{
    step_config c = small;
    c.loss_only = true;
    c.micro = 1;
    c.model.rows = 1;
    c.model.seq = count;
    c.model.config.max_positions = LONGEST;
    return c;
}

// Log-probabilities after the last token, from losses alone: one pass for each token that might follow.
static void full_forward(net *n, const int32_t *ids, int64_t count, float *out)
{
    int32_t position[LONGEST], start[LONGEST] = {0}, target[LONGEST];
    for (int64_t i = 0; i < count; i++) {
        position[i] = (int32_t)i;
        target[i] = -1;
    }
    for (int32_t v = 0; v < VOCAB; v++) {
        err e = {0};
        target[count - 1] = v;
        must(step_write(n->g, &n->s, &n->c, ids, position, start, target, &(step_numbers){ .trained = 1 }, &e), &e);
        must(n->g->step(n->g, &e), &e);
        out[v] = (float)-get(n, n->s.loss);
    }
}

static void to_log_probabilities(float *logits)
{
    double all = 0;
    for (int v = 0; v < VOCAB; v++)
        all += exp((double)logits[v]);
    for (int v = 0; v < VOCAB; v++)
        logits[v] -= (float)log(all);
}

static generator *open_shared(const net *n, type compute, int64_t max_tokens)
{
    err e = {0};
    generator *g = generator_open(&n->c.model.config, NULL, n->g, compute, NULL, max_tokens, &e);
    must(g, &e);
    return g;
}

static void check_cache(type compute, float tolerance)
{
    static const int64_t lengths[] = { 1, 2, 3, 4, 5, 16, 17, 18, 19, 48, 49, 63, 64, 65, 68, 69, 112, 113, 127, 128, 129, 130 };
    int32_t ids[LONGEST];
    for (int64_t i = 0; i < LONGEST; i++)
        ids[i] = prompt_token(i);
    for (size_t k = 0; k < COUNT(lengths); k++) {
        const step_config c = whole_prompt(lengths[k]);
        net n;
        net_open(&n, &c, CPU, compute, false);
        generator *g = open_shared(&n, compute, 140);
        float want[VOCAB], got[VOCAB], again[VOCAB];
        err e = {0};
        full_forward(&n, ids, lengths[k], want);
        must(generator_logits(g, ids + 7, 70, got, &e), &e);                // leaves other tokens in the cache
        must(generator_logits(g, ids, lengths[k], got, &e), &e);
        must(generator_logits(g, ids, lengths[k], again, &e), &e);
        CHECK(memcmp(got, again, sizeof got) == 0);
        to_log_probabilities(got);
        CHECK_CLOSE(got, want, VOCAB, tolerance);
        generator_close(g);
        net_close(&n);
    }
}

TEST(logits_with_a_cache_are_those_of_the_whole)         { check_cache(F32, 1e-5f); }
TEST(logits_with_a_cache_are_those_of_the_whole_bf16)    { check_cache(BF16, 3e-2f); }

typedef struct heard { int32_t ids[LONGEST]; int64_t count, stop_after; } heard;

static bool hear(void *self, int32_t id)
{
    heard *h = self;
    h->ids[h->count++] = id;
    return h->count != h->stop_after;
}

TEST(greedy_is_the_likeliest_token_again_and_again)
{
    const step_config c = whole_prompt(8);
    net n;
    net_open(&n, &c, CPU, F32, false);
    generator *g = open_shared(&n, F32, LONGEST);
    int32_t ids[LONGEST], out[LONGEST];
    const int64_t first = 60, more = 20;                // over the end of a chunk
    for (int64_t i = 0; i < first; i++)
        ids[i] = prompt_token(i);
    heard h = {0};
    int64_t count;
    err e = {0};
    const generate_options o = { .max_new = more, .token = hear, .self = &h };
    must(generate(g, ids, first, &o, out, &count, &e), &e);
    CHECK(count == more && h.count == more && memcmp(h.ids, out, (size_t)more * sizeof *out) == 0);
    for (int64_t i = 0; i < more; i++) {
        float logits[VOCAB];
        must(generator_logits(g, ids, first + i, logits, &e), &e);
        int32_t best = 0;
        for (int32_t v = 1; v < VOCAB; v++)
            best = logits[v] > logits[best] ? v : best;
        CHECK(out[i] == best);
        ids[first + i] = best;
    }
    generator_close(g);
    net_close(&n);
}

TEST(generation_ends_where_it_should)
{
    const step_config c = whole_prompt(8);
    net n;
    net_open(&n, &c, CPU, F32, false);
    generator *g = open_shared(&n, F32, 30);
    int32_t ids[LONGEST], all[LONGEST], out[LONGEST];
    for (int64_t i = 0; i < LONGEST; i++)
        ids[i] = prompt_token(i);
    int64_t count;
    err e = {0};
    const double warm = 3;                              // so that tokens differ
    generate_options o = { .max_new = 1000, .temperature = warm, .seed = 7 };
    must(generate(g, ids, 10, &o, all, &count, &e), &e);
    CHECK(count == 20);                                 // max_tokens is full
    o.max_new = 6;
    must(generate(g, ids, 10, &o, out, &count, &e), &e);
    CHECK(count == 6 && memcmp(all, out, 6 * sizeof *out) == 0);    // the same seed, the same tokens
    o.max_new = 0;
    must(generate(g, ids, 10, &o, out, &count, &e), &e);
    CHECK(count == 0);

    o.max_new = 20;
    int64_t at = 0;
    while (at < 19 && (at < 3 || all[at] == all[0] || all[at] == all[1] || all[at] == all[2]))
        at++;
    const int32_t stops[2] = { 12345, all[at] };
    for (int64_t i = 0; i < at; i++)
        at = all[i] == all[at] ? i : at;                // where it is first
    o.stops = stops;
    o.stop_count = 2;
    must(generate(g, ids, 10, &o, out, &count, &e), &e);
    CHECK(count == at + 1 && out[at] == stops[1]);
    heard h = { .stop_after = 3 };
    o.stop_count = 0;
    o.token = hear;
    o.self = &h;
    must(generate(g, ids, 10, &o, out, &count, &e), &e);
    CHECK(count == 3);
    o.seed = 8;
    h = (heard){0};
    must(generate(g, ids, 10, &o, out, &count, &e), &e);
    CHECK(count == 20 && memcmp(all, out, sizeof(int32_t) * 20) != 0);
    must(generate(g, ids, 30, &o, out, &count, &e), &e);
    CHECK(count == 0);                                  // there is no room for an answer
    generator_close(g);
    net_close(&n);
}

TEST(bad_prompts_and_options_are_told)
{
    const step_config c = whole_prompt(8);
    net n;
    net_open(&n, &c, CPU, F32, false);
    generator *g = open_shared(&n, F32, 30);
    const int32_t good[2] = { 1, 2 }, bad[2] = { 1, 13 }, negative[1] = { -1 };
    int32_t many[31] = {0}, out[8];
    static const generate_options fine = { .max_new = 8 };
    const struct { const int32_t *ids; int64_t count; generate_options o; const char *text; } cases[] = {
        { good, 0, fine, "the prompt is empty: there is no token to go on from" },
        { many, 31, fine, "the prompt has 31 tokens, there is room for 30" },
        { bad, 2, fine, "token 1 of the prompt is 13, expected 0 to 12; is the tokenizer the model's?" },
        { negative, 1, fine, "token 0 of the prompt is -1, expected 0 to 12; is the tokenizer the model's?" },
        { good, 2, { .max_new = 8, .temperature = -1 }, "temperature: expected 0 (greedy) or a positive number, got -1" },
        { good, 2, { .max_new = 8, .temperature = (double)NAN }, "temperature: expected 0 (greedy) or a positive number, got nan" },
        { good, 2, { .max_new = 8, .top_p = 1.5 }, "top_p: expected a share from 0 to 1, got 1.5" },
        { good, 2, { .max_new = 8, .min_p = -0.1 }, "min_p: expected a share from 0 to 1, got -0.1" },
        { good, 2, { .max_new = 8, .top_k = -3 }, "top_k: expected 0 (all) or a positive number, got -3" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        err e = {0};
        int64_t count = -1;
        CHECK(!generate(g, cases[i].ids, cases[i].count, &cases[i].o, out, &count, &e));
        CHECK(e.code == ERR_INPUT && count == 0);
        CHECK_TEXT(e.text, cases[i].text);
    }
    generator_close(g);
    net_close(&n);
}

// A generator over a trainer's weights sees each update.
TEST(shared_weights_are_seen_as_they_are_trained)
{
    const tokens t = make_tokens();
    for (int i = 0; i < 2; i++) {
        const type compute = i ? BF16 : F32;
        net n;
        net_open(&n, &small, CPU, compute, false);
        generator *g = open_shared(&n, compute, 30);
        float before[VOCAB], after[VOCAB], fresh[VOCAB];
        const int32_t ids[3] = { 4, 5, 6 };
        err e = {0};
        must(generator_logits(g, ids, 3, before, &e), &e);
        for (int k = 1; k <= 3; k++)
            one_step(&n, &t, 1e-2, 1, k);
        must(generator_logits(g, ids, 3, after, &e), &e);
        CHECK(memcmp(before, after, sizeof after) != 0);
        generator *other = open_shared(&n, compute, 30);
        must(generator_logits(other, ids, 3, fresh, &e), &e);
        CHECK(memcmp(fresh, after, sizeof after) == 0);
        generator_close(other);
        generator_close(g);
        net_close(&n);
    }
}

// ---- choosing --------------------------------------------------------------------------------------------------------

enum { FIVE = 5, DRAWS = 20000 };
static const float five[FIVE] = { 1, 3, 2, 3, -1 };

// Shares of DRAWS choices.
static void draw(const sample_options *o, double share[FIVE])
{
    candidate scratch[FIVE];
    const key k = key_from_seed(3);
    memset(share, 0, FIVE * sizeof *share);
    for (int i = 0; i < DRAWS; i++) {
        int32_t id;
        err e = {0};
        must(sample(five, FIVE, o, k, (uint64_t)i, scratch, &id, &e), &e);
        share[id] += 1.0 / DRAWS;
    }
}

// Among the tokens of `kept` (a bit each) by the exponential of their logit.
static void check_draws(const sample_options *o, unsigned kept)
{
    double share[FIVE], all = 0;
    draw(o, share);
    for (int i = 0; i < FIVE; i++)
        all += kept >> i & 1 ? exp((double)five[i] / o->temperature) : 0;
    for (int i = 0; i < FIVE; i++) {
        const double want = kept >> i & 1 ? exp((double)five[i] / o->temperature) / all : 0;
        CHECK(want > 0 ? fabs(share[i] - want) < 0.015 : share[i] == 0);     // four standard deviations of 20,000
    }
}

TEST(greedy_takes_the_lowest_of_equals)
{
    double share[FIVE];
    draw(&(sample_options){0}, share);
    CHECK(fabs(share[1] - 1) < 1e-9);
}

TEST(draws_follow_temperature_and_cuts)
{
    check_draws(&(sample_options){ .temperature = 1 }, 31);
    check_draws(&(sample_options){ .temperature = 0.5 }, 31);
    check_draws(&(sample_options){ .temperature = 2 }, 31);
    check_draws(&(sample_options){ .temperature = 1, .top_k = 100 }, 31);
    check_draws(&(sample_options){ .temperature = 1, .top_k = 3 }, 1 << 1 | 1 << 3 | 1 << 2);
    check_draws(&(sample_options){ .temperature = 1, .top_k = 1 }, 1 << 1);
    check_draws(&(sample_options){ .temperature = 1, .top_p = 1 }, 31);
    check_draws(&(sample_options){ .temperature = 1, .top_p = 1e-9 }, 1 << 1);
    // shares at temperature 1, likeliest first: 0.397 0.397 0.146 0.054 0.007
    check_draws(&(sample_options){ .temperature = 1, .top_p = 0.39 }, 1 << 1);
    check_draws(&(sample_options){ .temperature = 1, .top_p = 0.4 }, 1 << 1 | 1 << 3);
    check_draws(&(sample_options){ .temperature = 1, .top_p = 0.9 }, 1 << 1 | 1 << 3 | 1 << 2);
    check_draws(&(sample_options){ .temperature = 1, .top_p = 0.97 }, 1 << 1 | 1 << 3 | 1 << 2 | 1);
    // top_p counts among what top_k left: 0.422 0.422 0.155
    check_draws(&(sample_options){ .temperature = 1, .top_k = 3, .top_p = 0.41 }, 1 << 1);
    check_draws(&(sample_options){ .temperature = 1, .top_k = 3, .top_p = 0.43 }, 1 << 1 | 1 << 3);
}

// Candidates of a share of the likeliest one's: 1, 1, 0.368, 0.135, 0.018.
TEST(draws_follow_min_p)
{
    check_draws(&(sample_options){ .temperature = 1, .min_p = 1 }, 1 << 1 | 1 << 3);
    check_draws(&(sample_options){ .temperature = 1, .min_p = 0.36 }, 1 << 1 | 1 << 3 | 1 << 2);
    check_draws(&(sample_options){ .temperature = 1, .min_p = 0.1 }, 1 << 1 | 1 << 3 | 1 << 2 | 1);
    check_draws(&(sample_options){ .temperature = 2, .min_p = 0.36 }, 1 << 1 | 1 << 3 | 1 << 2 | 1);    // after the temperature
    check_draws(&(sample_options){ .temperature = 1, .min_p = 0.1, .top_k = 3 }, 1 << 1 | 1 << 3 | 1 << 2);
    check_draws(&(sample_options){ .temperature = 1, .min_p = 0.5, .top_p = 0.97 }, 1 << 1 | 1 << 3);
}

// ---- the same choices as by sorting all of the vocabulary --------------------------------------------------------------

enum { WORDS = 5000 };

static int by_logit(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    return x->logit != y->logit ? (x->logit < y->logit) - (x->logit > y->logit) : (x->id > y->id) - (x->id < y->id);
}

static double share_of(const candidate *c, int64_t i, double temperature)
{
    return exp(((double)c[i].logit - (double)c[0].logit) / temperature);
}

static int32_t choose_sorted(const float *logits, const sample_options *o, key k, uint64_t number)
{
    static candidate c[WORDS];
    int64_t count = WORDS, kept = 0;
    for (int64_t i = 0; i < WORDS; i++)
        c[i] = (candidate){ logits[i], (int32_t)i };
    qsort(c, WORDS, sizeof *c, by_logit);
    if (o->top_k)
        count = MIN(count, o->top_k);
    double all = 0, before = 0, sum = 0;
    for (int64_t i = 0; i < count; i++)
        all += share_of(c, i, o->temperature);
    for (; o->top_p > 0 && o->top_p < 1 && kept < count && before < o->top_p * all; kept++)
        before += share_of(c, kept, o->temperature);
    count = kept ? kept : count;
    all = 0;
    for (int64_t i = 0; i < count; i++)
        all += share_of(c, i, o->temperature);
    const double at = ((double)key_bits(k, number) + 0.5) / 4294967296.0 * all;
    int64_t i = 0;
    for (; i < count - 1 && (sum += share_of(c, i, o->temperature)) <= at; i++)
        ;
    return c[i].id;
}

// Logits of many kinds: whole gaps (0: none) make equal ones, `way` sorts them up or down.
static void make_logits(float *logits, uint32_t number, float width, float gap, int way)
{
    for (uint32_t i = 0; i < WORDS; i++) {
        const float x = width * ((float)(mixed(i, number) >> 8) / 16777216.0f - 0.5f);
        logits[i] = way > 0 ? width * (float)i / WORDS : way < 0 ? -width * (float)i / WORDS : x * fabsf(x);
        if (gap > 0)
            logits[i] = gap * roundf(logits[i] / gap);
    }
}

TEST(choices_are_those_of_sorting_everything)
{
    static const struct { float width, gap; int way; } kinds[] = {
        { 6, 0, 0 }, { 6, 0.5f, 0 }, { 1, 0, 0 }, { 0, 0, 0 }, { 12, 0, 1 }, { 12, 0, -1 }, { 0.01f, 0, 1 }, { 3, 1, -1 },
    };
    static const sample_options options[] = {
        { .temperature = 1, .top_k = 1 }, { .temperature = 1, .top_k = 40 }, { .temperature = 3, .top_k = 4999 }, { .temperature = 1, .top_k = 9000 },
        { .temperature = 1, .top_p = 0.9 }, { .temperature = 1, .top_p = 0.5 }, { .temperature = 0.2, .top_p = 0.95 },
        { .temperature = 9, .top_p = 0.999999 }, { .temperature = 1, .top_p = 1e-12 }, { .temperature = 0.7, .top_k = 64, .top_p = 0.8 },
    };
    static float logits[WORDS];
    static candidate scratch[WORDS];
    const key k = key_from_seed(11);
    for (size_t i = 0; i < COUNT(kinds); i++)
        for (size_t j = 0; j < COUNT(options); j++)
            for (uint32_t n = 0; n < 6; n++) {
                int32_t id;
                err e = {0};
                make_logits(logits, n, kinds[i].width, kinds[i].gap, kinds[i].way);
                must(sample(logits, WORDS, &options[j], k, n, scratch, &id, &e), &e);
                CHECK(id == choose_sorted(logits, &options[j], k, n));
            }
}

// Where top-p is just the share of the first few, the last bits of the sum decide, and with them the order in which it was made.
TEST(choices_at_the_edge_of_top_p_are_those_of_sorting_everything)
{
    static float logits[WORDS];
    static candidate c[WORDS], scratch[WORDS];
    const key k = key_from_seed(5);
    for (uint32_t n = 0; n < 600; n++) {
        double all = 0, before = 0;
        int32_t id;
        err e = {0};
        make_logits(logits, n, 6, 0, 0);
        for (int64_t i = 0; i < WORDS; i++)
            c[i] = (candidate){ logits[i], (int32_t)i };
        qsort(c, WORDS, sizeof *c, by_logit);
        for (int64_t i = 0; i < WORDS; i++) {
            all += share_of(c, i, 1);
            before = i == n % 4 ? all : before;
        }
        const sample_options o = { .temperature = 1, .top_p = before / all };
        must(sample(logits, WORDS, &o, k, n, scratch, &id, &e), &e);
        CHECK(id == choose_sorted(logits, &o, k, n));
    }
}

TEST(broken_logits_are_an_error)
{
    const float broken[3] = { 1, NAN, 2 }, endless[3] = { 1, 0, INFINITY };
    candidate scratch[3];
    int32_t id;
    err e = {0};
    CHECK(!sample(broken, 3, &(sample_options){0}, key_from_seed(1), 0, scratch, &id, &e));
    CHECK_TEXT(e.text, "the model's logit of token 1 is nan: its weights are broken");
    CHECK(!sample(endless, 3, &(sample_options){0}, key_from_seed(1), 0, scratch, &id, &e));
    CHECK_TEXT(e.text, "the model's logit of token 2 is inf: its weights are broken");
}
