// Large pages are asked for by advice only: without them everything works the same, and slower.
#include "base/large.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { LINE = 64 };

void *large_alloc(size_t size)
{
    size_t page = size < LARGE_PAGE ? LINE : LARGE_PAGE;
    if (size > SIZE_MAX - page)
        return NULL;
    size = (size + page - 1) / page * page;
    void *at = aligned_alloc(page, size ? size : page);
    if (at && page == LARGE_PAGE)
        madvise(at, size, MADV_HUGEPAGE);
    return at;
}
