// One gzip file of pieces that are packed on several threads: each piece is a run of deflate blocks that ends on a byte, so that
// the pieces one after the other, an empty last block and the checksum of them all are an ordinary file of one member.
#include <string.h>
#include <zlib.h>

#include "base/util.h"
#include "data/transform_parts.h"

bool piece_pack(piece *p)
{
    static const size_t step = 1 << 16;
    char room[1 << 16];
    z_stream z = {0};
    str all = text_view(&p->lines);
    text_clear(&p->packed);
    if (p->lines.failed || deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    for (bool more = true; more;) {
        size_t n = MIN(all.size, step);
        z.next_in = (unsigned char *)(uintptr_t)all.at;
        z.avail_in = (unsigned)n;
        all = str_from(all, n);
        more = all.size > 0;
        do {
            z.next_out = (unsigned char *)room;
            z.avail_out = sizeof room;
            deflate(&z, more ? Z_NO_FLUSH : Z_SYNC_FLUSH);
            text_bytes(&p->packed, room, sizeof room - z.avail_out);
        } while (!z.avail_out);
    }
    deflateEnd(&z);
    p->crc = (uint32_t)crc32_z(crc32_z(0, NULL, 0), (const unsigned char *)text_view(&p->lines).at, p->lines.size);
    return !p->packed.failed;
}

str packer_head(void) { return STR("\x1f\x8b\x08\0\0\0\0\0\0\xff"); }      // no name, no time

void packer_add(packer *k, const piece *p)
{
    k->crc = k->size ? (uint32_t)crc32_combine(k->crc, p->crc, (z_off_t)p->lines.size) : p->crc;
    k->size += p->lines.size;
}

void packer_tail(const packer *k, unsigned char tail[10])
{
    const uint32_t values[] = { k->crc, (uint32_t)k->size };
    tail[0] = 3;                            // a last block with nothing in it
    tail[1] = 0;
    for (int i = 0; i < 8; i++)
        tail[2 + i] = (unsigned char)(values[i / 4] >> (8 * (i % 4)));
}
