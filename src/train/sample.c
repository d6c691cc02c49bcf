// The next token from its logits: greedy, temperature, top-k, top-p.
#include "train/sample.h"

#include <math.h>
#include <stdlib.h>

#include "base/util.h"

bool sample_check(const sample_options *o, err *e)
{
    if (!(o->temperature >= 0) || isinf(o->temperature))
        return fail(e, ERR_INPUT, "temperature: expected 0 (greedy) or a positive number, got %g", o->temperature);
    if (!(o->top_p >= 0 && o->top_p <= 1))
        return fail(e, ERR_INPUT, "top_p: expected a share from 0 to 1, got %g", o->top_p);
    if (o->top_k < 0)
        return fail(e, ERR_INPUT, "top_k: expected 0 (all) or a positive number, got %d", o->top_k);
    return true;
}

static int by_logit(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    return x->logit != y->logit ? (x->logit < y->logit) - (x->logit > y->logit) : (x->id > y->id) - (x->id < y->id);
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

// The likeliest tokens whose shares before them add up to less than top_p.
static int64_t nucleus(const candidate *c, int64_t count, double top_p, double temperature)
{
    double all = 0, before = 0;
    for (int64_t i = 0; i < count; i++)
        all += exp(((double)c[i].logit - (double)c[0].logit) / temperature);
    int64_t kept = 0;
    for (; kept < count && before < top_p * all; kept++)
        before += exp(((double)c[kept].logit - (double)c[0].logit) / temperature);
    return kept;
}

bool sample(const float *logits, int64_t vocab, const sample_options *o, key k, uint64_t number, candidate *scratch,
            int32_t *id, err *e)
{
    int32_t largest;
    if (!find_largest(logits, vocab, &largest, e))
        return false;
    *id = largest;
    if (o->temperature == 0)
        return true;
    int64_t count = vocab;
    for (int64_t i = 0; i < vocab; i++)
        scratch[i] = (candidate){ logits[i], (int32_t)i };
    const bool cut = o->top_p > 0 && o->top_p < 1;
    if (o->top_k || cut)
        qsort(scratch, (size_t)vocab, sizeof *scratch, by_logit);
    if (o->top_k)
        count = MIN(count, o->top_k);
    if (cut)
        count = nucleus(scratch, count, o->top_p, o->temperature);

    double all = 0, sum = 0;
    for (int64_t i = 0; i < count; i++)
        all += exp(((double)scratch[i].logit - (double)logits[largest]) / o->temperature);
    const double at = ((double)key_bits(k, number) + 0.5) / 4294967296.0 * all;
    for (int64_t i = 0; i < count; i++) {
        sum += exp(((double)scratch[i].logit - (double)logits[largest]) / o->temperature);
        *id = scratch[i].id;
        if (sum > at)
            break;
    }
    return true;
}
