// THE TABLE of compressions that a Parquet page may have.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

typedef struct pq_buffer { uint8_t *at; size_t room; } pq_buffer;
bool pq_room(pq_buffer *b, size_t kept, size_t room);  // at least `room` bytes, of which the first `kept` are kept; false: no memory

typedef struct pq_unpacker { void *zstd; } pq_unpacker; // what is kept from page to page

// `packed` to exactly `size` bytes in `out`. NULL, or why not. Memory grows with what is really unpacked, not with `size` alone.
const char *pq_unpack(pq_unpacker *u, int codec, str packed, size_t size, pq_buffer *out);
const char *pq_codec_name(int codec);                   // NULL: there is none of this number
bool pq_codec_is_read(int codec);
void pq_unpacker_close(pq_unpacker *u);
