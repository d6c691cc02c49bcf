// Reading the parsed line, printing reports.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/cli.h"

const char *arg(const args *a, const char *flag_name)
{
    for (int i = 0; a->command->flags[i].name; i++)
        if (!strcmp(a->command->flags[i].name, flag_name))
            return a->values[i];
    return NULL;
}

bool arg_number(const args *a, const char *flag_name, double preset, double *out, err *e)
{
    const char *s = arg(a, flag_name);
    char *end;
    *out = preset;
    if (!s)
        return true;
    errno = 0;
    *out = strtod(s, &end);
    return (!errno && end != s && !*end && *out == *out)
        || fail(e, ERR_INPUT, "skiff %s: --%s: expected a number, got '%s'", a->command->name, flag_name, s);
}

bool arg_int(const args *a, const char *flag_name, int64_t preset, int64_t least, int64_t *out, err *e)
{
    const char *s = arg(a, flag_name);
    char *end;
    *out = preset;
    if (!s)
        return true;
    errno = 0;
    *out = strtoll(s, &end, 10);
    return (!errno && end != s && !*end && *out >= least && *out < (int64_t)1 << 40)
        || fail(e, ERR_INPUT, "skiff %s: --%s: expected a whole number from %lld, got '%s'", a->command->name, flag_name,
                (long long)least, s);
}

bool arg_need(const args *a, const char *flag_name, const char **out, err *e)
{
    *out = arg(a, flag_name);
    return *out || fail(e, ERR_INPUT, "skiff %s: --%s is missing. usage: skiff %s %s", a->command->name, flag_name,
                        a->command->name, a->command->usage);
}

bool word_need(const args *a, int i, const char *what, const char **out, err *e)
{
    if (i >= a->word_count)
        return fail(e, ERR_INPUT, "skiff %s: %s is missing. usage: skiff %s %s", a->command->name, what, a->command->name,
                    a->command->usage);
    *out = a->words[i];
    return true;
}

bool read_line(text *line, FILE *from)
{
    text_clear(line);
    int c;
    while ((c = getc_unlocked(from)) != EOF && c != '\n')
        text_char(line, (char)c);
    return c != EOF || line->size > 0;
}

static void print_value(const node *n)
{
    text t = {0};
    if (n->kind == NODE_TEXT)
        text_str(&t, n->text);
    else
        json_write(&t, n, JSON_SPACED);
    printf("%s\n", t.chars ? t.chars : "");
    text_close(&t);
}

static void print_node(const node *n, int depth)
{
    int64_t widest = 0;
    for (int64_t i = 0; i < n->object.count; i++)
        widest = (int64_t)n->object.members[i].key.size > widest ? (int64_t)n->object.members[i].key.size : widest;
    for (int64_t i = 0; i < n->object.count; i++) {
        const member *m = &n->object.members[i];
        printf("%*s%-*.*s  ", 2 * depth, "", (int)widest, STR_ARG(m->key));
        if (m->value.kind == NODE_OBJECT && m->value.object.count) {
            printf("\n");
            print_node(&m->value, depth + 1);
        } else if (m->value.kind == NODE_LIST && m->value.list.count && m->value.list.items[0].kind == NODE_OBJECT) {
            printf("\n");
            for (int64_t k = 0; k < m->value.list.count; k++) {
                print_node(&m->value.list.items[k], depth + 1);
                printf("\n");
            }
        } else {
            print_value(&m->value);
        }
    }
}

void print_report(const args *a, const char *report)
{
    err e = {0};
    const node *n;
    if (a->json || !json_parse(a->arena, str_of(report), (place){0}, &n, &e))
        printf("%s\n", report);
    else if (n->kind == NODE_OBJECT)
        print_node(n, 0);
    else
        print_value(n);
}
