// Learning rates: warm-up, stable, decay, cycles, as Levanter computes them (marin.md 9.2).
#pragma once
#include <stdint.h>
#include "base/err.h"

typedef enum schedule_kind { SCHEDULE_LINEAR, SCHEDULE_COSINE, SCHEDULE_CONSTANT, SCHEDULE_INV_SQRT, SCHEDULE_INV } schedule_kind;

typedef struct schedule {
    schedule_kind kind;
    double learning_rate, min_lr_ratio;
    double warmup, rewarmup, cooldown;      // shares of the run (up to 1) or whole steps
    double decay;                           // the same; negative: over the rest of the cycle
    int64_t cycles;                         // 0 or 1: one cycle
} schedule;

bool schedule_check(const schedule *s, int64_t steps, err *e) MUST_CHECK;
double schedule_rate(const schedule *s, int64_t steps, int64_t step);      // step from 0
