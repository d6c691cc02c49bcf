// Permutations with the original's numbers; packing: every kept token once, every rule for over-long conversations.
#include "../test.h"

#include "cache_writer.h"
#include "data/packs.h"
#include "data/pcg64.h"
#include "data/permute.h"

// ---- permutations ----

TEST(draws_as_numpy_does)
{
    pcg64 g = pcg64_open(42);
    CHECK(pcg64_next(&g) == 14276969152011380360u && pcg64_next(&g) == 8095878257575067585u && pcg64_next(&g) == 15838336090824644132u);
    g = pcg64_open(977810628);
    CHECK(pcg64_integer(&g, 0, 7) == 6u);
    CHECK(pcg64_integer(&g, 5, 1000) == 614u);
    CHECK(pcg64_integer(&g, 0, 1ull << 32) == 2099784773u);
    CHECK(pcg64_integer(&g, 0, 1ull << 40) == 984366477129u);
    CHECK(pcg64_integer(&g, 0, 3ull << 61) == 6331065775043065333u);
    CHECK(pcg64_integer(&g, 0, 1) == 0u);
    CHECK(pcg64_integer(&g, 3, 3000000000u) == 1882053873u);
    uint64_t all = 0;
    pcg64 h = pcg64_open(7);
    for (int i = 0; i < 40; i++)                                // a quarter of the draws is refused and drawn again
        all = (all ^ pcg64_integer(&h, 0, 3ull << 61)) * 3 + 1;
    CHECK(all == 11105131811989938666u);
    CHECK(pcg64_integer(&g, 0, (1ull << 33) + 5) == 6652828095u);
}

// marin.md, 5.2: key = PRNGKey(0), checked there against the real classes.
TEST(permutes_as_levanter_does)
{
    static const int ten[] = { 2, 3, 5, 1, 8, 6, 0, 4, 7, 9 };
    static const int twenty[] = { 9, 1, 19, 4, 7, 5, 6, 13, 12, 0, 14, 16, 8, 3, 10, 17, 11, 15, 18, 2 };
    static const int thirty_three[] = { 9,  22, 19, 4,  7,  29, 23, 13, 12, 0,  14, 16, 26, 32, 10, 17, 21,
                                        15, 25, 31, 11, 20, 1,  6,  30, 18, 28, 2,  8,  5,  24, 27, 3 };
    static const struct { int length; const int *expected; int a, b; } cases[] = {
        { 10, ten, 3, 4 }, { 20, twenty, 9, 3 }, { 33, thirty_three, 10, 15 },
    };
    const key k = key_from_seed(0);
    for (size_t c = 0; c < COUNT(cases); c++)
        for (int i = 0; i < cases[c].length; i++) {
            CHECK(permute(PERMUTE_FEISTEL, k, cases[c].length, i) == cases[c].expected[i]);
            CHECK(permute(PERMUTE_LINEAR, k, cases[c].length, i) == (cases[c].a * i + cases[c].b) % cases[c].length);
        }
    CHECK(permute(PERMUTE_FEISTEL, k, 1, 0) == 0 && permute(PERMUTE_LINEAR, k, 1, 0) == 0);
    CHECK(permute(PERMUTE_NONE, k, 5, 3) == 3);
}

TEST(permutations_visit_all)
{
    static const int64_t lengths[] = { 1, 2, 3, 4, 5, 31, 32, 64, 65, 127, 1000, 4097 };
    for (size_t c = 0; c < COUNT(lengths); c++)
        for (int how = PERMUTE_NONE; how <= PERMUTE_LINEAR; how++)
            for (uint64_t seed = 0; seed < 5; seed++) {
                const permuter p = permuter_make((permutation)how, key_from_seed(seed), lengths[c]);
                char *seen = calloc((size_t)lengths[c], 1);
                for (int64_t i = 0; i < lengths[c]; i++) {
                    int64_t x = permuter_at(&p, i);
                    CHECK(x >= 0 && x < lengths[c] && !seen[x]);
                    if (x >= 0 && x < lengths[c])
                        seen[x] = 1;
                }
                free(seen);
            }
}

// Beyond 2^53 / length the original's linear permutation is inexact, and places meet; here they do not.
TEST(permutes_long_data)
{
    const int64_t length = (1ll << 40) + 7;
    for (int how = PERMUTE_FEISTEL; how <= PERMUTE_LINEAR; how++) {
        const permuter p = permuter_make((permutation)how, key_from_seed(3), length);
        for (int64_t i = 0; i < 1000; i++) {
            int64_t x = permuter_at(&p, length - 1 - i);
            CHECK(x >= 0 && x < length);
            for (int64_t k = 0; k < 5; k++)
                CHECK(permuter_at(&p, k) != x);
        }
    }
}

// (a x + b) mod length in exact numbers, of Python; key = PRNGKey(42), seed30 = 977810628.
TEST(permutes_long_data_exactly)
{
    const int64_t length = (1ll << 40) + 7, at[] = { 0, 1, length - 1, length / 2 };
    const int64_t expected[] = { 689780039041, 263903543914, 16144906385, 352962472713 };
    for (size_t i = 0; i < COUNT(at); i++)
        CHECK(permute(PERMUTE_LINEAR, key_from_seed(42), length, at[i]) == expected[i]);
}

// ---- fitting ----

typedef int64_t (*fitter)(const int32_t *, int64_t, int64_t, int64_t, int64_t *);

static int64_t check_fit(fitter fit, const int32_t *sizes, int64_t count, int64_t seq, int64_t most)
{
    int64_t *pack = malloc(sizeof *pack * (size_t)(count + 1));
    const int64_t packs_made = fit(sizes, count, seq, most, pack);
    int64_t *used = calloc((size_t)packs_made + 1, sizeof *used), *pieces = calloc((size_t)packs_made + 1, sizeof *pieces);
    for (int64_t i = 0; i < count; i++) {
        CHECK(pack[i] >= 0 && pack[i] < packs_made);
        used[pack[i]] += sizes[i];
        pieces[pack[i]]++;
    }
    for (int64_t i = 0; i < packs_made; i++)
        CHECK(used[i] > 0 && used[i] <= seq && pieces[i] <= most);
    free(used);
    free(pieces);
    free(pack);
    return packs_made;
}

TEST(fits_small_cases)
{
    int64_t pack[8];
    static const int32_t sizes[] = { 6, 5, 4, 5, 3, 1 };
    CHECK(fit_best(sizes, 6, 10, 64, pack) == 3);               // 6+4, 5+5, 3+1
    CHECK(pack[0] == 0 && pack[2] == 0 && pack[1] == 1 && pack[3] == 1 && pack[4] == 2 && pack[5] == 2);
    CHECK(fit_sequential(sizes, 6, 10, 64, pack) == 3);          // 6 | 5 4 | 5 3 1
    CHECK(pack[0] == 0 && pack[1] == 1 && pack[2] == 1 && pack[3] == 2 && pack[4] == 2 && pack[5] == 2);
    CHECK(fit_best(sizes, 6, 10, 1, pack) == 6);
    CHECK(fit_best(sizes, 6, 6, 64, pack) == 5);                // 6, 5+1, 5, 4, 3
}

TEST(fits_random_cases)
{
    static const int64_t seqs[] = { 1, 2, 63, 64, 65, 128, 1000, 4096 };
    uint64_t state = 7;
    int32_t *sizes = malloc(sizeof *sizes * 10000);
    for (size_t s = 0; s < COUNT(seqs); s++) {
        int64_t total = 0;
        for (int i = 0; i < 10000; i++)
            total += sizes[i] = 1 + (int32_t)draw(&state, 1 + (uint32_t)(seqs[s] - 1) / (1 + draw(&state, 8)));
        int64_t best = check_fit(fit_best, sizes, 10000, seqs[s], 64), next = check_fit(fit_sequential, sizes, 10000, seqs[s], 64);
        check_fit(fit_best, sizes, 10000, seqs[s], 3);
        CHECK(best <= next);
        if (seqs[s] >= 63)
            CHECK((double)total / (double)(best * seqs[s]) > 0.98);     // measured 0.99 and more; next fit 0.85
    }
    free(sizes);
}

// ---- what is kept ----

static int64_t keep(const char *mask, int64_t seq, truncate_how how, lost *why)
{
    uint8_t bytes[64] = {0};
    static const int32_t ids[64];
    for (size_t i = 0; mask[i]; i++)
        bytes[i] = mask[i] == '1';
    return keep_tokens((conversation){ ids, bytes, (int64_t)strlen(mask), 0, 1 }, seq, how, why);
}

TEST(cuts_over_long_conversations)
{
    lost why;
    CHECK(keep("0110", 4, TRUNCATE_DROP, &why) == 4 && why == LOST_NOT);
    CHECK(keep("01101", 4, TRUNCATE_DROP, &why) == 0 && why == LOST_LONG);
    CHECK(keep("01101", 4, TRUNCATE_RIGHT, &why) == 4 && why == LOST_NOT);
    CHECK(keep("00001", 4, TRUNCATE_RIGHT, &why) == 0 && why == LOST_UNTRAINED);
    CHECK(keep("0110011", 4, TRUNCATE_TURNS, &why) == 3 && why == LOST_NOT);        // the second turn does not fit
    CHECK(keep("0110011", 6, TRUNCATE_TURNS, &why) == 3 && why == LOST_NOT);        // … nor when half of it would
    CHECK(keep("0110011", 7, TRUNCATE_TURNS, &why) == 7 && why == LOST_NOT);
    CHECK(keep("01100110", 7, TRUNCATE_TURNS, &why) == 7 && why == LOST_NOT);       // ends exactly at the limit
    CHECK(keep("0111111", 4, TRUNCATE_TURNS, &why) == 0 && why == LOST_UNTRAINED);  // no whole turn
    CHECK(keep("1000011", 4, TRUNCATE_TURNS, &why) == 0 && why == LOST_UNTRAINED);  // a first token is nobody's target
    CHECK(keep("1000000", 4, TRUNCATE_RIGHT, &why) == 0 && why == LOST_UNTRAINED);
    CHECK(keep("1", 4, TRUNCATE_RIGHT, &why) == 0 && why == LOST_UNTRAINED);
    CHECK(keep("", 4, TRUNCATE_RIGHT, &why) == 0 && why == LOST_UNTRAINED);
}

// ---- packs of a cache ----

static const int seq_of_tests = 50;

// Every kept token stands once in the rows, in order, in its own segment; every target is the next token of its conversation.
static void check_packs(const made *m, const packs *p, truncate_how cut)
{
    err e = {0};
    int *seen = calloc((size_t)m->count, sizeof *seen);
    batch *b = batch_open(1, seq_of_tests, &e);
    int64_t tokens_seen = 0, trained = 0;
    CHECK(b != NULL);
    for (int64_t k = 0; b && k < packs_totals(p)->packs; k++) {
        const int64_t *items, count = packs_at(p, k, &items);
        int64_t at = 0;
        packs_fill(p, k, b, 0);
        CHECK(b->pack[0] == k && count > 0 && count <= 64);
        for (int64_t i = 0; i < count; i++) {
            const made_row *r = &m->rows[items[i]];
            lost why;
            const int64_t n = keep_tokens((conversation){ r->ids, r->mask, r->count, 0, 1 }, seq_of_tests, cut, &why);
            CHECK(n > 0 && !seen[items[i]]++ && (i == 0 || items[i] > items[i - 1]));
            for (int64_t q = 0; q < n; q++) {
                const bool target = q + 1 < n && r->mask[q + 1];
                CHECK(b->ids[at + q] == r->ids[q] && b->position[at + q] == q && b->start[at + q] == at);
                CHECK(b->target[at + q] == (target ? r->ids[q + 1] : -1));
                trained += target;
            }
            at += n;
        }
        tokens_seen += at;
        for (; at < seq_of_tests; at++)
            CHECK(!b->ids[at] && !b->position[at] && b->start[at] == at && b->target[at] == -1);
    }
    CHECK(b && b->real == tokens_seen && b->trained == trained);
    int64_t kept = 0, cut_rows = 0, long_rows = 0, untrained = 0;
    for (int64_t i = 0; i < m->count; i++) {
        const made_row *r = &m->rows[i];
        lost why;
        const int64_t n = keep_tokens((conversation){ r->ids, r->mask, r->count, 0, 1 }, seq_of_tests, cut, &why);
        CHECK(seen[i] == (n > 0));
        kept += n > 0;
        cut_rows += n > 0 && n < r->count;
        long_rows += why == LOST_LONG;
        untrained += why == LOST_UNTRAINED;
    }
    const pack_totals *t = packs_totals(p);
    CHECK(t->conversations == kept && t->cut == cut_rows && t->dropped_long == long_rows && t->dropped_untrained == untrained);
    CHECK(t->tokens == tokens_seen && t->trained == trained);
    batch_close(b);
    free(seen);
}

TEST(packs_keep_every_token_once)
{
    err e = {0};
    char *folder = new_folder();
    made m = make_rows(5000, 80, 11);
    CHECK(write_cache(folder, m.rows, m.count, 700, &e));
    cache *c = cache_open(folder, &e);
    CHECK(c != NULL);
    for (int how = PACK_BEST_FIT; c && how <= PACK_OFF; how++)
        for (int cut = TRUNCATE_TURNS; cut <= TRUNCATE_DROP; cut++) {
            packs *p = packs_open(c, seq_of_tests, (packing)how, (truncate_how)cut, 0, &e);
            CHECK(p != NULL);
            if (p)
                check_packs(&m, p, (truncate_how)cut);
            if (p && how == PACK_OFF)
                CHECK(packs_totals(p)->packs == packs_totals(p)->conversations);
            packs_close(p);
        }
    cache_close(c);
    free_rows(m);
    drop_folder(folder);
}

TEST(packs_say_what_is_wrong)
{
    err e = {0};
    char *folder = new_folder();
    static const int32_t ids[9] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    static const uint8_t mask[9] = { 0, 0, 0, 0, 0, 0, 0, 1, 1 };
    const made_row rows[] = { { 9, ids, mask }, { 8, ids, mask } };
    CHECK(write_cache(folder, rows, 2, 10, &e));
    cache *c = cache_open(folder, &e);
    CHECK(!packs_open(c, 6, PACK_BEST_FIT, TRUNCATE_TURNS, 0, &e));
    CHECK_TEXT(e.text, "none of the 2 conversations can be trained on with rows of 6 tokens: 0 are longer, and of 2 nothing trained is "
                       "left within that; raise max_seq_len, or set truncate=right");
    CHECK(e.code == ERR_INPUT);
    CHECK(!packs_open(c, 1, PACK_BEST_FIT, TRUNCATE_TURNS, 0, &e));
    CHECK_TEXT(e.text, "max_seq_len: expected at least 2 tokens and at most 1073741824, got 1");
    cache_close(c);
    drop_folder(folder);
}

TEST(packs_name_their_rows)
{
    err e = {0};
    char *folder = new_folder(), out[200];
    static const int32_t ids[2] = { 1, 2 };
    static const uint8_t mask[2] = { 0, 1 };
    made_row rows[7];
    for (int i = 0; i < 7; i++)
        rows[i] = (made_row){ 2, ids, mask };
    CHECK(write_cache(folder, rows, 7, 3, &e));
    cache *c = cache_open(folder, &e);
    packs *p = packs_open(c, 14, PACK_BEST_FIT, TRUNCATE_TURNS, 0, &e), *two = packs_open(c, 4, PACK_SEQUENTIAL, TRUNCATE_TURNS, 0, &e);
    packs_describe(p, 0, out, sizeof out);
    CHECK_TEXT(out, "a.jsonl: row 1; b.jsonl: row 2; a.jsonl: row 3; b.jsonl: row 4 and 3 more");
    packs_describe(two, 3, out, sizeof out);
    CHECK_TEXT(out, "a.jsonl: row 7");
    packs_describe(p, 0, out, 12);
    CHECK_TEXT(out, "a.jsonl: ro");
    packs_close(p);
    packs_close(two);
    cache_close(c);
    drop_folder(folder);
}
