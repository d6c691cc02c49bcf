// pprint: values as Python's pprint lays them out, 80 characters wide, keys of dicts in order.
#include "base/util.h"
#include "base/utf8.h"
#include "jinja/cut.h"

enum { WIDTH = 80 };

static bool put(sink *s, const char *word) { return sink_bytes(s, word, strlen(word), 0); }

static bool new_line(sink *s, int64_t indent)
{
    TRY(put(s, "\n"));
    for (int64_t i = 0; i < indent; i++)
        TRY(put(s, " "));
    return true;
}

// Keys that have no order among them are ordered by the names of their types.
static bool key_after(render *r, value a, value b, bool *after)
{
    const bool number_a = a.kind >= V_BOOL && a.kind <= V_FLOAT, number_b = b.kind >= V_BOOL && b.kind <= V_FLOAT;
    int order = strcmp(value_type(a), value_type(b));
    if ((number_a && number_b) || (a.kind == b.kind && a.kind == V_TEXT))
        TRY(value_order(r, a, b, &order, "<"));
    *after = order == 1 || (order > 1 && order != 2) || (order == 2 && !(number_a && number_b));
    return true;
}

static bool in_order(render *r, value v, value *out);

static bool order_dict(render *r, jdict *d, value *out)
{
    *out = value_dict(r);
    dict_fill(r, d);
    jpair *pairs = ARENA_ARRAY(&r->arena, jpair, d->count);
    for (int64_t i = 0; i < d->count; i++) {
        int64_t k = i;
        for (bool after; k > 0; k--) {
            TRY(jinja_step(r, 1) && key_after(r, pairs[k - 1].key, d->pairs[i].key, &after));
            if (!after)
                break;
            pairs[k] = pairs[k - 1];
        }
        pairs[k].key = d->pairs[i].key;
        TRY(in_order(r, d->pairs[i].value, &pairs[k].value));
    }
    *out->dict = (jdict){ .pairs = pairs, .count = d->count, .room = d->count };
    return true;
}

// A copy whose dicts have their keys in order, at every depth.
static bool in_order(render *r, value v, value *out)
{
    *out = v;
    if (v.kind != V_DICT && v.kind != V_LIST && v.kind != V_TUPLE)
        return true;
    TRY(jinja_enter(r));
    bool ok = true;
    if (v.kind == V_DICT) {
        ok = order_dict(r, v.dict, out);
    } else {
        list_fill(r, v.list);
        value *items = ARENA_ARRAY(&r->arena, value, v.list->count);
        for (int64_t i = 0; ok && i < v.list->count; i++)
            ok = in_order(r, v.list->items[i], &items[i]);
        *out = value_list(r, items, v.list->count, v.kind);
    }
    r->depth--;
    return ok;
}

static bool repr_of(render *r, value v, value *out)
{
    sink s = { .r = r };
    TRY(print_repr(r, &s, v));
    *out = sink_text(&s);
    return true;
}

typedef struct chunks { value *items; int64_t count; } chunks;

static bool add_chunk(render *r, chunks *c, value v, size_t begin, size_t end)
{
    value words;
    TRY(repr_of(r, text_part(r, v, begin, end), &words));
    ARENA_PUSH(&r->arena, c->items, c->count, words);
    return true;
}

// A line that is too long, between words.
static bool break_line(render *r, chunks *c, value line, int64_t width, int64_t allowance)
{
    str t = line.text->s;
    size_t begin = 0;
    for (size_t at = 0, end = 0; at < t.size; at = end) {
        int length;
        value words;
        while (end < t.size && !letter_is_space(utf8_read(t, end, &length)))
            end += (size_t)length;
        while (end < t.size && letter_is_space(utf8_read(t, end, &length)))
            end += (size_t)length;
        TRY(jinja_step(r, 1) && repr_of(r, text_part(r, line, begin, end), &words));
        if (text_chars(words) <= width - (end == t.size ? allowance : 0))
            continue;
        TRY(at == begin || add_chunk(r, c, line, begin, at));
        begin = at;
    }
    return begin == t.size || add_chunk(r, c, line, begin, t.size);
}

static bool layout_text(render *r, sink *s, value v, int64_t indent, int64_t allowance, bool top)
{
    value lines, *items, words;
    int64_t count;
    chunks c = {0};
    indent += top;
    allowance += top;
    TRY(text_lines(r, v, true, &lines) && value_items(r, lines, &items, &count));
    for (int64_t i = 0; i < count; i++) {
        const int64_t last = i + 1 == count ? allowance : 0;
        TRY(repr_of(r, items[i], &words));
        if (text_chars(words) <= WIDTH - indent - last)
            TRY(add_chunk(r, &c, items[i], 0, items[i].text->s.size));
        else
            TRY(break_line(r, &c, items[i], WIDTH - indent, last));
    }
    if (c.count == 1)
        return sink_value(s, words, 0);
    TRY(!top || put(s, "("));
    for (int64_t i = 0; i < c.count; i++) {
        TRY(!i || new_line(s, indent));
        TRY(sink_value(s, c.items[i], 0));
    }
    return !top || put(s, ")");
}

static bool layout(render *r, sink *s, value v, int64_t indent, int64_t allowance, bool top);

static bool layout_items(render *r, sink *s, value v, int64_t indent, int64_t allowance)
{
    const bool list = v.kind == V_LIST;
    const int64_t count = v.list->count;
    const char *close = list ? "]" : count == 1 ? ",)" : ")";
    allowance += (int64_t)strlen(close);
    TRY(put(s, list ? "[" : "("));
    for (int64_t i = 0; i < count; i++) {
        TRY(!i || (put(s, ",") && new_line(s, indent + 1)));
        TRY(layout(r, s, v.list->items[i], indent + 1, i + 1 == count ? allowance : 1, false));
    }
    return put(s, close);
}

static bool layout_pairs(render *r, sink *s, const jdict *d, int64_t indent, int64_t allowance)
{
    TRY(put(s, "{"));
    for (int64_t i = 0; i < d->count; i++) {
        value key;
        TRY(!i || (put(s, ",") && new_line(s, indent + 1)));
        TRY(repr_of(r, d->pairs[i].key, &key) && sink_value(s, key, 0) && put(s, ": "));
        TRY(layout(r, s, d->pairs[i].value, indent + 1 + text_chars(key) + 2, i + 1 == d->count ? allowance + 1 : 1, false));
    }
    return put(s, "}");
}

// Whole if it fits behind `indent` characters and before `allowance` more.
static bool layout(render *r, sink *s, value v, int64_t indent, int64_t allowance, bool top)
{
    value words;
    TRY(repr_of(r, v, &words));
    if (text_chars(words) <= WIDTH - indent - allowance)
        return sink_value(s, words, 0);
    TRY(jinja_enter(r));
    const bool ok = v.kind == V_DICT ? layout_pairs(r, s, v.dict, indent, allowance)
                    : v.kind == V_LIST || (v.kind == V_TUPLE && !v.safe) ? layout_items(r, s, v, indent, allowance)
                    : v.kind == V_TEXT && !v.safe && v.text->s.size ? layout_text(r, s, v, indent, allowance, top)
                    : sink_value(s, words, 0);
    r->depth--;
    return ok;
}

bool run_pprint(render *r, value *self, value *a, const call_args *raw, value *out)
{
    (void)a, (void)raw;
    sink s = { .r = r };
    value v;
    TRY(in_order(r, *self, &v) && layout(r, &s, v, 0, 0, true));
    *out = sink_text(&s);
    return true;
}
