// Choosing how a file is read, and parsing its rows. A row format is a name and a function `next`: a line of the table below.
#include "data/reader_format.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/util.h"
#include "format/parquet.h"

static bool json_row_parse(const raw_row *raw, arena *a, const node **row, err *e);

static const row_format lines = { "JSON lines", "one JSON object per line", lines_next, json_row_parse };
static const row_format values = { "JSON values", "an array of JSON objects", values_next, json_row_parse };
static const row_format parquet_rows = { "Parquet", "rows of columns", parquet_rows_next, parquet_rows_parse };

// Parquet by its magic. JSON by name where it says something, else by the first byte: '[' begins an array of rows.
static const struct { const char *ending; const row_format *format; } table[] = {
    { ".jsonl", &lines }, { ".ndjson", &lines }, { ".json", &values }, { ".parquet", &parquet_rows },
};

static const row_format *format_of(const char *path, str bytes)
{
    str name = str_of(path);
    if (str_begins(bytes, STR("PAR1")) || str_begins(bytes, STR("PARE")))
        return &parquet_rows;
    name.size -= stream_packing(path);
    for (size_t i = 0; i < COUNT(table); i++)
        if (str_ends(name, str_of(table[i].ending)))
            return table[i].format;
    size_t at = 0;
    while (at < bytes.size && (bytes.at[at] == ' ' || (bytes.at[at] >= '\t' && bytes.at[at] <= '\r')))
        at++;
    return at < bytes.size && bytes.at[at] == '[' ? &values : &lines;
}

reader *reader_open(const char *path, err *e)
{
    reader *r = calloc(1, sizeof *r);
    if (!r || !(r->path = strdup(path))) {
        free(r);
        fail(e, ERR_MEMORY, "no memory to read '%s'", path);
        return NULL;
    }
    r->line = 1;
    bool ok = stream_open(&r->s, r->path, e);
    while (ok && !r->s.ended && stream_view(&r->s).size < 4)
        ok = stream_more(&r->s, 0, e);
    if (!ok) {
        reader_close(r);
        return NULL;
    }
    if (str_begins(stream_view(&r->s), STR("\xef\xbb\xbf")))
        r->s.begin += 3;
    r->format = format_of(path, stream_view(&r->s));
    if (r->format != &parquet_rows || parquet_rows_open(r, e))
        return r;
    reader_close(r);
    return NULL;
}

void reader_close(reader *r)
{
    if (!r)
        return;
    stream_close(&r->s);
    parquet_close(r->parquet);
    free(r->path);
    free(r);
}

int64_t reader_bytes(const reader *r) { return r->parquet ? parquet_bytes(r->parquet) : r->s.file_read; }

void reader_take(reader *r, size_t count)
{
    const char *from = r->s.bytes + r->s.begin, *end = from + count, *newline;
    r->s.begin += count;
    for (; (newline = memchr(from, '\n', (size_t)(end - from))); from = newline + 1) {
        r->line++;
        r->line_start = 0;
    }
    r->line_start += (size_t)(end - from);
}

bool reader_next_raw(reader *r, raw_row *out, err *e)
{
    *out = (raw_row){ .format = r->format, .at = { .file = r->path } };
    if (!r->done)
        TRY(r->format->next(r, out, e));
    if (out->bytes.at) {
        out->at.row = r->row;
        r->begun = true;
        return true;
    }
    r->done = true;
    return r->begun || fail(e, ERR_INPUT, "%s: the file holds no rows, expected %s", r->path, r->format->rows);
}

// The JSON reader counts lines from the text it is given; the file's own line and column are put in their place.
static bool in_file(const raw_row *raw, err *e)
{
    size_t name = strlen(raw->at.file);
    int line, column, used = 0;
    char rest[sizeof e->text];
    if (strncmp(e->text, raw->at.file, name) || sscanf(e->text + name, ":%d:%d:%n", &line, &column, &used) < 2 || !used)
        return false;
    snprintf(rest, sizeof rest, "%s", e->text + name + used);
    fail(e, ERR_INPUT, "%s:%d:%d:%.*s", raw->at.file, raw->line + line - 1, line == 1 ? raw->column + column - 1 : column,
         (int)(sizeof rest - name - 40 < sizeof rest ? sizeof rest - name - 40 : 0), rest);
    return false;
}

static bool json_row_parse(const raw_row *raw, arena *a, const node **row, err *e)
{
    const place begin = { .file = raw->at.file, .line = raw->line, .column = raw->column };
    if (raw->bytes.at[0] == '[' && raw->is_line)
        return fail_at(e, begin, "expected one object per line, got a list; a file that is one array of rows is named .json");
    if (!json_parse(a, raw->bytes, (place){ .file = raw->at.file }, row, e))
        return e->code == ERR_INPUT ? in_file(raw, e) : false;
    return node_is(*row, NODE_OBJECT) || fail_at(e, begin, "expected an object, got %s", node_kind_name((*row)->kind));
}

bool raw_row_parse(const raw_row *raw, arena *a, const node **row, err *e) { return raw->format->parse(raw, a, row, e); }

bool reader_next(reader *r, arena *a, const node **row, place *at, err *e)
{
    raw_row raw;
    TRY(reader_next_raw(r, &raw, e));
    *at = raw.at;
    *row = NULL;
    return !raw.bytes.at || raw_row_parse(&raw, a, row, e);
}
