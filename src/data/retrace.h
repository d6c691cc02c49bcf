// Conversations of a token cache made again from their sources: whose tokens they are, and whether a template still writes what was
// trained. Reads a source up to the row wanted.
#pragma once
#include "data/cache.h"

// How a cache was made, of its ledger.
typedef struct cache_settings {
    adapter_options adapter;
    chat_options chat;
    const char *unknown;            // a setting that is not known here: such a cache cannot be made again; or NULL
} cache_settings;
bool cache_read_settings(const char *folder, arena *a, cache_settings *out, err *e) MUST_CHECK;

typedef struct retrace retrace;
// `chat_template` empty: the tokenizer's own. `bos_add`: as it was, or without what the cache's maker was told to add.
typedef struct retrace_how { str chat_template; bool without_bos; } retrace_how;
retrace *retrace_open(const char *folder, const cache *c, const tokenizer *t, const retrace_how *how, err *e);
void retrace_close(retrace *r);

typedef struct retraced {
    const node *row;                // the adapted chat; NULL for a pair
    size_t prompt;                  // bytes of a pair's prompt
    const chat_result *result;      // until the next call
    bool same;                      // the ids are those of the cache
} retraced;
bool retrace_at(retrace *r, int64_t conversation, retraced *out, err *e) MUST_CHECK;
