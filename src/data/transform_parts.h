// The inside of transform_build: what its files hand to each other.
#pragma once
#include "base/digest.h"
#include "base/node.h"
#include "base/pool.h"
#include "base/text.h"
#include "data/reader.h"
#include "data/transform.h"

// ---- transform_row.c: one row to one line ----
// Appends {"id", "source", "messages", "added", "created", "metadata"} and a newline; or sets r->dropped and appends nothing.
bool transform_row(const transform_options *o, const char *added, arena *a, const node *row, place at, adapted *r, text *out,
                   err *e) MUST_CHECK;

// ---- transform_find.c: the files to read ----
typedef struct part { const char *name; char **files; int64_t count; } part;        // name: "[<subset>/]<split>"
bool transform_find(arena *a, const char *name, const char *raw, const transform_options *o, part **out, int64_t *count, err *e) MUST_CHECK;

// ---- transform_state.c: what was finished, kept in <output>/.transform ----
typedef struct done_shard {
    const char *part;
    int64_t index, size;                    // of the file
    int64_t file, row;                      // where the next shard begins: rows of part->files[file] that were taken
    transform_totals totals;
} done_shard;

typedef struct transform_state {
    arena *arena;
    const char *folder;
    char key[SHA256_HEX + 1];               // of settings and source files: what decides the bytes
    const char *added;                      // when the first run began
    done_shard *shards;                     // whole ones, in order
    int64_t count;
} transform_state;

// Keeps what was made with the same key, else removes what is there and begins anew.
bool state_open(transform_state *s, err *e) MUST_CHECK;
bool state_add(transform_state *s, const done_shard *shard, err *e) MUST_CHECK;     // after its file was renamed
char *shard_path(arena *a, const char *folder, const char *name, int64_t index);
void totals_add(transform_totals *to, const transform_totals *more);

// ---- transform_pack.c: gzip in pieces that are packed at the same time and written one after the other ----
typedef struct piece { text lines, packed; uint32_t crc; bool ok; } piece;
bool piece_pack(piece *p);
typedef struct packer { uint32_t crc; uint64_t size; } packer;      // of one file
str packer_head(void);
void packer_add(packer *k, const piece *p);
void packer_tail(const packer *k, unsigned char tail[10]);
