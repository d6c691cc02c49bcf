// Any bytes as a file of the token cache: the first byte chooses a shard or the ledger, the rest is the file.
#include <stdlib.h>

#include "data/ledger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint64_t sum;       // of all that is reached, so that every byte is really read

static void read_shard(str bytes)
{
    shard s;
    err e = {0};
    if (!shard_parse(bytes, "shard-00000.tok", &s, &e)) {
        if (!e.code || !e.text[0])
            abort();
        return;
    }
    for (int64_t i = 0; i < s.head.count; i++) {
        sum += (uint64_t)(s.rows[i] + s.files[i]);
        for (int64_t k = s.offsets[i]; k < s.offsets[i + 1]; k++) {
            if (s.ids[k] < 0 || (uint32_t)s.ids[k] >= s.head.vocab || s.mask[k] > 1)
                abort();
            sum += (uint64_t)s.ids[k];
        }
    }
    (void)!shard_check_digest(bytes, "shard-00000.tok", &e);
}

static void read_ledger(str bytes)
{
    arena a = {0};
    ledger l;
    err e = {0};
    if (!ledger_parse(&a, bytes, "ledger.json", &l, &e)) {
        if (!e.code || !e.text[0])
            abort();
    } else {
        ledger_make_key(&l);
        for (int64_t i = 0; i < l.shard_count; i++)
            sum += strlen(l.shards[i].name);
    }
    arena_close(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    char *copy = malloc(size);      // aligned as a mapped file is, and its end guarded by the sanitizer
    if (!copy)
        return 0;
    memcpy(copy, data + 1, size - 1);
    if (data[0] & 1)
        read_ledger((str){ copy, size - 1 });
    else
        read_shard((str){ copy, size - 1 });
    free(copy);
    return 0;
}
