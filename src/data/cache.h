// The token cache: conversations as ids and masks, on disk, built in shards that survive kill -9. Format: docs/cache.md.
#pragma once
#include "data/adapter.h"
#include "text/chat.h"

typedef struct cache_options {
    adapter_options adapter;
    chat_options chat;
    str chat_template;                      // see chat_open; empty: the tokenizer's own
    const char *template_file;
    int64_t shard_rows;                     // rows of source per shard of the cache; 0: 4096
    int threads;                            // 0: all
} cache_options;

typedef struct cache_totals {
    int64_t rows, kept, dropped;            // rows of the source; conversations in the cache; rows left out
    int64_t tokens, trained;
    int64_t special_in_content, bos_missing, bos_double;   // rows with these warnings
    int64_t left_out;                       // rows with an answer of which the chat template prints nothing
    int64_t tools_unseen;                   // rows with tools or tool calls that the chat template never shows
    int64_t longest;                        // tokens of the longest conversation
    struct { const char *reason; int64_t rows; char first[256]; } drops[8];     // and the place of the first such row; constant words
    int drop_count;
} cache_totals;

// Builds `folder` from data matching `patterns`, or goes on building what an interrupted run left: finished shards are kept when
// their inputs' digests and the settings are unchanged; otherwise the cache is begun anew. Order is that of the source, whatever the
// threads. A dataset in which all rows are dropped is ERR_INPUT. Progress is shown as `name`.
bool cache_build(const char *folder, const char *name, const char *const *patterns, int64_t pattern_count, const tokenizer *t,
                 const cache_options *o, cache_totals *out, err *e) MUST_CHECK;

// One line for the whole and one for each kind of warning or drop, through the log.
void cache_say_totals(const char *name, const cache_totals *t);

typedef struct cache cache;
cache *cache_open(const char *folder, err *e);          // a finished one; memory-mapped; checked against its ledger
void cache_close(cache *c);
int64_t cache_count(const cache *c);                    // conversations
const cache_totals *cache_get_totals(const cache *c);
const char *cache_tokenizer_digest(const cache *c);
const char *cache_chat_template(const cache *c);        // source, for the export and for drift checks
int32_t cache_stop_token(const cache *c, int i);        // stop tokens trained; -1 past the last

typedef struct conversation {
    const int32_t *ids;
    const uint8_t *mask;                    // 1: trained
    int64_t count;
    int64_t source_file, source_row;        // provenance: index into cache_source, row from 1
} conversation;
conversation cache_at(const cache *c, int64_t i);
const char *cache_source(const cache *c, int64_t file);
int64_t cache_vocab(const cache *c);                    // every id is below this
