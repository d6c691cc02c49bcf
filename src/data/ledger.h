// The ledger of a token cache: what it was made of and how, and, once it is finished, its shards. Format: docs/cache.md.
#pragma once
#include "data/shard.h"

#define LEDGER_NAME "ledger.json"
#define LEDGER_MAGIC "skiff token cache"

typedef struct data_source {
    const char *path;
    int64_t size;
    char sha256[SHA256_HEX + 1];
} data_source;

typedef struct ledger_shard {
    const char *name;
    char sha256[SHA256_HEX + 1];
    int64_t rows, count;
} ledger_shard;

typedef struct ledger {
    bool finished;
    char key[SHA256_HEX + 1];               // digest of all that decides the shards' bytes
    uint32_t vocab;
    const char *tokenizer_digest, *chat_template;
    const node *settings;                   // an object: what decides the bytes besides the sources, by name
    data_source *sources;
    int64_t source_count;
    ledger_shard *shards;                   // when finished
    int64_t shard_count;
    shard_info info;
} ledger;

void ledger_make_key(ledger *l);            // from settings and the sources' digests
bool ledger_write(const char *folder, const ledger *l, err *e) MUST_CHECK;
bool ledger_parse(arena *a, str bytes, const char *path, ledger *out, err *e) MUST_CHECK;
bool ledger_read(arena *a, const char *folder, ledger *out, err *e) MUST_CHECK;    // no such file: ERR_INPUT
