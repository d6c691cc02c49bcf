// Running a decoder: each step makes a list of texts from a list of texts. Reading one: decoder_open.c.
#include "text/decoder.h"

#include "base/utf8.h"
#include "base/util.h"
#include "text/decoder_parts.h"
#include "text/unicode.h"
#include "text/vocab.h"

static void add(list *l, str s) { ARENA_PUSH(l->arena, l->items, l->count, s); }

static str keep(list *l, text *t)
{
    str s = arena_str(l->arena, text_view(t));
    text_clear(t);
    return s;
}

int decode_byte(str token)
{
    int value = 0;
    if (token.size != 6 || !str_begins(token, STR("<0x")) || token.at[5] != '>')
        return -1;
    for (int i = 3; i < 5; i++) {
        char c = token.at[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0 && !(i == 3 && c == '+'))
            return -1;
        value = 16 * value + (digit < 0 ? 0 : digit);
    }
    return value;
}

// Bytes of one token in GPT-2's alphabet; of any other text itself.
static void add_alphabet(text *t, str token)
{
    int length;
    size_t before = t->size;
    for (size_t i = 0; i < token.size; i += (size_t)length) {
        int b = char_to_byte(utf8_read(token, i, &length));
        if (b < 0) {
            t->size = before;
            text_str(t, token);
            return;
        }
        text_char(t, (char)b);
    }
}

void text_repaired(text *out, str s)
{
    for (size_t at = 0; at < s.size;) {
        size_t valid = utf8_check(str_from(s, at));
        text_str(out, str_slice(s, at, at + valid));
        at += valid;
        if (at == s.size)
            return;
        int length;
        (void)utf8_read(s, at, &length);
        text_str(out, STR("\xef\xbf\xbd"));
        at += (size_t)length;
    }
}

static void run_bytes(const list *in, list *out, text *t)
{
    text all = {0};
    for (int64_t i = 0; i < in->count; i++)
        add_alphabet(&all, in->items[i]);
    text_repaired(t, text_view(&all));
    t->failed |= all.failed;
    text_close(&all);
    add(out, keep(out, t));
}

// Bytes one after the other are a text of their own: whole UTF-8, or U+FFFD for each.
static void flush_bytes(list *out, text *bytes, text *t)
{
    str s = text_view(bytes);
    if (!s.size)
        return;
    bool whole = utf8_check(s) == s.size;
    if (whole)
        add(out, keep(out, bytes));
    for (size_t i = 0; !whole && i < s.size; i++)
        add(out, STR("\xef\xbf\xbd"));
    text_clear(bytes);
    (void)t;
}

static void run_fallback(const list *in, list *out, text *t)
{
    text bytes = {0};
    for (int64_t i = 0; i < in->count; i++) {
        int b = decode_byte(in->items[i]);
        if (b >= 0) {
            text_char(&bytes, (char)b);
            continue;
        }
        flush_bytes(out, &bytes, t);
        add(out, in->items[i]);
    }
    flush_bytes(out, &bytes, t);
    t->failed |= bytes.failed;
    text_close(&bytes);
}

static void replace(text *t, str s, str from, str to)
{
    size_t done = 0;
    for (size_t at = 0; from.size && (at = str_find(s, from, at)) < s.size; at = done) {
        text_str(t, str_slice(s, done, at));
        text_str(t, to);
        done = at + from.size;
    }
    text_str(t, str_from(s, done));
}

static str replaced(list *l, text *t, str s, str from, str to)
{
    replace(t, s, from, to);
    return keep(l, t);
}

static str without_first(const decode_step *d, list *out, text *t, str s, bool first)
{
    return replaced(out, t, s, d->pattern, first && d->first ? STR("") : STR(" "));
}

// As the onig crate iterates: an empty match right after a match is none.
static bool replace_regex(const decode_step *d, scratch *k, str s, text *t, err *e)
{
    size_t done = 0;
    bool any = false;
    for (size_t from = 0; s.size && from <= s.size;) {
        piece whole = { 0, (uint32_t)s.size }, m = whole;
        bool found = false;
        TRY(regex_next(d->regex, k, s.at, whole, from, &m, &found, e));
        if (!found)
            break;
        if (m.begin == m.end && any && m.end == done) {
            int length = 1;
            if (from < s.size)
                (void)char_read(s.at + from, &length);
            from += (size_t)length;
            continue;
        }
        text_str(t, str_slice(s, done, m.begin));
        text_str(t, d->content);
        from = done = m.end;
        any = true;
    }
    text_str(t, str_from(s, done));
    return true;
}

static str stripped(const decode_step *d, str s)
{
    for (int64_t i = 0; i < d->left && str_begins(s, d->content); i++)
        s = str_from(s, d->content.size);
    for (int64_t i = 0; i < d->right && str_ends(s, d->content); i++)
        s.size -= d->content.size;
    return s;
}

// English signs lose the space before them.
static str cleaned(list *l, text *t, str s)
{
    static const char *const pairs[][2] = {
        { " .", "." }, { " ?", "?" }, { " !", "!" }, { " ,", "," }, { " ' ", "'" }, { " n't", "n't" }, { " 'm", "'m" },
        { " do not", " don't" }, { " 's", "'s" }, { " 've", "'ve" }, { " 're", "'re" },
    };
    for (size_t i = 0; i < COUNT(pairs); i++)
        s = replaced(l, t, s, str_of(pairs[i][0]), str_of(pairs[i][1]));
    return s;
}

static str wordpiece(const decode_step *d, list *l, text *t, str s, bool first)
{
    bool inside = str_begins(s, d->pattern);
    if (!first && inside)
        s = str_from(s, d->pattern.size);
    else if (!first) {
        text_char(t, ' ');
        text_str(t, s);
        s = keep(l, t);
    }
    return d->cleanup ? cleaned(l, t, s) : s;
}

static void run_ctc(const decode_step *d, const list *in, list *out, text *t)
{
    for (int64_t i = 0; i < in->count; i++) {
        if (i && str_equal(in->items[i], in->items[i - 1]))
            continue;
        str s = replaced(out, t, in->items[i], d->pattern, STR(""));
        if (d->cleanup)
            s = replaced(out, t, cleaned(out, t, s), d->content, STR(" "));
        if (s.size)
            add(out, s);
    }
}

static void run_fuse(const list *in, list *out, text *t)
{
    for (int64_t i = 0; i < in->count; i++)
        text_str(t, in->items[i]);
    add(out, keep(out, t));
}

// The steps that change each token on its own.
static bool run_each(const decode_step *d, const list *in, list *out, scratch *k, text *t, err *e)
{
    for (int64_t i = 0; i < in->count; i++) {
        str s = in->items[i];
        if (d->kind == DECODE_METASPACE)
            s = without_first(d, out, t, s, i == 0);
        else if (d->kind == DECODE_STRIP)
            s = stripped(d, s);
        else if (d->kind == DECODE_WORDPIECE)
            s = wordpiece(d, out, t, s, i == 0);
        else if (d->kind == DECODE_SUFFIX)
            s = replaced(out, t, s, d->pattern, i + 1 == in->count ? STR("") : STR(" "));
        else if (!d->regex)
            s = replaced(out, t, s, d->pattern, d->content);
        else {
            TRY(replace_regex(d, k, s, t, e));
            s = keep(out, t);
        }
        add(out, s);
    }
    return true;
}

static bool run_step(const decode_step *d, const list *in, list *out, scratch *k, text *t, err *e)
{
    switch (d->kind) {
    case DECODE_BYTES:    run_bytes(in, out, t); return true;
    case DECODE_FALLBACK: run_fallback(in, out, t); return true;
    case DECODE_FUSE:     run_fuse(in, out, t); return true;
    case DECODE_CTC:      run_ctc(d, in, out, t); return true;
    default:              return run_each(d, in, out, k, t, e);
    }
}

bool decoder_run(const decoder *d, const str *pieces_of, int64_t count, text *out, err *e)
{
    arena a = {0};
    text t = {0};
    tokens k = {0};
    scratch *s = tokens_scratch(&k);
    list now = { .arena = &a, .items = (str *)(uintptr_t)pieces_of, .count = count };
    bool ok = s || fail(e, ERR_MEMORY, "no memory to decode tokens");
    for (int64_t i = 0; ok && i < d->count; i++) {
        list then = { .arena = &a };
        ok = run_step(&d->steps[i], &now, &then, s, &t, e);
        now = then;
    }
    for (int64_t i = 0; ok && i < now.count; i++) {
        if (i && !d->count)
            text_char(out, ' ');
        text_str(out, now.items[i]);
    }
    ok = ok && text_ok(&t, e) && text_ok(out, e);
    text_close(&t);
    tokens_close(&k);
    arena_close(&a);
    return ok;
}

void decoder_piece(const decoder *d, str token, text *out)
{
    arena a = {0};
    text t = {0};
    list l = { .arena = &a };
    str s = token;
    for (int64_t i = 0; i < d->count; i++) {
        const decode_step *p = &d->steps[i];
        int b = p->kind == DECODE_FALLBACK ? decode_byte(s) : -1;
        if (b >= 0) {
            text_char(&t, (char)b);
            s = keep(&l, &t);
            break;
        }
        if (p->kind == DECODE_BYTES) {
            add_alphabet(&t, s);
            s = keep(&l, &t);
        } else if (p->kind == DECODE_METASPACE || p->kind == DECODE_SUFFIX) {
            s = replaced(&l, &t, s, p->pattern, STR(" "));
        } else if (p->kind == DECODE_REPLACE && !p->regex) {
            s = replaced(&l, &t, s, p->pattern, p->content);
        } else if (p->kind == DECODE_WORDPIECE) {
            s = wordpiece(p, &l, &t, s, false);
        }
    }
    text_str(out, s);
    out->failed |= t.failed;
    text_close(&t);
    arena_close(&a);
}
