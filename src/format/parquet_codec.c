// Pages unpacked. A header's claim of a size is held against what so few bytes can unpack to (snappy, lz4), or memory is taken as the
// output grows (gzip, brotli, zstd).
#include "format/parquet_codec.h"

#include <brotli/decode.h>
#include <lz4.h>
#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/util.h"

static const char no_memory[] = "there is no memory to unpack it", damaged[] = "its compressed data is damaged";

bool pq_room(pq_buffer *b, size_t kept, size_t room)
{
    if (room <= b->room && b->at)
        return true;
    room = MAX(room, 64);
    if (!kept) {                    // nothing to carry over
        free(b->at);
        *b = (pq_buffer){0};
    }
    uint8_t *more = realloc(b->at, room);
    if (!more)
        return false;
    *b = (pq_buffer){ more, room };
    return true;
}

// For the compressions whose output comes in pieces: room for more of it, up to the `size` that is expected.
static bool more_room(pq_buffer *out, size_t done, size_t size)
{
    return done < out->room || out->room >= size || pq_room(out, done, MIN(size, MAX(2 * out->room, (size_t)1 << 16)));
}

static bool first_room(pq_buffer *out, str packed, size_t size)
{
    return pq_room(out, 0, MIN(size, MAX(8 * packed.size, (size_t)1 << 16)));
}

static const char *snappy(pq_unpacker *u, str packed, size_t size, pq_buffer *out)
{
    size_t claimed;
    (void)u;
    if (snappy_uncompressed_length(packed.at, packed.size, &claimed) != SNAPPY_OK || claimed != size || size / 64 > packed.size)
        return damaged;
    if (!pq_room(out, 0, size))
        return no_memory;
    return snappy_uncompress(packed.at, packed.size, (char *)out->at, &claimed) == SNAPPY_OK && claimed == size ? NULL : damaged;
}

static const char *gzip(pq_unpacker *u, str packed, size_t size, pq_buffer *out)
{
    z_stream z = { .next_in = (unsigned char *)(uintptr_t)packed.at, .avail_in = (unsigned)packed.size };
    size_t done = 0;
    int state = Z_OK;
    (void)u;
    if (!first_room(out, packed, size) || inflateInit2(&z, 15 + 32) != Z_OK)
        return no_memory;
    while (state == Z_OK) {
        if (!more_room(out, done, size)) {
            state = Z_MEM_ERROR;
            break;
        }
        const size_t room = MIN(out->room, size) - done;
        z.next_out = out->at + done;
        z.avail_out = (unsigned)room;
        state = inflate(&z, Z_NO_FLUSH);
        done += room - z.avail_out;
        if (state == Z_STREAM_END && done < size && z.avail_in)     // members may follow one another
            state = inflateReset(&z);
    }
    inflateEnd(&z);
    return state == Z_STREAM_END && done == size && !z.avail_in ? NULL : state == Z_MEM_ERROR ? no_memory : damaged;
}

static const char *brotli(pq_unpacker *u, str packed, size_t size, pq_buffer *out)
{
    BrotliDecoderState *b = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    const uint8_t *in = (const uint8_t *)packed.at;
    size_t left = packed.size, done = 0;
    BrotliDecoderResult state = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
    (void)u;
    bool ok = b && first_room(out, packed, size);
    while (ok && state == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT && (ok = more_room(out, done, size))) {
        size_t room = MIN(out->room, size) - done, had = room;
        uint8_t *to = out->at + done;
        state = BrotliDecoderDecompressStream(b, &left, &in, &room, &to, NULL);
        done += had - room;
        if (!had && state == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT)
            break;                  // more than was said
    }
    BrotliDecoderDestroyInstance(b);
    return !ok ? no_memory : state == BROTLI_DECODER_RESULT_SUCCESS && done == size && !left ? NULL : damaged;
}

static const char *zstd(pq_unpacker *u, str packed, size_t size, pq_buffer *out)
{
    if (!u->zstd && !(u->zstd = ZSTD_createDCtx()))
        return no_memory;
    if (!first_room(out, packed, size))
        return no_memory;
    ZSTD_DCtx_reset(u->zstd, ZSTD_reset_session_only);
    ZSTD_inBuffer in = { packed.at, packed.size, 0 };
    size_t done = 0, state = 1;
    while (in.pos < in.size || state) {
        if (!more_room(out, done, size))
            return no_memory;
        ZSTD_outBuffer to = { out->at, MIN(out->room, size), done };
        const size_t had = in.pos;
        state = ZSTD_decompressStream(u->zstd, &to, &in);
        if (ZSTD_isError(state) || (to.pos == done && in.pos == had))
            return damaged;
        done = to.pos;
    }
    return done == size ? NULL : damaged;
}

static const char *lz4_raw(pq_unpacker *u, str packed, size_t size, pq_buffer *out)
{
    (void)u;
    if (size / 256 > packed.size)
        return damaged;
    if (!pq_room(out, 0, size))
        return no_memory;
    return LZ4_decompress_safe(packed.at, (char *)out->at, (int)packed.size, (int)size) == (int)size ? NULL : damaged;
}

static uint32_t big_endian(const char *at)
{
    const uint8_t *b = (const uint8_t *)at;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

// Blocks as Hadoop frames them, each with its two sizes in front.
static bool hadoop(str packed, size_t size, pq_buffer *out)
{
    size_t done = 0;
    while (packed.size >= 8) {
        const size_t whole = big_endian(packed.at), part = big_endian(packed.at + 4);
        packed = str_from(packed, 8);
        if (part > packed.size || whole > size - done
            || LZ4_decompress_safe(packed.at, (char *)out->at + done, (int)part, (int)whole) != (int)whole)
            return false;
        done += whole;
        packed = str_from(packed, part);
    }
    return !packed.size && done == size;
}

// The old LZ4: as Hadoop frames it, or, from other writers of that time, a bare block.
static const char *lz4(pq_unpacker *u, str packed, size_t size, pq_buffer *out)
{
    if (size / 256 > packed.size)
        return damaged;
    if (!pq_room(out, 0, size))
        return no_memory;
    return hadoop(packed, size, out) ? NULL : lz4_raw(u, packed, size, out);
}

static const char *none(pq_unpacker *u, str packed, size_t size, pq_buffer *out)
{
    (void)u;
    if (packed.size != size)
        return "its two sizes differ, though it is not compressed";
    if (!pq_room(out, 0, size))
        return no_memory;
    if (size)
        memcpy(out->at, packed.at, size);
    return NULL;
}

static const struct { const char *name; const char *(*unpack)(pq_unpacker *u, str packed, size_t size, pq_buffer *out); } table[] = {
    { "UNCOMPRESSED", none }, { "SNAPPY", snappy }, { "GZIP", gzip }, { "LZO", NULL },
    { "BROTLI", brotli }, { "LZ4", lz4 }, { "ZSTD", zstd }, { "LZ4_RAW", lz4_raw },
};

const char *pq_codec_name(int codec) { return codec >= 0 && codec < (int)COUNT(table) ? table[codec].name : NULL; }
bool pq_codec_is_read(int codec) { return pq_codec_name(codec) && table[codec].unpack; }

const char *pq_unpack(pq_unpacker *u, int codec, str packed, size_t size, pq_buffer *out)
{
    if (!size && codec) {           // some writers pack nothing to nothing
        return pq_room(out, 0, 0) ? NULL : no_memory;
    }
    return table[codec].unpack(u, packed, size, out);
}

void pq_unpacker_close(pq_unpacker *u)
{
    ZSTD_freeDCtx(u->zstd);
    *u = (pq_unpacker){0};
}
