// Any bytes as JSON. What is read is written in every style and read again: the same value, or the reader or writer is wrong.
#include <stdlib.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const node *n, json_style style)
{
    arena a = {0};
    text t = {0};
    err e = {0};
    const node *back;
    json_write(&t, n, style);
    if (!json_parse(&a, text_view(&t), (place){ .file = "again" }, &back, &e) || !node_equal(n, back))
        abort();
    text_close(&t);
    arena_close(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena a = {0};
    err e = {0};
    const node *n;
    size_t used = 0;
    str s = { (const char *)data, size };
    if (json_parse(&a, s, (place){ .file = "x.json" }, &n, &e)) {
        again(n, JSON_COMPACT);
        again(n, JSON_SPACED);
        again(n, JSON_PRETTY);
    } else if (e.code != ERR_INPUT || !e.text[0]) {
        abort();
    }
    if (json_parse_prefix(&a, s, (place){ .file = "x.jsonl", .row = 3 }, &n, &used, &e) && used > size)
        abort();
    arena_close(&a);
    return 0;
}
