// JSON lines: one row a line. Blank lines are skipped but counted, so that a row's number is its line.
#include "data/reader_format.h"

// The end of the line that begins at the window's beginning, without its newline; more is read as needed.
static bool find_end(reader *r, size_t *end, err *e)
{
    for (size_t seen = 0;;) {
        str view = stream_view(&r->s);
        const char *newline = seen < view.size ? memchr(view.at + seen, '\n', view.size - seen) : NULL;
        if (newline || r->s.ended) {
            *end = newline ? (size_t)(newline - view.at) : view.size;
            return true;
        }
        seen = view.size;
        TRY(stream_more(&r->s, r->row, e));
    }
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }

bool lines_next(reader *r, raw_row *out, err *e)
{
    for (;;) {
        size_t end, begin = 0;
        TRY(find_end(r, &end, e));
        str line = { r->s.bytes + r->s.begin, end };
        const bool newline = r->s.begin + end < r->s.end;
        r->s.begin += end + newline;
        if (!newline && !end)
            return true;
        r->row++;
        while (begin < end && is_space(line.at[begin]))
            begin++;
        while (end > begin && is_space(line.at[end - 1]))
            end--;
        if (begin == end)
            continue;
        out->bytes = str_slice(line, begin, end);
        out->line = (int32_t)r->row;
        out->column = (int32_t)begin + 1;
        out->is_line = true;
        return true;
    }
}
