// Learning rates: warm-up, stable, decay, cycles, cooldown, as Levanter computes them (docs: ../docs/schedules.md).
#pragma once
#include <stdint.h>
#include "base/err.h"

typedef enum schedule_kind { SCHEDULE_LINEAR, SCHEDULE_COSINE, SCHEDULE_CONSTANT, SCHEDULE_INV_SQRT, SCHEDULE_INV } schedule_kind;

#define DECAY_REST (-1.0)           // decay: over what warm-up leaves of the cycle

// Lengths are shares when up to 1 (1 is the whole!) and whole steps above: of the run for cooldown, of the run without its
// cooldown for cycle_length, of the cycle for warmup, rewarmup and decay. A cycle is warm-up, then the full rate, then decay.
typedef struct schedule {
    schedule_kind kind;
    double learning_rate, min_lr_ratio;
    double warmup, rewarmup, cooldown;      // warm-up of the first and of later cycles; a linear end after all cycles
    double decay;                           // DECAY_REST or a length; 0: no decay, the rate stays
    int64_t cycles;                         // that many of equal length; 0 or 1: one cycle
    double cycle_length;                    // instead: cycles of this length, the last one takes what is left; 0: unset
    const int64_t *cycle_points;            // instead: the steps at which a new cycle begins
    int64_t cycle_point_count;
} schedule;

bool schedule_check(const schedule *s, int64_t steps, err *e) MUST_CHECK;
double schedule_rate(const schedule *s, int64_t steps, int64_t step);      // of a checked one; step from 0
const char *schedule_name(schedule_kind k);             // "linear", …; NULL past the last
bool schedule_parse(const char *name, schedule_kind *out, err *e) MUST_CHECK;
