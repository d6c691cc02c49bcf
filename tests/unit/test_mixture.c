// Mixtures: counts and orders of blocks with the original's numbers, places to rows and back, stages, ends, and every row once per pass.
#include "../test.h"

#include "cache_writer.h"
#include "data/loader.h"
#include "data/packs.h"

static const char *const three[] = { "a", "b", "c" };

static mixture *open_three(const double *weights, int64_t block, uint64_t seed)
{
    err e = {0};
    const mixture_stage stage = { 0, weights };
    mixture *m = mixture_open(&(mixture_config){ .names = three, .datasets = 3, .stages = &stage, .stage_count = 1, .block = block, .batch = 4,
                                                 .seed = seed }, &e);
    if (!m)
        fprintf(stderr, "%s\n", e.text);
    CHECK(m != NULL);
    return m;
}

// ---- counts ----

TEST(counts_are_those_of_exp808)
{
    static const char *const names[] = { "acecode_89k", "smoltalk", "verifiable_math_problems", "dolphin_r1_nonreasoning",
        "dolphin_r1_reasoning", "bespoke_stratos_17k", "openthoughts_114k_math", "tulu_3_sft_mixture", "natural_reasoning" };
    static const double weights[] = { 87149, 1043917, 777457, 214318, 585418, 16710, 89120, 939343, 1145824 };
    static const int64_t expected[] = { 36, 436, 324, 89, 244, 6, 37, 392, 484 };
    err e = {0};
    mixture_config c = { .names = names, .datasets = 9, .stages = &(mixture_stage){ 0, weights }, .stage_count = 1, .block = 2048, .batch = 128 };
    mixture *m = mixture_open(&c, &e);
    CHECK(m != NULL);
    for (int64_t block = 0; m && block < 5; block++) {
        int64_t seen[9] = {0};
        for (int64_t i = 0; i < 2048; i++) {
            const mixture_place p = mixture_at(m, block * 2048 + i);
            CHECK(p.dataset >= 0 && p.dataset < 9 && p.index / expected[p.dataset] == block);
            seen[p.dataset]++;
        }
        for (int d = 0; d < 9; d++)
            CHECK(seen[d] == expected[d] && mixture_count(m, 0, d) == expected[d]);
    }
    mixture_close(m);
    c.block = 256;                                  // 16710 of 4899256 is less than 1 of 256
    CHECK(!mixture_open(&c, &e) && e.code == ERR_INPUT);
    CHECK_TEXT(e.text, "mixture: the weight 16710 of 'bespoke_stratos_17k' comes to none of the 256 rows of a block; the smallest block size "
                       "that works is mixture_block_size=294");
    c.block = 294;
    m = mixture_open(&c, &e);
    CHECK(m && mixture_count(m, 0, 5) == 1);
    mixture_close(m);
    c.block = 293;
    CHECK(!mixture_open(&c, &e));
}

TEST(counts_are_floored_and_the_largest_gets_the_rest)
{
    static const struct { double weights[3]; int64_t block, counts[3]; } cases[] = {
        { { 1, 1, 1 }, 10, { 4, 3, 3 } },           // the first of several
        { { 1, 2, 1 }, 7, { 1, 5, 1 } },
        { { 0.5, 0, 0.5 }, 9, { 5, 0, 4 } },
        { { 0, 3, 0 }, 5, { 0, 5, 0 } },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        mixture *m = open_three(cases[i].weights, cases[i].block, 0);
        for (int d = 0; m && d < 3; d++)
            CHECK(mixture_count(m, 0, d) == cases[i].counts[d]);
        mixture_close(m);
    }
}

// ---- order ----

// Numbers of jax, with one and several rounds of sorting.
#include "../golden/mixture_order.h"

TEST(blocks_are_in_the_order_of_jax)
{
    for (size_t i = 0; i < COUNT(mixture_orders); i++) {
        const double weights[] = { mixture_orders[i].counts[0], mixture_orders[i].counts[1], mixture_orders[i].counts[2] };
        mixture *m = open_three(weights, mixture_orders[i].size, mixture_orders[i].seed);
        for (int64_t k = 0; m && k < mixture_orders[i].size && k < 32; k++) {
            const mixture_place p = mixture_at(m, mixture_orders[i].block * mixture_orders[i].size + k);
            const int64_t row = p.index - mixture_orders[i].block * mixture_orders[i].counts[p.dataset];
            CHECK((p.dataset << 16 | row) == mixture_orders[i].codes[k]);
        }
        mixture_close(m);
    }
}

TEST(places_are_those_of_levanter)
{
    static const double first[] = { 1, 1.5, 0 }, second[] = { 0, 1, 5 }, third[] = { 1, 3, 2 };
    const mixture_stage stages[] = { { 0, first }, { 2, second }, { 5, third } };
    err e = {0};
    mixture *m = mixture_open(&(mixture_config){ .names = three, .datasets = 3, .stages = stages, .stage_count = 3, .block = 12, .batch = 12,
                                                 .seed = 11 }, &e);
    CHECK(m != NULL);
    for (int64_t i = 0; m && i < (int64_t)COUNT(mixture_places); i++) {
        const mixture_place p = mixture_at(m, i);
        CHECK(p.dataset == mixture_places[i][0] && p.index == mixture_places[i][1]);
    }
    mixture_close(m);
}

TEST(a_place_is_a_function_of_seed_and_place)
{
    static const double weights[] = { 1, 2, 3 };
    mixture *m = open_three(weights, 12, 7), *back = open_three(weights, 12, 7), *other = open_three(weights, 12, 8);
    mixture_place at[120];
    int64_t differ = 0;
    for (int64_t i = 0; i < 120; i++)
        at[i] = mixture_at(m, i);
    for (int64_t i = 119; i >= 0; i--) {
        const mixture_place p = mixture_at(back, i), q = mixture_at(other, i);
        CHECK(p.dataset == at[i].dataset && p.index == at[i].index);
        differ += q.dataset != at[i].dataset || q.index != at[i].index;
    }
    CHECK(differ > 60);
    mixture_close(m);
    mixture_close(back);
    mixture_close(other);
}

TEST(a_single_dataset_keeps_its_order)
{
    static const double weights[] = { 0, 2, 0 };
    mixture *m = open_three(weights, 16, 1);
    for (int64_t i = 0; i < 100; i++) {
        const mixture_place p = mixture_at(m, i);
        CHECK(p.dataset == 1 && p.index == i);
    }
    mixture_close(m);
}

// Rows of a dataset come once each, in blocks in order; `share` agrees with `at`, over stages.
static void check_rows(mixture *m, int64_t places)
{
    int64_t next[3] = {0};
    char *seen = calloc((size_t)places * 3, 1);
    for (int64_t i = 0; i < places; i++) {
        const mixture_place p = mixture_at(m, i);
        CHECK(p.index >= 0 && p.index < places && !seen[p.dataset * places + p.index]);
        seen[p.dataset * places + p.index] = 1;
        for (int d = 0; d < 3; d++)
            CHECK(mixture_share(m, d, i) == next[d]);
        next[p.dataset]++;
    }
    free(seen);
}

TEST(every_row_once_over_stages)
{
    static const double first[] = { 1, 1, 0 }, second[] = { 0, 1, 5 }, third[] = { 1, 0, 0 };
    const mixture_stage stages[] = { { 0, first }, { 6, second }, { 12, third } };
    err e = {0};
    mixture_config c = { .names = three, .datasets = 3, .stages = stages, .stage_count = 3, .block = 12, .batch = 4, .seed = 5 };
    mixture *m = mixture_open(&c, &e);
    CHECK(m != NULL);
    if (!m)
        return;
    check_rows(m, 144);
    CHECK(mixture_share(m, 0, 24) == 12 && mixture_share(m, 1, 24) == 12 && mixture_share(m, 2, 24) == 0);
    CHECK(mixture_share(m, 0, 48) == 12 && mixture_share(m, 1, 48) == 16 && mixture_share(m, 2, 48) == 20);
    CHECK(mixture_share(m, 0, 60) == 24 && mixture_share(m, 2, 1 << 20) == 20);
    CHECK(mixture_at(m, 12 * 4294967295ll + 11).dataset == 0);
    mixture_close(m);
}

// ---- ends ----

TEST(ends_are_exact)
{
    static const double weights[] = { 1, 2, 3 };
    static const int64_t lengths[] = { 7, 30, 11 };
    for (uint64_t seed = 0; seed < 20; seed++) {
        mixture *m = open_three(weights, 12, seed);
        int64_t first = INT64_MAX, all = 0, need[3] = { 7, 30, 11 }, decides[2], by[2] = { -1, -1 };
        for (int64_t i = 0; i < 400; i++) {
            const mixture_place p = mixture_at(m, i);
            if (p.index >= lengths[p.dataset] && i < first)
                first = i, by[0] = p.dataset;
            else if (p.index < lengths[p.dataset] && --need[p.dataset] == 0)
                all = i + 1, by[1] = p.dataset;
        }
        CHECK(first < 400 && !need[0] && !need[1] && !need[2]);
        CHECK(mixture_end(m, lengths, STOP_FIRST, &decides[0]) == first && mixture_end(m, lengths, STOP_ALL, &decides[1]) == all);
        CHECK(decides[0] == by[0] && decides[1] == by[1]);
        CHECK(mixture_end(m, lengths, STOP_RESTART, &decides[0]) == INT64_MAX);
        mixture_close(m);
    }
    static const double early[] = { 1, 1, 0 }, late[] = { 0, 1, 0 };
    const mixture_stage stages[] = { { 0, early }, { 3, late } };
    err e = {0};
    mixture *m = mixture_open(&(mixture_config){ .names = three, .datasets = 3, .stages = stages, .stage_count = 2, .block = 12, .batch = 4 }, &e);
    int64_t decides = -1;
    CHECK(m && mixture_end(m, lengths, STOP_ALL, &decides) == INT64_MAX && decides == 0);       // 6 of the 7 rows of 'a' are all that come
    CHECK(m && mixture_end(m, lengths, STOP_FIRST, &decides) == 36 && decides == 1);
    mixture_close(m);
}

// ---- what is refused ----

TEST(refuses_what_cannot_be_mixed)
{
    static const double good[] = { 1, 2, 3 }, none[] = { 0, 0, 0 }, negative[] = { 1, -1, 1 }, unknown[] = { 1, NAN, 1 }, tiny[] = { 1, 1, 1e-9 };
    static const char *const twice[] = { "a", "b", "a" };
    const mixture_stage two[] = { { 0, good }, { 300, good } }, back[] = { { 0, good }, { 512, good }, { 512, good } }, late[] = { { 4, good } };
    const struct { const char *const *names; int64_t datasets, stages, block; const mixture_stage *at; const char *message; } cases[] = {
        { three, 3, 1, 0, two, "mixture_block_size: expected 1 to 65535 rows, got 0" },
        { three, 3, 1, 65536, two, "mixture_block_size: expected 1 to 65535 rows, got 65536" },
        { three, 0, 1, 9, two, "mixture: expected 1 to 64 datasets, got 0" },
        { twice, 3, 1, 9, two, "mixture: two datasets are called 'a'; give each a name of its own" },
        { three, 3, 0, 9, two, "mixture: the first weights must begin at step 0; there are none" },
        { three, 3, 1, 9, late, "mixture: the first weights must begin at step 0" },
        { three, 3, 2, 2048, two, "mixture: weights that begin at step 300, row 1200 of the run: expected a multiple of mixture_block_size 2048; "
                                  "the nearest steps are 0 and 512" },
        { three, 3, 3, 2048, back, "mixture: weights that begin at step 512 come after those of step 512; expected steps that rise" },
        { three, 3, 1, 9, &(mixture_stage){ 0, none }, "mixture: at step 0 no dataset has a weight above 0" },
        { three, 3, 1, 9, &(mixture_stage){ 0, negative }, "mixture: weight of 'b': expected 0 or more, got -1" },
        { three, 3, 1, 9, &(mixture_stage){ 0, unknown }, "mixture: weight of 'b': expected 0 or more, got nan" },
        { three, 3, 1, 9, &(mixture_stage){ 0, tiny }, "mixture: the weight 1e-09 of 'c' comes to none of the 9 rows of a block, nor of any up to "
                                                       "65535; raise it, or leave it out with weight 0" },
        { three, 3, 1, 5, two, "mixture: the weight 1 of 'a' comes to none of the 5 rows of a block; the smallest block size that works is "
                               "mixture_block_size=6" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        err e = {0};
        mixture *m = mixture_open(&(mixture_config){ .names = cases[i].names, .datasets = cases[i].datasets, .stages = cases[i].at,
                                                     .stage_count = cases[i].stages, .block = cases[i].block, .batch = 4 }, &e);
        CHECK(!m && e.code == ERR_INPUT);
        CHECK_TEXT(e.text, cases[i].message);
        mixture_close(m);
    }
}

// ---- batches ----

enum { SETS = 3, SEQ = 40, ROWS = 7 };

typedef struct fixture { char *folder[SETS]; made rows[SETS]; cache *cache[SETS]; packs *packs[SETS]; loader_part parts[SETS]; } fixture;

static bool open_sets(fixture *f)
{
    static const int64_t counts[SETS] = { 90, 400, 33 };
    err e = {0};
    bool ok = true;
    for (int d = 0; d < SETS; d++) {
        f->folder[d] = new_folder();
        f->rows[d] = make_rows(counts[d], 30, 5 + (uint64_t)d);
        ok = ok && write_cache(f->folder[d], f->rows[d].rows, counts[d], 100, &e);
        f->cache[d] = ok ? cache_open(f->folder[d], &e) : NULL;
        f->packs[d] = f->cache[d] ? packs_open(f->cache[d], SEQ, PACK_BEST_FIT, TRUNCATE_TURNS, 0, &e) : NULL;
        ok = ok && f->packs[d];
        f->parts[d] = (loader_part){ three[d], f->packs[d] };
    }
    CHECK(ok);
    return ok;
}

static void close_sets(fixture *f)
{
    for (int d = 0; d < SETS; d++) {
        packs_close(f->packs[d]);
        cache_close(f->cache[d]);
        free_rows(f->rows[d]);
        drop_folder(f->folder[d]);
    }
}

// Each pass over each dataset of a shuffled, packed, mixed run visits every kept conversation exactly once, in an order of its own.
TEST(each_pass_visits_every_row_once)
{
    static const double weights[] = { 1, 2, 0.5 };
    enum { STEPS = 200, PASSES = 64 };
    fixture f = {0};
    err e = {0};
    if (!open_sets(&f))
        return close_sets(&f);
    mixture *m = open_three(weights, 21, 3);
    loader *l = loader_open_mixture(f.parts, SETS, m, 3, PERMUTE_FEISTEL, ROWS, &e);
    int64_t *visits[SETS], *last[SETS], *order[SETS], passes[SETS], kept[SETS] = {0}, moved = 0;
    for (int d = 0; d < SETS; d++) {
        visits[d] = calloc((size_t)(f.rows[d].count * PASSES), sizeof *visits[d]);
        last[d] = calloc(STEPS * ROWS, sizeof *last[d]);
        order[d] = calloc(STEPS * ROWS, sizeof *order[d]);
    }
    for (int64_t k = 0; l && k < STEPS; k++) {
        batch b;
        CHECK(loader_batch(l, k, &b, &e));
        for (int64_t r = 0; r < ROWS; r++) {
            const mixture_place p = mixture_at(m, k * ROWS + r);
            const int64_t d = p.dataset, n = packs_totals(f.packs[d])->packs, pass = p.index / n, *items;
            const int64_t count = packs_at(f.packs[d], b.pack[r], &items);
            CHECK(b.dataset[r] == d && pass < PASSES);
            order[d][p.index] = b.pack[r];
            CHECK(b.ids[r * SEQ] == f.rows[d].rows[items[0]].ids[0]);
            for (int64_t i = 0; i < count; i++)
                visits[d][pass * f.rows[d].count + items[i]]++;
        }
    }
    for (int64_t d = 0; l && d < SETS; d++) {
        const int64_t n = packs_totals(f.packs[d])->packs;
        passes[d] = mixture_share(m, d, STEPS * ROWS / 21 * 21) / n;        // whole ones
        CHECK(passes[d] >= 1);
        for (int64_t pass = 0; pass < passes[d]; pass++)
            for (int64_t i = 0; i < f.rows[d].count; i++) {
                CHECK(visits[d][pass * f.rows[d].count + i] == 1);          // all of these rows are kept
                kept[d] += visits[d][pass * f.rows[d].count + i];
            }
        CHECK(kept[d] == passes[d] * packs_totals(f.packs[d])->conversations);
        for (int64_t i = n; i < passes[d] * n; i++)
            moved += order[d][i] != order[d][i - n];
    }
    CHECK(moved > 100);                             // permuted anew where a dataset begins again
    for (int d = 0; d < SETS; d++)
        free(visits[d]), free(last[d]), free(order[d]);
    loader_close(l);
    mixture_close(m);
    close_sets(&f);
}

static uint64_t sum_of(loader *l, int64_t k)
{
    err e = {0};
    batch b;
    CHECK(loader_batch(l, k, &b, &e));
    const size_t n = (size_t)(b.rows * b.seq) * 4;
    uint64_t h = hash_bytes(b.pack, (size_t)b.rows * 8, (uint64_t)(b.real * 1000 + b.trained));
    h = hash_bytes(b.dataset, (size_t)b.rows * 4, h);
    h = hash_bytes(b.ids, n, hash_bytes(b.start, n, h));
    return hash_bytes(b.target, n, h);
}

TEST(a_batch_depends_on_seed_and_step_alone)
{
    static const double weights[] = { 1, 2, 0.5 };
    fixture f = {0};
    err e = {0};
    if (!open_sets(&f))
        return close_sets(&f);
    mixture *m = open_three(weights, 21, 3), *n = open_three(weights, 21, 3), *o = open_three(weights, 21, 4);
    loader *forward = loader_open_mixture(f.parts, SETS, m, 3, PERMUTE_FEISTEL, ROWS, &e);
    loader *back = loader_open_mixture(f.parts, SETS, n, 3, PERMUTE_FEISTEL, ROWS, &e);
    loader *other = loader_open_mixture(f.parts, SETS, o, 4, PERMUTE_FEISTEL, ROWS, &e);
    uint64_t sums[100];
    for (int k = 0; k < 100; k++)
        sums[k] = sum_of(forward, k);
    for (int k = 99; k >= 0; k--) {
        CHECK(sum_of(back, k) == sums[k]);
        CHECK(sum_of(other, k) != sums[k]);
    }
    // The same places cut into batches of another size are the same rows.
    loader *large = loader_open_mixture(f.parts, SETS, m, 3, PERMUTE_FEISTEL, 2 * ROWS, &e);
    batch b, c;
    CHECK(loader_batch(large, 4, &b, &e) && loader_batch(forward, 9, &c, &e));
    for (int64_t r = 0; r < ROWS; r++)
        CHECK(b.pack[ROWS + r] == c.pack[r] && b.dataset[ROWS + r] == c.dataset[r]);
    CHECK(!loader_batch(forward, INT64_MAX / 32, &b, &e));
    CHECK_TEXT(e.text, "there is no batch 288230376151711743 of this data");
    loader_close(forward);
    loader_close(back);
    loader_close(other);
    loader_close(large);
    mixture_close(m);
    mixture_close(n);
    mixture_close(o);
    close_sets(&f);
}
