// A text to tokens: repair, added tokens, normalization, added tokens again, words, merges. Each stage works on a
// stretch of a text; one that makes a new text translates the places of the tokens back afterwards.
#include "base/utf8.h"
#include "base/util.h"
#include "text/tokenizer_parts.h"

typedef struct encoding {
    const tokenizer *t;
    tokens *out;
    int flags;
    err *e;
} encoding;

typedef bool stage(encoding *c, const char *chars, size_t begin, size_t end);

static bool no_memory(encoding *c) { return fail(c->e, ERR_MEMORY, "no memory to encode a text"); }

// Cuts added tokens out of a text and hands what stands between them on.
static bool split_added(encoding *c, const added_set *set, const char *chars, size_t begin, size_t end, stage *rest)
{
    size_t done = begin;
    added_match m = { .end = begin };
    for (size_t from = begin; added_next(set, chars, from, end, &m);) {
        from = m.end;                                   // where the search goes on, whatever rstrip takes
        if (!added_accept(&m, chars, begin, end, done, c->flags))
            continue;
        if (m.begin >= m.end)                           // rstrip of the one before took all of it
            continue;
        if (done < m.begin)
            TRY(rest(c, chars, done, m.begin));
        if (!tokens_reserve(c->out, 1))
            return no_memory(c);
        tokens_put(c->out, m.token->id, m.begin, m.end);
        done = m.end;
    }
    return done >= end || rest(c, chars, done, end);
}

static bool encode_words(encoding *c, const char *chars, size_t begin, size_t end)
{
    return splitter_encode(&c->t->splitter, &c->t->bpe, chars, begin, end, c->out, c->e);
}

static bool encode_normal(encoding *c, const char *chars, size_t begin, size_t end)
{
    return split_added(c, &c->t->added.normal, chars, begin, end, encode_words);
}

// Through a normalizer of several steps.
static bool encode_changed(encoding *c, const char *chars, size_t begin, size_t end)
{
    scratch *s = tokens_scratch(c->out);
    const made *m = NULL;
    if (!s)
        return no_memory(c);
    TRY(normalizing_run(&c->t->normalizing, s, chars, begin, end, &m, c->e));
    int64_t first = c->out->count;
    s->origin = m;
    bool ok = encode_normal(c, m->text.chars, 0, m->text.size);
    s->origin = NULL;
    if (ok)
        made_places(m, c->out, first);
    return ok;
}

static bool encode_raw(encoding *c, const char *chars, size_t begin, size_t end)
{
    if (c->t->normalizing.count)
        return encode_changed(c, chars, begin, end);
    if (normal_already(c->t->normalizer, str_slice((str){ chars, end }, begin, end)))
        return encode_normal(c, chars, begin, end);
    scratch *s = tokens_scratch(c->out);
    if (!s || !normal_make(c->t->normalizer, chars, begin, end, &s->normal))
        return no_memory(c);
    int64_t first = c->out->count;
    s->origin = &s->normal;
    bool ok = encode_normal(c, s->normal.text.chars, 0, s->normal.text.size);
    s->origin = NULL;
    if (ok)
        made_places(&s->normal, c->out, first);
    return ok;
}

static bool encode_valid(encoding *c, str s)
{
    return split_added(c, &c->t->added.raw, s.at, 0, s.size, encode_raw);
}

// Replaces every broken part by U+FFFD.
static void repair(made *to, str s, size_t good)
{
    made_clear(to);
    made_copy(to, str_slice(s, 0, good), 0);
    for (size_t at = good; at < s.size;) {
        int length;
        (void)utf8_read(s, at, &length);                // broken: this is why we are here
        made_add(to, STR("\xef\xbf\xbd"), at, at + (size_t)length);
        at += (size_t)length;
        size_t valid = utf8_check(str_from(s, at));
        made_copy(to, str_slice(s, at, at + valid), at);
        at += valid;
    }
}

static bool encode_text(encoding *c, str s)
{
    size_t good = utf8_check(s);
    if (good == s.size)
        return encode_valid(c, s);
    scratch *k = tokens_scratch(c->out);
    if (!k)
        return no_memory(c);
    repair(&k->repaired, s, good);
    if (k->repaired.failed)
        return no_memory(c);
    int64_t first = c->out->count;
    TRY(encode_valid(c, text_view(&k->repaired.text)));
    made_places(&k->repaired, c->out, first);
    return true;
}

static bool put_ids(encoding *c, const id_list *ids, size_t at)
{
    if (!tokens_reserve(c->out, ids->count))
        return no_memory(c);
    for (int64_t i = 0; i < ids->count; i++)
        tokens_put(c->out, ids->items[i], at, at);
    return true;
}

bool tokenizer_encode(const tokenizer *t, str s, int flags, tokens *out, err *e)
{
    encoding c = { t, out, flags, e };
    if (s.size >= UINT32_MAX)
        return fail(e, ERR_INPUT, "a text of %zu bytes is over the 4 GB that can be encoded at once; cut it", s.size);
    bool special = flags & ENCODE_ADD_SPECIAL;
    if (special)
        TRY(put_ids(&c, &t->before, 0));
    if (s.size)
        TRY(encode_text(&c, s));
    return !special || put_ids(&c, &t->after, s.size);
}
