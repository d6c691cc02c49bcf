// Learning rates: Levanter's own numbers, the pieces at their edges, the errors' texts.
#include "train/schedule.h"
#include "../test.h"

static const schedule guide = { .kind = SCHEDULE_LINEAR, .learning_rate = 5e-6, .warmup = 0.03, .decay = DECAY_REST };

#define CHECK_RATE(s, steps, step, want) check_rate(s, steps, step, want, __LINE__)
static void check_rate(const schedule *s, int64_t steps, int64_t step, double want, int line)
{
    double got = schedule_rate(s, steps, step);
    if (fabs(got - want) > 1e-9 * s->learning_rate + 3e-6 * fabs(want)) {
        fprintf(stderr, "%s:%d: step %lld: got %.9g, want %.9g\n", __FILE__, line, (long long)step, got, want);
        failures++;
    }
}

#define CHECK_ERROR(s, steps, want)                                           \
    do {                                                                      \
        err e_ = { 0 };                                                       \
        CHECK(!schedule_check(s, steps, &e_));                                \
        CHECK(e_.code == ERR_INPUT);                                          \
        CHECK_TEXT(e_.text, want);                                            \
    } while (0)

// The numbers of levanter's AdamConfig(lr 5e-6, warmup .03, linear, min_lr_ratio 0).lr_scheduler(1000).
TEST(levanter_vectors)
{
    err e = { 0 };
    CHECK(schedule_check(&guide, 1000, &e));
    CHECK_RATE(&guide, 1000, 0, 0);
    CHECK_RATE(&guide, 1000, 15, 2.5e-6);
    CHECK_RATE(&guide, 1000, 30, 5e-6);
    CHECK_RATE(&guide, 1000, 500, 2.57732e-6);
    CHECK_RATE(&guide, 1000, 999, 5.15463e-9);

    schedule none = guide;
    none.decay = 0;
    CHECK(schedule_check(&none, 1000, &e));
    CHECK_RATE(&none, 1000, 15, 2.5e-6);
    CHECK_RATE(&none, 1000, 500, 5e-6);
    CHECK_RATE(&none, 1000, 999, 5e-6);
}

TEST(example_of_ten_thousand)
{
    CHECK_RATE(&guide, 10000, 150, 2.5e-6);
    CHECK_RATE(&guide, 10000, 300, 5e-6);
    CHECK_RATE(&guide, 10000, 10000, 0);
}

TEST(kinds)
{
    schedule s = { .kind = SCHEDULE_COSINE, .learning_rate = 1, .min_lr_ratio = 0.1, .decay = DECAY_REST };
    CHECK_RATE(&s, 100, 0, 1);
    CHECK_RATE(&s, 100, 50, 0.55);
    CHECK_RATE(&s, 100, 25, 0.9 * 0.5 * (1 + sqrt(0.5)) + 0.1);
    s.kind = SCHEDULE_CONSTANT;
    CHECK_RATE(&s, 100, 99, 1);
    s.kind = SCHEDULE_INV;              // 1 / ((10 - 1) c / n + 1), c at least 1
    CHECK_RATE(&s, 100, 0, 1 / 1.09);
    CHECK_RATE(&s, 100, 50, 1 / 5.5);
    s.kind = SCHEDULE_INV_SQRT;         // 1 / sqrt((c + warm) / 10000)
    s.warmup = 100;
    CHECK_RATE(&s, 100000, 10000, 1);
    CHECK_RATE(&s, 100000, 40000, 0.5);
    CHECK_RATE(&s, 10000000, 9000000, 0.1);
}

TEST(stable_then_decay_then_cooldown)
{
    schedule s = { .kind = SCHEDULE_LINEAR, .learning_rate = 1, .min_lr_ratio = 0.5, .warmup = 10, .decay = 20 };
    CHECK_RATE(&s, 100, 5, 0.5);
    CHECK_RATE(&s, 100, 10, 1);
    CHECK_RATE(&s, 100, 79, 1);
    CHECK_RATE(&s, 100, 80, 1);
    CHECK_RATE(&s, 100, 90, 0.75);
    s.decay = 0, s.cooldown = 0.1, s.min_lr_ratio = 0;     // main part 90 steps at 1, then 10 down to 0
    CHECK_RATE(&s, 100, 89, 1);
    CHECK_RATE(&s, 100, 90, 1);
    CHECK_RATE(&s, 100, 95, 0.5);
}

TEST(cycles)
{
    schedule s = { .kind = SCHEDULE_LINEAR, .learning_rate = 1, .min_lr_ratio = 0.2, .warmup = 0.1, .rewarmup = 0.5, .decay = DECAY_REST,
                   .cycles = 3 };
    err e = { 0 };
    CHECK(schedule_check(&s, 100, &e));         // begin at 0, 33, 66
    CHECK_RATE(&s, 100, 0, 0);
    CHECK_RATE(&s, 100, 3, 1);
    CHECK_RATE(&s, 100, 33, 0.2);               // re-warm-up goes on from where the decay ended
    CHECK_RATE(&s, 100, 41, 0.2 + 0.8 * 8 / 16);
    CHECK_RATE(&s, 100, 49, 1);
    CHECK_RATE(&s, 100, 66, 0.2);
    s.cycles = 0, s.cycle_length = 30;          // 0, 30, then all of 60 to 100
    CHECK_RATE(&s, 100, 30, 0.2);
    CHECK_RATE(&s, 100, 60, 0.2);
    CHECK_RATE(&s, 100, 80, 1);
    CHECK_RATE(&s, 100, 90, 0.6);
    s.cycle_length = 0;
    s.cycle_points = (int64_t[]){ 50 }, s.cycle_point_count = 1;
    CHECK(schedule_check(&s, 100, &e));
    CHECK_RATE(&s, 100, 50, 0.2);
    CHECK_RATE(&s, 100, 75, 1);
}

TEST(one_is_the_whole)
{
    schedule s = guide;
    s.warmup = 1;
    err e = { 0 };
    CHECK(schedule_check(&s, 100, &e));
    CHECK_RATE(&s, 100, 50, 2.5e-6);
}

TEST(errors)
{
    schedule s = guide;
    s.warmup = 1.5;
    CHECK_ERROR(&s, 100, "warmup: expected a share of the steps from 0 to 1, or a whole number of steps, got 1.5");
    s.warmup = -0.1;
    CHECK_ERROR(&s, 100, "warmup: expected a share of the steps from 0 to 1, or a whole number of steps, got -0.1");
    s.warmup = NAN;
    err e = { 0 };
    CHECK(!schedule_check(&s, 100, &e));
    s.warmup = 200;
    CHECK_ERROR(&s, 100, "warmup and decay: 200 + 0 steps do not fit in the run's 100 steps; give smaller ones");
    s = guide, s.decay = -0.5;
    CHECK_ERROR(&s, 100, "decay: expected a share of the steps from 0 to 1, or a whole number of steps, got -0.5");
    s = guide, s.decay = 0.99;
    CHECK_ERROR(&s, 100, "warmup and decay: 3 + 99 steps do not fit in the run's 100 steps; give smaller ones");
    s = guide, s.cooldown = 101;
    CHECK_ERROR(&s, 100, "cooldown: 101 steps are more than the run's 100");
    s = guide, s.kind = SCHEDULE_INV;
    CHECK_ERROR(&s, 100, "lr_schedule: inv divides by min_lr_ratio, which is 0; give one above 0");
    s = guide, s.learning_rate = 0;
    CHECK_ERROR(&s, 100, "learning_rate: expected a number above 0, got 0");
    s = guide, s.cycles = 2, s.cycle_length = 10;
    CHECK_ERROR(&s, 100, "cycles and cycle_length: expected one of them, got both");
    s = guide, s.cycles = 101;
    CHECK_ERROR(&s, 100, "cycles: expected 1 to 100 (a step each), got 101");
    s = guide, s.cycle_points = (int64_t[]){ 50, 40 }, s.cycle_point_count = 2;
    CHECK_ERROR(&s, 100, "cycles[1]: expected steps in rising order, from 1 to 100 (the steps without the cooldown), got 40");
    CHECK_ERROR(&guide, 0, "num_train_steps: expected at least 1, got 0");
}

TEST(names)
{
    schedule_kind k;
    err e = { 0 };
    CHECK(schedule_parse("inv_sqrt", &k, &e) && k == SCHEDULE_INV_SQRT);
    CHECK(!schedule_parse("cosin", &k, &e));
    CHECK_TEXT(e.text, "lr_schedule: expected linear, cosine, constant, inv_sqrt or inv, got 'cosin'; did you mean 'cosine'?");
}
