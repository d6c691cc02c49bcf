// skiff data show: the tokens of a row or pack as trained, in colour.
#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/commands.h"

typedef struct shown { bool json, colour; int64_t segment, count, trained; } shown;

static bool print_token_json(const skiff_shown *t)
{
    text out = {0};
    text_add(&out, "{\"id\": %d, \"text\": ", t->id);
    json_write_string(&out, (str){ t->text, t->size });
    text_add(&out, ", \"trained\": %s, \"segment\": %lld, \"position\": %lld}", t->trained ? "true" : "false",
             (long long)t->segment, (long long)t->position);
    printf("%s\n", out.chars);
    text_close(&out);
    return true;
}

static bool print_token(void *self, const skiff_shown *t)
{
    shown *s = self;
    s->count++;
    s->trained += t->trained;
    if (s->json)
        return print_token_json(t);
    if (t->segment != s->segment && s->count > 1)
        printf(s->colour ? "\n\033[36m──── segment %lld ────\033[0m\n" : "\n---- segment %lld ----\n", (long long)t->segment);
    s->segment = t->segment;
    if (s->colour)
        printf("\033[%sm%.*s\033[0m", t->trained ? "1;32" : "2", (int)t->size, t->text);
    else
        printf(t->trained ? "[%.*s]" : "%.*s", (int)t->size, t->text);
    return true;
}

static int run(const args *a, err *e)
{
    const char *data;
    int64_t row;
    shown s = { .json = a->json, .colour = isatty(STDOUT_FILENO) };
    if (!word_need(a, 0, "CACHE or DATA", &data, e) || !arg_int(a, "row", 1, 1, &row, e))
        return 2;
    if (!skiff_data_show(data, arg(a, "model"), row, a->options, print_token, &s, e))
        return skiff_exit_code(e);
    if (!s.json)
        printf("\n\n%lld tokens, %lld trained (%s)\n", (long long)s.count, (long long)s.trained,
               s.colour ? "green" : "in brackets");
    return 0;
}

const command command_data_show = {
    .name = "data show", .usage = "CACHE|DATA [--model MODEL] [--row N]", .run = run, .options = true,
    .help = "The tokens of a row or pack as trained: what is masked, where it was cut, where segments end.",
    .flags = {
        { "model", "MODEL", "whose tokenizer and template, for DATA that is no token cache", false },
        { "row", "N", "which row or pack, from 1 (default 1)", false },
    },
};
