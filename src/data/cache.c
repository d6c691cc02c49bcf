// A finished token cache, mapped for reading. What is damaged is named before anything is read from it.
#include "data/cache.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/pool.h"
#include "base/util.h"
#include "data/ledger.h"

typedef struct cache_file {
    const char *path;
    mapped bytes;
    shard shard;
    err error;
    bool ok;
} cache_file;

struct cache {
    arena arena;
    ledger ledger;
    cache_file *files;
    int64_t *first;                 // number of each shard's first conversation; one more at the end
    int64_t count;
};

static bool check_sources(const shard *s, const ledger *l, const char *path, err *e)
{
    for (int64_t i = 0; i < s->head.count; i++)
        if (s->files[i] >= l->source_count)
            return fail(e, ERR_INPUT, "%s: damaged: it names a source that the ledger does not; tokenize again", path);
    return true;
}

static bool check_shard(cache_file *f, const ledger *l, const ledger_shard *expected, int64_t index, err *e)
{
    TRY(file_map(f->path, &f->bytes, e));
    TRY(shard_parse(f->bytes.bytes, f->path, &f->shard, e));
    TRY(shard_check_digest(f->bytes.bytes, f->path, e));
    const shard_head *h = &f->shard.head;
    if (strcmp(f->shard.digest, expected->sha256) || memcmp(h->key, l->key, SHA256_HEX) || h->index != index
        || h->count != expected->count || h->rows != expected->rows || h->vocab != l->vocab)
        return fail(e, ERR_INPUT, "%s: damaged: it is not the shard that the ledger names; tokenize again", f->path);
    return check_sources(&f->shard, l, f->path, e);
}

static void check_tile(void *self, int64_t i, int thread)
{
    cache *c = self;
    (void)thread;
    c->files[i].ok = check_shard(&c->files[i], &c->ledger, &c->ledger.shards[i], i, &c->files[i].error);
    file_forget(c->files[i].bytes.bytes);                   // a cache may be larger than memory
}

// Maps and checks all shards, on all threads; the first damaged one in order is the one reported.
static bool open_shards(cache *c, const char *folder, err *e)
{
    const int64_t shards = c->ledger.shard_count;
    c->files = ARENA_ARRAY(&c->arena, cache_file, shards + 1);
    c->first = ARENA_ARRAY(&c->arena, int64_t, shards + 1);
    for (int64_t i = 0; i < shards; i++)
        c->files[i].path = path_join(&c->arena, folder, c->ledger.shards[i].name);
    pool *p = shards > 1 ? pool_open(0, e) : NULL;
    if (shards > 1 && !p)
        return false;
    pool_run(p, shards, check_tile, c);
    pool_close(p);
    shard_info all = {0};
    for (int64_t i = 0; i < shards; i++) {
        if (!c->files[i].ok) {
            *e = c->files[i].error;
            return false;
        }
        c->first[i + 1] = c->first[i] + c->files[i].shard.head.count;
        info_add(&all, &c->files[i].shard.info);
    }
    c->count = c->first[shards];
    const cache_totals *said = &c->ledger.info.totals, *found = &all.totals;
    if (said->rows != found->rows || said->kept != found->kept || said->tokens != found->tokens || said->trained != found->trained)
        return fail(e, ERR_INPUT, "%s/%s: damaged: its totals are not those of its shards; tokenize again", folder, LEDGER_NAME);
    return true;
}

cache *cache_open(const char *folder, err *e)
{
    cache *c = calloc(1, sizeof *c);
    if (!c) {
        fail(e, ERR_MEMORY, "no memory to open '%s'", folder);
        return NULL;
    }
    bool ok = ledger_read(&c->arena, folder, &c->ledger, e);
    if (ok && !c->ledger.finished)
        ok = fail(e, ERR_INPUT, "the token cache '%s' is not finished; tokenize again to go on where it stopped", folder);
    if (ok && open_shards(c, folder, e))
        return c;
    cache_close(c);
    return NULL;
}

void cache_close(cache *c)
{
    if (!c)
        return;
    for (int64_t i = 0; c->files && i < c->ledger.shard_count; i++)
        file_unmap(&c->files[i].bytes);
    arena_close(&c->arena);
    free(c);
}

int64_t cache_count(const cache *c) { return c->count; }
const cache_totals *cache_get_totals(const cache *c) { return &c->ledger.info.totals; }
const char *cache_tokenizer_digest(const cache *c) { return c->ledger.tokenizer_digest; }
const char *cache_chat_template(const cache *c) { return c->ledger.chat_template; }
int64_t cache_vocab(const cache *c) { return c->ledger.vocab; }

int32_t cache_stop_token(const cache *c, int i)
{
    return i >= 0 && i < c->ledger.info.stop_count ? c->ledger.info.stops[i] : -1;
}

const char *cache_source(const cache *c, int64_t file)
{
    return file >= 0 && file < c->ledger.source_count ? c->ledger.sources[file].path : "?";
}

conversation cache_at(const cache *c, int64_t i)
{
    int64_t low = 0, high = c->ledger.shard_count;          // first[low] <= i < first[high]
    while (high - low > 1) {
        int64_t middle = (low + high) / 2;
        *(c->first[middle] <= i ? &low : &high) = middle;
    }
    const shard *s = &c->files[low].shard;
    const int64_t k = i - c->first[low], begin = s->offsets[k];
    return (conversation){ s->ids + begin, s->mask + begin, s->offsets[k + 1] - begin, s->files[k], s->rows[k] };
}
