// skiff: finds the command's row, parses the line against it, runs it, prints what went wrong.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/near.h"
#include "base/util.h"
#include "cli/commands.h"

static const command *const commands[] = {
#define X(id) &command_##id,
    COMMANDS(X)
#undef X
};

static void print_commands(FILE *to)
{
    fprintf(to, "skiff %s: supervised fine-tuning of language models\n\nusage: skiff COMMAND …; skiff COMMAND --help\n\n", skiff_version());
    for (size_t i = 0; i < COUNT(commands); i++)
        fprintf(to, "  %-11s  %s\n", commands[i]->name, commands[i]->help);
}

static void print_help(const command *c)
{
    printf("usage: skiff %s %s\n\n%s\n\n", c->name, c->usage, c->help);
    for (const flag *f = c->flags; f->name; f++) {
        char head[64];
        snprintf(head, sizeof head, "--%s%s%s", f->name, f->value ? " " : "", f->value ? f->value : "");
        printf("  %-26s %s\n", head, f->help);
    }
    printf("  %-26s %s\n  %-26s %s\n", "--json", "one JSON value on stdout and nothing else there", "--help", "this text");
    char *options = c->options ? skiff_options_help(c->name) : NULL;
    if (options)
        printf("\noptions, as name=value:\n%s", options);
    free(options);
}

// The command named by the first two words, or the first; *used tells how many.
static const command *find(int argc, char **argv, int *used)
{
    for (*used = MIN(argc - 1, 2); *used > 0; --*used)
        for (size_t i = 0; i < COUNT(commands); i++) {
            const char *name = commands[i]->name, *space = strchr(name, ' ');
            size_t first = space ? (size_t)(space - name) : strlen(name);
            if ((*used == 2) == (space != NULL) && strlen(argv[1]) == first && !strncmp(name, argv[1], first)
                && (!space || !strcmp(space + 1, argv[2])))
                return commands[i];
        }
    return NULL;
}

static const command *find_or_fail(int argc, char **argv, int *used, err *e)
{
    const command *c = find(argc, argv, used);
    if (c || argc < 2)
        return c;
    const char *names[COUNT(commands)];
    char near[200];
    for (size_t i = 0; i < COUNT(commands); i++)
        names[i] = commands[i]->name;
    near_names(argv[1], names, COUNT(names), near, sizeof near);
    fail(e, ERR_INPUT, "'%s' is no command%s%s; 'skiff --help' lists them", argv[1], *near ? ", did you mean " : "", near);
    return NULL;
}

static bool unknown_flag(const command *c, const char *given, arena *memory, err *e)
{
    const char *names[COUNT(c->flags) + 2];
    char near[200];
    size_t n = 0;
    for (const flag *f = c->flags; f->name; f++)
        names[n++] = arena_print(memory, "--%s", f->name);
    names[n++] = "--json";
    names[n++] = "--help";
    near_names(given, names, n, near, sizeof near);
    return fail(e, ERR_INPUT, "skiff %s: unknown flag '%s'%s%s", c->name, given, *near ? ", did you mean " : "; see --help", near);
}

// One "--flag" at argv[*i]; its value is the next word or follows '='.
static bool parse_flag(const command *c, args *a, int argc, char **argv, int *i, err *e)
{
    const char *given = argv[*i], *equals = strchr(given, '=');
    size_t size = equals ? (size_t)(equals - given) : strlen(given);
    if (!strcmp(given, "--json")) {
        a->json = true;
        return true;
    }
    for (int k = 0; c->flags[k].name; k++) {
        const flag *f = &c->flags[k];
        if (strlen(f->name) != size - 2 || strncmp(f->name, given + 2, size - 2))
            continue;
        if (a->values[k])
            return fail(e, ERR_INPUT, "skiff %s: --%s stands twice", c->name, f->name);
        if (!f->value && equals)
            return fail(e, ERR_INPUT, "skiff %s: --%s takes no value", c->name, f->name);
        if (!f->value)
            a->values[k] = "";
        else if (equals)
            a->values[k] = equals + 1;
        else if (++*i < argc)
            a->values[k] = argv[*i];
        else
            return fail(e, ERR_INPUT, "skiff %s: --%s wants %s", c->name, f->name, f->value);
        return true;
    }
    return unknown_flag(c, given, a->arena, e);
}

static bool is_option(const char *word)
{
    size_t n = strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_.");
    return n && word[n] == '=';
}

static bool parse(const command *c, args *a, int argc, char **argv, err *e)
{
    const char **words = ARENA_ARRAY(a->arena, const char *, argc + 1), **options = ARENA_ARRAY(a->arena, const char *, argc + 1);
    a->values = ARENA_ARRAY(a->arena, const char *, COUNT(c->flags));
    bool flags = !c->raw;
    for (int i = 0; i < argc; i++) {
        if (flags && !strcmp(argv[i], "--"))
            flags = false;
        else if (flags && !strncmp(argv[i], "--", 2) && argv[i][2])
            TRY(parse_flag(c, a, argc, argv, &i, e));
        else if (flags && c->options && is_option(argv[i]))
            options[a->option_count++] = argv[i];
        else if (flags && is_option(argv[i]))
            return fail(e, ERR_INPUT, "skiff %s: takes no options, got '%s'", c->name, argv[i]);
        else
            words[a->word_count++] = argv[i];
    }
    a->words = words;
    a->options = options;
    return true;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--"); i++)
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
            return true;
    return false;
}

static int run(int argc, char **argv, arena *memory, err *e)
{
    int used = 0;
    if (argc > 1 && !strcmp(argv[1], "--version")) {
        printf("skiff %s\n", skiff_version());
        return 0;
    }
    const command *c = find_or_fail(argc, argv, &used, e);
    if (!c) {
        bool asked = argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"));
        if (asked)
            *e = (err){0};
        if (asked || argc < 2)
            print_commands(asked ? stdout : stderr);
        return asked ? 0 : 2;
    }
    argc -= used + 1;
    argv += used + 1;
    if (wants_help(argc, argv)) {
        print_help(c);
        return 0;
    }
    args a = { .command = c, .arena = memory };
    if (!parse(c, &a, argc, argv, e))
        return 2;
    return c->run(&a, e);
}

int main(int argc, char **argv)
{
    err e = {0};
    arena memory = {0};
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);                   // a limit on file sizes is an error of the write, not the end of the process
    int code = run(argc, argv, &memory, &e);
    if (e.code) {
        if (*e.text)                            // else a process of ours has said it
            fprintf(stderr, "skiff: %s\n", e.text);
        code = code ? code : skiff_exit_code(&e);
    }
    if (fflush(stdout) != 0 && !code) {
        fprintf(stderr, "skiff: cannot write to stdout\n");
        code = 1;
    }
    arena_close(&memory);
    return code;
}
