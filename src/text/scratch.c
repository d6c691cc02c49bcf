// Buffers of one encoding thread, and the arrays of `tokens`.
#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/scratch.h"

#include <pcre2.h>
#include <stdlib.h>

#include "base/util.h"

scratch *tokens_scratch(tokens *k)
{
    if (!k->scratch)
        k->scratch = calloc(1, sizeof *k->scratch);
    return k->scratch;
}

static bool grow(void *array, size_t item, int64_t room)
{
    void **at = array, *p = realloc(*at, item * (size_t)room);
    if (p)
        *at = p;
    return p;
}

bool tokens_grow(tokens *k, int64_t more)
{
    int64_t room = MAX(k->count + more, 2 * k->room);
    room = MAX(room, 256);
    if (!grow(&k->ids, sizeof *k->ids, room) || !grow(&k->begin, sizeof *k->begin, room) || !grow(&k->end, sizeof *k->end, room))
        return false;
    k->room = room;
    return true;
}

void *scratch_room(scratch *s, size_t size)
{
    if (s->room_size < size) {
        free(s->room);
        s->room = malloc(size);
        s->room_size = s->room ? size : 0;
    }
    return s->room;
}

void tokens_clear(tokens *k) { k->count = 0; }

static void made_close(made *m)
{
    text_close(&m->text);
    free(m->from);
    free(m->to);
}

void tokens_close(tokens *k)
{
    scratch *s = k->scratch;
    if (s) {
        free(s->words.sets);
        free(s->words.wide);
        free(s->symbols);
        made_close(&s->repaired);
        made_close(&s->normal);
        for (int i = 0; i < WORKS; i++)
            made_close(&s->work[i]);
        made_close(&s->turn[0]);
        made_close(&s->turn[1]);
        free(s->room);
        free(s->pieces[0].items);
        free(s->pieces[1].items);
        pcre2_match_data_free(s->match);
        pcre2_match_context_free(s->context);
        pcre2_jit_stack_free(s->stack);
        free(s);
    }
    free(k->ids);
    free(k->begin);
    free(k->end);
    *k = (tokens){0};
}

void made_clear(made *m)
{
    text_clear(&m->text);
    m->failed = false;
}

static bool made_reserve(made *m, size_t more)
{
    size_t need = m->text.size + more;
    if (m->failed || need > UINT32_MAX) {
        m->failed = true;
        return false;
    }
    if (need > m->room) {
        size_t room = MAX(need, 2 * m->room + 64);
        if (!grow(&m->from, sizeof *m->from, (int64_t)room) || !grow(&m->to, sizeof *m->to, (int64_t)room)) {
            m->failed = true;
            return false;
        }
        m->room = room;
    }
    return true;
}

void made_add(made *m, str bytes, size_t from, size_t to)
{
    if (!made_reserve(m, bytes.size))
        return;
    for (size_t i = 0; i < bytes.size; i++) {
        m->from[m->text.size + i] = (uint32_t)from;
        m->to[m->text.size + i] = (uint32_t)to;
    }
    text_str(&m->text, bytes);
    m->failed |= m->text.failed;
}

void made_copy(made *m, str bytes, size_t base)
{
    if (!made_reserve(m, bytes.size))
        return;
    for (size_t i = 0; i < bytes.size; i++) {
        m->from[m->text.size + i] = (uint32_t)(base + i);
        m->to[m->text.size + i] = (uint32_t)(base + i + 1);
    }
    text_str(&m->text, bytes);
    m->failed |= m->text.failed;
}

void made_places(const made *m, tokens *k, int64_t first)
{
    for (int64_t i = first; i < k->count; i++) {
        uint32_t begin = k->begin[i], end = k->end[i];
        k->begin[i] = made_from(m, begin);
        k->end[i] = end > begin ? m->to[end - 1] : k->begin[i];
    }
}

void pieces_add(pieces *p, size_t begin, size_t end)
{
    if (begin == end || p->failed)
        return;
    if (p->count == p->room) {
        int64_t room = 2 * p->room + 64;
        if (!grow(&p->items, sizeof *p->items, room)) {
            p->failed = true;
            return;
        }
        p->room = room;
    }
    p->items[p->count++] = (piece){ (uint32_t)begin, (uint32_t)end };
}
