// Where the numbers of a run go: THE TABLE of trackers, all given the same values, a row of them for each step.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct track_value {
    const char *name;               // "train/loss"
    double value;                   // not finite: null
} track_value;

typedef struct track_options {
    const char *folder;             // the run's output folder
    const char *what;               // words for people: "train"
    int64_t steps;                  // of the whole run
    int64_t resumed;                // steps already done and tracked: rows above this are taken back
} track_options;

typedef struct tracker tracker;

typedef struct track_kind {
    const char *name, *help;
    bool (*open)(tracker *t, const track_options *o, err *e);
    bool (*log)(tracker *t, int64_t step, const track_value *values, size_t count, err *e);
    bool (*sync)(tracker *t, err *e);       // what was logged must survive a power failure from here; may be NULL
    void (*close)(tracker *t);
} track_kind;

const track_kind *track_kind_at(int i);     // a row of the table; NULL past the last

enum { MAX_TRACKERS = 8 };
struct tracker { const track_kind *kind; void *own; };      // `own`: whatever its kind keeps
typedef struct trackers { tracker at[MAX_TRACKERS]; int count; } trackers;     // {0} is none open

// `names` by commas: "console,jsonl". An unknown one is ERR_INPUT with the nearest.
bool trackers_check(const char *names, err *e) MUST_CHECK;
bool trackers_open(trackers *t, const char *names, const track_options *o, err *e) MUST_CHECK;
// One row: `step` is the number of updates done. Steps rise, and each is logged once.
bool trackers_log(trackers *t, int64_t step, const track_value *values, size_t count, err *e) MUST_CHECK;
bool trackers_sync(trackers *t, err *e) MUST_CHECK;
void trackers_close(trackers *t);

double track_find(const track_value *values, size_t count, const char *name);      // NAN when absent

// The rows of the table: console.c, the progress line; jsonl.c, metrics.jsonl with a JSON object a row.
extern const track_kind track_console, track_jsonl;
