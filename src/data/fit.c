// Fitting conversations into packs.
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "data/packs.h"

int64_t fit_sequential(const int32_t *sizes, int64_t count, int64_t seq, int64_t most, int64_t *pack)
{
    int64_t opened = 0, used = 0, pieces = 0;
    for (int64_t i = 0; i < count; i++) {
        if (!opened || used + sizes[i] > seq || pieces == most) {
            opened++;
            used = pieces = 0;
        }
        used += sizes[i];
        pieces++;
        pack[i] = opened - 1;
    }
    return opened;
}

// ---- best fit, window by window ----
// The largest pieces first, each into the pack with the least room that is enough. Open packs lie in lists by their room, and a
// bit per room says which lists hold any.

enum { WINDOW = 4096 };

typedef struct shelf {
    int64_t seq;
    int32_t *head;                  // [seq + 1]: the pack last put at this room, or -1
    uint64_t *any;                  // [seq / 64 + 1]
    int32_t next[WINDOW], pieces[WINDOW], order[WINDOW], place[WINDOW], number[WINDOW];
} shelf;

static int64_t find_room(const shelf *s, int64_t size)
{
    const int64_t words = s->seq / 64 + 1;
    uint64_t word = s->any[size / 64] & ~(uint64_t)0 << (size & 63);
    for (int64_t i = size / 64; ; word = s->any[i]) {
        if (word)
            return i * 64 + __builtin_ctzll(word);
        if (++i == words)
            return -1;
    }
}

static int32_t take(shelf *s, int64_t room)
{
    int32_t p = s->head[room];
    s->head[room] = s->next[p];
    if (s->head[room] < 0)
        s->any[room / 64] &= ~((uint64_t)1 << (room & 63));
    return p;
}

static void put(shelf *s, int64_t room, int32_t p)
{
    s->next[p] = s->head[room];
    s->head[room] = p;
    s->any[room / 64] |= (uint64_t)1 << (room & 63);
}

// Counting order by size, largest first; equal sizes stay in order.
static bool sort_sizes(const int32_t *sizes, int count, int64_t seq, int32_t *order)
{
    int32_t *at = calloc((size_t)seq + 2, sizeof *at);
    if (!at)
        return false;
    for (int i = 0; i < count; i++)
        at[seq - sizes[i] + 1]++;
    for (int64_t i = 0; i < seq; i++)
        at[i + 1] += at[i];
    for (int i = 0; i < count; i++)
        order[at[seq - sizes[i]]++] = i;
    free(at);
    return true;
}

static bool fit_window(shelf *s, const int32_t *sizes, int count, int64_t most, int64_t *so_far, int64_t *pack)
{
    int32_t opened = 0;
    memset(s->head, 0xff, sizeof *s->head * ((size_t)s->seq + 1));
    memset(s->any, 0, sizeof *s->any * ((size_t)s->seq / 64 + 1));
    if (!sort_sizes(sizes, count, s->seq, s->order))
        return false;
    for (int i = 0; i < count; i++) {
        const int32_t piece = s->order[i];
        int64_t room = find_room(s, sizes[piece]);
        int32_t p = room < 0 ? opened++ : take(s, room);
        if (room < 0) {
            room = s->seq;
            s->pieces[p] = 0;
        }
        s->place[piece] = p;
        if (++s->pieces[p] < most)
            put(s, room - sizes[piece], p);
    }
    memset(s->number, 0xff, sizeof s->number);              // packs are numbered by their first piece
    for (int i = 0, next = 0; i < count; i++) {
        int32_t *number = &s->number[s->place[i]];
        if (*number < 0)
            *number = next++;
        pack[i] = *so_far + *number;
    }
    *so_far += opened;
    return true;
}

int64_t fit_best(const int32_t *sizes, int64_t count, int64_t seq, int64_t most, int64_t *pack)
{
    int64_t all = 0;
    shelf *s = malloc(sizeof *s);
    bool ok = s != NULL;
    if (s) {
        s->seq = seq;
        s->head = malloc(sizeof *s->head * ((size_t)seq + 1));
        s->any = malloc(sizeof *s->any * ((size_t)seq / 64 + 1));
        ok = s->head && s->any;
    }
    for (int64_t i = 0; ok && i < count; i += WINDOW)
        ok = fit_window(s, sizes + i, (int)MIN(count - i, (int64_t)WINDOW), most, &all, pack + i);
    if (s) {
        free(s->head);
        free(s->any);
    }
    free(s);
    return ok ? all : -1;
}
