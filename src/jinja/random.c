// random and lipsum. jinja2 chooses anew at each rendering. Here the choice hangs on the variables alone, so that a row gives the same
// text on every machine and in every run; and of lists on their first element alone, so that the messages before an answer, rendered
// without what follows, give what the whole conversation gives.
#include "base/util.h"
#include "jinja/cut.h"

#define UNUSED (void)self, (void)a, (void)raw

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
    x = (x ^ x >> 27) * 0x94D049BB133111EB;
    return x ^ x >> 31;
}

static uint64_t hash(uint64_t h, const node *n, int depth)
{
    if (n->kind == NODE_TEXT)
        for (size_t i = 0; i < n->text.size; i++)
            h = (h ^ (unsigned char)n->text.at[i]) * 0x100000001B3;
    if (n->kind == NODE_LIST && n->list.count && depth < 8)
        h = hash(h, &n->list.items[0], depth + 1);
    if (n->kind == NODE_OBJECT && depth < 8)
        for (int64_t i = 0; i < n->object.count; i++)
            if (n->object.members[i].value.kind >= NODE_TEXT)           // not add_generation_prompt
                h = hash(mix(h + 1), &n->object.members[i].value, depth + 1);
    return h;
}

uint64_t jinja_random(render *r, uint64_t below)
{
    if (!r->random)
        r->random = mix(hash(0xCBF29CE484222325, r->context, 0)) | 1;
    r->random += 0x9E3779B97F4A7C15;
    return mix(r->random) % below;
}

static bool run_random(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    int64_t count;
    TRY(value_length(r, *self, &count));
    if (self->kind == V_UNDEFINED || !count) {
        *out = value_undefined(r, "random of an empty list");
        return true;
    }
    const value index = value_int((int64_t)jinja_random(r, (uint64_t)count));
    if (self->kind == V_DICT || self->kind == V_VIEW)
        return jinja_fail(r, "random takes a list or a text, got a %s", value_type(*self));
    return value_item(r, *self, index, out);
}

static const char *const words[] = {
    "lorem", "ipsum", "dolor", "sit", "amet", "consectetur", "adipiscing", "elit", "sed", "do", "eiusmod", "tempor",
    "incididunt", "ut", "labore", "et", "dolore", "magna", "aliqua", "enim", "ad", "minim", "veniam", "quis", "nostrud",
    "exercitation", "ullamco", "laboris", "nisi", "aliquip", "ex", "ea", "commodo", "consequat", "duis", "aute", "irure",
    "in", "reprehenderit", "voluptate", "velit", "esse", "cillum", "fugiat", "nulla", "pariatur", "excepteur", "sint",
    "occaecat", "cupidatat", "non", "proident", "sunt", "culpa", "qui", "officia", "deserunt", "mollit", "anim", "id", "est",
    "laborum",
};

// A paragraph: sentences of 4 to 15 words, with a comma here and there.
static bool paragraph(render *r, sink *s, int64_t count)
{
    int64_t left = 0;
    const char *last = NULL;
    for (int64_t i = 0; i < count; i++) {
        const bool first = left == 0;
        const char *word;
        do
            word = words[jinja_random(r, COUNT(words))];
        while (word == last);
        last = word;
        left = first ? 4 + (int64_t)jinja_random(r, 12) : left;
        left = i + 1 == count ? 0 : left - 1;
        const char head = first ? (char)(word[0] - 'a' + 'A') : word[0];
        TRY(!i || sink_bytes(s, " ", 1, 0));
        TRY(jinja_step(r, 1) && sink_bytes(s, &head, 1, 0) && sink_bytes(s, word + 1, strlen(word + 1), 0));
        const char *stop = !left ? "." : left > 2 && jinja_random(r, 6) == 0 ? "," : "";
        TRY(sink_bytes(s, stop, strlen(stop), 0));
    }
    return count > 0 || sink_bytes(s, ".", 1, 0);
}

static bool run_lipsum(render *r, value *self, value *a, const call_args *raw, value *out)
{
    UNUSED;
    int64_t count, least, most;
    TRY(want_int(r, a[0], "n", 5, &count) && want_int(r, a[2], "min", 20, &least) && want_int(r, a[3], "max", 100, &most));
    const bool html = a[1].kind == V_MISSING || value_truth(r, a[1]);
    if (count > 0 && (least >= most || least < -1000000 || most > 1000000))
        return jinja_fail(r, "lipsum: min is below max, and both within a million");
    sink s = { .r = r };
    for (int64_t i = 0; i < count; i++) {
        TRY(!i || (html ? sink_bytes(&s, "\n", 1, 0) : sink_bytes(&s, "\n\n", 2, 0)));
        TRY(!html || sink_bytes(&s, "<p>", 3, 0));
        TRY(paragraph(r, &s, least + (int64_t)jinja_random(r, (uint64_t)(most - least))));
        TRY(!html || sink_bytes(&s, "</p>", 4, 0));
    }
    *out = sink_text(&s);
    out->safe = html;
    return true;
}

const function_row filters_of_chance[] = { { "random", "/", run_random }, { 0 } };
const function_row lipsum_row = { "lipsum", "n? html? min? max?", run_lipsum };
