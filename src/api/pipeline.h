// What eval, train and sft share: chats to a token cache.
#pragma once
#include "api/options.h"
#include "data/cache.h"

bool api_is_cache(const char *path);
bool api_build_cache(arena *a, const char *data, const char *model, const char *folder, const char *name, const api_options *o,
                     cache_totals *totals, err *e) MUST_CHECK;
node *api_cache_report(arena *a, const char *folder, const cache_totals *t);
