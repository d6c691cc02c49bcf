// Messages for people, on stderr: one line each. The library logs only through this, so that an
// application can take the lines (`log_to`). Never secrets.
#pragma once
#include "base/err.h"

typedef enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR } log_level;

void log_say(log_level level, const char *fmt, ...) PRINTF(2, 3);
#define log_debug(...)   log_say(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)    log_say(LOG_INFO, __VA_ARGS__)
#define log_warning(...) log_say(LOG_WARNING, __VA_ARGS__)

void log_set_level(log_level least);                    // default LOG_INFO, or SKIFF_LOG=debug|info|warning|error
void log_to(void (*sink)(void *self, log_level, const char *line), void *self);
