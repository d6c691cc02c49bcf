// Time, and time in words.
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

double clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void clock_iso(char out[32])
{
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

void clock_words(double seconds, char out[32])
{
    if (!(seconds >= 0 && seconds < 1e9))
        snprintf(out, 32, "?");
    else if (seconds < 9.95)
        snprintf(out, 32, "%.1f s", seconds);
    else if (seconds < 60)
        snprintf(out, 32, "%.0f s", seconds);
    else if (seconds < 3600)
        snprintf(out, 32, "%d min %02d s", (int)seconds / 60, (int)seconds % 60);
    else
        snprintf(out, 32, "%d h %02d min", (int)(seconds / 3600), (int)(seconds / 60) % 60);
}
