// The rate of a step. A run is cycles, then a cooldown; a cycle is warm-up, stable, decay; each piece counts from its own
// begin and covers the steps from there to the begin of the next. All of it is recomputed for the step asked for: no state.
#include "train/schedule.h"

#include <math.h>
#include <stddef.h>

#include "base/near.h"
#include "base/str.h"
#include "base/util.h"

static const char *const names[] = { "linear", "cosine", "constant", "inv_sqrt", "inv" };

const char *schedule_name(schedule_kind k)
{
    return (size_t)k < COUNT(names) ? names[k] : NULL;
}

bool schedule_parse(const char *name, schedule_kind *out, err *e)
{
    for (size_t i = 0; i < COUNT(names); i++)
        if (!strcmp(name, names[i])) {
            *out = (schedule_kind)i;
            return true;
        }
    char near[128];
    near_names(name, names, COUNT(names), near, sizeof near);
    return fail(e, ERR_INPUT, "lr_schedule: expected linear, cosine, constant, inv_sqrt or inv, got '%.60s'%s%s%s", name,
                *near ? "; did you mean " : "", near, *near ? "?" : "");
}

// A share of n up to 1, whole steps above.
static int64_t length(double x, int64_t n)
{
    return x <= 1 ? (int64_t)(x * (double)n) : (int64_t)x;
}

static bool check_length(const char *name, double x, err *e)
{
    if (x >= 0 && x <= 9e15 && (x <= 1 || x == floor(x)))
        return true;
    return fail(e, ERR_INPUT, "%s: expected a share of the steps from 0 to 1, or a whole number of steps, got %g", name, x);
}

static int64_t main_steps(const schedule *s, int64_t steps) { return steps - length(s->cooldown, steps); }

static int64_t cycle_count(const schedule *s, int64_t all)
{
    if (s->cycle_point_count)
        return s->cycle_point_count + (s->cycle_points[s->cycle_point_count - 1] != all);
    if (s->cycle_length > 0)
        return MAX(all / MAX(length(s->cycle_length, all), 1), 1);
    return MAX(s->cycles, 1);
}

// Where cycle i begins; `all` for i = cycle_count.
static int64_t cycle_begin(const schedule *s, int64_t all, int64_t i)
{
    int64_t count = cycle_count(s, all);
    if (i == 0 || i >= count)
        return i ? all : 0;
    if (s->cycle_point_count)
        return s->cycle_points[i - 1];
    if (s->cycle_length > 0)
        return i * length(s->cycle_length, all);
    return (int64_t)((double)all / (double)count * (double)i);
}

typedef struct cycle { int64_t begin, steps, warm, stable, decay; } cycle;

static cycle cycle_at(const schedule *s, int64_t all, int64_t i)
{
    cycle c = { .begin = cycle_begin(s, all, i) };
    c.steps = cycle_begin(s, all, i + 1) - c.begin;
    c.warm = length(i ? s->rewarmup : s->warmup, c.steps);
    c.decay = s->decay == DECAY_REST ? MAX(c.steps - c.warm, 0) : length(s->decay, c.steps);
    c.stable = c.steps - c.warm - c.decay;
    return c;
}

static double linear(double from, double to, int64_t n, int64_t count)
{
    if (n <= 0)
        return from;
    return from + (to - from) * fmin((double)count / (double)n, 1);
}

// `count` steps into a decay of n steps.
static double decayed(const schedule *s, int64_t n, int64_t warm, int64_t count)
{
    double rate = s->learning_rate, least = rate * s->min_lr_ratio, c = (double)count;
    switch (s->kind) {
    case SCHEDULE_CONSTANT:
        return rate;
    case SCHEDULE_LINEAR:
        return linear(rate, least, n, count);
    case SCHEDULE_COSINE:
        if (n <= 0)
            return rate;
        return rate * ((1 - s->min_lr_ratio) * 0.5 * (1 + cos(M_PI * fmin(c, (double)n) / (double)n)) + s->min_lr_ratio);
    case SCHEDULE_INV_SQRT:
        return fmax(rate * fmin(1, 1 / sqrt(fmax(c + (double)warm, 1) / 10000)), least);
    case SCHEDULE_INV:
        if (n <= 0)
            return rate;
        return fmax(rate * fmin(1, 1 / ((1 / s->min_lr_ratio - 1) * fmax(c, 1) / (double)n + 1)), least);
    }
    return rate;
}

static double cycle_end(const schedule *s, int64_t all, int64_t i)
{
    cycle c = cycle_at(s, all, i);
    return decayed(s, c.decay, c.warm, c.decay);
}

double schedule_rate(const schedule *s, int64_t steps, int64_t step)
{
    int64_t all = main_steps(s, steps), count = cycle_count(s, all), i = 0;
    if (step >= all && all < steps)
        return linear(cycle_end(s, all, count - 1), s->learning_rate * s->min_lr_ratio, steps - all, step - all);
    while (i + 1 < count && cycle_begin(s, all, i + 1) <= step)
        i++;
    cycle c = cycle_at(s, all, i);
    int64_t at = step - c.begin;
    if (at < c.warm)
        return linear(i ? cycle_end(s, all, i - 1) : 0, s->learning_rate, c.warm, at);
    if (at < c.warm + c.stable)
        return s->learning_rate;
    return decayed(s, c.decay, c.warm, at - c.warm - c.stable);
}

static bool check_cycles(const schedule *s, int64_t all, err *e)
{
    if ((s->cycles > 1) + (s->cycle_length != 0) + (s->cycle_point_count > 0) > 1)
        return fail(e, ERR_INPUT, "cycles and cycle_length: expected one of them, got both");
    if (s->cycles < 0 || s->cycles > MAX(all, 1))
        return fail(e, ERR_INPUT, "cycles: expected 1 to %lld (a step each), got %lld", (long long)MAX(all, 1), (long long)s->cycles);
    if (s->cycle_length > 0 && length(s->cycle_length, all) < 1)
        return fail(e, ERR_INPUT, "cycle_length: %g of %lld steps is less than one step", s->cycle_length, (long long)all);
    for (int64_t i = 0; i < s->cycle_point_count; i++)
        if (s->cycle_points[i] <= (i ? s->cycle_points[i - 1] : 0) || s->cycle_points[i] > all)
            return fail(e, ERR_INPUT, "cycles[%lld]: expected steps in rising order, from 1 to %lld (the steps without the cooldown), "
                        "got %lld", (long long)i, (long long)all, (long long)s->cycle_points[i]);
    for (int64_t i = 0; i < cycle_count(s, all); i++) {
        cycle c = cycle_at(s, all, i);
        if (c.warm > c.steps || c.stable < 0)
            return fail(e, ERR_INPUT, "%s and decay: %lld + %lld steps do not fit in %s %lld steps; give smaller ones",
                        i ? "rewarmup" : "warmup", (long long)c.warm, (long long)c.decay,
                        cycle_count(s, all) > 1 ? "a cycle of" : "the run's", (long long)c.steps);
    }
    return true;
}

bool schedule_check(const schedule *s, int64_t steps, err *e)
{
    if (!(s->learning_rate > 0) || s->learning_rate > 1e6)
        return fail(e, ERR_INPUT, "learning_rate: expected a number above 0, got %g", s->learning_rate);
    if (!(s->min_lr_ratio >= 0 && s->min_lr_ratio <= 1))
        return fail(e, ERR_INPUT, "min_lr_ratio: expected a share from 0 to 1, got %g", s->min_lr_ratio);
    if (!schedule_name(s->kind))
        return fail(e, ERR_INPUT, "lr_schedule: no such kind (%d)", (int)s->kind);
    if (s->kind == SCHEDULE_INV && s->min_lr_ratio == 0)
        return fail(e, ERR_INPUT, "lr_schedule: inv divides by min_lr_ratio, which is 0; give one above 0");
    if (steps < 1)
        return fail(e, ERR_INPUT, "num_train_steps: expected at least 1, got %lld", (long long)steps);
    TRY(check_length("warmup", s->warmup, e));
    TRY(check_length("rewarmup", s->rewarmup, e));
    TRY(check_length("cooldown", s->cooldown, e));
    TRY(check_length("cycle_length", s->cycle_length, e));
    if (s->decay != DECAY_REST)
        TRY(check_length("decay", s->decay, e));
    if (length(s->cooldown, steps) > steps)
        return fail(e, ERR_INPUT, "cooldown: %lld steps are more than the run's %lld", (long long)length(s->cooldown, steps),
                    (long long)steps);
    return check_cycles(s, main_steps(s, steps), e);
}
