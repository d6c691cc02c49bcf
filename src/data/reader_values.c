// .json: an array of rows, one element at a time, or objects one after the other. The end of each is found by counting brackets,
// so that a file of any size is read in the room of its largest row.
#include "data/reader_format.h"

// Where a value's scan stands: how far, how deep, inside a text or not.
typedef struct scan { size_t at; int64_t depth; bool in_text, ended; } scan;

static void scan_on(scan *s, str view)
{
    while (s->at < view.size) {
        char c = view.at[s->at];
        if (s->in_text) {
            if (c == '\\') {
                if (s->at + 1 == view.size)
                    return;         // what is escaped is not read yet
                s->at++;
            }
            s->in_text = c != '"';
        } else if (c == '"') {
            s->in_text = true;
        } else if (c == '{' || c == '[') {
            s->depth++;
        } else if (c == '}' || c == ']') {
            s->depth--;
        }
        s->at++;
        if (!s->depth) {
            s->ended = true;
            return;
        }
    }
}

static place here(const reader *r)
{
    return (place){ .file = r->path, .line = r->line, .column = (int32_t)r->line_start + 1 };
}

// The next byte that is no white space, or 0 at the end of the file.
static bool peek(reader *r, char *out, err *e)
{
    for (;;) {
        str view = stream_view(&r->s);
        size_t at = 0;
        while (at < view.size && (view.at[at] == ' ' || view.at[at] == '\n' || view.at[at] == '\r' || view.at[at] == '\t'))
            at++;
        reader_take(r, at);
        if (at < view.size || r->s.ended) {
            *out = at < view.size ? view.at[at] : 0;
            if (at < view.size && !*out)
                return fail_at(e, here(r), "expected JSON, got byte 0x00");
            return true;
        }
        TRY(stream_more(&r->s, r->row, e));
    }
}

static bool cut_off(const reader *r, err *e)
{
    return fail(e, ERR_INPUT, "%s: the file is cut off after row %lld (the list of rows is not closed)", r->path, (long long)r->row);
}

static bool after_array(reader *r, err *e)
{
    char c;
    reader_take(r, 1);
    TRY(peek(r, &c, e));
    r->done = true;
    return !c || fail_at(e, here(r), "expected the end of the file after the list of rows, got '%c'", c < 32 || c > 126 ? '?' : c);
}

// Moves to the first byte of the next row; *c = 0 when there is none.
static bool to_next(reader *r, char *c, err *e)
{
    TRY(peek(r, c, e));
    if (!r->begun && *c == '[' && !r->in_array) {
        r->in_array = true;
        reader_take(r, 1);
        TRY(peek(r, c, e));
    } else if (r->in_array && *c == ',') {
        reader_take(r, 1);
        TRY(peek(r, c, e));
        if (*c == ']')
            return fail_at(e, here(r), "JSON: expected a row after ',', got ']'");
    } else if (r->in_array && *c && *c != ']') {
        return fail_at(e, here(r), "JSON: expected ',' or ']' after row %lld", (long long)r->row);
    }
    if (r->in_array && *c == ']') {
        *c = 0;
        return after_array(r, e);
    }
    return *c || !r->in_array || cut_off(r, e);
}

bool values_next(reader *r, raw_row *out, err *e)
{
    char c;
    scan s = {0};
    TRY(to_next(r, &c, e));
    if (!c)
        return true;
    if (c != '{')
        return fail_at(e, here(r), "row %lld: expected an object, got %s", (long long)r->row + 1,
                       c == '[' ? "a list" : c == '"' ? "text" : "something else");
    out->line = r->line;
    out->column = (int32_t)r->line_start + 1;
    for (scan_on(&s, stream_view(&r->s)); !s.ended; scan_on(&s, stream_view(&r->s))) {
        if (r->s.ended)
            return fail(e, ERR_INPUT, "%s: the file is cut off after row %lld (row %lld, which begins at line %d, has no end)",
                        r->path, (long long)r->row, (long long)r->row + 1, out->line);
        TRY(stream_more(&r->s, r->row, e));
    }
    out->bytes = (str){ r->s.bytes + r->s.begin, s.at };
    reader_take(r, s.at);
    r->row++;
    return true;
}
