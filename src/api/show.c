// skiff.h: tokens as they are trained, from the very buffers that the trainer reads.
#include <skiff/skiff.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/api.h"
#include "api/pipeline.h"
#include "base/json.h"
#include "base/log.h"
#include "data/loader.h"
#include "data/reader.h"
#include "data/retrace.h"
#include "data/roles.h"
#include "run/settings.h"

typedef struct showing {
    const char *cache_folder;
    const tokenizer *tokenizer;
    const char *file;               // of a row of chats: where it stands, instead of where its copy does; or NULL
    int64_t row;
    bool (*token)(void *self, const skiff_shown *);
    void *self;
    retrace *again;                 // NULL: roles are not known
    text bytes;
} showing;

// ---- a row of chats -----------------------------------------------------------------------------------------------------

typedef struct one_row { int64_t left, number; const char *file; int64_t row; text json; } one_row;

// Of one file a row's number is its own (of .jsonl: its line), as errors name it; of several, rows are counted through.
static bool is_it(one_row *r, const raw_row *raw)
{
    r->row = raw->at.row;
    r->left--;
    return r->number ? raw->at.row >= r->number : r->left == 0;
}

// Rows before it may be bad: only the one that is wanted is parsed.
static bool find_in_file(const char *path, one_row *r, bool *found, err *e)
{
    arena a = {0};
    reader *file = reader_open(path, e);
    raw_row raw;
    bool ok = file != NULL;
    r->file = path;
    while (ok && !*found && (ok = reader_next_raw(file, &raw, e)) && raw.bytes.at) {
        const node *n = NULL;
        if (!is_it(r, &raw))
            continue;
        *found = !r->number || r->row == r->number;
        if (*found && (ok = raw_row_parse(&raw, &a, &n, e)))
            json_write(&r->json, n, JSON_SPACED);
        if (!*found)
            break;
    }
    arena_close(&a);
    reader_close(file);
    return ok;
}

static bool find_row(arena *a, const char *data, int64_t number, one_row *r, err *e)
{
    char **paths;
    int64_t count;
    bool found = false;
    *r = (one_row){ .left = number };
    TRY(data_expand(a, data, &paths, &count, e));
    r->number = count == 1 ? number : 0;
    for (int64_t i = 0; !found && i < count; i++)
        TRY(find_in_file(paths[i], r, &found, e));
    if (found)
        return text_ok(&r->json, e);
    if (r->number && r->row > number)
        return fail(e, ERR_INPUT, "%s: line %lld is empty", data, (long long)number);
    return fail(e, ERR_INPUT, "%s: there is no row %lld, the last one is %lld", data, (long long)number,
                (long long)(r->number ? r->row : number - r->left));
}

// What went wrong with the copy is said of the row.
static void name_row(const one_row *r, const char *copy, err *e)
{
    char was[64], rest[sizeof e->text];
    snprintf(was, sizeof was, "%s: row 1", copy);
    const char *at = strstr(e->text, was);
    if (!at)
        return;
    snprintf(rest, sizeof rest, "%s", at + strlen(was));
    fail(e, e->code, "%.200s: row %lld%.250s", r->file, (long long)r->row, rest);
}

// A token cache of one row of chats, in a temporary folder, so that what is shown is what a run would read.
static bool cache_of_row(arena *a, const one_row *r, const char *model_path, const api_options *o, const char *folder, err *e)
{
    cache_totals totals;
    char *file = path_join(a, folder, "row.jsonl");
    TRY(file_write(file, text_view(&r->json), e));
    log_set_level(LOG_WARNING);
    if (api_build_cache(a, file, model_path, path_join(a, folder, "cache"), "tokenizing", o, &totals, e))
        return true;
    name_row(r, file, e);
    return false;
}

// ---- a pack -------------------------------------------------------------------------------------------------------------

static bool show_segment(showing *s, const cache *c, const batch *b, int64_t at, int64_t kept, int64_t index, int64_t segment, bool *more)
{
    const conversation v = cache_at(c, index);
    retraced x = {0};
    err ignored = {0};
    char word[24];
    bool known = s->again && retrace_at(s->again, index, &x, &ignored) && x.same;
    for (int64_t i = at; *more && i < at + kept; i++) {
        text_clear(&s->bytes);
        tokenizer_token_bytes(s->tokenizer, b->ids[i], &s->bytes);
        const skiff_shown out = {
            .id = b->ids[i], .text = text_view(&s->bytes).at, .size = s->bytes.size, .segment = segment, .position = b->position[i],
            .trained = i > 0 && b->target[i - 1] >= 0, .role = known ? role_of_token(x.row, x.prompt, x.result, i - at, word) : "",
            .file = s->file ? s->file : cache_source(c, v.source_file), .row = s->file ? s->row : v.source_row,
            .kept = kept, .whole = v.count,
        };
        *more = s->token(s->self, &out);
    }
    return *more;
}

// Segments are found in the buffers: where a token's own place is where its segment starts.
static bool show_pack(showing *s, const cache *c, const packs *p, int64_t pack, int64_t seq, err *e)
{
    const int64_t *items, count = packs_at(p, pack, &items);
    batch *b = batch_open(1, seq, e);
    bool more = true;
    if (!b)
        return false;
    packs_fill(p, pack, b, 0);
    for (int64_t i = 0, at = 0; i < count && more; i++) {
        int64_t end = at + 1;
        while (end < b->real && b->start[end] == at)
            end++;
        more = show_segment(s, c, b, at, end - at, items[i], i + 1, &more);
        at = end;
    }
    batch_close(b);
    return true;
}

static bool show_cache(showing *s, int64_t number, const api_options *o, err *e)
{
    struct SimpleSFTConfig sft = o->sft;
    train_config t;
    err ignored = {0};
    sft.model_name_or_path = "-";
    TRY(train_config_fill(&sft, o->format.pack, &t, e));
    cache *c = cache_open(s->cache_folder, e);
    packs *p = c ? packs_open(c, t.seq, t.pack, t.truncate, 0, e) : NULL;
    bool ok = p != NULL;
    if (ok && strcmp(cache_tokenizer_digest(c), tokenizer_digest(s->tokenizer)))
        ok = fail(e, ERR_INPUT, "%s: made with another tokenizer than that of '%s'", s->cache_folder, tokenizer_path(s->tokenizer));
    if (ok && number > packs_totals(p)->packs)
        ok = fail(e, ERR_INPUT, "%s: there is no pack %lld, the last one is %lld (max_seq_len=%lld)", s->cache_folder, (long long)number,
                  (long long)packs_totals(p)->packs, (long long)t.seq);
    if (ok) {
        const retrace_how how = { .chat_template = str_of(cache_chat_template(c)) };
        s->again = retrace_open(s->cache_folder, c, s->tokenizer, &how, &ignored);
    }
    ok = ok && show_pack(s, c, p, number - 1, t.seq, e);
    retrace_close(s->again);
    packs_close(p);
    cache_close(c);
    return ok;
}

// ---- what is asked for --------------------------------------------------------------------------------------------------

static bool show_row(arena *a, showing *s, const char *data, const char *model_path, int64_t number, const api_options *o, err *e)
{
    char folder[] = "/tmp/skiff-show-XXXXXX";
    one_row r = {0};
    err ignored = {0};
    bool ok = find_row(a, data, number, &r, e), made = false;
    if (ok && !(made = mkdtemp(folder) != NULL))
        ok = fail_io(e, "make a folder", folder);
    s->cache_folder = path_join(a, folder, "cache");
    s->file = r.file;
    s->row = r.row;
    ok = ok && cache_of_row(a, &r, model_path, o, folder, e) && show_cache(s, 1, o, e);
    if (made && !folder_remove(folder, &ignored))
        log_warning("%s", ignored.text);
    text_close(&r.json);
    return ok;
}

bool skiff_data_show(const char *data, const char *model_path, int64_t number, const char *const *options,
                     bool (*token)(void *self, const skiff_shown *), void *self, skiff_err *e)
{
    arena a = {0};
    api_options o;
    showing s = { .cache_folder = data, .token = token, .self = self };
    tokenizer *t = NULL;
    bool ok = api_options_read("data show", options, &a, &o, e);
    if (ok && !model_path)
        ok = fail(e, ERR_INPUT, "skiff data show: --model is missing: its tokenizer says what the ids stand for");
    ok = ok && (number > 0 || fail(e, ERR_INPUT, "skiff data show: rows and packs are numbered from 1, got %lld", (long long)number));
    ok = ok && bring_local(&a, "model", &model_path, e) && (s.tokenizer = t = tokenizer_open(model_path, e));
    ok = ok && (api_is_cache(data) ? show_cache(&s, number, &o, e) : show_row(&a, &s, data, model_path, number, &o, e));
    text_close(&s.bytes);
    tokenizer_close(t);
    arena_close(&a);
    return ok;
}
