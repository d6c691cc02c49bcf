// The reading stage: rows of the sources, in order, as text, cut into shards.
#include <stdlib.h>

#include "base/util.h"
#include "data/build.h"

static bool make_room(job *j, size_t size, err *e)
{
    if (j->size + size > j->size_room) {
        size_t room = MAX(2 * j->size_room, j->size + size + (1 << 16));
        char *more = realloc(j->text, room);
        if (!more)
            return fail(e, ERR_MEMORY, "no memory for the rows of a shard");
        j->text = more;
        j->size_room = room;
    }
    if (j->count == j->room) {
        int64_t room = MAX(2 * j->room, 256);
        row_text *more = realloc(j->rows, sizeof *more * (size_t)room);
        if (!more)
            return fail(e, ERR_MEMORY, "no memory for the rows of a shard");
        j->rows = more;
        j->room = room;
    }
    return true;
}

// The first row of a file decides how the rows of that file are understood.
static bool choose_adapter(build *b, const raw_row *raw, err *e)
{
    arena a = {0};
    const node *row;
    bool ok = raw_row_parse(raw, &a, &row, e) && adapter_choose(&b->adapting, row, raw->at, &b->adapter, e);
    arena_close(&a);
    return ok;
}

// The next row of all sources; bytes.at == NULL after the last.
static bool next_row(build *b, raw_row *raw, err *e)
{
    for (;;) {
        if (!b->reader) {
            *raw = (raw_row){0};
            if (b->file == b->ledger.source_count)
                return true;
            b->adapter = NULL;
            if (!(b->reader = reader_open(b->ledger.sources[b->file].path, e)))
                return false;
        }
        TRY(reader_next_raw(b->reader, raw, e));
        raw->at.file = b->ledger.sources[b->file].path;         // outlives the reader
        if (raw->bytes.at)
            return b->adapter || choose_adapter(b, raw, e);
        reader_close(b->reader);
        b->reader = NULL;
        b->bytes_before += b->ledger.sources[b->file++].size;
    }
}

// Rows of shards that an interrupted build left whole are passed over.
static bool skip_done(build *b, err *e)
{
    for (; b->next_index < b->shard_count && b->shards[b->next_index].done; b->next_index++)
        for (int64_t i = 0; i < b->shards[b->next_index].rows; i++) {
            raw_row raw;
            TRY(next_row(b, &raw, e));
            if (!raw.bytes.at)
                return fail(e, ERR_INPUT, "the data of '%s' changed while it was read; tokenize again", b->folder);
            b->rows_read++;
        }
    return true;
}

static bool read_rows(build *b, job *j, err *e)
{
    const int64_t most = b->options->shard_rows > 0 ? b->options->shard_rows : SHARD_ROWS;
    TRY(skip_done(b, e));
    j->index = b->next_index++;
    while (j->count < most && j->size < SHARD_BYTES) {
        raw_row raw;
        TRY(next_row(b, &raw, e));
        if (!raw.bytes.at) {
            j->last = true;
            return true;
        }
        TRY(make_room(j, raw.bytes.size, e));
        memcpy(j->text + j->size, raw.bytes.at, raw.bytes.size);
        j->rows[j->count++] = (row_text){ j->size, raw.bytes.size, raw, (int32_t)b->file, b->adapter };
        j->size += raw.bytes.size;
        b->rows_read++;
    }
    return true;
}

static bool more_chunks(job *j, err *e)
{
    const int64_t had = j->chunk_room, room = MAX(2 * had, 64);
    chunk *chunks = realloc(j->chunks, sizeof *chunks * (size_t)room);
    if (chunks)
        j->chunks = chunks;
    shard_piece *pieces = realloc(j->pieces, sizeof *pieces * (size_t)room);
    if (pieces)
        j->pieces = pieces;
    if (!chunks || !pieces)
        return fail(e, ERR_MEMORY, "no memory for the rows of a shard");
    memset(pieces + had, 0, sizeof *pieces * (size_t)(room - had));
    j->chunk_room = room;
    return true;
}

static bool cut_chunks(job *j, err *e)
{
    for (int64_t i = 0; i < j->count;) {
        if (j->chunk_count == j->chunk_room)
            TRY(more_chunks(j, e));
        chunk *c = &j->chunks[j->chunk_count++];
        size_t size = 0;
        c->begin = i;
        while (i < j->count && i - c->begin < CHUNK_ROWS && size < CHUNK_BYTES)
            size += j->rows[i++].size;
        c->end = i;
    }
    return true;
}

bool build_read(build *b, job *j, err *e)
{
    j->size = 0;
    j->count = j->chunk_count = 0;
    j->encoded = j->last = false;
    j->ok = read_rows(b, j, &j->error);
    return cut_chunks(j, e);
}
