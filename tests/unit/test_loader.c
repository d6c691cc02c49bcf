// Batches: the data of step k from the seed and k alone; each conversation once per epoch.
#include "../test.h"

#include "cache_writer.h"
#include "data/loader.h"

typedef struct fixture { char *folder; made rows; cache *cache; packs *packs; } fixture;

static fixture open_fixture(int64_t count, int64_t seq)
{
    err e = {0};
    fixture f = { .folder = new_folder(), .rows = make_rows(count, 30, 5) };
    CHECK(write_cache(f.folder, f.rows.rows, count, 100, &e));
    f.cache = cache_open(f.folder, &e);
    CHECK(f.cache != NULL);
    f.packs = f.cache ? packs_open(f.cache, seq, PACK_BEST_FIT, TRUNCATE_TURNS, 0, &e) : NULL;
    CHECK(f.packs != NULL);
    return f;
}

static void close_fixture(fixture f)
{
    packs_close(f.packs);
    cache_close(f.cache);
    free_rows(f.rows);
    drop_folder(f.folder);
}

static uint64_t sum_of(const batch *b)
{
    const size_t n = (size_t)(b->rows * b->seq) * 4;
    uint64_t h = hash_bytes(b->pack, (size_t)b->rows * 8, (uint64_t)(b->real * 1000 + b->trained));
    h = hash_bytes(b->ids, n, h);
    h = hash_bytes(b->position, n, h);
    h = hash_bytes(b->start, n, h);
    return hash_bytes(b->target, n, h);
}

static uint64_t batch_sum(loader *l, int64_t k)
{
    err e = {0};
    batch b;
    CHECK(loader_batch(l, k, &b, &e));
    return sum_of(&b);
}

TEST(batch_depends_on_seed_and_step_alone)
{
    err e = {0};
    fixture f = open_fixture(300, 64);
    for (int how = PERMUTE_NONE; how <= PERMUTE_LINEAR; how++) {
        loader *forward = loader_open(f.packs, "set", 7, (permutation)how, 5, &e), *back = loader_open(f.packs, "set", 7, (permutation)how, 5, &e);
        uint64_t sums[64];
        for (int k = 0; k < 64; k++)
            sums[k] = batch_sum(forward, k);
        for (int k = 63; k >= 0; k--)
            CHECK(batch_sum(back, k) == sums[k]);
        loader *other = loader_open(f.packs, "set", 8, (permutation)how, 5, &e), *named = loader_open(f.packs, "sat", 7, (permutation)how, 5, &e);
        CHECK((batch_sum(other, 0) == sums[0]) == (how == PERMUTE_NONE));
        CHECK((batch_sum(named, 0) == sums[0]) == (how == PERMUTE_NONE));
        loader_close(forward);
        loader_close(back);
        loader_close(other);
        loader_close(named);
    }
    close_fixture(f);
}

// The endless sequence of packs is cut into batches without a gap: batch k holds places k * rows … of it, over the ends of epochs.
TEST(epochs_visit_every_pack_once)
{
    err e = {0};
    fixture f = open_fixture(500, 40);
    const int64_t packs_made = packs_totals(f.packs)->packs, rows = 7;
    loader *l = loader_open(f.packs, "set", 1, PERMUTE_FEISTEL, rows, &e);
    int64_t *order = calloc((size_t)(3 * packs_made + rows), sizeof *order), steps = (3 * packs_made + rows - 1) / rows;
    CHECK(packs_made % rows && loader_epoch_steps(l) == packs_made / rows + 1);
    for (int64_t k = 0; k < steps; k++) {
        batch b;
        CHECK(loader_batch(l, k, &b, &e));
        for (int64_t r = 0; r < rows && k * rows + r < 3 * packs_made; r++)
            order[k * rows + r] = b.pack[r];
    }
    for (int epoch = 0; epoch < 3; epoch++) {
        char *seen = calloc((size_t)packs_made, 1);
        int64_t moved = 0;
        for (int64_t i = 0; i < packs_made; i++) {
            int64_t p = order[epoch * packs_made + i];
            CHECK(p >= 0 && p < packs_made && !seen[p]);
            seen[p] = 1;
            moved += epoch && p != order[i];
        }
        CHECK(!epoch || moved > packs_made / 2);            // permuted anew
        free(seen);
    }
    free(order);
    loader_close(l);
    close_fixture(f);
}

TEST(counts_are_of_this_batch)
{
    err e = {0};
    fixture f = open_fixture(50, 64);
    loader *l = loader_open(f.packs, "set", 1, PERMUTE_LINEAR, 3, &e);
    for (int64_t k = 0; k < 20; k++) {
        batch b;
        int64_t trained = 0, padding = 0;
        CHECK(loader_batch(l, k, &b, &e));
        for (int64_t i = 0; i < b.rows * b.seq; i++) {
            trained += b.target[i] >= 0;
            padding += !b.position[i] && b.start[i] == i % b.seq && b.target[i] < 0 && !b.ids[i]
                    && (i % b.seq == b.seq - 1 || b.start[i + 1] == b.start[i] + 1);
        }
        CHECK(b.trained == trained && b.real == b.rows * b.seq - padding);
    }
    loader_close(l);
    close_fixture(f);
}

TEST(more_rows_than_packs)
{
    err e = {0};
    fixture f = open_fixture(4, 64);
    const int64_t n = packs_totals(f.packs)->packs;
    loader *l = loader_open(f.packs, "set", 1, PERMUTE_FEISTEL, 3 * n + 1, &e);
    batch b;
    CHECK(loader_batch(l, 0, &b, &e) && loader_epoch_steps(l) == 1);
    for (int64_t epoch = 0; epoch < 3; epoch++) {
        int64_t sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += b.pack[epoch * n + i];
        CHECK(sum == n * (n - 1) / 2);
    }
    loader_close(l);
    close_fixture(f);
}

TEST(refuses_impossible_batches)
{
    err e = {0};
    batch b;
    fixture f = open_fixture(4, 64);
    CHECK(!loader_open(f.packs, "set", 1, PERMUTE_NONE, 0, &e));
    CHECK_TEXT(e.text, "batch: expected at least 1 row, got 0");
    loader *l = loader_open(f.packs, "set", 1, PERMUTE_NONE, 2, &e);
    CHECK(!loader_batch(l, -1, &b, &e));
    CHECK_TEXT(e.text, "there is no batch -1 of this data");
    CHECK(!loader_batch(l, INT64_MAX, &b, &e));
    loader_close(l);
    CHECK(!batch_open(INT64_MAX / 8, INT64_MAX / 8, &e));
    CHECK(e.code == ERR_MEMORY);
    close_fixture(f);
}
