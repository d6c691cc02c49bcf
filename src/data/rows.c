// data_rows: while one batch of rows is told, all threads write the next one as JSON, and one of them reads the one after. Memory is
// bounded by the three batches; tiles are cut by the rows alone.
#include "data/rows.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/pool.h"
#include "base/util.h"
#include "data/reader.h"

enum {
    FIRST_BYTES = 64 << 10,         // of the first batch, so that rows are seen soon; each is twice as large as the one before
    BATCH_BYTES = 4 << 20,
    BATCH_ROWS = 4096,
    TILE_BYTES = 64 << 10,
    TILE_ROWS = 64,
    BATCH_TILES = BATCH_BYTES / TILE_BYTES + BATCH_ROWS / TILE_ROWS + 1,
};

typedef struct batch_row { size_t begin, size, json_end; raw_row raw; } batch_row;

typedef struct tile {
    int64_t begin, end, done;       // rows of the batch; those before `done` are in `json`
    text json;
    bool ok;
    err error;                      // of row `done`
} tile;

typedef struct batch {
    text bytes;
    batch_row rows[BATCH_ROWS];
    int64_t count;
    tile tiles[BATCH_TILES];
    int64_t tile_count;
    bool ok, last;
    err error;                      // behind its rows
} batch;

typedef struct rows {
    char *const *paths;
    int64_t path_count, path, left;
    size_t room;                    // bytes of the batch that is read
    bool (*row)(void *self, const char *json, size_t size);
    void *self;
    reader *reader;
    pool *pool;
    arena *arenas;                  // one for each thread
    batch *batches;                 // three
    batch *reading, *writing, *telling;
    bool stop;
} rows;

// ---- reading ----

// The next row of all files; bytes.at == NULL after the last.
static bool next_row(rows *r, raw_row *raw, err *e)
{
    for (*raw = (raw_row){0}; r->path < r->path_count; r->path++) {
        if (!r->reader && !(r->reader = reader_open(r->paths[r->path], e)))
            return false;
        TRY(reader_next_raw(r->reader, raw, e));
        raw->at.file = r->paths[r->path];       // outlives the reader
        if (raw->bytes.at)
            return true;
        reader_close(r->reader);
        r->reader = NULL;
    }
    return true;
}

static void add_row(batch *b, const raw_row *raw)
{
    tile *t = b->tile_count ? &b->tiles[b->tile_count - 1] : NULL;
    if (!t || t->end - t->begin == TILE_ROWS || b->bytes.size - b->rows[t->begin].begin >= TILE_BYTES) {
        t = &b->tiles[b->tile_count++];
        t->begin = b->count;
    }
    b->rows[b->count++] = (batch_row){ .begin = b->bytes.size, .size = raw->bytes.size, .raw = *raw };
    text_str(&b->bytes, raw->bytes);
    t->end = b->count;
}

static void read_batch(rows *r, batch *b)
{
    b->count = b->tile_count = 0;
    b->last = false;
    b->ok = true;
    text_clear(&b->bytes);
    while (b->ok && !b->last && b->count < BATCH_ROWS && b->bytes.size < r->room) {
        raw_row raw;
        b->ok = next_row(r, &raw, &b->error);
        if (b->ok && raw.bytes.at) {
            add_row(b, &raw);
            b->last = --r->left == 0;
        } else {
            b->last = true;
        }
    }
    if (!text_ok(&b->bytes, &b->error)) {
        b->ok = false;
        b->count = b->tile_count = 0;
    }
    r->room = MIN(2 * r->room, (size_t)BATCH_BYTES);
}

// ---- writing ----

static void write_tile(batch *b, tile *t, arena *a)
{
    text_clear(&t->json);
    t->ok = true;
    for (t->done = t->begin; t->ok && t->done < t->end; t->done += t->ok) {
        batch_row *row = &b->rows[t->done];
        const node *n;
        raw_row raw = row->raw;
        raw.bytes = str_slice(text_view(&b->bytes), row->begin, row->begin + row->size);
        if ((t->ok = raw_row_parse(&raw, a, &n, &t->error))) {
            json_write(&t->json, n, JSON_SPACED);
            text_char(&t->json, 0);
            row->json_end = t->json.size;
        }
        arena_clear(a);
    }
    if (!text_ok(&t->json, &t->error)) {
        t->ok = false;
        t->done = t->begin;
    }
}

enum { TILE_READ, TILES_BEFORE };

static void run_tile(void *self, int64_t i, int thread)
{
    rows *r = self;
    if (i == TILE_READ && r->reading)
        read_batch(r, r->reading);
    else if (i >= TILES_BEFORE)
        write_tile(r->writing, &r->writing->tiles[i - TILES_BEFORE], &r->arenas[thread]);
}

static void *run_tiles(void *self)
{
    rows *r = self;
    pool_run(r->pool, TILES_BEFORE + (r->writing ? r->writing->tile_count : 0), run_tile, r);
    return NULL;
}

// ---- telling ----

static bool tell(rows *r, const batch *b, err *e)
{
    for (int64_t i = 0; i < b->tile_count; i++) {
        const tile *t = &b->tiles[i];
        size_t at = 0;
        for (int64_t k = t->begin; k < t->done; at = b->rows[k++].json_end)
            if (!r->row(r->self, t->json.chars + at, b->rows[k].json_end - at - 1)) {
                r->stop = true;
                return true;
            }
        if (!t->ok) {
            *e = t->error;
            return false;
        }
    }
    if (!b->ok)
        *e = b->error;
    return b->ok;
}

// The tiles have a thread of their own to start them while the caller's tells.
static bool run_round(rows *r, err *e)
{
    pthread_t thread;
    const bool work = r->reading || r->writing;
    const bool beside = work && r->telling && pthread_create(&thread, NULL, run_tiles, r) == 0;
    if (work && !beside)
        run_tiles(r);
    bool ok = !r->telling || tell(r, r->telling, e);
    if (beside)
        pthread_join(thread, NULL);
    return ok;
}

static bool run_rounds(rows *r, err *e)
{
    bool more = true;
    for (int64_t i = 0; !r->stop && (more || r->writing || r->telling); i++) {
        r->reading = more ? &r->batches[i % 3] : NULL;
        TRY(run_round(r, e));
        more = more && r->reading->ok && !r->reading->last;
        r->telling = r->writing;
        r->writing = r->reading;
    }
    return true;
}

static void close_rows(rows *r)
{
    for (int i = 0; r->batches && i < 3; i++) {
        text_close(&r->batches[i].bytes);
        for (int k = 0; k < BATCH_TILES; k++)
            text_close(&r->batches[i].tiles[k].json);
    }
    for (int i = 0; r->arenas && i < pool_threads(r->pool); i++)
        arena_close(&r->arenas[i]);
    free(r->arenas);
    free(r->batches);
    reader_close(r->reader);
    pool_close(r->pool);
}

bool data_rows(char *const *paths, int64_t count, int64_t limit, bool (*row)(void *self, const char *json, size_t size), void *self,
               err *e)
{
    rows r = { .paths = paths, .path_count = count, .left = limit > 0 ? limit : INT64_MAX, .room = FIRST_BYTES, .row = row, .self = self };
    if (!(r.pool = pool_open(0, e)))
        return false;
    r.batches = calloc(3, sizeof *r.batches);
    r.arenas = calloc((size_t)pool_threads(r.pool), sizeof *r.arenas);
    bool ok = r.batches && r.arenas ? run_rounds(&r, e) : fail(e, ERR_MEMORY, "no memory to read the rows of '%s'", paths[0]);
    close_rows(&r);
    return ok;
}
