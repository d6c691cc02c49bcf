// What eval, train and sft share: chats to a token cache.
#pragma once
#include "api/options.h"
#include "data/cache.h"
#include "run/settings.h"

bool api_is_cache(const char *path);
bool api_build_cache(arena *a, const char *data, const char *model, const char *folder, const char *name, const api_options *o,
                     cache_totals *totals, err *e) MUST_CHECK;
node *api_cache_report(arena *a, const char *folder, const cache_totals *t);
// The caches of a training step into `c`; chats become caches below its output, or (`build` false) are an error.
bool api_train_data(arena *a, const train_settings *s, bool build, train_config *c, err *e) MUST_CHECK;
