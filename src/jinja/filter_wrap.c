// wordwrap: lines of at most so many characters, broken as Python's textwrap breaks them.
#include "base/util.h"
#include "base/utf8.h"
#include "jinja/cut.h"

#define UNUSED (void)self, (void)a, (void)raw

typedef struct wrapper {
    render *r;
    int64_t width;
    bool break_words, break_hyphens;
    value line;                     // the one being wrapped
    uint32_t *chars;
    size_t *offsets;                // byte of each character, and the size
    int64_t count;
    value *lines;
    int64_t line_count;
} wrapper;

typedef struct chunk { int64_t begin, end; } chunk;

static bool is_blank(uint32_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static bool is_word(uint32_t c) { return c == '_' || letter_is_alpha(c) || letter_is_numeric(c); }
static bool is_letter(uint32_t c) { return is_word(c) && !letter_is_decimal(c); }
static bool ends_word(uint32_t c) { return is_word(c) || (c && c < 0x80 && strchr("!\"'&.,?", (int)c)); }
static uint32_t char_at(const wrapper *w, int64_t i) { return i >= 0 && i < w->count ? w->chars[i] : 0; }

// Two dashes or more that a word follows: their end, or 0.
static int64_t dashes(const wrapper *w, int64_t at)
{
    int64_t end = at;
    while (char_at(w, end) == '-')
        end++;
    return end - at >= 2 && is_word(char_at(w, end)) && end < w->count ? end : 0;
}

// Does a word end behind the hyphen at `at`? Letters stand on both sides.
static bool breaks_at_hyphen(const wrapper *w, int64_t at, int64_t begin)
{
    if (char_at(w, at) != '-' || at <= begin)
        return false;
    const bool two = at >= 2 && is_letter(char_at(w, at - 1)) && is_letter(char_at(w, at - 2));
    const bool dashed = at >= 3 && is_letter(char_at(w, at - 3)) && char_at(w, at - 2) == '-' && ends_word(char_at(w, at - 1));
    const int64_t next = at + 2 + (char_at(w, at + 2) == '-');
    return (two || dashed) && is_letter(char_at(w, at + 1)) && next < w->count && is_letter(char_at(w, next));
}

// The pieces of a line that are not broken as long as they fit: white space, dashes, words and their hyphenated parts.
static int64_t next_chunk(const wrapper *w, int64_t at)
{
    int64_t end = at;
    if (is_blank(char_at(w, at))) {
        while (end < w->count && is_blank(char_at(w, end)))
            end++;
        return end;
    }
    if (w->break_hyphens && at && ends_word(char_at(w, at - 1)) && (end = dashes(w, at)) > 0)
        return end;
    for (end = at + 1; end < w->count && !is_blank(char_at(w, end)); end++) {
        if (!w->break_hyphens)
            continue;
        if (breaks_at_hyphen(w, end, at))
            return end + 1;
        if (ends_word(char_at(w, end - 1)) && dashes(w, end))
            return end;
    }
    return end;
}

static bool chunk_is_blank(const wrapper *w, chunk c)
{
    for (int64_t i = c.begin; i < c.end; i++)
        if (!letter_is_space(char_at(w, i)))
            return false;
    return true;
}

// Where a chunk longer than a line is broken: behind a hyphen if one stands in the room that is left.
static int64_t broken(const wrapper *w, chunk c, int64_t room)
{
    if (!w->break_hyphens)
        return c.begin + room;
    for (int64_t i = c.begin + room - 1; i > c.begin; i--) {
        bool only_dashes = true;
        for (int64_t k = c.begin; k < i; k++)
            only_dashes = only_dashes && char_at(w, k) == '-';
        if (char_at(w, i) == '-')
            return only_dashes ? c.begin + room : i + 1;
    }
    return c.begin + room;
}

static void add_line(wrapper *w, int64_t begin, int64_t end)
{
    value v = text_part(w->r, w->line, w->offsets[begin], w->offsets[end]);
    ARENA_PUSH(&w->r->arena, w->lines, w->line_count, v);
}

// Chunks of a line lie one behind the other, so that a new line is a part of it.
static bool wrap_chunks(wrapper *w, chunk *chunks, int64_t count)
{
    const int64_t first_line = w->line_count;
    for (int64_t i = 0; i < count;) {
        TRY(jinja_step(w->r, 1));
        if (w->line_count > first_line && chunk_is_blank(w, chunks[i]) && ++i == count)
            break;
        const int64_t from = i, begin = chunks[i].begin;
        while (i < count && chunks[i].end - begin <= w->width)
            i++;
        int64_t end = i > from ? chunks[i - 1].end : begin;
        chunk last = i > from ? chunks[i - 1] : (chunk){ begin, begin };
        if (i < count && chunks[i].end - chunks[i].begin > w->width) {
            if (w->break_words) {
                end = broken(w, chunks[i], w->width - (end - begin));
                last = (chunk){ chunks[i].begin, end };
                chunks[i].begin = end;
            } else if (i == from) {
                last = chunks[i];
                end = chunks[i++].end;
            }
        }
        if (last.end > last.begin && chunk_is_blank(w, last))
            end = last.begin;
        else if (last.end == last.begin && i > from && chunk_is_blank(w, chunks[i - 1]))
            end = MIN(end, chunks[i - 1].begin);
        if (end > begin)
            add_line(w, begin, end);
    }
    return true;
}

static bool wrap_line(wrapper *w)
{
    str t = w->line.text->s;
    chunk *chunks = NULL;
    int64_t count = 0;
    w->chars = ARENA_ARRAY(&w->r->arena, uint32_t, t.size + 1);
    w->offsets = ARENA_ARRAY(&w->r->arena, size_t, t.size + 1);
    w->count = 0;
    TRY(jinja_step(w->r, 1 + (int64_t)t.size));
    for (size_t at = 0; at < t.size;) {
        int length;
        w->offsets[w->count] = at;
        w->chars[w->count++] = utf8_read(t, at, &length);
        at += (size_t)length;
    }
    w->offsets[w->count] = t.size;
    for (int64_t at = 0; at < w->count;) {
        chunk c = { at, next_chunk(w, at) };
        ARENA_PUSH(&w->r->arena, chunks, count, c);
        at = c.end;
    }
    const int64_t before = w->line_count;
    TRY(wrap_chunks(w, chunks, count));
    if (w->line_count == before)
        add_line(w, 0, 0);                                  // an empty line stays
    return true;
}

static bool run_wordwrap(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    wrapper w = { .r = r, .break_words = a[1].kind == V_MISSING || value_truth(r, a[1]),
                  .break_hyphens = a[3].kind == V_MISSING || value_truth(r, a[3]) };
    value lines, *items, by = text_value(r, STR("\n"), 0);
    int64_t count;
    TRY(want_text(r, *self, "what is wrapped") && text_lines(r, *self, false, &lines) && value_items(r, lines, &items, &count));
    if (a[2].kind != V_MISSING && a[2].kind != V_NONE) {
        TRY(want_text(r, a[2], "wrapstring"));
        by = a[2];
    }
    if (count)
        TRY(want_int(r, a[0], "the width", 79, &w.width));
    if (count && w.width < 1)
        return jinja_fail(r, "wordwrap: the width is at least 1");
    for (int64_t i = 0; i < count; i++) {
        w.line = items[i];
        TRY(wrap_line(&w));
    }
    TRY(text_join(r, by, value_list(r, w.lines, w.line_count, V_LIST), out));
    out->safe = by.safe;
    return true;
}

const function_row filters_of_layout[] = {
    { "pprint", "/", run_pprint },
    { "wordwrap", "width? break_long_words? wrapstring? break_on_hyphens?", run_wordwrap },
    { 0 },
};
