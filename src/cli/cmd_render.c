// skiff render: conversations through the chat template, with ids and mask.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/commands.h"

static void print_json(const skiff_rendered *r)
{
    text out = {0};
    text_str(&out, STR("{\"text\": "));
    json_write_string(&out, (str){ r->text, r->size });
    text_str(&out, STR(", \"ids\": ["));
    for (int64_t i = 0; i < r->count; i++)
        text_add(&out, "%s%d", i ? ", " : "", r->ids[i]);
    text_str(&out, STR("], \"mask\": ["));
    for (int64_t i = 0; i < r->count; i++)
        text_add(&out, "%s%d", i ? ", " : "", r->mask[i]);
    text_str(&out, STR("]}"));
    printf("%s\n", out.chars);
    text_close(&out);
}

static int run(const args *a, err *e)
{
    const char *model;
    text line = {0};
    skiff_rendered r;
    if (!arg_need(a, "model", &model, e))
        return 2;
    skiff_text *t = skiff_text_open(model, arg(a, "chat-template"), e);
    bool ok = t != NULL;
    for (int64_t row = 1; ok && read_line(&line, stdin); row++) {
        ok = skiff_render(t, text_view(&line).at, line.size, "stdin", row, arg(a, "add-generation-prompt"), &r, e);
        if (ok && a->json)
            print_json(&r);
        else if (ok)
            fwrite(r.text, 1, r.size, stdout);
    }
    text_close(&line);
    skiff_text_close(t);
    return ok ? 0 : skiff_exit_code(e);
}

const command command_render = {
    .name = "render", .usage = "--model MODEL [--chat-template FILE] < ROWS.jsonl", .run = run,
    .help = "JSON lines {\"messages\": …} on stdin through the chat template; with --json the text, ids and mask of each.",
    .flags = {
        { "model", "MODEL", "whose tokenizer and chat template", false },
        { "chat-template", "FILE", "another template: a file, or chatml, llama3, qwen2.5", false },
        { "add-generation-prompt", NULL, "end with what comes before an answer", false },
    },
};
