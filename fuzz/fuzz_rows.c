// Any bytes as a file of rows: the first byte chooses its name and the adapter's options, the rest is the file, plain or gzip.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "data/adapter.h"
#include "data/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const adapter_options options[] = {
    {0},
    { .adapter = "alpaca" },
    { .input_field = "user", .output_field = "assistant" },
    { .messages_field = "chat", .calls_as_text = true },
};

static const char *write_file(uint8_t choice, const uint8_t *data, size_t size)
{
    static const char *const endings[] = { ".jsonl", ".json", "" };
    static char path[64];
    snprintf(path, sizeof path, "/tmp/skiff-fuzz-%ld%s", (long)getpid(), endings[choice % 3]);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0)
        abort();
    return path;
}

static void check_failed(const err *e)
{
    if (!e->code || !e->text[0])
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const char *path = write_file(data[0], data + 1, size - 1);
    const adapter_options *o = &options[data[0] / 3 % 4];
    const adapter *chosen = NULL;
    const node *row = NULL;
    arena a = {0};
    err e = {0};
    place at;
    reader *r = reader_open(path, &e);
    bool ok = r != NULL;
    while (ok && (ok = reader_next(r, &a, &row, &at, &e)) && row) {
        adapted out;
        err why = {0};
        if (!chosen && !adapter_choose(o, row, at, &chosen, &why)) {
            check_failed(&why);
            break;
        }
        if (!adapter_apply(chosen, o, &a, row, at, &out, &why))
            check_failed(&why);
        else if (!out.chat && !out.dropped && (!out.prompt.at || !out.completion.at))
            abort();
        arena_close(&a);
    }
    if (!ok)
        check_failed(&e);
    arena_close(&a);
    reader_close(r);
    unlink(path);
    return 0;
}
