// skiff encode: text to ids.
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "cli/commands.h"

static void print_ids(const int32_t *ids, int64_t count)
{
    putchar('[');
    for (int64_t i = 0; i < count; i++)
        printf("%s%d", i ? ", " : "", ids[i]);
    printf("]\n");
}

static bool encode_all(skiff_text *t, int flags, err *e)
{
    text all = {0};
    char block[1 << 16];
    const int32_t *ids;
    int64_t count;
    for (size_t n; (n = fread(block, 1, sizeof block, stdin));)
        text_bytes(&all, block, n);
    bool ok = text_ok(&all, e) && skiff_encode(t, text_view(&all).at, all.size, flags, &ids, &count, e);
    if (ok)
        print_ids(ids, count);
    text_close(&all);
    return ok;
}

static bool encode_line(skiff_text *t, str line, int64_t row, int flags, err *e)
{
    arena a = {0};
    const node *n;
    str s;
    const int32_t *ids;
    int64_t count;
    bool ok = json_parse(&a, line, (place){ .file = "stdin", .row = row }, &n, e)
           && node_want_text(n, arena_print(&a, "stdin: row %lld", (long long)row), "text", &s, e)
           && skiff_encode(t, s.at, s.size, flags, &ids, &count, e);
    if (ok)
        print_ids(ids, count);
    arena_close(&a);
    return ok;
}

static bool encode_lines(skiff_text *t, int flags, err *e)
{
    text line = {0};
    bool ok = true;
    for (int64_t row = 1; ok && read_line(&line, stdin); row++)
        ok = encode_line(t, text_view(&line), row, flags, e);
    text_close(&line);
    return ok;
}

static int run(const args *a, err *e)
{
    const char *model;
    if (!arg_need(a, "model", &model, e))
        return 2;
    int flags = (arg(a, "add-special") ? SKIFF_ADD_SPECIAL : 0) | (arg(a, "no-special") ? SKIFF_NO_SPECIAL : 0);
    skiff_text *t = skiff_text_open(model, NULL, e);
    bool ok = t && (arg(a, "jsonl") ? encode_lines(t, flags, e) : encode_all(t, flags, e));
    skiff_text_close(t);
    return ok ? 0 : skiff_exit_code(e);
}

const command command_encode = {
    .name = "encode", .usage = "--model MODEL < TEXT", .run = run,
    .help = "Text on stdin to token ids. Special tokens standing in the text are parsed, none is added.",
    .flags = {
        { "model", "MODEL", "a model, or a vocabulary alone: tokenizer.json, tokenizer.model, tekken.json, a tiktoken file, .gguf", false },
        { "jsonl", NULL, "stdin holds one {\"text\": …} a line; one array of ids a line comes out", false },
        { "add-special", NULL, "add what the tokenizer's post-processor adds (BOS, EOS)", false },
        { "no-special", NULL, "treat special tokens in the text as ordinary text", false },
    },
};
