// Messages to stderr, or to whoever asked for them.
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/progress_line.h"
#include "base/util.h"

static log_level least = LOG_INFO;
static bool least_set;
static void (*sink)(void *self, log_level, const char *line);
static void *sink_self;

void log_set_level(log_level level)
{
    least = level;
    least_set = true;
}

void log_to(void (*to)(void *self, log_level, const char *line), void *self)
{
    sink = to;
    sink_self = self;
}

static log_level wanted(void)
{
    static const char *const names[] = { "debug", "info", "warning", "error" };
    const char *s = least_set ? NULL : getenv("SKIFF_LOG");
    for (size_t i = 0; s && i < COUNT(names); i++)
        if (!strcmp(s, names[i]))
            return (log_level)i;
    return least;
}

void log_say(log_level level, const char *fmt, ...)
{
    static const char *const prefix[] = { "debug: ", "", "warning: ", "error: " };
    char line[2048];
    if (level < wanted())
        return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (sink) {
        sink(sink_self, level, line);
        return;
    }
    progress_hide();
    fprintf(stderr, "%s%s\n", prefix[level], line);
    progress_show();
}
