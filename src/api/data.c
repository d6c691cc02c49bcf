// skiff.h: rows of data, tokens as trained, token caches.
#include <skiff/skiff.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/api.h"
#include "api/pipeline.h"
#include "base/log.h"
#include "data/loader.h"
#include "data/reader.h"
#include "run/settings.h"

typedef bool row_sink(void *self, const char *json, size_t size);

static bool rows_of_file(const char *path, int64_t *left, row_sink *row, void *self, bool *stop, err *e)
{
    arena a = {0};
    text line = {0};
    reader *r = reader_open(path, e);
    bool ok = r != NULL;
    while (ok && !*stop) {
        const node *n;
        place at;
        arena_close(&a);
        ok = reader_next(r, &a, &n, &at, e);
        if (!ok || !n)
            break;
        text_clear(&line);
        json_write(&line, n, JSON_SPACED);
        ok = text_ok(&line, e);
        *stop = ok && (!row(self, line.chars, line.size) || --*left == 0);
    }
    text_close(&line);
    arena_close(&a);
    reader_close(r);
    return ok;
}

bool skiff_data_rows(const char *data, int64_t limit, row_sink *row, void *self, skiff_err *e)
{
    arena a = {0};
    char **paths;
    int64_t count, left = limit;
    bool stop = false, ok = data_expand(&a, data, &paths, &count, e);
    for (int64_t i = 0; ok && !stop && i < count; i++)
        ok = rows_of_file(paths[i], &left, row, self, &stop, e);
    arena_close(&a);
    return ok;
}

// ---- tokenize ----

node *api_cache_report(arena *a, const char *folder, const cache_totals *t)
{
    node *out = node_object(a), *drops = node_object(a);
    const struct { const char *name; int64_t value; } numbers[] = {
        { "rows", t->rows }, { "kept", t->kept }, { "dropped", t->dropped }, { "tokens", t->tokens }, { "trained_tokens", t->trained },
        { "longest", t->longest }, { "special_tokens_in_content", t->special_in_content }, { "bos_missing", t->bos_missing },
        { "bos_double", t->bos_double },
    };
    node_put(a, out, "output_path", node_text(arena_str(a, str_of(folder))));
    for (size_t i = 0; i < COUNT(numbers); i++)
        node_put(a, out, numbers[i].name, node_int(numbers[i].value));
    for (int i = 0; i < t->drop_count; i++)
        node_put(a, drops, t->drops[i].reason, node_int(t->drops[i].rows));
    if (t->drop_count)
        node_put(a, out, "drops", *drops);
    return out;
}

bool api_build_cache(arena *a, const char *data, const char *model_path, const char *folder, const char *name, const api_options *o,
                     cache_totals *totals, err *e)
{
    cache_options c;
    const char *patterns[] = { data };
    TRY(cache_options_fill(a, &o->tokenize, &o->format, &c, e));
    TRY(bring_local(a, "tokenizer", &model_path, e));
    tokenizer *t = tokenizer_open(model_path, e);
    bool ok = t && cache_build(folder, name, patterns, 1, t, &c, totals, e);
    tokenizer_close(t);
    return ok;
}

bool skiff_tokenize(const char *data, const char *model_path, const char *output, const char *const *options, char **report, skiff_err *e)
{
    arena a = {0};
    api_options o;
    cache_totals totals;
    bool ok = api_options_read("tokenize", options, &a, &o, e)
           && api_build_cache(&a, data, model_path, output, "tokenizing", &o, &totals, e);
    if (ok)
        cache_say_totals(output, &totals);
    ok = ok && api_report(api_cache_report(&a, output, &totals), report, e);
    arena_close(&a);
    return ok;
}

// ---- data show ----

bool api_is_cache(const char *path)
{
    arena a = {0};
    bool is = file_is_folder(path) && file_exists(path_join(&a, path, "ledger.json"));
    arena_close(&a);
    return is;
}

typedef struct one_row { int64_t wanted, at; text json; } one_row;

static bool take_row(void *self, const char *json, size_t size)
{
    one_row *r = self;
    if (++r->at < r->wanted)
        return true;
    text_bytes(&r->json, json, size);
    return false;
}

// A token cache of one row of chats, in a temporary folder, so that what is shown is what a run would read.
static bool cache_of_row(arena *a, const char *data, const char *model_path, int64_t number, const api_options *o, char *folder, err *e)
{
    one_row r = { .wanted = number };
    cache_totals totals;
    TRY(model_path || fail(e, ERR_INPUT, "skiff data show: --model is missing: chats are shown as the tokenizer of a model cuts them"));
    bool ok = skiff_data_rows(data, 0, take_row, &r, e)
           && (r.at == number || fail(e, ERR_INPUT, "%s: there is no row %lld, the last one is %lld", data, (long long)number,
                                         (long long)r.at))
           && (mkdtemp(folder) || fail_io(e, "make a folder", folder));
    char *file = path_join(a, folder, "row.jsonl");
    ok = ok && file_write(file, text_view(&r.json), e);
    log_set_level(LOG_WARNING);
    ok = ok && api_build_cache(a, file, model_path, path_join(a, folder, "cache"), "tokenizing", o, &totals, e);
    text_close(&r.json);
    return ok;
}

static bool show_pack(const packs *p, const tokenizer *t, int64_t pack, int64_t seq, bool (*token)(void *, const skiff_shown *),
                      void *self, err *e)
{
    batch *b = batch_open(1, seq, e);
    text bytes = {0};
    if (!b)
        return false;
    packs_fill(p, pack, b, 0);
    int64_t segment = 0, padding = seq;
    while (padding > 0 && b->start[padding - 1] == padding - 1 && b->ids[padding - 1] == 0 && b->target[padding - 1] < 0
           && b->position[padding - 1] == 0)
        padding--;
    for (int64_t i = 0; i < padding; i++) {
        segment += b->start[i] == i;
        text_clear(&bytes);
        tokenizer_token_bytes(t, b->ids[i], &bytes);
        skiff_shown s = {
            .id = b->ids[i], .text = text_view(&bytes).at, .size = bytes.size, .segment = segment, .position = b->position[i],
            .trained = i > 0 && b->target[i - 1] >= 0,
        };
        if (!token(self, &s))
            break;
    }
    text_close(&bytes);
    batch_close(b);
    return true;
}

static bool show_cache(const char *folder, const tokenizer *t, int64_t number, const api_options *o,
                       bool (*token)(void *, const skiff_shown *), void *self, err *e)
{
    struct SimpleSFTConfig sft = o->sft;
    train_config c;
    sft.model_name_or_path = "-";
    TRY(train_config_fill(&sft, o->format.pack, &c, e));
    cache *k = cache_open(folder, e);
    packs *p = k ? packs_open(k, c.seq, c.pack, c.truncate, 0, e) : NULL;
    bool ok = p != NULL;
    if (ok && strcmp(cache_tokenizer_digest(k), tokenizer_digest(t)))
        ok = fail(e, ERR_INPUT, "%s: made with another tokenizer than that of '%s'", folder, tokenizer_path(t));
    if (ok && number > packs_totals(p)->packs)
        ok = fail(e, ERR_INPUT, "%s: there is no pack %lld, the last one is %lld (max_seq_len=%lld)", folder, (long long)number,
                  (long long)packs_totals(p)->packs, (long long)c.seq);
    ok = ok && show_pack(p, t, number - 1, c.seq, token, self, e);
    packs_close(p);
    cache_close(k);
    return ok;
}

bool skiff_data_show(const char *data, const char *model_path, int64_t number, const char *const *options,
                     bool (*token)(void *self, const skiff_shown *), void *self, skiff_err *e)
{
    arena a = {0};
    api_options o;
    char folder[] = "/tmp/skiff-show-XXXXXX";
    bool chats = !api_is_cache(data);
    bool ok = api_options_read("data show", options, &a, &o, e);
    tokenizer *t = NULL;
    if (ok && !model_path)
        ok = fail(e, ERR_INPUT, "skiff data show: --model is missing: its tokenizer says what the ids stand for");
    ok = ok && bring_local(&a, "tokenizer", &model_path, e);
    if (ok && chats)
        ok = cache_of_row(&a, data, model_path, number, &o, folder, e);
    ok = ok && (t = tokenizer_open(model_path, e))
      && show_cache(chats ? path_join(&a, folder, "cache") : data, t, chats ? 1 : number, &o, token, self, e);
    tokenizer_close(t);
    err ignored = {0};
    if (chats && strcmp(folder, "/tmp/skiff-show-XXXXXX"))
        (void)!folder_remove(folder, &ignored);
    arena_close(&a);
    return ok;
}
