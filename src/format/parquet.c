// Parquet files: opened, and read row after row.
#include "format/parquet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "format/parquet_file.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the formats are little-endian and are read in place"
#endif

// ---- errors ----

enum { SHOWN = 160 };               // of a column's path

bool pq_damaged(const pq_column *c, err *e, const char *fmt, ...)
{
    char what[240];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return fail(e, ERR_INPUT, "%s: row group %lld, column %.*s: page %lld: %s; the file is damaged, fetch it again", c->file->path,
                (long long)c->file->group, SHOWN, c->leaf->path, (long long)c->pages, what);
}

bool pq_damaged_row(const pq_column *c, err *e, const char *fmt, ...)
{
    char what[240];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return fail(e, ERR_INPUT, "%s: row group %lld, row %lld, column %.*s: %s; the file is damaged, fetch it again", c->file->path,
                (long long)c->file->group, (long long)c->file->row + 1, SHOWN, c->leaf->path, what);
}

bool pq_refuse(const pq_column *c, err *e, const char *fmt, ...)
{
    char what[240];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return fail(e, ERR_UNSUPPORTED, "%s: row group %lld, column %.*s: %s", c->file->path, (long long)c->file->group, SHOWN,
                c->leaf->path, what);
}

// ---- bytes ----

bool pq_read_at(const parquet *p, int64_t offset, void *to, size_t size, err *e)
{
    if (p->fd < 0) {
        memcpy(to, p->bytes.at + offset, size);
        return true;
    }
    for (size_t done = 0; done < size;) {
        const ssize_t n = pread(p->fd, (char *)to + done, size - done, offset + (int64_t)done);
        if (n < 0 && errno != EINTR)
            return fail_io(e, "read", p->path);
        if (n == 0)
            return fail(e, ERR_INPUT, "%s: the file became shorter while it was read", p->path);
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

// ---- opening ----

static bool open_file(parquet *p, err *e)
{
    struct stat s;
    p->fd = open(p->path, O_RDONLY | O_CLOEXEC);
    if (p->fd < 0) {
        const bool users = errno == ENOENT || errno == EACCES || errno == ENOTDIR;
        (void)!fail_io(e, "read", p->path);
        e->code = users ? ERR_INPUT : e->code;
        return false;
    }
    if (fstat(p->fd, &s) != 0)
        return fail_io(e, "read", p->path);
    if (!S_ISREG(s.st_mode))
        return fail(e, ERR_INPUT, "%s: Parquet is read from files only, since its rows are found from its end", p->path);
    p->size = s.st_size;
    return true;
}

static bool open_columns(parquet *p, err *e)
{
    p->columns = calloc((size_t)p->schema.leaf_count, sizeof *p->columns);
    p->unpacker = calloc(1, sizeof *p->unpacker);
    if (!p->columns || !p->unpacker)
        return fail(e, ERR_MEMORY, "no memory to read '%s'", p->path);
    for (int64_t i = 0; i < p->schema.leaf_count; i++) {
        p->columns[i].file = p;
        p->columns[i].leaf = &p->schema.leaves[i];
        p->columns[i].reps_seen = ARENA_ARRAY(&p->arena, int64_t, p->schema.leaves[i].max_rep + 1);
        p->columns[i].defs_seen = ARENA_ARRAY(&p->arena, int64_t, p->schema.leaves[i].max_def + 1);
    }
    return true;
}

static parquet *open_any(const char *path, const str *bytes, err *e)
{
    parquet *p = calloc(1, sizeof *p);
    if (!p || !(p->path = strdup(path))) {
        free(p);
        fail(e, ERR_MEMORY, "no memory to read '%s'", path);
        return NULL;
    }
    p->fd = -1;
    if (bytes) {
        p->bytes = *bytes;
        p->size = (int64_t)bytes->size;
    }
    if ((bytes || open_file(p, e)) && pq_read_footer(p, e) && open_columns(p, e))
        return p;
    parquet_close(p);
    return NULL;
}

parquet *parquet_open(const char *path, err *e) { return open_any(path, NULL, e); }
parquet *parquet_open_bytes(str bytes, const char *path, err *e) { return open_any(path, &bytes, e); }

void parquet_close(parquet *p)
{
    if (!p)
        return;
    for (int64_t i = 0; p->columns && i < p->schema.leaf_count; i++)
        pq_column_close(&p->columns[i]);
    if (p->unpacker)
        pq_unpacker_close(p->unpacker);
    if (p->fd >= 0)
        close(p->fd);
    text_close(&p->packed);
    arena_close(&p->arena);
    free(p->unpacker);
    free(p->columns);
    free(p->path);
    free(p);
}

// ---- rows ----

static bool open_group(parquet *p, err *e)
{
    const pq_group *g = &p->groups[p->group++];
    p->row_in_group = 0;
    for (int64_t i = 0; i < p->schema.leaf_count; i++) {
        pq_column *c = &p->columns[i];
        TRY(pq_column_begin(c, &g->chunks[i], e));
        if (c->rep_now)
            return pq_damaged(c, e, "its first repetition level is %d, expected 0", c->rep_now);
    }
    return true;
}

static bool check_ended(const parquet *p, err *e)
{
    for (int64_t i = 0; p->group && i < p->schema.leaf_count; i++)
        if (!p->columns[i].ended)
            return pq_damaged(&p->columns[i], e, "it goes on after the %lld rows of the row group", (long long)p->row_in_group);
    return true;
}

bool parquet_next(parquet *p, str *row, err *e)
{
    *row = (str){0};
    while (!p->group || p->row_in_group == p->groups[p->group - 1].rows) {
        TRY(check_ended(p, e));
        if (p->group == p->group_count)
            return true;
        TRY(open_group(p, e));
    }
    TRY(pq_row(p, e));
    p->row++;
    p->row_in_group++;
    *row = text_view(&p->packed);
    return true;
}

const char *parquet_binary(const parquet *p)
{
    for (int64_t i = 0; i < p->schema.leaf_count; i++)
        if (p->schema.leaves[i].type == PQ_BYTES && p->schema.leaves[i].kind == PQ_PLAIN)
            return p->schema.leaves[i].path;
    return NULL;
}

int64_t parquet_bytes(const parquet *p)
{
    return p->rows ? (int64_t)((double)p->size * ((double)p->row / (double)p->rows)) : p->size;
}
