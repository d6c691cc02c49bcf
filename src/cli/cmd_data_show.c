// skiff data show: the tokens of a row or pack as trained, in colour.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/commands.h"

enum { ROLES = 16 };

typedef struct shown {
    bool json, colour, trained_now;
    int64_t count, trained, segments, cut;
    struct { char role[24]; int64_t tokens, trained; } roles[ROLES];
    int role_count;
} shown;

static bool print_token_json(const skiff_shown *t)
{
    text out = {0};
    text_add(&out, "{\"id\": %d, \"text\": ", t->id);
    json_write_string(&out, (str){ t->text, t->size });
    text_add(&out, ", \"trained\": %s, \"segment\": %lld, \"position\": %lld, \"role\": ", t->trained ? "true" : "false",
             (long long)t->segment, (long long)t->position);
    if (*t->role)
        json_write_string(&out, str_of(t->role));
    else
        text_str(&out, STR("null"));
    text_str(&out, STR(", \"file\": "));
    json_write_string(&out, str_of(t->file));
    text_add(&out, ", \"row\": %lld, \"cut\": %s}", (long long)t->row, t->kept < t->whole ? "true" : "false");
    bool ok = puts(out.chars ? out.chars : "") != EOF;
    text_close(&out);
    return ok;
}

static void count(shown *s, const skiff_shown *t)
{
    const char *role = *t->role ? t->role : "not known";
    int i = 0;
    while (i < s->role_count && strcmp(s->roles[i].role, role))
        i++;
    if (i == s->role_count && i < ROLES)
        snprintf(s->roles[s->role_count++].role, sizeof s->roles[i].role, "%s", role);
    if (i < ROLES) {
        s->roles[i].tokens++;
        s->roles[i].trained += t->trained;
    }
    s->count++;
    s->trained += t->trained;
    s->segments = t->segment;
    s->cut += t->position == 0 && t->kept < t->whole;
}

// What data holds must not steer the terminal.
static void print_bytes(const skiff_shown *t)
{
    for (size_t i = 0; i < t->size; i++) {
        unsigned char c = (unsigned char)t->text[i];
        if ((c < ' ' && c != '\n' && c != '\t') || c == 127)
            printf("\\x%02x", c);
        else
            putchar(c);
    }
}

static void print_line(const shown *s, const char *words)
{
    printf(s->colour ? "\033[0m\033[36m──── %s ────\033[0m\n" : "---- %s ----\n", words);
}

static void print_head(const shown *s, const skiff_shown *t)
{
    char words[600];
    snprintf(words, sizeof words, "segment %lld: %.400s: row %lld, %lld tokens", (long long)t->segment, t->file, (long long)t->row,
             (long long)t->kept);
    if (s->count > 1)
        printf("\n");
    print_line(s, words);
}

static void print_cut(const shown *s, const skiff_shown *t)
{
    char words[100];
    snprintf(words, sizeof words, "cut here: %lld of %lld tokens", (long long)t->kept, (long long)t->whole);
    printf("\n");
    print_line(s, words);
}

// The colour changes only where training does, so that a character of several tokens stays whole.
static bool print_token(void *self, const skiff_shown *t)
{
    shown *s = self;
    count(s, t);
    if (s->json)
        return print_token_json(t);
    if (t->position == 0)
        print_head(s, t);
    if (s->colour && (t->position == 0 || t->trained != s->trained_now))
        printf("\033[0m\033[%sm", t->trained ? "1;32" : "2");
    s->trained_now = t->trained;
    if (!s->colour && t->trained)
        putchar('[');
    print_bytes(t);
    if (!s->colour && t->trained)
        putchar(']');
    if (t->position + 1 == t->kept && t->kept < t->whole)
        print_cut(s, t);
    return !ferror(stdout);
}

static void print_totals(const shown *s)
{
    printf("%s\n\n%-14s %10s %10s\n", s->colour ? "\033[0m" : "", "tokens of", "all", "trained");
    for (int i = 0; i < s->role_count; i++)
        printf("  %-12s %10lld %10lld\n", s->roles[i].role, (long long)s->roles[i].tokens, (long long)s->roles[i].trained);
    printf("\n%lld tokens, %lld trained (%s), %lld segments, %lld of them cut\n", (long long)s->count, (long long)s->trained,
           s->colour ? "green" : "in brackets", (long long)s->segments, (long long)s->cut);
}

// https://no-color.org: set and not empty.
static bool wants_colour(void)
{
    const char *no = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && !(no && *no);
}

static int run(const args *a, err *e)
{
    const char *data;
    int64_t row;
    shown s = { .json = a->json, .colour = wants_colour() };
    if (!word_need(a, 0, "CACHE or DATA", &data, e) || !arg_int(a, "row", 1, 1, &row, e))
        return 2;
    if (!skiff_data_show(data, arg(a, "model"), row, a->options, print_token, &s, e))
        return skiff_exit_code(e);
    if (!s.json)
        print_totals(&s);
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
