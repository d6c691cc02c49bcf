// Reads every row of a file to nodes, on one thread, as adapters get them: rows, bytes of text in them, seconds.
//   build/bench/parquet_rows FILE
#include <stdio.h>

#include "base/clock.h"
#include "data/reader.h"

static int64_t text_bytes_of(const node *n)
{
    int64_t sum = n->kind == NODE_TEXT ? (int64_t)n->text.size : 0;
    for (int64_t i = 0; n->kind == NODE_LIST && i < n->list.count; i++)
        sum += text_bytes_of(&n->list.items[i]);
    for (int64_t i = 0; n->kind == NODE_OBJECT && i < n->object.count; i++)
        sum += text_bytes_of(&n->object.members[i].value);
    return sum;
}

int main(int argc, char **argv)
{
    err e = {0};
    arena a = {0};
    const node *row = NULL;
    place at;
    int64_t rows = 0, bytes = 0;
    const double began = clock_now();
    reader *r = argc == 2 ? reader_open(argv[1], &e) : NULL;
    bool ok = r != NULL;
    while (ok && (ok = reader_next(r, &a, &row, &at, &e)) && row) {
        rows++;
        bytes += text_bytes_of(row);
        arena_close(&a);
    }
    if (!ok)
        return fprintf(stderr, "parquet_rows: %s\n", argc == 2 ? e.text : "usage: parquet_rows FILE"), 2;
    reader_close(r);
    printf("{\"rows\": %lld, \"text_bytes\": %lld, \"seconds\": %.4f}\n", (long long)rows, (long long)bytes, clock_now() - began);
    return 0;
}
