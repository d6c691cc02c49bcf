// For test_parquet.py: what becomes of a Parquet file with one byte changed.
//   parquet_altered FILE STEP      every STEP-th byte but the magics; per byte a line on stdout: offset, the byte's change, and
//                                  same | other (rows without an error) | error and its text
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "format/parquet.h"

// Every row as JSON; false: an error.
static bool read_all(str bytes, text *out, err *e)
{
    str row = {0};
    const node *n;
    parquet *p = parquet_open_bytes(bytes, "x.parquet", e);
    bool ok = p != NULL;
    text_clear(out);
    text_bytes(out, "", 0);
    for (int64_t i = 1; ok && (ok = parquet_next(p, &row, e)) && row.at; i++) {
        arena a = {0};
        if ((ok = parquet_unpack(row, &a, (place){ .file = "x.parquet", .row = i }, &n, e))) {
            json_write(out, n, JSON_COMPACT);
            text_char(out, '\n');
        }
        arena_close(&a);
    }
    parquet_close(p);
    return ok && text_ok(out, e);
}

int main(int argc, char **argv)
{
    static const uint8_t changes[] = { 0x55, 0x01, 0xff, 0x02, 0x80, 0x04, 0x10, 0x08, 0x40, 0x20 };
    err e = {0};
    arena a = {0};
    str file;
    text bytes = {0}, whole = {0}, rows = {0};
    if (argc != 3)
        return fprintf(stderr, "usage: parquet_altered FILE STEP\n"), 2;
    if (!file_read(&a, argv[1], &file, &e) || !read_all(file, &whole, &e))
        return fprintf(stderr, "parquet_altered: %s\n", e.text), 2;
    const size_t step = strtoul(argv[2], NULL, 10);
    text_str(&bytes, file);
    for (size_t i = 4; i < bytes.size - 4; i += step ? step : 1) {
        const uint8_t change = changes[i % sizeof changes];
        bytes.chars[i] = (char)(bytes.chars[i] ^ change);
        const bool ok = read_all(text_view(&bytes), &rows, &e);
        bytes.chars[i] = (char)(bytes.chars[i] ^ change);
        const bool same = ok && str_equal(text_view(&rows), text_view(&whole));
        printf("%zu %d %s%s\n", i, change, !ok ? "error " : same ? "same" : "other", ok ? "" : e.text);
    }
    arena_close(&a);
    text_close(&bytes);
    text_close(&whole);
    text_close(&rows);
    return 0;
}
