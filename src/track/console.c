// The progress line: loss, speed, use of the machine. The time left is the progress line's own.
#include <math.h>
#include <stdio.h>

#include "base/progress.h"
#include "track/track.h"

static bool open_console(tracker *t, const track_options *o, err *e)
{
    (void)t, (void)e;
    progress_open(o->what, o->steps);
    if (o->resumed)
        progress_set(o->resumed, "going on");
    return true;
}

static bool log_console(tracker *t, int64_t step, const track_value *values, size_t count, err *e)
{
    (void)t, (void)e;
    double loss = track_find(values, count, "train/loss"), speed = track_find(values, count, "throughput/tokens_per_second");
    double mfu = track_find(values, count, "throughput/mfu_causal");
    if (isnan(loss))
        return true;                // a row of an evaluation alone
    char words[48] = "";
    if (!isnan(mfu))
        snprintf(words, sizeof words, ", MFU %.1f %%", mfu);
    progress_set(step, "loss %.4f, %.0f tokens/s%s", loss, speed, words);
    return true;
}

static void close_console(tracker *t)
{
    (void)t;
    progress_close();
}

const track_kind track_console = {
    .name = "console", .help = "a progress line with loss, tokens a second, MFU and time left",
    .open = open_console, .log = log_console, .close = close_console,
};
