// One file of the token cache: conversations of some rows of source, with what was counted on the way. Format: docs/cache.md.
#pragma once
#include "base/digest.h"
#include "base/text.h"
#include "data/cache.h"

enum { SHARD_VERSION = 1, SHARD_STOPS = 8, SHARD_HEADER = 128 };

// What was counted over some rows: of a piece, a shard or the whole.
typedef struct shard_info {
    cache_totals totals;
    int32_t stops[SHARD_STOPS];             // stop tokens trained, in order of first appearance
    int stop_count;
} shard_info;

void info_drop(shard_info *s, const char *reason, const char *first, int64_t rows);
void info_stop(shard_info *s, int32_t token);
void info_add(shard_info *to, const shard_info *more);      // `more` comes after `to` in the order of rows
void info_put(arena *a, node *object, const shard_info *s); // as members of a JSON object
bool shard_info_read(const node *object, const char *file, shard_info *out, err *e) MUST_CHECK;
node info_text(arena *a, const char *s);    // with what is no UTF-8 replaced by '?'

// Conversations on their way into a shard.
typedef struct shard_piece {
    int32_t *ids, *files;
    uint8_t *mask;
    int64_t *counts, *rows;
    int64_t tokens, token_room, count, room;
    shard_info info;
} shard_piece;                              // {0} is empty; reused
bool piece_add(shard_piece *p, const int32_t *ids, const uint8_t *mask, int64_t count, int32_t file, int64_t row, err *e) MUST_CHECK;
void piece_clear(shard_piece *p);
void piece_close(shard_piece *p);

typedef struct shard_head {                 // as it stands in the file, little-endian
    char magic[8];
    uint32_t version, vocab;
    char key[SHA256_HEX];                   // of the build: settings and sources; binds shards that belong together
    int64_t index, rows, count, tokens, info_size, zero;
} shard_head;

// Writes pieces in order as one shard: beside, fsync, rename.
bool shard_write(const char *path, const char *key, uint32_t vocab, int64_t index, const shard_piece *pieces, int64_t count,
                 char digest[SHA256_HEX + 1], err *e) MUST_CHECK;

typedef struct shard {
    shard_head head;
    const int64_t *offsets, *rows;
    const int32_t *files, *ids;
    const uint8_t *mask;
    char digest[SHA256_HEX + 1];            // as the file's end says
    shard_info info;
} shard;

// Everything but the digest is checked: sizes, order, ranges. `path` names the shard in errors.
bool shard_parse(str bytes, const char *path, shard *out, err *e) MUST_CHECK;
bool shard_check_digest(str bytes, const char *path, err *e) MUST_CHECK;
void shard_name(int64_t index, char name[32]);          // shard-00007.tok
