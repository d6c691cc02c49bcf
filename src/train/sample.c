// The next token from its logits: greedy, temperature, top-k, top-p, min-p. The vocabulary is never sorted as a whole unless most of it
// is left to choose from.
#include "train/sample.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/util.h"

enum { FIRST = 64, MORE = 8 };      // the likeliest tokens that are looked at for top-p, and how many times as many after that

bool sample_check(const sample_options *o, err *e)
{
    if (!(o->temperature >= 0) || isinf(o->temperature))
        return fail(e, ERR_INPUT, "temperature: expected 0 (greedy) or a positive number, got %g", o->temperature);
    if (!(o->top_p >= 0 && o->top_p <= 1))
        return fail(e, ERR_INPUT, "top_p: expected a share from 0 to 1, got %g", o->top_p);
    if (!(o->min_p >= 0 && o->min_p <= 1))
        return fail(e, ERR_INPUT, "min_p: expected a share from 0 to 1, got %g", o->min_p);
    if (o->top_k < 0)
        return fail(e, ERR_INPUT, "top_k: expected 0 (all) or a positive number, got %d", o->top_k);
    return true;
}

static bool find_largest(const float *logits, int64_t vocab, int32_t *id, err *e)
{
    *id = 0;
    for (int64_t i = 0; i < vocab; i++) {
        if (!isfinite(logits[i]))
            return fail(e, ERR_INPUT, "the model's logit of token %lld is %g: its weights are broken", (long long)i,
                        (double)logits[i]);
        if (logits[i] > logits[*id])
            *id = (int32_t)i;
    }
    return true;
}

// What is chosen from: logits, and the largest of them.
typedef struct choice { const float *logits; int64_t vocab; double largest; const sample_options *o; } choice;

// The share of a token, where the likeliest has 1.
static double share(const choice *c, float logit) { return exp(((double)logit - c->largest) / c->o->temperature); }

static double sum_of(const choice *c, const candidate *of, int64_t count)
{
    double all = 0;
    for (int64_t i = 0; i < count; i++)
        all += share(c, of[i].logit);
    return all;
}

// ---- the likeliest tokens ------------------------------------------------------------------------------------------------

static bool likelier(candidate x, candidate y) { return x.logit != y.logit ? x.logit > y.logit : x.id < y.id; }

static int by_likelihood(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    return likelier(*y, *x) - likelier(*x, *y);
}

static int by_unlikelihood(const void *a, const void *b) { return by_likelihood(b, a); }

// Puts `x` in the place of the first of a heap, which is the least likely of it.
static void replace_first(candidate *heap, int64_t count, candidate x)
{
    int64_t i = 0;
    for (int64_t child; (child = 2*i + 1) < count; i = child) {
        if (child + 1 < count && likelier(heap[child], heap[child + 1]))
            child++;
        if (!likelier(x, heap[child]))
            break;
        heap[i] = heap[child];
    }
    heap[i] = x;
}

// The `count` likeliest tokens, in order: of those seen so far they are a heap.
static void find_likeliest(const choice *c, int64_t count, candidate *out)
{
    for (int64_t i = 0; i < count; i++)
        out[i] = (candidate){ c->logits[i], (int32_t)i };
    qsort(out, (size_t)count, sizeof *out, by_unlikelihood);        // in order, so a heap
    for (int64_t i = count; i < c->vocab; i++)
        if (c->logits[i] > out[0].logit)                // an equal one of a higher id is less likely
            replace_first(out, count, (candidate){ c->logits[i], (int32_t)i });
    qsort(out, (size_t)count, sizeof *out, by_likelihood);
}

// Of the likeliest those whose shares before them add up to less than `most`. False where that is not to be told: there may be more
// than `count`, or a sum is so close to `most` that it depends on the order in which `most` was added up.
static bool nucleus(const choice *c, const candidate *likeliest, int64_t count, double most, double close, int64_t *kept)
{
    double before = 0;
    bool clear = true;
    for (*kept = 0; *kept < count && before < most; ++*kept) {
        before += share(c, likeliest[*kept].logit);
        clear = clear && fabs(before - most) > close;
    }
    return clear && before >= most;
}

// Finds those within top_p among the `count` likeliest.
static int64_t find_nucleus_of(const choice *c, int64_t count, candidate *out)
{
    int64_t kept;
    find_likeliest(c, count, out);
    nucleus(c, out, count, c->o->top_p * sum_of(c, out, count), 0, &kept);
    return kept;
}

// Among all: of few first.
static int64_t find_nucleus(const choice *c, candidate *out)
{
    double all = 0;
    int64_t kept;
    for (int64_t i = 0; i < c->vocab; i++)
        all += share(c, c->logits[i]);
    const double close = 4 * (double)c->vocab * DBL_EPSILON * all;
    for (int64_t n = FIRST; n < c->vocab / 4; n *= MORE) {         // of more, sorting all costs no more
        find_likeliest(c, n, out);
        if (nucleus(c, out, n, c->o->top_p * all, close, &kept))
            return kept;
        if (kept < n)
            break;
    }
    return find_nucleus_of(c, c->vocab, out);
}

// Tokens that may be chosen, into `out`: in the order of likelihood where top-k or top-p cut, else of ids.
static int64_t find_candidates(const choice *c, candidate *out)
{
    const bool cut = c->o->top_p > 0 && c->o->top_p < 1;
    int64_t count = c->o->top_k ? MIN(c->vocab, c->o->top_k) : c->vocab, kept = 0;
    if (c->o->top_k && cut) {
        count = find_nucleus_of(c, count, out);
    } else if (c->o->top_k) {
        find_likeliest(c, count, out);
    } else if (cut) {
        count = find_nucleus(c, out);
    } else {
        for (int64_t i = 0; i < count; i++)
            out[i] = (candidate){ c->logits[i], (int32_t)i };
    }
    if (c->o->min_p <= 0)
        return count;
    kept = 0;
    for (int64_t i = 0; i < count; i++)
        if (share(c, out[i].logit) >= c->o->min_p)
            out[kept++] = out[i];
    return kept;
}

bool sample(const float *logits, int64_t vocab, const sample_options *o, key k, uint64_t number, candidate *scratch,
            int32_t *id, err *e)
{
    if (!find_largest(logits, vocab, id, e))
        return false;
    if (o->temperature == 0)
        return true;
    const choice c = { logits, vocab, (double)logits[*id], o };
    const int64_t count = find_candidates(&c, scratch);
    const double at = ((double)key_bits(k, number) + 0.5) / 4294967296.0 * sum_of(&c, scratch, count);
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        sum += share(&c, scratch[i].logit);
        *id = scratch[i].id;
        if (sum > at)
            break;
    }
    return true;
}
