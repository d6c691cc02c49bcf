// Text that remembers where its bytes came from: built in sinks, cut without copying.
#include <stdlib.h>

#include "base/util.h"
#include "jinja/value.h"

static int64_t count_chars(str s)
{
    int64_t n = 0;
    for (size_t i = 0; i < s.size; i++)
        n += ((unsigned char)s.at[i] & 0xC0) != 0x80;
    return n;
}

value text_value(render *r, str s, int32_t mark)
{
    jtext *t = ARENA_NEW(&r->arena, jtext);
    *t = (jtext){ .s = s, .chars = -1 };
    return (value){ .kind = V_TEXT, .mark = mark, .text = t };
}

value text_copy(render *r, str s, int32_t mark) { return text_value(r, arena_str(&r->arena, s), mark); }

int64_t text_chars(value v)
{
    if (v.text->chars < 0)
        v.text->chars = count_chars(v.text->s);
    return v.text->chars;
}

size_t text_offset(value v, int64_t index)
{
    str s = v.text->s;
    if (text_chars(v) == (int64_t)s.size)
        return index > (int64_t)s.size ? s.size : (size_t)index;
    size_t at = 0;
    for (int64_t n = 0; at < s.size; at++)
        if (((unsigned char)s.at[at] & 0xC0) != 0x80 && n++ == index)
            break;
    return at;
}

// The run that holds byte `at`, or the first after it.
static int64_t find_run(const jtext *t, size_t at)
{
    int64_t low = 0, high = t->run_count;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (t->runs[middle].end <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int32_t text_mark_at(value v, size_t at)
{
    if (!v.text->runs)
        return v.mark;
    int64_t i = find_run(v.text, at);
    return i < v.text->run_count ? v.text->runs[i].mark : 0;
}

static bool sink_room(sink *s, size_t size)
{
    if (size > (size_t)s->r->limits.output - s->size)
        return jinja_stop(s->r, ERR_INPUT, "a text of more than %lld bytes", (long long)s->r->limits.output);
    if (s->size + size <= s->room)
        return true;
    size_t room = MAX(MAX(2 * s->room, s->size + size), (size_t)64);
    if (!jinja_step(s->r, (int64_t)(room / 64)))
        return false;
    s->at = arena_grow(&s->r->arena, s->at, s->size, room);
    s->room = room;
    return true;
}

static void add_run(sink *s, size_t begin, size_t end, int32_t mark)
{
    if (begin == end)
        return;
    if (s->run_count && s->runs[s->run_count - 1].mark == mark) {
        s->runs[s->run_count - 1].end = (uint32_t)end;
        return;
    }
    if (s->run_count == s->run_room) {
        int64_t room = s->run_room ? 2 * s->run_room : 4;
        s->runs = arena_grow(&s->r->arena, s->runs, (size_t)s->run_count * sizeof *s->runs, (size_t)room * sizeof *s->runs);
        s->run_room = room;
    }
    s->runs[s->run_count++] = (jinja_run){ (uint32_t)begin, (uint32_t)end, mark };
}

bool sink_bytes(sink *s, const void *bytes, size_t size, int32_t mark)
{
    if (!size)
        return true;
    TRY(sink_room(s, size));
    memcpy(s->at + s->size, bytes, size);
    add_run(s, s->size, s->size + size, mark);
    s->size += size;
    return true;
}

bool sink_str(sink *s, str bytes, int32_t mark) { return sink_bytes(s, bytes.at, bytes.size, mark); }

bool sink_part(sink *s, value v, size_t begin, size_t end, int32_t or_mark)
{
    const jtext *t = v.text;
    if (begin >= end)
        return true;
    if (!t->runs)
        return sink_bytes(s, t->s.at + begin, end - begin, v.mark | or_mark);
    TRY(jinja_step(s->r, 1));
    for (int64_t i = find_run(t, begin); i < t->run_count && t->runs[i].begin < end; i++) {
        size_t from = MAX(begin, (size_t)t->runs[i].begin), to = MIN(end, (size_t)t->runs[i].end);
        TRY(sink_bytes(s, t->s.at + from, to - from, t->runs[i].mark | or_mark));
    }
    return true;
}

bool sink_value(sink *s, value v, int32_t or_mark) { return sink_part(s, v, 0, v.text->s.size, or_mark); }

static value made(render *r, str s, const jinja_run *runs, int64_t count)
{
    value v = text_value(r, s, count == 1 ? runs[0].mark : 0);
    if (count > 1) {
        v.text->runs = runs;
        v.text->run_count = count;
    }
    return v;
}

value sink_text(sink *s) { return made(s->r, (str){ s->at ? s->at : "", s->size }, s->runs, s->run_count); }

value text_part(render *r, value v, size_t begin, size_t end)
{
    const jtext *t = v.text;
    if (begin >= end)
        return text_value(r, STR(""), 0);
    if (begin == 0 && end == t->s.size)
        return v;
    str s = str_slice(t->s, begin, end);
    value part;
    if (!t->runs) {
        part = text_value(r, s, v.mark);
    } else {
        int64_t first = find_run(t, begin), last = find_run(t, end - 1);
        jinja_run *runs = ARENA_ARRAY(&r->arena, jinja_run, last - first + 1);
        for (int64_t i = first; i <= last; i++)
            runs[i - first] = (jinja_run){ (uint32_t)(MAX((size_t)t->runs[i].begin, begin) - begin),
                                           (uint32_t)(MIN((size_t)t->runs[i].end, end) - begin), t->runs[i].mark };
        part = made(r, s, runs, last - first + 1);
    }
    part.safe = v.safe;
    return part;
}
