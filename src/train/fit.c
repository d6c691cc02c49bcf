// A training that needs more memory than there is: with which settings it would fit, each of them computed.
#include "base/util.h"
#include "train/training.h"

enum { LEAST_SEQ = 64 };

static const char *const recompute_words[] = { [RECOMPUTE_NONE] = "none", [RECOMPUTE_CHEAP] = "cheap", [RECOMPUTE_BLOCK] = "block" };

static bool fits(const training *t, const step_config *how, int64_t available, int64_t *bytes)
{
    err ignored = {0};
    memory_needs n;
    if (!memory_of_step(how, t->c->compute, t->c->isa, t->c->threads, &n, &ignored)
        || !training_add_held_out(t, how->model.seq, &n, &ignored))
        return false;
    *bytes = n.total;
    return n.total <= available;
}

// The options that differ from those that do not fit, as they are written.
static void say(const training *t, const step_config *how, int64_t bytes, text *out)
{
    const model *was = &t->how.model, *is = &how->model;
    text_add(out, "%s", out->size ? ", or" : "");
    if (is->recompute != was->recompute)
        text_add(out, " recompute=%s", recompute_words[is->recompute]);
    if (is->rows != was->rows)
        text_add(out, " micro_batch=%lld", (long long)is->rows);
    if (how->moments != t->how.moments)
        text_add(out, " moments=bf16");
    if (is->seq != was->seq)
        text_add(out, " max_seq_len=%lld", (long long)is->seq);
    text_add(out, " (%.2f GB)", (double)bytes * 1e-9);
}

// The first that fits of: fewer rows at once (the same result, a little slower), then shorter rows.
static bool shrink(const training *t, step_config how, bool shorter, int64_t available, text *out)
{
    int64_t bytes;
    const int64_t all = t->c->batch;
    for (; how.model.rows >= 1; how.model.rows--) {
        how.micro = all / how.model.rows;
        if (all % how.model.rows == 0 && fits(t, &how, available, &bytes))
            return say(t, &how, bytes, out), true;
    }
    how.model.rows = 1, how.micro = all;
    for (how.model.seq /= 2; shorter && how.model.seq >= LEAST_SEQ; how.model.seq /= 2)
        if (fits(t, &how, available, &bytes))
            return say(t, &how, bytes, out), true;
    return false;
}

// With the moments as they are, whatever is computed again; and the first with smaller ones.
static bool say_all(const training *t, bool shorter, int64_t available, text *out)
{
    bool found = false, smaller = false;
    step_config how = t->how;
    for (how.model.recompute = t->how.model.recompute; how.model.recompute <= RECOMPUTE_BLOCK; how.model.recompute++)
        found = shrink(t, how, shorter, available, out) || found;
    if (t->how.moments == BF16)
        return found;
    how.moments = BF16;
    for (how.model.recompute = t->how.model.recompute; how.model.recompute <= RECOMPUTE_BLOCK && !smaller; how.model.recompute++)
        smaller = shrink(t, how, shorter, available, out);
    return found || smaller;
}

bool training_say_fit(const training *t, int64_t available, text *out)
{
    return say_all(t, false, available, out) || say_all(t, true, available, out);
}
