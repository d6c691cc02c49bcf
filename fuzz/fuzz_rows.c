// Any bytes as a file of rows: the first byte chooses its name and the adapter's options, the rest is the file, plain or gzip.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "data/transform_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const replacements[] = { "<t> => <|think|>", "a => aa", NULL };
static const char *const columns[] = { "n", NULL };
static const adapter_options options[] = {
    {0},
    { .adapter = "alpaca" },
    { .input_field = "user", .output_field = "assistant" },
    { .messages_field = "chat", .calls_as_text = true },
    { .adapter = "messages", .messages_field = "m", .role_key = "r", .content_key = "c", .user_value = "u", .assistant_value = "a",
      .replacements = replacements, .single_turn = true },
    { .adapter = "instruction_response", .input_field = "q", .output_field = "a", .filter_on_key = "n", .content_key = "c" },
    { .adapter = "instruct_column_response", .reasoning_field = "t", .replacements = replacements },
    { .adapter = "instruct_msg_response", .single_turn = true },
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

// A row that became a chat, as a line of a shard: JSON again, that becomes the same chat without any option.
static void check_line(const adapter_options *o, arena *a, const node *row, place at, adapted *r)
{
    const transform_options t = { .source = "o/n", .adapter = *o, .metadata = columns };
    const adapter *again = NULL;
    const node *line;
    adapted second;
    text out = {0};
    err why = {0};
    if (!transform_row(&t, "", a, row, at, r, &out, &why)) {
        check_failed(&why);
    } else if (!r->dropped) {
        adapter_options none = {0};
        if (!json_parse(a, text_view(&out), at, &line, &why) || !adapter_choose(&none, line, at, &again, &why)
            || !adapter_apply(again, &none, a, line, at, &second, &why) || second.dropped || !r->chat != !second.chat)
            abort();
    }
    text_close(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const char *path = write_file(data[0], data + 1, size - 1);
    const adapter_options *o = &options[data[0] / 3 % (sizeof options / sizeof options[0])];
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
        else if (!out.dropped)
            check_line(o, &a, row, at, &out);
        arena_close(&a);
    }
    if (!ok)
        check_failed(&e);
    arena_close(&a);
    reader_close(r);
    unlink(path);
    return 0;
}
