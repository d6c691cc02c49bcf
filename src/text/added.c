// Finding added tokens in a text.
#include "text/added.h"

#include <stdlib.h>

#include "text/unicode.h"

typedef struct entry { str pattern; const added_token *token; } entry;

static int compare(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    int order = str_compare(x->pattern, y->pattern);
    return order ? order : (x->token > y->token) - (x->token < y->token);
}

static void set_index(added_set *s, arena *a, entry *entries, int32_t count)
{
    qsort(entries, (size_t)count, sizeof *entries, compare);
    s->patterns = ARENA_ARRAY(a, str, count);
    s->tokens = ARENA_ARRAY(a, const added_token *, count);
    for (int32_t i = 0; i < count; i++) {
        if (s->count && str_equal(s->patterns[s->count - 1], entries[i].pattern))
            continue;                                   // equal after normalization: the first one stands
        s->patterns[s->count] = entries[i].pattern;
        s->tokens[s->count++] = entries[i].token;
    }
    int32_t at = 0;
    s->only = -1;
    for (int b = 0; b < 256; b++) {
        s->first[b] = at;
        while (at < s->count && (uint8_t)s->patterns[at].at[0] == b)
            at++;
        if (at > s->first[b])
            s->only = at - s->first[b] == s->count ? b : -1;
    }
    s->first[256] = at;
}

static bool normal_pattern(arena *a, normalizer n, str *pattern, err *e)
{
    if (normal_already(n, *pattern))
        return true;
    made m = {0};
    bool ok = normal_make(n, pattern->at, 0, pattern->size, &m) || fail(e, ERR_MEMORY, "no memory for added tokens");
    if (ok)
        *pattern = arena_str(a, text_view(&m.text));
    text_close(&m.text);
    free(m.from);
    free(m.to);
    return ok;
}

bool added_index(added *a, arena *memory, normalizer n, err *e)
{
    entry *raw = ARENA_ARRAY(memory, entry, a->count), *normal = ARENA_ARRAY(memory, entry, a->count);
    int32_t raws = 0, normals = 0;
    a->raw = a->normal = (added_set){ .only = -1 };
    for (int64_t i = 0; i < a->count; i++) {
        entry x = { a->tokens[i].content, &a->tokens[i] };
        if (x.token->inner)
            continue;
        if (!x.token->normalized) {
            raw[raws++] = x;
            continue;
        }
        if (x.token->normal.at)
            x.pattern = x.token->normal;
        else
            TRY(normal_pattern(memory, n, &x.pattern, e));
        if (x.pattern.size)
            normal[normals++] = x;
    }
    set_index(&a->raw, memory, raw, raws);
    set_index(&a->normal, memory, normal, normals);
    return true;
}

const added_token *added_find(const added *a, int32_t id)
{
    for (int64_t i = 0; i < a->count; i++)
        if (a->tokens[i].id == id)
            return &a->tokens[i];
    return NULL;
}

// The first pattern in [low, high), equal up to `depth`, whose byte there is at least b. Shorter ones come first.
static int32_t lower(const added_set *s, int32_t low, int32_t high, size_t depth, int b)
{
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (s->patterns[middle].size <= depth || (uint8_t)s->patterns[middle].at[depth] < b)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// The longest pattern that stands at `at`; -1.
static int32_t longest(const added_set *s, const char *chars, size_t at, size_t end)
{
    uint8_t b = (uint8_t)chars[at];
    int32_t low = s->first[b], high = s->first[b + 1], best = -1;
    for (size_t depth = 1; low < high; depth++) {
        if (s->patterns[low].size == depth)
            best = low++;
        if (at + depth == end)
            break;
        b = (uint8_t)chars[at + depth];
        low = lower(s, low, high, depth, b);
        high = lower(s, low, high, depth, b + 1);
    }
    return best;
}

bool added_next(const added_set *s, const char *chars, size_t from, size_t end, added_match *m)
{
    if (!s->count)
        return false;
    for (size_t at = from; at < end; at++) {
        if (s->only >= 0) {
            const char *found = memchr(chars + at, s->only, end - at);
            if (!found)
                return false;
            at = (size_t)(found - chars);
        }
        uint8_t b = (uint8_t)chars[at];
        if (s->first[b] == s->first[b + 1])
            continue;
        int32_t best = longest(s, chars, at, end);
        if (best < 0)
            continue;
        *m = (added_match){ s->tokens[best], at, at + s->patterns[best].size };
        return true;
    }
    return false;
}

static bool is_single_word(const added_match *m, const char *chars, size_t begin, size_t end)
{
    int length;
    if (m->begin > begin && char_is_word(char_read(chars + char_before(chars, m->begin), &length)))
        return false;
    return m->end == end || !char_is_word(char_read(chars + m->end, &length));
}

bool added_accept(added_match *m, const char *chars, size_t begin, size_t end, size_t done, int flags)
{
    int length;
    if ((flags & ENCODE_NO_SPECIAL) && m->token->special)
        return false;
    if (m->token->single_word && !is_single_word(m, chars, begin, end))
        return false;
    if (m->token->lstrip) {
        size_t at = m->begin;
        while (at > begin && char_is_space(char_read(chars + char_before(chars, at), &length)))
            at = char_before(chars, at);
        m->begin = at > done ? at : done;
    }
    if (m->token->rstrip)
        while (m->end < end && char_is_space(char_read(chars + m->end, &length)))
            m->end += (size_t)length;
    return true;
}
