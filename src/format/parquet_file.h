// Between the sources of the Parquet reader: a file, its row groups, and a column on its way through the pages of a row group.
#pragma once
#include "base/text.h"
#include "format/parquet.h"
#include "format/parquet_bits.h"
#include "format/parquet_codec.h"
#include "format/parquet_schema.h"

enum {
    PQ_BATCH = 256,                 // levels decoded at a time
    PQ_LARGEST_PAGE = 1 << 30,      // bytes of a page, of a row
    PQ_ROW_VALUES = 1 << 22,        // values of one row: equal ones take next to no bytes in the file, but all of them take memory
};

typedef struct pq_chunk {
    int64_t offset, size, values;
    int codec;
    // Said once more about the values; nulls and text_bytes are -1, histograms NULL, where they are not given.
    int64_t nulls, text_bytes;
    int64_t *reps, *defs;           // how many values have each level
} pq_chunk;

typedef struct pq_group { pq_chunk *chunks; int64_t rows; } pq_group;

typedef struct pq_value {
    int64_t number;                 // whole numbers; the bits of floats
    str bytes;                      // PQ_BYTES, PQ_FIXED, PQ_INT96; lives until the next value
} pq_value;

typedef struct pq_column {
    struct parquet *file;
    const pq_leaf *leaf;
    const pq_chunk *chunk;          // NULL between row groups
    int64_t read_to, end;           // in the file: behind the window; behind the chunk
    pq_buffer window;               // bytes of the chunk as they stand in the file: [begin, filled) is not yet taken
    size_t begin, filled;
    int64_t to_come;                // values of pages that have not begun
    int64_t pages;                  // begun
    pq_buffer page, dictionary_page;
    pq_value *dictionary;
    int64_t dictionary_count, dictionary_room;
    bool has_dictionary;
    // The page's levels, PQ_BATCH at a time. Where the schema allows one level only they stay 0.
    int64_t left;                   // values whose levels are not decoded
    pq_runs reps, defs;
    uint32_t rep[PQ_BATCH], def[PQ_BATCH];
    int batch, batch_count;
    int rep_now, def_now;           // of the value that comes next; 0 when `ended`
    bool ended;
    // Counted, to be held against what the file says twice.
    int64_t *reps_seen, *defs_seen; // of the chunk: how many values have each level
    int64_t text_bytes;             // of the chunk's values
    bool shares;                    // some of them share their beginnings (DELTA_BYTE_ARRAY): writers count those bytes or do not
    int64_t page_count, page_nulls, seen_before;        // of the page: values; nulls (-1: not given); defs_seen of values before it
    // The page's values, by encoding: NULL, or why there is none.
    const char *(*read)(struct pq_column *c, pq_value *out);
    bool (*values_ended)(const struct pq_column *c);    // NULL: no page has begun
    const uint8_t *at, *limit;
    pq_runs runs;
    int64_t bit;                    // PLAIN truths
    pq_delta delta, prefixes;
    pq_buffer scratch;
    size_t scratch_size;
    int64_t split_at, split_count;
} pq_column;

struct parquet {
    char *path;
    int fd;                         // -1: in memory
    str bytes;
    int64_t size;
    arena arena;
    pq_schema schema;
    pq_group *groups;
    int64_t group_count, group;     // the row group that is open, from 1; 0 before the first
    int64_t rows;                   // of all groups
    int64_t row, row_in_group;      // rows given; of the open group
    int64_t values;                 // of the row being put together
    pq_column *columns;             // one for each leaf
    pq_unpacker *unpacker;          // the decompressors
    text packed;
};

// Errors of a column: "x.parquet: row group 3, column a.b, page 2: …" in headers and levels; in a value the row in place of the page.
bool pq_damaged(const pq_column *c, err *e, const char *fmt, ...) PRINTF(3, 4);
bool pq_damaged_row(const pq_column *c, err *e, const char *fmt, ...) PRINTF(3, 4);
bool pq_refuse(const pq_column *c, err *e, const char *fmt, ...) PRINTF(3, 4);      // right, but not read

bool pq_read_at(const parquet *p, int64_t offset, void *to, size_t size, err *e) MUST_CHECK;
bool pq_read_footer(parquet *p, err *e) MUST_CHECK;                    // parquet_footer.c

// parquet_page.c
bool pq_column_begin(pq_column *c, const pq_chunk *chunk, err *e) MUST_CHECK;      // at the first value of a row group
bool pq_more(pq_column *c, err *e) MUST_CHECK;          // a further batch of levels, from the next page if need be
void pq_column_close(pq_column *c);

// To the next value: rep_now and def_now are its levels.
static inline bool pq_advance(pq_column *c, err *e)
{
    if (c->batch == c->batch_count)
        return pq_more(c, e);
    c->rep_now = (int)c->rep[c->batch];
    c->def_now = (int)c->def[c->batch++];
    return true;
}

// parquet_ends.c: what was read of a page, of a chunk, is what the file says of it.
bool pq_page_ended(const pq_column *c, err *e) MUST_CHECK;
bool pq_chunk_ended(const pq_column *c, err *e) MUST_CHECK;

// parquet_values.c: the values of a page, at [at, limit). Errors as for a page.
bool pq_values_begin(pq_column *c, int encoding, err *e) MUST_CHECK;
bool pq_dictionary_read(pq_column *c, str page, int64_t count, err *e) MUST_CHECK;

// parquet_convert.c: a value in the packed form.
const char *pq_put(text *out, const pq_leaf *l, const pq_value *v);    // NULL, or why not
// parquet_row.c: one record of all columns into p->packed.
bool pq_row(parquet *p, err *e) MUST_CHECK;
