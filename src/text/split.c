// Running the steps of a pre-tokenizer over a text.
#include "text/split.h"

#include "base/utf8.h"
#include "base/util.h"
#include "text/script.h"
#include "text/unicode.h"

static bool no_memory(err *e) { return fail(e, ERR_MEMORY, "no memory to encode a text"); }

// A match or what stands between two matches. Empty ones count: they are borders.
typedef struct part { piece at; bool match; } part;

// Pieces under construction by one step. `last` waits for what the behaviour lets join it.
typedef struct cutter {
    const split_step *step;
    pieces *out;
    part last;
    bool waiting;
} cutter;

static void cutter_flush(cutter *c)
{
    if (c->waiting)
        pieces_add(c->out, c->last.at.begin, c->last.at.end);
    c->waiting = false;
}

static bool joins(const cutter *c, bool match)
{
    switch (c->step->behaviour) {
    case SPLIT_MERGED_PREVIOUS: return match && !c->last.match;
    case SPLIT_MERGED_NEXT:     return c->last.match && !match;
    case SPLIT_CONTIGUOUS:      return match == c->last.match;
    default:                    return false;
    }
}

static void cutter_put(cutter *c, size_t begin, size_t end, bool match)
{
    match ^= c->step->invert;
    if (c->step->behaviour == SPLIT_REMOVED && match)
        return;
    if (c->waiting && joins(c, match)) {
        c->last = (part){ { c->last.at.begin, (uint32_t)end }, match };
        return;
    }
    cutter_flush(c);
    c->last = (part){ { (uint32_t)begin, (uint32_t)end }, match };
    c->waiting = true;
}

// A match found at [begin, end), after what stood between it and the one before, which ended at `*done`.
static void cutter_match(cutter *c, size_t *done, size_t begin, size_t end)
{
    if (begin > *done)
        cutter_put(c, *done, begin, false);
    cutter_put(c, begin, end, true);
    *done = end;
}

// As the onig crate iterates: an empty match right after a match is none.
static bool cut_regex(cutter *c, scratch *s, const char *chars, piece p, size_t *done, err *e)
{
    bool any = false;
    for (size_t from = p.begin; from <= p.end;) {
        piece m = p;
        bool found = false;
        TRY(regex_next(c->step->regex, s, chars, p, from, &m, &found, e));
        if (!found)
            break;
        if (m.begin == m.end && any && m.end == *done) {
            int length = 1;
            if (from < p.end)
                (void)char_read(chars + from, &length);
            from += (size_t)length;
            continue;
        }
        cutter_match(c, done, m.begin, m.end);
        from = m.end;
        any = true;
    }
    return true;
}

static void cut_chars(cutter *c, const char *chars, piece p, size_t *done)
{
    int length;
    for (size_t at = p.begin; at < p.end; at += (size_t)length)
        if (c->step->is(char_read(chars + at, &length)))
            cutter_match(c, done, at, at + (size_t)length);
}

static void cut_literal(cutter *c, const char *chars, piece p, size_t *done)
{
    str whole = { chars, p.end }, literal = c->step->literal;
    for (size_t at = p.begin; literal.size && (at = str_find(whole, literal, at)) < p.end; at += literal.size)
        cutter_match(c, done, at, at + literal.size);
}

static void cut_words(cutter *c, const char *chars, piece p, size_t *done)
{
    for (size_t at = p.begin, next; at < p.end; at = next) {
        next = c->step->scan(chars, at, p.end);
        cutter_match(c, done, at, next);
    }
}

static void cut_length(cutter *c, const char *chars, piece p, size_t *done)
{
    int length;
    for (size_t at = p.begin, next; at < p.end; at = next) {
        next = at;
        for (int64_t n = 0; n < c->step->length && next < p.end; n++, next += (size_t)length)
            (void)char_read(chars + next, &length);
        cutter_match(c, done, at, next);
    }
}

static bool cut(const split_step *step, scratch *s, const char *chars, const pieces *in, pieces *out, err *e)
{
    out->count = 0;
    for (int64_t i = 0; i < in->count; i++) {
        piece p = in->items[i];
        cutter c = { .step = step, .out = out };
        size_t done = p.begin;
        switch (step->kind) {
        case SPLIT_REGEX:   TRY(cut_regex(&c, s, chars, p, &done, e)); break;
        case SPLIT_CHARS:   cut_chars(&c, chars, p, &done); break;
        case SPLIT_LITERAL: cut_literal(&c, chars, p, &done); break;
        case SPLIT_LENGTH:  cut_length(&c, chars, p, &done); break;
        case SPLIT_SCRIPTS: cut_scripts(out, chars, p, &done); break;
        default:            cut_words(&c, chars, p, &done); break;
        }
        if (done < p.end)
            cutter_put(&c, done, p.end, false);
        cutter_flush(&c);
    }
    return !out->failed || no_memory(e);
}

// The steps that write a new text. Each takes a piece and appends it to `to`.
static void rewrite_space(made *to, const split_step *step, const char *chars, piece p, bool first)
{
    (void)step, (void)first;
    if (chars[p.begin] != ' ')
        made_add(to, STR(" "), p.begin, p.begin);
    made_copy(to, str_slice((str){ chars, p.end }, p.begin, p.end), p.begin);
}

// The end of the run of bytes that are their own characters in the alphabet, all of them ASCII.
static size_t same_bytes(const char *chars, size_t at, size_t end)
{
    while (at < end && chars[at] > ' ' && chars[at] < 0x7f)
        at++;
    return at;
}

static void rewrite_bytes(made *to, const split_step *step, const char *chars, piece p, bool first)
{
    (void)step, (void)first;
    for (size_t i = p.begin, next; i < p.end; i = next) {
        next = same_bytes(chars, i, p.end);
        if (next > i) {
            made_copy(to, str_slice((str){ chars, p.end }, i, next), i);
            continue;
        }
        char two[2];
        int n = byte_to_utf8((uint8_t)chars[i], two);
        next = i + 1;
        made_add(to, (str){ two, (size_t)n }, i, next);
    }
}

static void rewrite_chars(made *to, const split_step *step, const char *chars, piece p, bool first)
{
    int length;
    (void)step, (void)first;
    for (size_t i = p.begin, next; i < p.end; i = next) {
        next = same_bytes(chars, i, p.end);
        if (next > i) {
            made_copy(to, str_slice((str){ chars, p.end }, i, next), i);
            continue;
        }
        char b = (char)char_to_byte(char_read(chars + i, &length));
        next = i + (size_t)length;
        made_add(to, (str){ &b, 1 }, i, next);
    }
}

// What is put in front takes the place of the first byte, so that it is trained with it.
static void rewrite_meta(made *to, const split_step *step, const char *chars, piece p, bool first)
{
    str s = str_slice((str){ chars, p.end }, p.begin, p.end), mark = step->literal;
    if ((step->prefix == META_ALWAYS || (step->prefix == META_FIRST && first)) && s.at[0] != ' ' && !str_begins(s, mark))
        made_add(to, mark, p.begin, p.begin + 1);
    for (size_t done = 0, at; done < s.size; done = at + 1) {
        at = str_find(s, STR(" "), done);
        made_copy(to, str_slice(s, done, at), p.begin + done);
        if (at < s.size)
            made_add(to, mark, p.begin + at, p.begin + at + 1);
    }
}

// The text that the steps stand at: the caller's, or one of the scratch's two made from the one before.
typedef struct stage {
    const char *text;
    pieces *now, *then;             // the pieces, and room for the next ones
    const made *made[WORKS];        // made one from the other, the last is `text`
    int made_count;
    const made *origin;
} stage;

// Does a piece begin where the text that was given begins?
static bool is_first(const stage *g, size_t at)
{
    for (int i = g->made_count; i-- > 0;)
        at = made_from(g->made[i], at);
    return (g->origin ? made_from(g->origin, at) : at) == 0;
}

static void swap(stage *g)
{
    pieces *p = g->now;
    g->now = g->then;
    g->then = p;
}

typedef void rewriter(made *to, const split_step *step, const char *chars, piece p, bool first);

static bool rewrite(stage *g, scratch *t, const split_step *step, rewriter *one, err *e)
{
    made *to = &t->work[g->made_count];
    made_clear(to);
    g->then->count = 0;
    for (int64_t i = 0; i < g->now->count; i++) {
        size_t begin = to->text.size;
        one(to, step, g->text, g->now->items[i], is_first(g, g->now->items[i].begin));
        pieces_add(g->then, begin, to->text.size);
    }
    if (to->failed || g->then->failed)
        return no_memory(e);
    swap(g);
    g->made[g->made_count++] = to;
    g->text = to->text.chars;
    return true;
}

static bool run_steps(const splitter *s, scratch *t, stage *g, err *e)
{
    bool bytes = false;
    for (int64_t i = 0; i < s->count; i++) {
        const split_step *step = &s->steps[i];
        if (step->kind == SPLIT_SPACE) {
            TRY(rewrite(g, t, step, rewrite_space, e));
        } else if (step->kind == SPLIT_META) {
            TRY(rewrite(g, t, step, rewrite_meta, e));
        } else if (step->kind == SPLIT_BYTES) {
            bytes = s->model || i + 1 < s->count;       // byte-level BPE does not look at the alphabet after the last step
            if (bytes)
                TRY(rewrite(g, t, step, rewrite_bytes, e));
        } else {
            TRY(cut(step, t, g->text, g->now, g->then, e));
            swap(g);
        }
    }
    return !bytes || s->model || rewrite(g, t, NULL, rewrite_chars, e);
}

static bool slow_encode(const splitter *s, const bpe *b, const char *chars, size_t begin, size_t end, tokens *out, err *e)
{
    scratch *t = tokens_scratch(out);
    if (!t)
        return no_memory(e);
    stage g = { .text = chars, .now = &t->pieces[0], .then = &t->pieces[1], .origin = t->origin };
    t->pieces[0].count = 0;
    t->pieces[0].failed = t->pieces[1].failed = false;
    pieces_add(g.now, begin, end);
    if (g.now->failed)
        return no_memory(e);
    TRY(run_steps(s, t, &g, e));
    int64_t first = out->count;
    for (int64_t i = 0; i < g.now->count; i++) {
        piece p = g.now->items[i];
        if (s->model)
            TRY(s->model->make(s->model, g.text, p.begin, p.end, out, e));
        else if (!bpe_cached_word(b, g.text, p.begin, p.end, out))
            return no_memory(e);
    }
    while (g.made_count > 0)
        made_places(g.made[--g.made_count], out, first);
    return true;
}

bool splitter_encode(const splitter *s, const bpe *b, const char *chars, size_t begin, size_t end, tokens *out, err *e)
{
    if (begin == end)
        return true;
    if (!s->fast)
        return slow_encode(s, b, chars, begin, end, out, e);
    return bpe_words(b, s->fast, chars, begin, end, out) || no_memory(e);
}
