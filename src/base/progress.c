// The progress of this process: a line of its own, or news for the process it works for.
#include "base/progress.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"

static void (*sink)(void *self, const progress_news *n);
static void *sink_self;
static int line = -1;               // of the terminal's lines, while open
static double told;

static const double NEWS_EVERY = 0.1;

void progress_to(void (*to)(void *self, const progress_news *n), void *self)
{
    sink = to;
    sink_self = self;
    line = -1;
}

static void tell(const progress_news *n)
{
    if (sink)
        sink(sink_self, n);
    else if (line >= 0)
        progress_tell(line, n);
}

void progress_open(const char *what, int64_t total)
{
    if (!sink) {
        if (line >= 0)
            progress_remove(line);
        line = progress_add("");
    }
    told = 0;
    tell(&(progress_news){ .kind = PROGRESS_OPEN, .total = total, .text = what });
}

void progress_set(int64_t done, const char *fmt, ...)
{
    char words[256];
    double now = clock_now();
    if (sink && now - told < NEWS_EVERY)
        return;
    told = now;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(words, sizeof words, fmt, ap);
    va_end(ap);
    tell(&(progress_news){ .kind = PROGRESS_SET, .done = done, .text = words });
}

void progress_close(void)
{
    tell(&(progress_news){ .kind = PROGRESS_CLOSE });
    if (line >= 0)
        progress_remove(line);
    line = -1;
}
