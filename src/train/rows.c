// Which rows of the data a step was given: a function of the seed and the step alone.
#include "train/rows.h"

#include "base/file.h"
#include "data/packs.h"
#include "train/training.h"

static void tell_pack(const dataset *d, int64_t at, int64_t pack, void (*row)(void *self, const step_row *), void *self)
{
    const int64_t *items, count = packs_at(d->packs, pack, &items);
    for (int64_t i = 0; i < count; i++) {
        const conversation c = cache_at(d->cache, items[i]);
        const int64_t kept = d->packs->kept[items[i]];
        const step_row r = {
            .row = at, .segment = i, .dataset = d->name,
            .file = cache_source(d->cache, c.source_file), .source_row = c.source_row, .tokens = kept, .trained = count_targets(c, kept),
            .cut = kept < c.count,
        };
        row(self, &r);
    }
}

static bool tell(training *t, int64_t k, void (*row)(void *self, const step_row *), void *self, err *e)
{
    batch b;
    if (k < 1 || k > t->steps)
        return fail(e, ERR_INPUT, "there is no step %lld: the run has steps 1 to %lld", (long long)k, (long long)t->steps);
    TRY(loader_batch(t->loader, k - 1, &b, e));
    for (int64_t r = 0; r < b.rows; r++)
        tell_pack(&t->datasets[b.dataset[r]], r, b.pack[r], row, self);
    return true;
}

bool train_step_rows(const train_config *c, int64_t k, void (*row)(void *self, const step_row *), void *self, err *e)
{
    training t = { .c = c, .lock = -1 };
    bool ok = training_check(c, e) && training_open_data(&t, e) && tell(&t, k, row, self, e);
    training_close(&t);
    return ok;
}
