// Ctrl-C and SIGTERM: the first lets a run save and stop, the second ends at once.
#pragma once
#include "base/err.h"

void stop_cleanly_on_signals(void);
int stopped_code(const err *e);                         // 130, 143 after SIGTERM, else the error's own
