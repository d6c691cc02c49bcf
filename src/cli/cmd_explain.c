// skiff explain: why each step would run or be skipped; the rows and the health of one step of training.
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "cli/commands.h"

static str text_of(const node *n, const char *key)
{
    const node *v = node_get(n, key);
    return node_is(v, NODE_TEXT) ? v->text : (str){ "", 0 };
}

static void print_value(const node *n)
{
    text t = {0};
    if (!n || n->kind == NODE_NULL)
        text_str(&t, STR("not set"));
    else
        json_write(&t, n, JSON_SPACED);
    printf("%.200s", t.chars ? t.chars : "");
    text_close(&t);
}

static void print_changes(const node *step)
{
    const node *changed = node_get(step, "changed"), *files = node_get(step, "inputs");
    str last = text_of(step, "compared_with");
    if (last.size && changed->list.count)
        printf("    against %.*s\n", STR_ARG(last));
    else if (last.size)
        printf("    no field differs from %.*s\n", STR_ARG(last));
    for (int64_t i = 0; i < changed->list.count; i++) {
        const node *c = node_at(changed, i);
        printf("      %.*s: was ", STR_ARG(text_of(c, "field")));
        print_value(node_get(c, "was"));
        printf(", is ");
        print_value(node_get(c, "is"));
        printf("\n");
    }
    for (int64_t i = 0; i < files->list.count; i++) {
        const node *f = node_at(files, i);
        printf("    %.*s is %.*s\n", STR_ARG(text_of(f, "path")), STR_ARG(text_of(f, "change")));
    }
}

static void print_rows(const node *step)
{
    const node *metrics = node_get(step, "metrics"), *rows = node_get(step, "rows");
    static const char *const health[] = { "train/loss", "grad/norm/total", "optim/learning_rate" };
    printf("    step %lld: ", (long long)node_get(step, "number")->integer);
    if (!node_is(metrics, NODE_OBJECT))
        printf("not made yet");
    for (size_t i = 0; node_is(metrics, NODE_OBJECT) && i < sizeof health / sizeof *health; i++) {
        printf("%s%s ", i ? ", " : "", health[i]);
        print_value(node_get(metrics, health[i]));
    }
    printf("\n");
    for (int64_t i = 0; i < rows->list.count; i++) {
        const node *r = node_at(rows, i), *cut = node_get(r, "cut");
        printf("      row %lld.%lld: %.*s: %.*s: row %lld, %lld tokens, %lld trained%s\n", (long long)node_get(r, "row")->integer,
               (long long)node_get(r, "segment")->integer, STR_ARG(text_of(r, "dataset")), STR_ARG(text_of(r, "file")),
               (long long)node_get(r, "file_row")->integer, (long long)node_get(r, "tokens")->integer,
               (long long)node_get(r, "trained_tokens")->integer, cut->truth ? ", cut" : "");
    }
}

static void print_steps(const node *steps)
{
    for (int64_t i = 0; node_is(steps, NODE_LIST) && i < steps->list.count; i++) {
        const node *s = node_at(steps, i);
        printf("%s%.*s: %.*s: %.*s\n    %.*s (%.*s)\n", i ? "\n" : "", STR_ARG(text_of(s, "name")), STR_ARG(text_of(s, "action")),
               STR_ARG(text_of(s, "reason")), STR_ARG(text_of(s, "output_path")), STR_ARG(text_of(s, "status")));
        print_changes(s);
        if (node_get(s, "cache"))
            printf("    token cache %.*s\n", STR_ARG(text_of(s, "cache")));
        if (node_get(s, "step"))
            print_rows(node_get(s, "step"));
    }
}

static int run(const args *a, err *e)
{
    const char *experiment;
    char *report = NULL;
    const node *n;
    err ignored = {0};
    skiff_explain_how how = { .prefix = arg(a, "prefix") };
    if (!word_need(a, 0, "EXPERIMENT", &experiment, e) || !arg_int(a, "step", 0, 1, &how.step, e))
        return 2;
    if (!skiff_explain(experiment, &how, a->options, &report, e))
        return skiff_exit_code(e);
    if (a->json || !json_parse(a->arena, str_of(report), (place){ .file = "report" }, &n, &ignored))
        printf("%s\n", report);
    else
        print_steps(node_get(n, "steps"));
    free(report);
    return 0;
}

const command command_explain = {
    .name = "explain", .usage = "EXPERIMENT [--prefix FOLDER] [--step K] [step.option=value …]", .run = run, .options = true,
    .help = "Why each step would run or be skipped, and which field differs from the last version.",
    .flags = {
        { "prefix", "FOLDER", "where outputs are (default: as skiff run has it)", false },
        { "step", "K", "also the rows of the data that update K of training was given, and how it went", false },
    },
};
