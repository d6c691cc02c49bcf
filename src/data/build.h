// The inside of cache_build: what its three stages (read, encode, write) hand to each other.
//
// A shard is some rows of source in order: `shard_rows` of them, or fewer when their text fills SHARD_BYTES, so its borders depend on
// the data alone. While one shard is encoded by all threads, one thread also writes the shard before and one reads the next.
#pragma once
#include "base/pool.h"
#include "data/ledger.h"
#include "data/reader.h"

enum { SHARD_ROWS = 4096, SHARD_BYTES = 64 << 20, CHUNK_ROWS = 64, CHUNK_BYTES = 256 << 10 };

typedef struct row_text {
    size_t begin, size;             // in the job's text
    raw_row raw;                    // place and line; its bytes are set when it is parsed
    int32_t file;
    const adapter *adapter;
} row_text;

typedef struct chunk {              // rows [begin, end) of a job, encoded by one thread
    int64_t begin, end;
    bool ok;
    err error;
} chunk;

typedef struct built_shard {
    bool done;
    int64_t rows, count;
    char digest[SHA256_HEX + 1];
    shard_info info;
} built_shard;

typedef struct job {                // one shard on its way
    int64_t index;
    char *text;
    size_t size, size_room;
    row_text *rows;
    int64_t count, room;
    chunk *chunks;
    shard_piece *pieces;            // what each chunk became
    int64_t chunk_count, chunk_room;
    bool encoded;                   // to be written
    bool written;
    built_shard built;              // what was written
    bool last, ok;                  // read to the end of the data; else why not: `error` (its rows came before the mistake)
    err error;
} job;

typedef struct scratch { arena arena; chat_result result; } scratch;    // of one thread

typedef struct build {
    const char *folder, *name;
    const cache_options *options;
    adapter_options adapting;
    const tokenizer *tokenizer;
    chat *chat;
    bool shows_tools, shows_calls;  // does the template?
    arena arena;
    int lock;
    ledger ledger;
    struct stamp *stamps;           // of each source when its digest was taken
    pool *pool;
    scratch *scratch;
    built_shard *shards;
    int64_t shard_count, shard_room;
    // reading
    reader *reader;
    const adapter *adapter;         // of the file being read
    int64_t file, next_index, bytes_before;     // bytes of the files already read
    int64_t rows_read;
    job jobs[3];
    job *reading, *encoding, *writing;     // of this round; NULL: nothing to do
    bool read_ok;
    err read_error;
} build;

// build_begin.c: the sources with their digests, the settings, the key.
bool build_begin(build *b, const char *const *patterns, int64_t pattern_count, err *e) MUST_CHECK;
bool build_sources_unchanged(const build *b, err *e) MUST_CHECK;   // since their digests were taken

// build_folder.c: the folder and what lies in it.
bool build_lock(build *b, err *e) MUST_CHECK;
// Keeps what is of the same key, else begins anew; the ledger then says "not finished".
bool build_open_folder(build *b, err *e) MUST_CHECK;
bool build_find_shards(build *b, err *e) MUST_CHECK;               // whole shards that an interrupted build left
bool build_add_shard(build *b, int64_t index, const built_shard *s, err *e) MUST_CHECK;
bool build_remove_own(const char *folder, err *e) MUST_CHECK;      // ledger, shards and files half-written; nothing else

bool build_read(build *b, job *j, err *e) MUST_CHECK;              // the next shard that is not done yet; build_read.c
void build_encode(build *b, job *j, int64_t chunk, int thread);   // build_rows.c
