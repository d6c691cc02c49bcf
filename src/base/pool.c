// Tiles are handed out one by one from a counter; whoever takes the last ones finds none left and waits for the next work. Threads
// spin a short while before they sleep, so that one call after another costs no switch: but not where there are more of them than
// cores, since then the one that is waited for may need the core.
#include "base/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/cores.h"
#include "base/util.h"

enum { SPIN = 2000, MOST_THREADS = 4096 };

typedef struct worker { pool *pool; int number; pthread_t thread; } worker;

// `left` is the heart: a thread that counts it down has a tile, and until that tile is done pool_run does not return, so
// `tiles`, `tile` and `self` stay what they are. A thread that comes late finds none left and touches nothing.
struct pool {
    int started, spin, cores;
    worker *workers;
    pthread_mutex_t lock;
    pthread_cond_t begin, end;
    atomic_llong left;              // tiles not handed out
    atomic_llong undone;            // tiles not done
    atomic_int asleep;              // workers on `begin`
    atomic_bool awaited;            // is the caller on `end`?
    atomic_bool closing;
    bool timed;
    atomic_llong busy;              // nanoseconds in tiles, of all threads, and between begin and end of calls
    long long within;
    int64_t tiles;
    void (*tile)(void *, int64_t, int);
    void *self;
};

// Each of two threads writes one word and then reads the other's; one of them at least must see what the other wrote, or both would sleep.
// An exchange, not a store: an emulator of ARM on x86 may let the read go before a store, however that is ordered.
#define PUT(word, value) ((void)atomic_exchange(&(word), (value)))

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile ("isb" ::: "memory");      // "yield" does nothing on most
#endif
}

static bool take(pool *p, long long *left)
{
    *left = atomic_load(&p->left);
    while (*left > 0)
        if (atomic_compare_exchange_weak(&p->left, left, *left - 1))
            return true;
    return false;
}

static void run_tile(pool *p, int64_t i, int number)
{
    const double begin = p->timed ? clock_now() : 0;
    p->tile(p->self, i, number);
    if (p->timed)
        atomic_fetch_add(&p->busy, (long long)((clock_now() - begin) * 1e9));
}

static void work(pool *p, int number)
{
    for (long long left; take(p, &left);) {
        run_tile(p, p->tiles - left, number);
        if (atomic_fetch_sub(&p->undone, 1) == 1 && atomic_load(&p->awaited)) {
            pthread_mutex_lock(&p->lock);
            pthread_cond_signal(&p->end);
            pthread_mutex_unlock(&p->lock);
        }
    }
}

static bool idle(const pool *p) { return atomic_load(&p->left) == 0 && !atomic_load(&p->closing); }

static void wait_for_work(pool *p)
{
    for (int i = 0; i < p->spin && idle(p); i++)
        relax();
    if (!idle(p))
        return;
    pthread_mutex_lock(&p->lock);
    atomic_fetch_add(&p->asleep, 1);            // before `left` is looked at, as pool_run sets `left` before it looks here
    while (idle(p))
        pthread_cond_wait(&p->begin, &p->lock);
    atomic_fetch_sub(&p->asleep, 1);
    pthread_mutex_unlock(&p->lock);
}

static void *run_worker(void *arg)
{
    worker *w = arg;
    pool *p = w->pool;
    while (!atomic_load(&p->closing)) {
        wait_for_work(p);
        work(p, w->number);
    }
    return NULL;
}

// Waking costs more than a small tile: no more threads than there are tiles for, nor many more than can run at once.
static void wake(pool *p, int64_t most)
{
    if (atomic_load(&p->asleep) == 0)
        return;
    pthread_mutex_lock(&p->lock);
    const int64_t n = MIN(most, (int64_t)atomic_load(&p->asleep));
    if (n == atomic_load(&p->asleep))
        pthread_cond_broadcast(&p->begin);
    else
        for (int64_t i = 0; i < n; i++)
            pthread_cond_signal(&p->begin);
    pthread_mutex_unlock(&p->lock);
}

static void run_all(pool *p, int64_t tiles)
{
    if (p->started == 0 || tiles < 2) {
        for (int64_t i = 0; i < tiles; i++)
            run_tile(p, i, 0);
        return;
    }
    p->tiles = tiles;
    atomic_store(&p->undone, tiles);
    PUT(p->left, tiles);
    wake(p, MIN(tiles - 1, 2 * p->cores));
    work(p, 0);
    for (int i = 0; i < p->spin && atomic_load(&p->undone); i++)
        relax();
    if (!atomic_load(&p->undone))
        return;
    pthread_mutex_lock(&p->lock);
    PUT(p->awaited, true);
    while (atomic_load(&p->undone))
        pthread_cond_wait(&p->end, &p->lock);
    atomic_store(&p->awaited, false);
    pthread_mutex_unlock(&p->lock);
}

void pool_run(pool *p, int64_t tiles, void (*tile)(void *self, int64_t i, int thread), void *self)
{
    if (!p) {
        for (int64_t i = 0; i < tiles; i++)
            tile(self, i, 0);
        return;
    }
    const double begin = p->timed ? clock_now() : 0;
    p->tile = tile;
    p->self = self;
    run_all(p, tiles);
    if (p->timed)
        p->within += (long long)((clock_now() - begin) * 1e9) * pool_threads(p);
}

void pool_time(pool *p)
{
    p->timed = true;
    p->within = 0;
    atomic_store(&p->busy, 0);
}

double pool_idle(const pool *p)
{
    return p->within > 0 ? MAX(0.0, 1 - (double)atomic_load(&p->busy) / (double)p->within) : 0;
}

pool *pool_open(int threads, err *e)
{
    pool *p = calloc(1, sizeof *p);
    if (threads <= 0)
        threads = cores_usable();
    threads = MIN(threads, MOST_THREADS);
    if (p)
        p->workers = calloc((size_t)threads, sizeof *p->workers);
    if (!p || !p->workers) {
        free(p);
        fail(e, ERR_MEMORY, "no memory for %d threads", threads);
        return NULL;
    }
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->begin, NULL);
    pthread_cond_init(&p->end, NULL);
    p->cores = cores_usable();
    p->spin = threads <= p->cores ? SPIN : 0;
    for (int i = 1; i < threads; i++) {
        worker *w = &p->workers[p->started];
        *w = (worker){ p, i, 0 };
        if (pthread_create(&w->thread, NULL, run_worker, w) != 0) {
            fail(e, ERR_MEMORY, "cannot start thread %d of %d; ask for fewer with threads=…", i + 1, threads);
            pool_close(p);
            return NULL;
        }
        p->started++;
    }
    return p;
}

void pool_close(pool *p)
{
    if (!p)
        return;
    PUT(p->closing, true);
    wake(p, p->started);
    for (int i = 0; i < p->started; i++)
        pthread_join(p->workers[i].thread, NULL);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->begin);
    pthread_cond_destroy(&p->end);
    free(p->workers);
    free(p);
}

int pool_threads(const pool *p) { return p ? p->started + 1 : 1; }
