// Memory for large tables that are read all over.
#pragma once
#include <stddef.h>

enum { LARGE_PAGE = 2 << 20 };

// Aligned to a cache line, and from LARGE_PAGE on in pages of that size where the system has some: with the usual ones a look-up waits
// for the page's address and then for the memory. Released by free(); NULL: no memory.
void *large_alloc(size_t size);
