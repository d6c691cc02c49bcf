// Bit packing. Whatever the bytes say, nothing beyond their end is read.
#include "format/parquet_bits.h"

#include <string.h>

#include "base/util.h"

static uint64_t varint(const uint8_t **at, const uint8_t *end, bool *ok)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && *at < end; shift += 7) {
        uint8_t b = *(*at)++;
        value |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            return value;
    }
    *ok = false;
    return 0;
}

// `width` bits from bit `bit` on, the lowest of a byte first.
static uint64_t bits(const uint8_t *at, const uint8_t *end, int64_t bit, int width)
{
    const uint8_t *p = at + (bit >> 3);
    const int shift = (int)(bit & 7);
    uint64_t word = 0;
    if (end - p >= 8)
        memcpy(&word, p, 8);
    else
        memcpy(&word, p, (size_t)(end - p));
    word >>= shift;
    if (width + shift > 64)
        word |= (uint64_t)p[8] << (64 - shift);
    return width == 64 ? word : word & ((1ull << width) - 1);
}

// ---- runs ----

static bool next_run(pq_runs *r)
{
    bool ok = true;
    const uint64_t head = varint(&r->at, r->end, &ok);
    if (!ok || head >> 1 > INT32_MAX)
        return false;
    if (head & 1) {
        r->packed = (int64_t)(head >> 1) * 8;
        r->bit = 0;
        return true;
    }
    const int bytes = (r->width + 7) / 8;
    if (r->end - r->at < bytes)
        return false;
    r->value = 0;
    memcpy(&r->value, r->at, (size_t)bytes);
    r->at += bytes;
    r->same = (int64_t)(head >> 1);
    return true;
}

// The last run may be cut off behind the numbers that are wanted: some writers save its padding.
static bool unpack(pq_runs *r, uint32_t *out, int64_t count)
{
    const int64_t room = (r->end - r->at) * 8;
    if (r->bit + count * r->width > room)
        return false;
    for (int64_t i = 0; i < count; i++, r->bit += r->width)
        out[i] = (uint32_t)bits(r->at, r->end, r->bit, r->width);
    r->packed -= count;
    if (!r->packed)
        r->at += MIN((r->bit + 7) / 8, r->end - r->at);
    return true;
}

static bool unpack_plain(pq_runs *r, uint32_t *out, int64_t count)
{
    if (r->bit + count * r->width > (r->end - r->at) * 8)
        return false;
    for (int64_t i = 0; i < count; i++) {
        out[i] = 0;
        for (int k = 0; k < r->width; k++, r->bit++)
            out[i] = out[i] << 1 | (r->at[r->bit >> 3] >> (7 - (r->bit & 7)) & 1);
    }
    return true;
}

bool pq_runs_get(pq_runs *r, uint32_t *out, int64_t count)
{
    if (r->plain)
        return unpack_plain(r, out, count);
    while (count > 0) {
        while (!r->same && !r->packed)
            if (!next_run(r))
                return false;
        const int64_t n = MIN(count, r->same ? r->same : r->packed);
        if (r->same) {
            for (int64_t i = 0; i < n; i++)
                out[i] = r->value;
            r->same -= n;
        } else if (!unpack(r, out, n)) {
            return false;
        }
        out += n;
        count -= n;
    }
    return true;
}

bool pq_zeros(const uint8_t *at, const uint8_t *end)
{
    while (at < end && !*at)
        at++;
    return at >= end;
}

// Numbers in bits come in eights, of which the last may be cut off. Some writers make the last run longer (DuckDB: 256 numbers), and leave
// in it what was there.
bool pq_runs_ended(const pq_runs *r)
{
    const int64_t taken = r->packed ? (r->bit + r->packed * r->width + 7) / 8 : 0;
    return !r->same && taken <= r->end - r->at + r->width && pq_zeros(r->at + MIN(taken, r->end - r->at), r->end);
}

// ---- differences ----

static int64_t zigzag(uint64_t v) { return (int64_t)(v >> 1) ^ -(int64_t)(v & 1); }

bool pq_delta_begin(pq_delta *d, const uint8_t *at, const uint8_t *end)
{
    bool ok = true;
    *d = (pq_delta){ .at = at, .end = end };
    const uint64_t block = varint(&d->at, end, &ok), minis = varint(&d->at, end, &ok), count = varint(&d->at, end, &ok);
    d->last = (uint64_t)zigzag(varint(&d->at, end, &ok));
    if (!ok || !minis || minis > block || block > INT32_MAX || block % minis || block / minis % 8 || count > INT64_MAX)
        return false;
    d->mini_count = d->mini = (int64_t)minis;
    d->mini_size = (int64_t)(block / minis);
    d->count = d->left = (int64_t)count;
    return true;
}

static bool next_mini(pq_delta *d)
{
    if (d->mini == d->mini_count) {
        bool ok = true;
        d->least = (uint64_t)zigzag(varint(&d->at, d->end, &ok));
        if (!ok || d->end - d->at < d->mini_count)
            return false;
        d->widths = d->at;
        d->at += d->mini_count;
        d->mini = 0;
    }
    d->width = d->widths[d->mini++];
    if (d->width > 64)
        return false;
    const int64_t size = d->mini_size / 8 * d->width;
    if (d->end - d->at < size)
        return false;
    d->bits = d->at;
    d->at += size;
    d->bit = 0;
    d->in_mini = d->mini_size;
    return true;
}

bool pq_delta_get(pq_delta *d, int64_t *out)
{
    if (!d->left)
        return false;
    if (d->begun) {
        if (!d->in_mini && !next_mini(d))
            return false;
        d->last += d->least + bits(d->bits, d->at, d->bit, d->width);
        d->bit += d->width;
        d->in_mini--;
    }
    d->begun = true;
    d->left--;
    *out = (int64_t)d->last;
    return true;
}

const uint8_t *pq_delta_end(pq_delta d)
{
    for (int64_t left = d.count - 1; left > 0; left -= d.mini_size)
        if (!next_mini(&d))
            return NULL;
    return d.at;
}

bool pq_delta_ended(const pq_delta *d, const uint8_t *end) { return !d->left && pq_zeros(d->at, end); }
