// Page faults are dear, most of all on virtual machines whose host has taken free memory back: every page is touched before the first
// step, by threads of its own, while weights and data are read. What the system would only promise (and end the process for later) is
// refused here.
#include "engine/cpu/reserve.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/large.h"
#include "base/nodes.h"
#include "base/util.h"

enum { PAGE = 4096, SMALL = 64 << 20 };                 // bytes; so little is touched at once, where it is reserved

struct touching {
    char *at;
    size_t size;
    atomic_llong left;              // pieces of LARGE_PAGE not handed out, the last first: weights are written from the front meanwhile
    pthread_t *threads;
    int started;
};

// What the system says can be had without swapping; 0 when it does not say.
static size_t available(void)
{
    char line[128];
    unsigned long long kilobytes = 0;
    FILE *f = fopen("/proc/meminfo", "r");
    while (f && fgets(line, sizeof line, f) && sscanf(line, "MemAvailable: %llu kB", &kilobytes) != 1)
        ;
    if (f)
        fclose(f);
    return (size_t)kilobytes * 1024;
}

// Adds nothing to a byte of each page, as one operation, since others may be writing there. The compiler is not to know that it is nothing.
static void touch(char *at, size_t size)
{
    static volatile char nothing;
    const char none = nothing;
    for (size_t i = 0; i < size; i += PAGE)
        __atomic_fetch_add(at + i, none, __ATOMIC_RELAXED);
}

static void touch_pieces(touching *t)
{
    for (long long left; (left = atomic_fetch_sub(&t->left, 1)) > 0;) {
        const size_t begin = (size_t)(left - 1) * LARGE_PAGE;
        touch(t->at + begin, MIN((size_t)LARGE_PAGE, t->size - begin));
    }
}

static void *run_touching(void *self)
{
    touch_pieces(self);
    return NULL;
}

// Threads that are not to be had are made up for by whoever waits.
static void begin_touching(reserve *r, int threads)
{
    touching *t = r->size < SMALL ? NULL : calloc(1, sizeof *t);
    if (!t || !(t->threads = calloc((size_t)threads, sizeof *t->threads))) {
        free(t);
        touch(r->at, r->size);
        return;
    }
    t->at = r->at, t->size = r->size;
    atomic_store(&t->left, (long long)((r->size + LARGE_PAGE - 1) / LARGE_PAGE));
    while (t->started < threads && pthread_create(&t->threads[t->started], NULL, run_touching, t) == 0)
        t->started++;
    r->touching = t;
}

static void end_touching(reserve *r)
{
    touching *t = r->touching;
    for (int i = 0; i < t->started; i++)
        pthread_join(t->threads[i], NULL);
    free(t->threads);
    free(t);
    r->touching = NULL;
}

void reserve_wait(reserve *r)
{
    if (!r->touching)
        return;
    touch_pieces(r->touching);
    end_touching(r);
}

bool reserve_open(reserve *r, size_t size, const pool *threads, err *e)
{
    const size_t most = available();
    *r = (reserve){0};
    if (most && size > most)
        return fail(e, ERR_MEMORY,
            "this needs %.2f GB of memory, %.2f GB are available: use fewer or shorter rows, recompute, or a smaller model",
                    (double)size * 1e-9, (double)most * 1e-9);
    void *at = mmap(NULL, size + LARGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return fail(e, ERR_MEMORY, "the system does not give %.2f GB of memory", (double)size * 1e-9);
    r->mapping = at, r->mapped = size + LARGE_PAGE;
    r->at = (char *)(((uintptr_t)at + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE), r->size = size;
    madvise(r->at, size, MADV_HUGEPAGE);            // advice only: without it everything works the same
    nodes_interleave(r->at, size);
    begin_touching(r, pool_threads(threads));
    return true;
}

void reserve_close(reserve *r)
{
    if (r->touching) {
        atomic_store(&r->touching->left, 0);
        end_touching(r);
    }
    if (r->mapping)
        munmap(r->mapping, r->mapped);
    *r = (reserve){0};
}
