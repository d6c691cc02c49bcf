// The rows that a step of training was given, and how it went.
#include "base/file.h"
#include "base/json.h"
#include "base/util.h"
#include "run/explain.h"
#include "run/plan.h"
#include "train/rows.h"

typedef struct rows { arena *arena; node *list; } rows;

static void add_row(void *self, const step_row *r)
{
    rows *x = self;
    arena *a = x->arena;
    node *n = node_object(a);
    node_put(a, n, "row", node_int(r->row));
    node_put(a, n, "segment", node_int(r->segment));
    node_put(a, n, "dataset", node_text(arena_str(a, str_of(r->dataset))));
    node_put(a, n, "file", node_text(arena_str(a, str_of(r->file))));
    node_put(a, n, "file_row", node_int(r->source_row));
    node_put(a, n, "tokens", node_int(r->tokens));
    node_put(a, n, "trained_tokens", node_int(r->trained));
    node_put(a, n, "cut", node_bool(r->cut));
    node_add(a, x->list, *n);
}

// The line of metrics.jsonl about this update; null when it was not made yet.
static bool find_metrics(arena *a, const char *output, int64_t step, node *out, err *e)
{
    const char *path = path_join(a, output, "metrics.jsonl");
    str all = {0};
    *out = (node){ .kind = NODE_NULL };
    if (!file_exists(path))
        return true;
    TRY(file_read(a, path, &all, e));
    for (size_t at = 0; at < all.size;) {
        size_t end = str_find(all, STR("\n"), at);
        const node *row, *number;
        err ignored = {0};
        if (json_parse(a, str_slice(all, at, end), (place){ .file = path }, &row, &ignored)
            && node_is(number = node_get(row, "global_step"), NODE_INT) && number->integer == step)
            *out = *row;
        at = end + 1;
    }
    return true;
}

bool explain_rows(arena *a, const exec_step *s, int64_t step, node *out, err *e)
{
    train_config c;
    node metrics;
    rows x = { a, node_list(a) };
    if (!s->kind->check(s, e) || !step_train_config(a, s, &c, e) || !train_step_rows(&c, step, add_row, &x, e)
        || !find_metrics(a, s->output, step, &metrics, e))
        return err_while(e, "%s", s->name);
    node_put(a, out, "number", node_int(step));
    node_put(a, out, "metrics", metrics);
    node_put(a, out, "rows", *x.list);
    return true;
}
