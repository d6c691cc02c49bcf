// BPE over characters: the model of `tokenizers` where no pre-tokenizer makes bytes of the text, and SentencePiece's own,
// which knows no merges: any two neighbours that make a piece may join, the piece of the highest score first.
#include <stdlib.h>

#include "base/util.h"
#include "text/unicode.h"
#include "text/word_model.h"

typedef struct symbol {
    int32_t id;                     // -1: no piece of its own (SentencePiece)
    uint32_t begin, end;
    uint32_t next, before;          // NONE: no neighbour
    bool frozen, gone;
} symbol;

#define NONE UINT32_MAX

// Two neighbours that may join: what they make, and how soon.
typedef struct pair { uint64_t order; int32_t id; } pair;      // order: rank << 32 | place of the left one

typedef struct word {
    const word_model *model;
    const char *chars;
    symbol *symbols;
    uint32_t count;
    pair *heap;
    size_t heap_count;
    uint32_t *halves;               // SentencePiece with unused pieces: by id, the bytes of the left half it was made of
} word;

// What two neighbours make; -1. `rank` is the lower the sooner.
typedef int32_t join(const word *w, const symbol *left, const symbol *right, uint32_t *rank);

static int32_t join_by_merges(const word *w, const symbol *left, const symbol *right, uint32_t *rank)
{
    const merge *m = bpe_find(w->model->bpe, left->id, right->id);
    if (!m)
        return -1;
    *rank = (uint32_t)m->rank;
    return m->id;
}

static int32_t join_by_scores(const word *w, const symbol *left, const symbol *right, uint32_t *rank)
{
    if (left->frozen || right->frozen)
        return -1;
    int32_t id = word_model_find(w->model, str_slice((str){ w->chars, right->end }, left->begin, right->end));
    piece_kind kind = id < 0 ? PIECE_NORMAL : kind_of(w->model, id);
    if (id < 0 || (kind != PIECE_NORMAL && kind != PIECE_USER && kind != PIECE_UNUSED))
        return -1;
    if (kind == PIECE_UNUSED)
        w->halves[id] = left->end - left->begin;
    *rank = w->model->ranks[id];
    return id;
}

static void heap_push(word *w, pair p)
{
    size_t i = w->heap_count++;
    for (; i > 0 && p.order < w->heap[(i - 1) / 2].order; i = (i - 1) / 2)
        w->heap[i] = w->heap[(i - 1) / 2];
    w->heap[i] = p;
}

static pair heap_pop(word *w)
{
    pair top = w->heap[0], last = w->heap[--w->heap_count];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < w->heap_count; i = child) {
        if (child + 1 < w->heap_count && w->heap[child + 1].order < w->heap[child].order)
            child++;
        if (last.order <= w->heap[child].order)
            break;
        w->heap[i] = w->heap[child];
    }
    w->heap[i] = last;
    return top;
}

static void offer(word *w, join *f, uint32_t left)
{
    uint32_t rank = 0;
    if (left == NONE || w->symbols[left].next == NONE)
        return;
    int32_t id = f(w, &w->symbols[left], &w->symbols[w->symbols[left].next], &rank);
    if (id >= 0)
        heap_push(w, (pair){ (uint64_t)rank << 32 | left, id });
}

// An entry counts as long as its symbol and the next one still make the same piece, of whatever halves: so do the peers.
// Each join puts in two entries at most: 3 n in all.
static void merge_all(word *w, join *f)
{
    for (uint32_t i = 0; i + 1 < w->count; i++)
        offer(w, f, i);
    while (w->heap_count) {
        pair top = heap_pop(w);
        symbol *left = &w->symbols[(uint32_t)top.order];
        uint32_t rank = 0;
        if (left->gone || left->next == NONE || f(w, left, &w->symbols[left->next], &rank) != top.id)
            continue;
        symbol *right = &w->symbols[left->next];
        left->id = top.id;
        left->end = right->end;
        left->next = right->next;
        right->gone = true;
        if (left->next != NONE)
            w->symbols[left->next].before = (uint32_t)(left - w->symbols);
        offer(w, f, left->before);
        offer(w, f, (uint32_t)(left - w->symbols));
    }
}

static void add(word *w, int32_t id, size_t begin, size_t end, bool frozen)
{
    uint32_t i = w->count++;
    w->symbols[i] = (symbol){ id, (uint32_t)begin, (uint32_t)end, NONE, i ? i - 1 : NONE, frozen, false };
    if (i)
        w->symbols[i - 1].next = i;
}

// Room for n symbols and their heap.
static bool open_word(word *w, const word_model *m, const char *chars, size_t n, tokens *out, err *e)
{
    scratch *s = tokens_scratch(out);
    *w = (word){ .model = m, .chars = chars };
    size_t halves = m->has_unused ? (size_t)m->size * sizeof(uint32_t) : 0;
    w->heap = s ? scratch_room(s, 3 * n * sizeof *w->heap + n * sizeof *w->symbols + halves) : NULL;
    if (!w->heap)
        return fail(e, ERR_MEMORY, "no memory to encode a text");
    w->symbols = (symbol *)(void *)(w->heap + 3 * n);
    w->halves = (uint32_t *)(void *)(w->symbols + n);
    return true;
}

static bool put_all(const word *w, tokens *out, err *e)
{
    if (!tokens_reserve(out, w->count))
        return fail(e, ERR_MEMORY, "no memory to encode a text");
    for (uint32_t i = 0; w->count && i != NONE; i = w->symbols[i].next)
        tokens_put(out, w->symbols[i].id, w->symbols[i].begin, w->symbols[i].end);
    return true;
}

// The first symbols of `tokenizers`: an unknown one waits for a known one (but not for bytes) to join a run of them.
typedef struct beginning { word *w; size_t begin, end; bool waiting; } beginning;

static void flush_unknown(beginning *b)
{
    if (b->waiting)
        add(b->w, b->w->model->unk, b->begin, b->end, false);
    b->waiting = false;
}

static bool add_bytes(beginning *b, str s, size_t begin, size_t end)
{
    const word_model *m = b->w->model;
    for (size_t i = 0; i < s.size; i++)
        if (m->byte[(uint8_t)s.at[i]] < 0)
            return false;
    for (size_t i = 0; i < s.size; i++)
        add(b->w, m->byte[(uint8_t)s.at[i]], MIN(begin + i, end), MIN(begin + i + 1, end), false);
    return true;
}

static void add_char(beginning *b, str s, size_t begin, size_t end)
{
    const word_model *m = b->w->model;
    int32_t id = word_model_find(m, s);
    if (id >= 0) {
        flush_unknown(b);
        add(b->w, id, begin, end, false);
        return;
    }
    if ((m->byte_fallback && add_bytes(b, s, begin, end)) || m->unk < 0)
        return;
    if (b->waiting && m->fuse_unk) {
        b->end = end;
        return;
    }
    flush_unknown(b);
    *b = (beginning){ b->w, begin, end, true };
}

// A character with what the model writes before it inside a word, and after it at the end.
static bool add_dressed(beginning *b, text *dressed, size_t at, size_t next, bool is_first, bool is_last)
{
    const word_model *m = b->w->model;
    text_clear(dressed);
    if (!is_first)
        text_str(dressed, m->prefix);
    text_bytes(dressed, b->w->chars + at, next - at);
    if (is_last)
        text_str(dressed, m->suffix);
    if (!dressed->failed)
        add_char(b, text_view(dressed), at, next);
    return !dressed->failed;
}

bool make_bpe_chars(const word_model *m, const char *chars, size_t begin, size_t end, tokens *out, err *e)
{
    int32_t whole = m->ignore_merges ? word_model_find(m, str_slice((str){ chars, end }, begin, end)) : -1;
    if (whole >= 0) {
        if (!tokens_reserve(out, 1))
            return fail(e, ERR_MEMORY, "no memory to encode a text");
        tokens_put(out, whole, begin, end);
        return true;
    }
    word w;
    text dressed = {0};
    int length;
    bool ok = true, plain = !m->prefix.size && !m->suffix.size;
    TRY(open_word(&w, m, chars, (end - begin) * (1 + m->prefix.size) + m->suffix.size, out, e));
    beginning b = { .w = &w };
    for (size_t at = begin; ok && at < end; at += (size_t)length) {
        (void)char_read(chars + at, &length);
        size_t next = at + (size_t)length;
        if (plain)
            add_char(&b, str_slice((str){ chars, next }, at, next), at, next);
        else
            ok = add_dressed(&b, &dressed, at, next, at == begin, next == end);
    }
    text_close(&dressed);
    if (!ok)
        return fail(e, ERR_MEMORY, "no memory to encode a text");
    flush_unknown(&b);
    merge_all(&w, join_by_merges);
    return put_all(&w, out, e);
}

// SentencePiece's tokens of a symbol: a piece that is unused falls apart again into what it was made of.
static bool put_piece(const word *w, uint32_t begin, uint32_t end, bool *unknown, tokens *out)
{
    const word_model *m = w->model;
    int32_t id = word_model_find(m, str_slice((str){ w->chars, end }, begin, end));
    if (id >= 0 && kind_of(m, id) == PIECE_UNUSED && w->halves[id]) {
        uint32_t half = begin + w->halves[id];
        return put_piece(w, begin, half, unknown, out) && put_piece(w, half, end, unknown, out);
    }
    bool is_unknown = id < 0 || (id == m->unk && m->kinds);
    if (is_unknown && *unknown && !m->byte_fallback) {
        out->end[out->count - 1] = end;
        return true;
    }
    *unknown = is_unknown;
    if (is_unknown)
        return put_unknown(m, w->chars, begin, end, out);
    if (!tokens_reserve(out, 1))
        return false;
    tokens_put(out, id, begin, end);
    return true;
}

bool make_pieces(const word_model *m, const char *chars, size_t begin, size_t end, tokens *out, err *e)
{
    word w;
    int length;
    bool ok = true, unknown = false;
    TRY(open_word(&w, m, chars, end - begin, out, e));
    if (m->has_unused)
        memset(w.halves, 0, (size_t)m->size * sizeof *w.halves);
    for (size_t at = begin, size; at < end; at += size) {
        bool own = m->own && trie_longest(m->own, chars, at, end, &size) >= 0;
        if (!own) {
            (void)char_read(chars + at, &length);
            size = (size_t)length;
        }
        add(&w, -1, at, at + size, own);
    }
    merge_all(&w, join_by_scores);
    for (uint32_t i = 0; ok && w.count && i != NONE; i = w.symbols[i].next)
        ok = put_piece(&w, w.symbols[i].begin, w.symbols[i].end, &unknown, out);
    return ok || fail(e, ERR_MEMORY, "no memory to encode a text");
}
