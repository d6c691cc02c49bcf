// Page faults are dear, most of all on virtual machines: every page is touched here, by all threads, before the first
// step. What the system would only promise (and end the process for later) is refused here.
#include "engine/cpu/reserve.h"

#include <stdio.h>
#include <sys/mman.h>

#include "base/large.h"
#include "base/util.h"

enum { PAGE = 4096 };

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

static void touch(void *self, int64_t i, int thread)
{
    const reserve *r = self;
    (void)thread;
    for (size_t at = (size_t)i * LARGE_PAGE; at < MIN(r->size, (size_t)(i + 1) * LARGE_PAGE); at += PAGE)
        *(volatile char *)(r->at + at) = 0;
}

bool reserve_open(reserve *r, size_t size, pool *threads, err *e)
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
    pool_run(threads, (int64_t)((size + LARGE_PAGE - 1) / LARGE_PAGE), touch, r);
    return true;
}

void reserve_close(reserve *r)
{
    if (r->mapping)
        munmap(r->mapping, r->mapped);
    *r = (reserve){0};
}
