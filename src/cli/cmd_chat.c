// skiff chat: talks to a model.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"

static bool print_piece(void *self, const char *chars, size_t size)
{
    (void)self;
    fwrite(chars, 1, size, stdout);
    fflush(stdout);
    return true;
}

static bool say(const args *a, skiff_chat *c, const char *message, skiff_chat_options o, err *e)
{
    char *report = NULL;
    o.piece = a->json ? NULL : print_piece;
    if (!skiff_chat_say(c, message, &o, &report, e))
        return false;
    printf("%s\n", a->json ? report : "");
    free(report);
    return true;
}

static bool talk(const args *a, skiff_chat *c, const skiff_chat_options *o, err *e)
{
    text line = {0};
    bool ok = true, person = isatty(STDIN_FILENO) && !a->json;
    if (person)
        fprintf(stderr, "An empty line ends the conversation; /new begins another.\n");
    for (;;) {
        if (person)
            fprintf(stderr, "\n> ");
        if (!read_line(&line, stdin) || (person && !line.size))
            break;
        if (line.size && !strcmp(line.chars, "/new"))
            skiff_chat_forget(c);
        else if (line.size && !(ok = say(a, c, line.chars, *o, e)))
            break;
    }
    text_close(&line);
    return ok;
}

static bool read_options(const args *a, skiff_chat_options *o, err *e)
{
    int64_t top_k, seed;
    if (!arg_number(a, "temperature", 0, &o->temperature, e) || !arg_number(a, "top-p", 1, &o->top_p, e)
        || !arg_number(a, "min-p", 0, &o->min_p, e) || !arg_int(a, "top-k", 0, 0, &top_k, e)
        || !arg_int(a, "max-tokens", 512, 1, &o->max_tokens, e) || !arg_int(a, "seed", 0, 0, &seed, e))
        return false;
    o->top_k = (int)top_k;
    o->seed = (uint64_t)seed;
    return o->temperature >= 0 || fail(e, ERR_INPUT, "skiff chat: --temperature may not be negative");
}

static int run(const args *a, err *e)
{
    const char *model;
    skiff_chat_options o = {0};
    if (!word_need(a, 0, "MODEL", &model, e) || !read_options(a, &o, e))
        return 2;
    skiff_chat *c = skiff_chat_open(model, a->options, e);
    bool ok = c != NULL;
    if (ok && arg(a, "system"))
        ok = skiff_chat_system(c, arg(a, "system"), e);
    if (ok && arg(a, "prompt"))
        ok = say(a, c, arg(a, "prompt"), o, e);
    else if (ok)
        ok = talk(a, c, &o, e);
    skiff_chat_close(c);
    return ok ? 0 : skiff_exit_code(e);
}

const command command_chat = {
    .name = "chat", .usage = "MODEL [--prompt TEXT]", .run = run, .options = true,
    .help = "Talks to a model through its chat template, until one of its stop tokens.",
    .flags = {
        { "prompt", "TEXT", "one message, one answer; without it, lines of stdin", false },
        { "system", "TEXT", "a system message first", false },
        { "temperature", "T", "0 (the default): always the likeliest token", false },
        { "top-p", "P", "only tokens within this share of the probability", false },
        { "min-p", "P", "only tokens with this share of the likeliest one's probability", false },
        { "top-k", "K", "only the K likeliest tokens", false },
        { "max-tokens", "N", "at most so many tokens an answer (512)", false },
        { "seed", "S", "of the sampling (0)", false },
    },
};
