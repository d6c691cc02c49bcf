// cache_build: the rounds of the three stages, and finishing.
#include "data/build.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/util.h"
#include "data/stop.h"

// ---- the rounds ----

static void write_shard(build *b, job *j)
{
    char path[4096], name[32];
    shard_info *all = &j->built.info;
    shard_name(j->index, name);
    snprintf(path, sizeof path, "%s/%s", b->folder, name);
    j->built = (built_shard){ .done = true, .rows = j->count };
    for (int64_t i = 0; i < j->chunk_count; i++) {
        info_add(all, &j->pieces[i].info);
        j->built.count += j->pieces[i].count;
    }
    j->ok = shard_write(path, b->ledger.key, b->ledger.vocab, j->index, j->pieces, j->chunk_count, j->built.digest, &j->error);
}

// Writing is waiting for the disk, mostly: it has a thread of its own beside those that compute.
static void *run_writer(void *self)
{
    build *b = self;
    write_shard(b, b->writing);
    return NULL;
}

enum { TILE_READ, TILES_BEFORE };

static void round_tile(void *self, int64_t tile, int thread)
{
    build *b = self;
    if (tile == TILE_READ && b->reading)
        b->read_ok = build_read(b, b->reading, &b->read_error);
    else if (tile >= TILES_BEFORE)
        build_encode(b, b->encoding, tile - TILES_BEFORE, thread);
}

// The first mistake in the order of the rows, so that it is the same one however many threads there are.
static bool check_encoded(const job *j, err *e)
{
    for (int64_t i = 0; i < j->chunk_count; i++)
        if (!j->chunks[i].ok) {
            *e = j->chunks[i].error;
            return false;
        }
    if (!j->ok)
        *e = j->error;
    return j->ok;
}

static void show_progress(build *b, double began)
{
    int64_t bytes = b->bytes_before + (b->reader ? reader_bytes(b->reader) : 0);
    const double seconds = clock_now() - began, rate = seconds > 0 ? (double)bytes / 1e6 / seconds : 0;
    progress_set((bytes + 1023) >> 10, "kB, %lld rows, %.1f MB/s", (long long)b->rows_read, rate);
}

// One round: the shard before is written, this one encoded, the next one read.
static bool run_round(build *b, err *e)
{
    pthread_t thread;
    const bool beside = b->writing && pthread_create(&thread, NULL, run_writer, b) == 0;
    b->read_ok = true;
    if (b->writing && !beside)
        write_shard(b, b->writing);
    pool_run(b->pool, TILES_BEFORE + (b->encoding ? b->encoding->chunk_count : 0), round_tile, b);
    if (beside)
        pthread_join(thread, NULL);
    if (b->writing) {
        if (!b->writing->ok) {
            *e = b->writing->error;
            return false;
        }
        TRY(build_add_shard(b, b->writing->index, &b->writing->built, e));
    }
    if (b->encoding)
        TRY(check_encoded(b->encoding, e));
    if (!b->read_ok)
        *e = b->read_error;
    return b->read_ok;
}

static bool run_rounds(build *b, err *e)
{
    const double began = clock_now();
    bool more = true;
    for (int64_t i = 0; more || b->encoding || b->writing; i++) {
        TRY(data_goes_on(e));
        b->reading = more ? &b->jobs[i % 3] : NULL;
        TRY(run_round(b, e));
        b->writing = b->encoding;
        // A job that met a mistake is encoded too: a mistake in the rows before it comes first.
        b->encoding = b->reading && (b->reading->count || !b->reading->ok) ? b->reading : NULL;
        more = more && b->reading->ok && !b->reading->last;
        show_progress(b, began);
    }
    return true;
}

// ---- the end ----

static bool nothing_kept(const build *b, err *e)
{
    const cache_totals *t = &b->ledger.info.totals;
    const int most = t->drop_count > 1 && t->drops[1].rows > t->drops[0].rows;
    return fail(e, ERR_INPUT, "'%s': none of the %lld rows can be trained on; %s: %s", b->name, (long long)t->rows,
                t->drop_count ? t->drops[most].first : "they are none", t->drop_count ? t->drops[most].reason : "no row");
}

static bool finish(build *b, cache_totals *out, err *e)
{
    ledger *l = &b->ledger;
    TRY(build_sources_unchanged(b, e));
    l->shards = ARENA_ARRAY(&b->arena, ledger_shard, b->shard_count + 1);
    l->info = (shard_info){0};
    for (int64_t i = 0; i < b->shard_count; i++) {
        const built_shard *s = &b->shards[i];
        char name[32];
        shard_name(i, name);
        l->shards[i] = (ledger_shard){ .name = arena_chars(&b->arena, str_of(name)), .rows = s->rows, .count = s->count };
        memcpy(l->shards[i].sha256, s->digest, sizeof s->digest);
        info_add(&l->info, &s->info);
    }
    l->shard_count = b->shard_count;
    if (!l->info.totals.kept)
        return nothing_kept(b, e);
    l->finished = true;
    TRY(ledger_write(b->folder, l, e));
    *out = l->info.totals;
    return true;
}

// A finished cache of the same key is what is wanted, if it is whole.
static bool is_built(build *b, cache_totals *out)
{
    ledger old;
    err why = {0};
    arena a = {0};
    bool same = ledger_read(&a, b->folder, &old, &why) && old.finished && !strcmp(old.key, b->ledger.key);
    arena_close(&a);
    if (!same)
        return false;
    cache *c = cache_open(b->folder, &why);
    if (c)
        *out = *cache_get_totals(c);
    else
        log_warning("%s; what is damaged is made again", why.text);
    cache_close(c);
    return c != NULL;
}

static bool run(build *b, cache_totals *out, err *e)
{
    int64_t bytes = 0;
    if (is_built(b, out))
        return true;
    TRY(build_open_folder(b, e));
    TRY(build_find_shards(b, e));
    for (int64_t i = 0; i < b->ledger.source_count; i++)
        bytes += b->ledger.sources[i].size;
    progress_open(b->name, (bytes + 1023) >> 10);
    bool ok = run_rounds(b, e);
    progress_close();
    return ok && finish(b, out, e);
}

static bool open_build(build *b, const char *const *patterns, int64_t pattern_count, err *e)
{
    if (!(b->pool = pool_open(b->options->threads, e)))
        return false;
    const cache_options *o = b->options;
    if (!(b->chat = chat_open(b->tokenizer, o->chat_template, o->template_file, e)))
        return false;
    const str shown = chat_template(b->chat);
    b->shows_tools = str_find(shown, STR("tools"), 0) < shown.size;
    b->shows_calls = str_find(shown, STR("tool_calls"), 0) < shown.size;
    b->adapting = o->adapter;
    b->adapting.calls_as_text = o->adapter.calls_as_text || !b->shows_calls;
    b->scratch = calloc((size_t)pool_threads(b->pool), sizeof *b->scratch);
    return b->scratch ? build_begin(b, patterns, pattern_count, e) : fail(e, ERR_MEMORY, "no memory to tokenize");
}

static void close_build(build *b)
{
    for (int i = 0; i < 3; i++) {
        job *j = &b->jobs[i];
        for (int64_t k = 0; k < j->chunk_room; k++)
            piece_close(&j->pieces[k]);
        free(j->pieces);
        free(j->chunks);
        free(j->rows);
        free(j->text);
    }
    for (int i = 0; b->scratch && i < pool_threads(b->pool); i++) {
        arena_close(&b->scratch[i].arena);
        chat_result_close(&b->scratch[i].result);
    }
    free(b->scratch);
    free(b->shards);
    reader_close(b->reader);
    chat_close(b->chat);
    pool_close(b->pool);
    arena_close(&b->arena);
    if (b->lock >= 0)
        close(b->lock);
}

// After a mistake in the data, a folder in which no shard was finished is left as it was found.
static void clean_up(const build *b, bool existed)
{
    err ignored = {0};
    char path[4096];
    if (b->shard_count || !build_remove_own(b->folder, &ignored))
        return;
    snprintf(path, sizeof path, "%s/.lock", b->folder);
    unlink(path);
    if (!existed)
        rmdir(b->folder);
}

bool cache_build(const char *folder, const char *name, const char *const *patterns, int64_t pattern_count, const tokenizer *t,
                 const cache_options *o, cache_totals *out, err *e)
{
    build b = { .folder = folder, .name = name, .tokenizer = t, .options = o, .lock = -1 };
    bool existed = file_exists(folder), locked = false;
    bool ok = open_build(&b, patterns, pattern_count, e) && folder_make(folder, e) && (locked = build_lock(&b, e)) && run(&b, out, e);
    if (!ok && locked && e->code == ERR_INPUT)
        clean_up(&b, existed);
    close_build(&b);
    return ok;
}

// ---- what was counted, in words ----

void cache_say_totals(const char *name, const cache_totals *t)
{
    log_info("%s: %lld of %lld rows, %lld tokens, of which %lld are trained (%.0f %%); the longest has %lld", name, (long long)t->kept,
             (long long)t->rows, (long long)t->tokens, (long long)t->trained,
             t->tokens ? 100.0 * (double)t->trained / (double)t->tokens : 0, (long long)t->longest);
    for (int i = 0; i < t->drop_count; i++)
        log_warning("%s: %lld rows are left out: %s (the first: %s)", name, (long long)t->drops[i].rows, t->drops[i].reason,
                    t->drops[i].first);
    if (t->special_in_content)
        log_warning("%s: the text of %lld rows holds special tokens, which are read as such; special_tokens_in_content=text reads them "
                    "as text", name, (long long)t->special_in_content);
    if (t->bos_missing)
        log_warning("%s: %lld rows begin without the BOS token that the tokenizer alone would add; bos=add adds it", name,
                    (long long)t->bos_missing);
    if (t->bos_double)
        log_warning("%s: %lld rows begin with two BOS tokens; the chat template writes one too many", name, (long long)t->bos_double);
    if (t->left_out)
        log_warning("%s: of %lld rows the chat template prints an answer not at all, so it is not trained", name, (long long)t->left_out);
    if (t->tools_unseen)
        log_warning("%s: %lld rows have tools or tool calls that the chat template does not show", name, (long long)t->tools_unseen);
}
