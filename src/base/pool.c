// Threads sleep on a futex-backed condition after a short spin; tiles are handed out by an atomic counter.
#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"

enum { SPIN = 2000, MOST_THREADS = 1024 };

typedef struct worker { pool *pool; int number; pthread_t thread; } worker;

struct pool {
    int threads, started;
    worker *workers;
    pthread_mutex_t lock;
    pthread_cond_t begin, end;
    atomic_uint round;              // counts calls of pool_run; workers wait for it to change
    atomic_int busy;                // workers not yet done with this round
    atomic_llong next;
    int64_t tiles;
    void (*tile)(void *, int64_t, int);
    void *self;
    bool closing;
};

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void work(pool *p, int number)
{
    for (int64_t i; (i = atomic_fetch_add(&p->next, 1)) < p->tiles;)
        p->tile(p->self, i, number);
}

static unsigned wait_for_round(pool *p, unsigned seen)
{
    for (int i = 0; i < SPIN; i++) {
        if (atomic_load(&p->round) != seen)
            return atomic_load(&p->round);
        relax();
    }
    pthread_mutex_lock(&p->lock);
    while (atomic_load(&p->round) == seen)
        pthread_cond_wait(&p->begin, &p->lock);
    pthread_mutex_unlock(&p->lock);
    return atomic_load(&p->round);
}

static void *run_worker(void *arg)
{
    worker *w = arg;
    pool *p = w->pool;
    for (unsigned seen = 0;;) {
        seen = wait_for_round(p, seen);
        if (p->closing)
            return NULL;
        work(p, w->number);
        if (atomic_fetch_sub(&p->busy, 1) == 1) {
            pthread_mutex_lock(&p->lock);
            pthread_cond_signal(&p->end);
            pthread_mutex_unlock(&p->lock);
        }
    }
}

static void start_round(pool *p)
{
    pthread_mutex_lock(&p->lock);
    atomic_fetch_add(&p->round, 1);
    pthread_cond_broadcast(&p->begin);
    pthread_mutex_unlock(&p->lock);
}

void pool_run(pool *p, int64_t tiles, void (*tile)(void *self, int64_t i, int thread), void *self)
{
    if (!p || p->started == 0 || tiles < 2) {
        for (int64_t i = 0; i < tiles; i++)
            tile(self, i, 0);
        return;
    }
    p->tile = tile;
    p->self = self;
    p->tiles = tiles;
    atomic_store(&p->next, 0);
    atomic_store(&p->busy, p->started);
    start_round(p);
    work(p, 0);
    for (int i = 0; i < SPIN && atomic_load(&p->busy); i++)
        relax();
    pthread_mutex_lock(&p->lock);
    while (atomic_load(&p->busy))
        pthread_cond_wait(&p->end, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

// The cgroup's quota in whole processors, or a large number.
static int quota(void)
{
    long long most, period;
    FILE *f = fopen("/sys/fs/cgroup/cpu.max", "r");
    int read = f ? fscanf(f, "%lld %lld", &most, &period) : 0;
    if (f)
        fclose(f);
    return read == 2 && most > 0 && period > 0 ? (int)MAX((most + period - 1) / period, 1) : MOST_THREADS;
}

int pool_usable(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return MAX(1, MIN(n, quota()));
}

pool *pool_open(int threads, err *e)
{
    pool *p = calloc(1, sizeof *p);
    if (threads <= 0)
        threads = pool_usable();
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
    p->threads = threads;
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
    p->closing = true;
    start_round(p);
    for (int i = 0; i < p->started; i++)
        pthread_join(p->workers[i].thread, NULL);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->begin);
    pthread_cond_destroy(&p->end);
    free(p->workers);
    free(p);
}

int pool_threads(const pool *p) { return p ? p->started + 1 : 1; }
