// Where the script of writing changes.
#include "text/script.h"

#include "base/util.h"
#include "text/script_table.h"
#include "text/unicode.h"

enum { NO_SCRIPT = 0 };             // a space, and characters that the table lacks

static int script_of(uint32_t c)
{
    size_t low = 0, high = COUNT(script_ranges);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (script_ranges[middle].last < c)
            low = middle + 1;
        else
            high = middle;
    }
    return low < COUNT(script_ranges) && script_ranges[low].first <= c ? script_ranges[low].script : NO_SCRIPT;
}

// What stands before the first character that has a script is dropped, as `tokenizers` does.
void cut_scripts(pieces *out, const char *chars, piece p, size_t *done)
{
    int last = NO_SCRIPT, length;
    size_t begin = p.end;
    for (size_t at = p.begin; at < p.end; at += (size_t)length) {
        int script = script_of(char_read(chars + at, &length));
        if (script == NO_SCRIPT || script == last)
            continue;
        if (last != NO_SCRIPT)
            pieces_add(out, begin, at);
        begin = at;
        last = script;
    }
    pieces_add(out, begin, p.end);
    *done = p.end;
}
