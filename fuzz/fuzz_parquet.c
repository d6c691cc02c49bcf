// Any bytes as a Parquet file: every row is put together and unpacked, as far as rows are small and few.
#include <stdlib.h>

#include "base/json.h"
#include "format/parquet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 1 << 20 };            // bytes of rows: few bytes of a file can stand for very many nulls

static void check_failed(const err *e)
{
    if (!e->code || !e->text[0] || strchr(e->text, '\n'))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    err e = {0};
    str row = {0};
    text json = {0};
    parquet *p = parquet_open_bytes((str){ (const char *)data, size }, "fuzz.parquet", &e);
    size_t sum = 0;
    bool ok = p != NULL;
    for (int i = 1; ok && sum <= MOST && (ok = parquet_next(p, &row, &e)) && row.at; i++) {
        arena a = {0};
        const node *n;
        sum += row.size;
        if (sum <= MOST && (ok = parquet_unpack(row, &a, (place){ .file = "fuzz.parquet", .row = i }, &n, &e))) {
            text_clear(&json);
            json_write(&json, n, JSON_COMPACT);
        }
        arena_close(&a);
    }
    if (!ok)
        check_failed(&e);
    text_close(&json);
    parquet_close(p);
    return 0;
}
