// skiff data check: every row looked at, each bad one named.
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "cli/commands.h"

static void put_text(text *out, const char *key, const char *value)
{
    text_add(out, ", \"%s\": ", key);
    json_write_string(out, str_of(value));
}

static bool print_json(const skiff_finding *f)
{
    text out = {0};
    text_str(&out, STR("{\"file\": "));
    json_write_string(&out, str_of(f->file));
    if (f->row)
        text_add(&out, ", \"row\": %lld", (long long)f->row);
    else
        text_add(&out, ", \"row\": null");
    put_text(&out, "path", f->path);
    put_text(&out, "reason", f->reason);
    put_text(&out, "kind", f->kind);
    text_add(&out, ", \"bad\": %s}", f->bad ? "true" : "false");
    bool ok = puts(out.chars ? out.chars : "") != EOF;
    text_close(&out);
    return ok;
}

static bool print_finding(void *self, const skiff_finding *f)
{
    const args *a = self;
    if (a->json)
        return print_json(f);
    char row[40] = "";
    if (f->row)
        snprintf(row, sizeof row, ": row %lld", (long long)f->row);
    return printf("%s%s: %s%s%s%s\n", f->file, row, f->bad ? "" : "warning: ", f->path, *f->path ? ": " : "", f->reason) >= 0;
}

// ---- totals -------------------------------------------------------------------------------------------------------------

static void print_reasons(const node *reasons, const char *title)
{
    if (!reasons || !reasons->object.count)
        return;
    printf("\n%s\n", title);
    for (int64_t i = 0; i < reasons->object.count; i++) {
        const member *m = &reasons->object.members[i];
        str first = node_get(&m->value, "first")->text, help = node_get(&m->value, "help")->text;
        printf("  %8lld  %.*s (the first: %.*s)\n            %.*s\n", (long long)node_get(&m->value, "rows")->integer, STR_ARG(m->key),
               STR_ARG(first), STR_ARG(help));
    }
}

static void print_roles(const node *roles)
{
    if (!roles || !roles->object.count)
        return;
    printf("\n%-14s %12s %12s\n", "tokens of", "all", "trained");
    for (int64_t i = 0; i < roles->object.count; i++) {
        const member *m = &roles->object.members[i];
        printf("  %-12.*s %12lld %12lld\n", STR_ARG(m->key), (long long)node_get(&m->value, "tokens")->integer,
               (long long)node_get(&m->value, "trained")->integer);
    }
}

static void print_totals(const args *a, const char *report)
{
    arena memory = {0};
    const node *n;
    err ignored = {0};
    if (a->json)
        printf("%s\n", report);
    else if (json_parse(&memory, str_of(report), (place){ .file = "report" }, &n, &ignored)) {
        print_reasons(node_get(n, "reasons"), "rows that cannot be trained on");
        print_reasons(node_get(n, "warnings"), "rows to know about");
        print_roles(node_get(n, "roles"));
        printf("\n%lld rows in %lld files, %lld bad\n", (long long)node_get(n, "rows")->integer,
               (long long)node_get(n, "files")->integer, (long long)node_get(n, "bad")->integer);
    }
    arena_close(&memory);
}

static int run(const args *a, err *e)
{
    const char *data;
    char *report = NULL;
    if (!word_need(a, 0, "DATA", &data, e))
        return 2;
    skiff_check_how how = { .adapter = arg(a, "adapter"), .warnings = arg(a, "warnings") != NULL };
    bool ok = skiff_data_check(data, arg(a, "model"), &how, a->options, print_finding, (void *)a, &report, e);
    if (report)
        print_totals(a, report);
    free(report);
    return ok ? 0 : skiff_exit_code(e);
}

const command command_data_check = {
    .name = "data check", .usage = "DATA [--adapter A] [--model MODEL] [--warnings] [option=value …]", .run = run, .options = true,
    .help = "Reads every row and names each bad one with its place; exit 2 if there are any.",
    .flags = {
        { "adapter", "A", "how rows are read (default: found in each file's first row)", false },
        { "model", "MODEL", "also render, tokenize and mask each row with its tokenizer and template", false },
        { "warnings", NULL, "also name each row of which there is something to know", false },
    },
};
