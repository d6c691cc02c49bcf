// Unigram: of all ways to cut a word into pieces the one whose scores have the highest sum.
#include <math.h>

#include "base/util.h"
#include "text/unicode.h"
#include "text/word_model.h"

// The best way to a place: where its last piece begins, which it is, and the sum of scores; `next` on the way chosen.
typedef struct way { double score; uint32_t begin, next; int32_t id; } way;

#define NOT_REACHED UINT32_MAX

// `tokenizers` sums in double, SentencePiece in float32 (`single`): a tie there is a tie here.
static inline double sum_of(const word_model *m, double a, double b)
{
    return m->single ? (double)((float)a + (float)b) : a + b;
}

static inline void offer(way *w, double score, uint32_t begin, int32_t id)
{
    if (w->begin == NOT_REACHED || score > w->score)
        *w = (way){ score, begin, 0, id };
}

// Pieces of the user's own get more than any others of that length, so that they are always taken.
static inline double score_of(const word_model *m, int32_t id, size_t size)
{
    return kind_of(m, id) == PIECE_USER ? (double)(float)(0.1 * (double)(size - 1)) : m->scores[id];
}

// Over a long text SentencePiece's sums lose the differences between pieces; it begins again from 0 when they are this large.
#define SUM_MOST 100000.0

static void begin_again(way *ways, size_t at, size_t frontier)
{
    const float offset = (float)ways[at].score;
    for (size_t i = at; i <= frontier; i++)
        if (i == at || ways[i].begin != NOT_REACHED)
            ways[i].score = (double)((float)ways[i].score - offset);
}

static inline bool is_piece(const word_model *m, int32_t id)
{
    piece_kind k = kind_of(m, id);
    return k == PIECE_NORMAL || k == PIECE_USER;
}

// Offers every piece that begins at `at`; how far the longest reaches.
static size_t offer_pieces(const word_model *m, const char *chars, size_t size, size_t at, size_t length, way *ways)
{
    bool alone = false;
    int32_t leaf = TRIE_ROOT;
    size_t frontier = 0;
    const double here = ways[at].score;
    for (size_t i = at; i < size && (leaf = trie_step(&m->trie, leaf, (uint8_t)chars[i])) >= 0; i++) {
        int32_t id = m->trie.value[leaf];
        if (id < 0 || !is_piece(m, id))
            continue;
        offer(&ways[i + 1], sum_of(m, score_of(m, id, i + 1 - at), here), (uint32_t)at, id);
        alone |= i + 1 - at == length;
        frontier = i + 1;
    }
    if (!alone)
        offer(&ways[at + length], sum_of(m, m->unknown_score, here), (uint32_t)at, m->unk);
    return MAX(frontier, at + length);
}

static void find_ways(const word_model *m, const char *chars, size_t size, way *ways)
{
    int length;
    size_t frontier = 0;
    for (size_t i = 0; i <= size; i++)
        ways[i].begin = NOT_REACHED;
    ways[0] = (way){ .id = -1 };
    for (size_t at = 0; at < size; at += (size_t)length) {
        if (m->single && fabs(ways[at].score) > SUM_MOST)
            begin_again(ways, at, frontier);
        (void)char_read(chars + at, &length);
        const size_t end = offer_pieces(m, chars, size, at, (size_t)length, ways);
        frontier = MAX(frontier, end);
    }
}

// One piece, or a run of unknown ones. `tokenizers` looks once more whether such a run is a piece.
static bool put_way(const word_model *m, const char *chars, size_t begin, size_t end, int32_t id, tokens *out, err *e)
{
    if (id == m->unk && !m->single)
        id = word_model_find(m, (str){ chars + begin, end - begin });
    if (id == m->unk && m->single)
        id = -1;
    if (id < 0 && m->unk < 0)
        return fail(e, ERR_INPUT, "'%.*s' is not in the vocabulary, and there is no unk_id to stand for it",
                    (int)MIN(end - begin, 60), chars + begin);
    if (id < 0)
        return put_unknown(m, chars, begin, end, out) || fail(e, ERR_MEMORY, "no memory to encode a text");
    if (!tokens_reserve(out, 1))
        return fail(e, ERR_MEMORY, "no memory to encode a text");
    tokens_put(out, id, begin, end);
    return true;
}

bool make_unigram(const word_model *m, const char *chars, size_t begin, size_t end, tokens *out, err *e)
{
    scratch *s = tokens_scratch(out);
    size_t size = end - begin;
    way *ways = s ? scratch_room(s, (size + 1) * sizeof *ways) : NULL;
    if (!ways)
        return fail(e, ERR_MEMORY, "no memory to encode a text");
    find_ways(m, chars + begin, size, ways);
    for (size_t at = size; at > 0; at = ways[at].begin)
        ways[ways[at].begin].next = (uint32_t)at;
    for (size_t at = 0, next; at < size; at = next) {
        int32_t id = ways[next = ways[at].next].id;
        while (id == m->unk && next < size && ways[ways[next].next].id == m->unk)
            next = ways[next].next;
        TRY(put_way(m, chars, begin + at, begin + next, id, out, e));
    }
    return true;
}
