// Work cut into tiles by its size, never by the number of threads.

typedef struct parts {
    const task *t;
    int64_t n, tile;
    void (*part)(const task *t, int64_t begin, int64_t end);
} parts;

static void run_part(void *self, int64_t i, int thread)
{
    const parts *p = self;
    (void)thread;
    p->part(p->t, i * p->tile, MIN(p->n, (i + 1) * p->tile));
}

static int64_t tiles_of(int64_t n, int64_t tile) { return (n + tile - 1) / tile; }

static void in_parts(const task *t, int64_t n, int64_t tile, void (*part)(const task *t, int64_t begin, int64_t end))
{
    parts p = { t, n, tile, part };
    pool_run(t->pool, tiles_of(n, tile), run_part, &p);
}

// Rows to a tile so that a tile is about 16,384 elements: long enough to hand out, many enough to balance.
static int64_t row_tile(int64_t width) { return MAX(1, 16384 / width); }

static int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

// Takes memory from the task's room, on a cache line.
INLINE void *take(char **room, int64_t bytes)
{
    void *at = *room;
    *room += round_up(bytes, 64);
    return at;
}
