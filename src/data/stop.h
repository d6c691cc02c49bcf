// Tokenizing and transforming end at the next shard or batch when asked to: what is finished stays, and the next run goes on from it.
#pragma once
#include "base/err.h"

void data_stop(void);                                   // async-signal-safe
bool data_goes_on(err *e) MUST_CHECK;                   // false, once, with ERR_INTERRUPTED after data_stop
