// Rows in batches: read by one thread, looked at by all, told in order.
#include "data/check_parts.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/pool.h"
#include "base/progress.h"
#include "base/util.h"

enum { BATCH_ROWS = 2048, BATCH_BYTES = 16 << 20, TILE_ROWS = 32 };

typedef struct checking {
    row_checker row;
    check_totals *totals;
    bool (*finding)(void *self, const check_finding *);
    void *self;
    pool *pool;
    row_scratch *scratch;
    reader *reader;
    const char *path;
    const adapter *adapter;         // of the file
    text bytes;                     // of a batch's rows
    looked *rows;
    int64_t count;
    arena errors;                   // of a batch's files
    bool stop;
} checking;

// ---- telling ------------------------------------------------------------------------------------------------------------

static void tell(checking *c, const check_finding *f)
{
    check_totals *t = c->totals;
    if (!t->reasons[f->reason]++)
        snprintf(t->first[f->reason], sizeof t->first[0], "%s%s%.0lld", f->file, f->row ? ": row " : "", (long long)f->row);
    c->stop = c->stop || !c->finding(c->self, f);
}

static bool tell_batch(checking *c, err *e)
{
    for (int64_t i = 0; i < c->count && !c->stop; i++) {
        const looked *row = &c->rows[i];
        bool bad = false;
        if (row->unreadable) {
            *e = row->error;
            return false;
        }
        for (int k = 0; k < row->found.count && !c->stop; k++) {
            bad = bad || row->found.items[k].reason < CHECK_BAD;
            tell(c, &row->found.items[k]);
        }
        c->totals->rows++;
        c->totals->bad += bad;
        c->totals->tokens += row->tokens;
        c->totals->trained += row->trained;
        c->totals->longest = MAX(c->totals->longest, row->tokens);
    }
    return true;
}

// ---- a batch ------------------------------------------------------------------------------------------------------------

static void tile(void *self, int64_t i, int thread)
{
    checking *c = self;
    const int64_t end = MIN((i + 1) * TILE_ROWS, c->count);
    for (int64_t k = i * TILE_ROWS; k < end; k++)
        check_row(&c->row, &c->scratch[thread], str_slice(text_view(&c->bytes), c->rows[k].begin, c->rows[k].begin + c->rows[k].size),
                  &c->rows[k]);
}

static bool look_at_batch(checking *c, err *e)
{
    TRY(text_ok(&c->bytes, e));
    pool_run(c->pool, (c->count + TILE_ROWS - 1) / TILE_ROWS, tile, c);
    bool ok = tell_batch(c, e);
    for (int i = 0; i < pool_threads(c->pool); i++)
        arena_close(&c->scratch[i].texts);
    arena_close(&c->errors);
    text_clear(&c->bytes);
    c->count = 0;
    return ok;
}

// The first row of a file that has a known form says how its rows are read; those before it are bad.
static void choose(checking *c, looked *row, const raw_row *raw)
{
    arena a = {0};
    const node *n;
    err e = {0};
    bool parsed = raw_row_parse(raw, &a, &n, &e);
    if (!parsed || !adapter_choose(&c->row.adapting, n, raw->at, &c->adapter, &e)) {
        c->adapter = NULL;
        row->found.items[0] = check_of_error(&c->errors, parsed ? CHECK_FORM : CHECK_MALFORMED, row->raw.at, &e);
        row->found.count = 1;
    }
    arena_close(&a);
}

static void add_row(checking *c, const raw_row *raw)
{
    looked *row = &c->rows[c->count++];
    *row = (looked){ .begin = c->bytes.size, .size = raw->bytes.size, .raw = *raw };
    row->raw.at.file = c->path;
    text_str(&c->bytes, raw->bytes);
    if (!c->adapter)
        choose(c, row, raw);
    row->adapter = c->adapter;
}

// A file that cannot be read to its end is named; the next one is read all the same.
static void tell_file(checking *c, const err *e)
{
    check_finding f = check_of_error(&c->errors, CHECK_FILE, (place){ .file = c->path }, e);
    tell(c, &f);
}

static bool check_file(checking *c, err *e)
{
    err why = {0};
    raw_row raw;
    c->adapter = NULL;
    c->reader = reader_open(c->path, &why);
    bool whole = c->reader != NULL, ok = true;
    while (ok && whole && !c->stop && (whole = reader_next_raw(c->reader, &raw, &why)) && raw.bytes.at) {
        add_row(c, &raw);
        if (c->count == BATCH_ROWS || c->bytes.size >= BATCH_BYTES)
            ok = look_at_batch(c, e);
        progress_set(c->totals->rows + c->count, "rows");
    }
    if (ok && !whole && why.code == ERR_MEMORY) {
        *e = why;
        ok = false;
    }
    ok = ok && look_at_batch(c, e);             // the reader's path lives no longer than it
    if (ok && !whole && !c->stop)
        tell_file(c, &why);
    reader_close(c->reader);
    c->totals->files++;
    return ok;
}

// ---- opening ------------------------------------------------------------------------------------------------------------

// A name that is no adapter's is a mistake of the whole, not of each row.
static bool check_adapter(const adapter_options *o, err *e)
{
    const node nothing = { .kind = NODE_OBJECT };
    const adapter *ignored;
    for (const char *const *name = adapter_names(); o->adapter && *name; name++)
        if (!strcmp(*name, o->adapter))
            return true;
    return !o->adapter || adapter_choose(o, &nothing, (place){ .file = "adapter" }, &ignored, e);
}

static bool open_row_checker(row_checker *r, const check_options *o, chat **opened, err *e)
{
    r->options = o;
    r->adapting = o->adapter;
    *opened = NULL;
    TRY(check_adapter(&o->adapter, e));
    if (!o->tokenizer)
        return true;
    if (!(*opened = chat_open(o->tokenizer, o->chat_template, o->template_file, e)))
        return false;
    const str shown = chat_template(*opened);
    r->chat = *opened;
    r->shows_tools = str_find(shown, STR("tools"), 0) < shown.size;
    r->shows_calls = str_find(shown, STR("tool_calls"), 0) < shown.size;
    r->adapting.calls_as_text = o->adapter.calls_as_text || !r->shows_calls;
    return true;
}

static bool check_files(checking *c, const char *data, err *e)
{
    arena a = {0};
    char **paths;
    int64_t count;
    bool ok = data_expand(&a, data, &paths, &count, e);
    progress_open("checking", 0);
    for (int64_t i = 0; ok && !c->stop && i < count; i++) {
        c->path = paths[i];
        ok = check_file(c, e);
    }
    progress_close();
    arena_close(&a);
    return ok;
}

bool data_check(const char *data, const check_options *o, bool (*finding)(void *self, const check_finding *), void *self,
                check_totals *out, err *e)
{
    checking c = { .totals = out, .finding = finding, .self = self };
    chat *opened = NULL;
    *out = (check_totals){0};
    bool ok = open_row_checker(&c.row, o, &opened, e) && (c.pool = pool_open(o->threads, e)) != NULL;
    if (ok) {
        c.rows = calloc(BATCH_ROWS, sizeof *c.rows);
        c.scratch = calloc((size_t)pool_threads(c.pool), sizeof *c.scratch);
        ok = (c.rows && c.scratch) || fail(e, ERR_MEMORY, "no memory to check '%s'", data);
    }
    ok = ok && check_files(&c, data, e);
    for (int i = 0; c.scratch && i < pool_threads(c.pool); i++) {
        roles_sum(&out->roles, &c.scratch[i].roles);
        arena_close(&c.scratch[i].texts);
        chat_result_close(&c.scratch[i].result);
    }
    free(c.scratch);
    free(c.rows);
    text_close(&c.bytes);
    arena_close(&c.errors);
    pool_close(c.pool);
    chat_close(opened);
    return ok;
}
