// skiff decode: ids to text.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "cli/commands.h"

// Ids as JSON arrays or separated by blanks and commas; each line is decoded on its own.
static bool parse_ids(arena *a, const text *line, int64_t row, int32_t **ids, int64_t *count, err *e)
{
    *ids = NULL;
    *count = 0;
    for (const char *p = line->size ? line->chars : ""; *p;) {
        if (isspace((unsigned char)*p) || *p == ',' || *p == '[' || *p == ']') {
            p++;
            continue;
        }
        char *end;
        long id = strtol(p, &end, 10);
        if (end == p || id < 0 || id > INT32_MAX)
            return fail(e, ERR_INPUT, "stdin: row %lld: expected token ids, got '%.20s'", (long long)row, p);
        ARENA_PUSH(a, *ids, *count, (int32_t)id);
        p = end;
    }
    return true;
}

static bool decode_line(skiff_text *t, const text *line, int64_t row, bool skip, bool json, err *e)
{
    arena a = {0};
    int32_t *ids;
    int64_t count;
    const char *chars;
    size_t size;
    bool ok = parse_ids(&a, line, row, &ids, &count, e) && skiff_decode(t, ids, count, skip, &chars, &size, e);
    if (ok && json) {
        text out = {0};
        json_write_string(&out, (str){ chars, size });
        printf("%s\n", out.chars);
        text_close(&out);
    } else if (ok) {
        fwrite(chars, 1, size, stdout);
        putchar('\n');
    }
    arena_close(&a);
    return ok;
}

static int run(const args *a, err *e)
{
    const char *model;
    text line = {0};
    if (!arg_need(a, "model", &model, e))
        return 2;
    skiff_text *t = skiff_text_open(model, NULL, e);
    bool ok = t != NULL;
    for (int64_t row = 1; ok && read_line(&line, stdin); row++)
        ok = decode_line(t, &line, row, arg(a, "skip-special"), a->json, e);
    text_close(&line);
    skiff_text_close(t);
    return ok ? 0 : skiff_exit_code(e);
}

const command command_decode = {
    .name = "decode", .usage = "--model MODEL < IDS", .run = run,
    .help = "Token ids on stdin to text, line by line.",
    .flags = {
        { "model", "MODEL", "a model, or a vocabulary alone: tokenizer.json, tokenizer.model, tekken.json, a tiktoken file, .gguf", false },
        { "skip-special", NULL, "leave special tokens out of the text", false },
    },
};
