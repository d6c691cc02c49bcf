// Reading, adapting and packing a dataset, shard by shard. While one batch of pieces is packed by all threads, one thread reads and
// adapts the next; pieces are cut by the rows alone, so that threads change no byte.
#include "data/transform.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/util.h"
#include "data/stop.h"
#include "data/transform_parts.h"

enum { PIECES = 16, PIECE_ROWS = 128, PIECE_BYTES = 1 << 20 };

typedef struct batch {
    piece pieces[PIECES];
    int count;
    bool ends_shard, ends_part, ok;
    err error;
    int64_t file, row;                      // the place after it
    transform_totals totals;
} batch;

typedef struct transform {
    const char *folder, *name;
    const transform_options *options;
    arena arena;
    pool *pool;
    part *parts;
    int64_t part_count;
    transform_state state;
    batch batches[2];
    // reading
    const part *part;
    reader *reader;
    const adapter *adapter;                 // of the file being read
    int64_t file, row, shard_rows;          // rows taken of the file; rows of this shard so far
    int64_t bytes_before, bytes_total, rows_read;
    batch *reading, *packing;
} transform;

// ---- reading ----

// The next row of the part; *row == NULL after the last.
static bool next_row(transform *t, arena *a, const node **row, place *at, err *e)
{
    for (*row = NULL; t->file < t->part->count; t->file++, t->row = 0) {
        const char *path = t->part->files[t->file];
        if (!t->reader && !(t->reader = reader_open(path, e)))
            return false;
        TRY(reader_next(t->reader, a, row, at, e));
        if (*row) {
            at->file = path;
            t->row++;
            return true;
        }
        t->bytes_before += reader_bytes(t->reader);
        reader_close(t->reader);
        t->reader = NULL;
        t->adapter = NULL;
    }
    return true;
}

static void drop(transform_totals *n, const adapted *r, place at)
{
    for (int i = 0; i < DROP_REASONS; i++)
        if (r->dropped == drop_reasons[i] && !n->drops[i].rows++)
            snprintf(n->drops[i].first, sizeof n->drops[i].first, "%.220s: row %lld", at.file, (long long)at.row);
}

static bool take_row(transform *t, batch *b, text *out, arena *a, bool *ended, err *e)
{
    const adapter_options *o = &t->options->adapter;
    const node *row;
    adapted r;
    place at;
    TRY(next_row(t, a, &row, &at, e));
    *ended = !row;
    if (!row)
        return true;
    b->totals.rows++;
    t->rows_read++;
    t->shard_rows++;
    TRY(t->adapter || adapter_choose(o, row, at, &t->adapter, e));
    TRY(adapter_apply(t->adapter, o, a, row, at, &r, e));
    if (!r.dropped)
        TRY(transform_row(t->options, t->state.added, a, row, at, &r, out, e));
    if (r.dropped)
        drop(&b->totals, &r, at);
    b->totals.kept += !r.dropped;
    return true;
}

static bool read_piece(transform *t, batch *b, err *e)
{
    piece *p = &b->pieces[b->count++];
    bool ended = false, ok = true;
    text_clear(&p->lines);
    for (int rows = 0; ok && rows < PIECE_ROWS && p->lines.size < PIECE_BYTES && t->shard_rows < TRANSFORM_ROWS && !ended; rows++) {
        arena a = {0};
        ok = take_row(t, b, &p->lines, &a, &ended, e);
        arena_close(&a);
    }
    b->ends_part = ended;
    b->ends_shard = ended || t->shard_rows == TRANSFORM_ROWS;
    return ok && text_ok(&p->lines, e);
}

static void read_batch(transform *t, batch *b)
{
    b->count = 0;
    b->ends_shard = b->ends_part = false;
    b->totals = (transform_totals){0};
    do
        b->ok = read_piece(t, b, &b->error);
    while (b->ok && b->count < PIECES && !b->ends_shard);
    if (b->ends_shard)
        t->shard_rows = 0;
    b->file = t->file;
    b->row = t->row;
}

// ---- one part ----

static void tile(void *self, int64_t i, int thread)
{
    transform *t = self;
    (void)thread;
    if (!i && t->reading)
        read_batch(t, t->reading);
    if (i) {
        piece *p = &t->packing->pieces[i - 1];
        p->ok = piece_pack(p);
    }
}

typedef struct shard_file { writer w; packer k; int64_t index, size; transform_totals totals; bool open; } shard_file;

static void put(shard_file *f, const void *bytes, size_t size)
{
    writer_put(&f->w, bytes, size);
    f->size += (int64_t)size;
}

static bool begin_shard(transform *t, shard_file *f, err *e)
{
    TRY(writer_open(&f->w, shard_path(&t->arena, t->folder, t->part->name, f->index), e));
    f->open = true;
    f->k = (packer){0};
    f->size = 0;
    f->totals = (transform_totals){0};
    put(f, packer_head().at, packer_head().size);
    return true;
}

static bool end_shard(transform *t, shard_file *f, const batch *b, err *e)
{
    unsigned char tail[10];
    packer_tail(&f->k, tail);
    put(f, tail, sizeof tail);
    f->open = false;
    if (f->totals.kept)
        TRY(writer_commit(&f->w, e));
    else
        writer_drop(&f->w);                 // a file without rows is none
    f->size = f->totals.kept ? f->size : 0;
    done_shard done = { t->part->name, f->index++, f->size, b->file, b->row, f->totals };
    return state_add(&t->state, &done, e);
}

static bool write_batch(transform *t, shard_file *f, const batch *b, err *e)
{
    if (!b->totals.rows && !f->open)
        return true;                        // the part ended with the shard before
    TRY(f->open || begin_shard(t, f, e));
    for (int i = 0; i < b->count; i++) {
        if (!b->pieces[i].ok)
            return fail(e, ERR_MEMORY, "%s: no memory to pack rows", t->name);
        put(f, b->pieces[i].packed.chars, b->pieces[i].packed.size);
        packer_add(&f->k, &b->pieces[i]);
    }
    totals_add(&f->totals, &b->totals);
    return !b->ends_shard || end_shard(t, f, b, e);
}

static void show_progress(const transform *t, double began)
{
    double seconds = clock_now() - began;
    int64_t bytes = t->bytes_before + (t->reader ? reader_bytes(t->reader) : 0);
    progress_set((bytes + 1023) >> 10, "kB, %lld rows, %.0f rows/s", (long long)t->rows_read,
                 seconds > 0 ? (double)t->rows_read / seconds : 0);
}

static bool run_batches(transform *t, shard_file *f, err *e)
{
    const double began = clock_now();
    bool more = true;
    for (int i = 0; more || t->packing; i++) {
        TRY(data_goes_on(e));
        t->reading = more ? &t->batches[i % 2] : NULL;
        pool_run(t->pool, 1 + (t->packing ? t->packing->count : 0), tile, t);
        if (t->packing)
            TRY(write_batch(t, f, t->packing, e));
        t->packing = t->reading;
        if (t->reading && !t->reading->ok) {
            *e = t->reading->error;
            return false;
        }
        more = more && !t->reading->ends_part;
        show_progress(t, began);
    }
    return true;
}

// Rows that stand in finished shards are passed over.
static bool skip_done(transform *t, shard_file *f, err *e)
{
    const done_shard *last = NULL;
    for (int64_t i = 0; i < t->state.count; i++)
        if (!strcmp(t->state.shards[i].part, t->part->name))
            last = &t->state.shards[i];
    t->file = t->row = t->shard_rows = 0;
    if (!last)
        return true;
    f->index = last->index + 1;
    for (t->file = 0; t->file < MIN(last->file, t->part->count); t->file++) {
        struct stat s;
        t->bytes_before += stat(t->part->files[t->file], &s) == 0 ? s.st_size : 0;
    }
    while (t->file < t->part->count && t->file == last->file && t->row < last->row) {
        arena a = {0};
        const node *row;
        place at;
        bool ok = next_row(t, &a, &row, &at, e);
        arena_close(&a);
        TRY(ok);
    }
    return true;
}

static bool run_part(transform *t, const part *p, err *e)
{
    shard_file f = {0};
    t->part = p;
    t->packing = NULL;
    bool ok = folder_make(path_join(&t->arena, t->folder, p->name), e) && skip_done(t, &f, e) && run_batches(t, &f, e);
    if (f.open)
        writer_drop(&f.w);
    reader_close(t->reader);
    t->reader = NULL;
    t->adapter = NULL;
    return ok;
}

// ---- the whole ----

static void add_words(text *key, const char *name, const char *const *words)
{
    text_add(key, "%s:", name);
    for (int i = 0; words && words[i]; i++)
        text_add(key, " %zu %s", strlen(words[i]), words[i]);
    text_char(key, '\n');
}

// What decides the bytes: settings, and the files by name, size and time.
static bool make_key(transform *t, err *e)
{
    const transform_options *o = t->options;
    const adapter_options *x = &o->adapter;
    const char *said[] = { x->adapter, x->messages_field, x->input_field, x->output_field, x->system_field, x->role_key, x->content_key,
                           x->user_value, x->assistant_value, x->system_value, x->tool_value, x->filter_on_key, x->reasoning_field };
    text key = {0};
    text_add(&key, "1 %d %s\n", x->single_turn, o->source);
    for (size_t i = 0; i < COUNT(said); i++)
        text_add(&key, "%s%s\n", said[i] ? "=" : "", said[i] ? said[i] : "");
    add_words(&key, "replacements", x->replacements);
    add_words(&key, "metadata", o->metadata);
    for (int64_t i = 0; i < t->part_count; i++)
        for (int64_t k = 0; k < t->parts[i].count; k++) {
            struct stat s;
            if (stat(t->parts[i].files[k], &s) != 0) {
                text_close(&key);
                return fail_io(e, "read", t->parts[i].files[k]);
            }
            text_add(&key, "%s %s %lld %lld.%09ld\n", t->parts[i].name, path_name(t->parts[i].files[k]), (long long)s.st_size,
                     (long long)s.st_mtim.tv_sec, s.st_mtim.tv_nsec);
            t->bytes_total += s.st_size;
        }
    sha256_hex(text_view(&key), t->state.key);
    bool ok = text_ok(&key, e);
    text_close(&key);
    return ok;
}

static bool finish(transform *t, transform_totals *out, err *e)
{
    int worst = 0;
    *out = (transform_totals){0};
    for (int64_t i = 0; i < t->state.count; i++)
        totals_add(out, &t->state.shards[i].totals);
    for (int i = 0; i < DROP_REASONS; i++)
        worst = out->drops[i].rows > out->drops[worst].rows ? i : worst;
    return out->kept || fail(e, ERR_INPUT, "%s: none of the %lld rows becomes a chat; %s: %s", t->name, (long long)out->rows,
                             out->drops[worst].first, drop_reasons[worst]);
}

static bool run(transform *t, const char *raw, transform_totals *out, err *e)
{
    if (!(t->pool = pool_open(t->options->threads, e)))
        return false;
    TRY(adapter_check(&t->options->adapter, e) && folder_make(t->folder, e));
    TRY(transform_find(&t->arena, t->name, raw, t->options, &t->parts, &t->part_count, e) && make_key(t, e));
    t->state.arena = &t->arena;
    t->state.folder = t->folder;
    TRY(state_open(&t->state, e));
    progress_open(t->name, (t->bytes_total + 1023) >> 10);
    bool ok = true;
    for (int64_t i = 0; ok && i < t->part_count; i++)
        ok = run_part(t, &t->parts[i], e);
    progress_close();
    return ok && finish(t, out, e);
}

bool transform_build(const char *output, const char *name, const char *raw, const transform_options *o, transform_totals *out, err *e)
{
    transform *t = calloc(1, sizeof *t);
    if (!t)
        return fail(e, ERR_MEMORY, "%s: no memory to transform", name);
    t->folder = output;
    t->name = name;
    t->options = o;
    bool ok = run(t, raw, out, e);
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < PIECES; k++) {
            text_close(&t->batches[i].pieces[k].lines);
            text_close(&t->batches[i].pieces[k].packed);
        }
    pool_close(t->pool);
    arena_close(&t->arena);
    free(t);
    return ok;
}

void transform_say_totals(const char *name, const transform_totals *t)
{
    log_info("%s: %lld of %lld rows are chats", name, (long long)t->kept, (long long)t->rows);
    for (int i = 0; i < DROP_REASONS; i++)
        if (t->drops[i].rows)
            log_warning("%s: %lld rows are left out: %s (the first: %s)", name, (long long)t->drops[i].rows, drop_reasons[i],
                        t->drops[i].first);
}
