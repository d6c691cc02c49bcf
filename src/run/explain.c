// Why each step of an experiment would run or be skipped, and what differs from the output made last.
#include "run/explain.h"

#include "base/file.h"
#include "base/json.h"
#include "base/util.h"
#include "data/ledger.h"
#include "run/decide.h"

// ---- input files --------------------------------------------------------------------------------------------------------

static const input *find_input(const inputs *in, const char *path)
{
    for (int64_t i = 0; i < in->count; i++)
        if (!strcmp(in->items[i].path, path))
            return &in->items[i];
    return NULL;
}

static void put_input(arena *a, node *list, const char *path, const char *change, const char *was, const char *is)
{
    node *n = node_object(a);
    node_put(a, n, "path", node_text(str_of(path)));
    node_put(a, n, "change", node_text(str_of(change)));
    if (was)
        node_put(a, n, "was", node_text(arena_str(a, (str){ was, MIN(strlen(was), 12u) })));
    if (is)
        node_put(a, n, "is", node_text(arena_str(a, (str){ is, MIN(strlen(is), 12u) })));
    node_add(a, list, *n);
}

// Files whose content is another one than when the output was made. Nothing was made: no file has changed.
static node *changed_inputs(arena *a, const job *b, const inputs *old, bool known)
{
    node *list = node_list(a);
    for (int64_t i = 0; known && b->inputs_known && i < b->inputs.count; i++) {
        const input *is = &b->inputs.items[i], *was = find_input(old, is->path);
        if (!was)
            put_input(a, list, is->path, "new", NULL, is->digest);
        else if (strcmp(was->digest, is->digest))
            put_input(a, list, is->path, "changed", was->digest, is->digest);
    }
    for (int64_t i = 0; known && b->inputs_known && i < old->count; i++)
        if (!find_input(&b->inputs, old->items[i].path))
            put_input(a, list, old->items[i].path, "gone", old->items[i].digest, NULL);
    return list;
}

// ---- token caches -------------------------------------------------------------------------------------------------------

static const char *cache_words(arena *a, const job *b)
{
    ledger l;
    err why = {0};
    const char *output = b->step->output;
    if (!file_exists(path_join(a, output, LEDGER_NAME)))
        return "missed: there is none yet";
    if (!ledger_read(a, output, &l, &why))
        return arena_print(a, "missed: %s", why.text);
    if (b->action == ACTION_SKIP)
        return arena_print(a, "hit: tokenizer, template, fields and the %lld source files are those it was made of (%lld shards, %lld "
                           "conversations)", (long long)l.source_count, (long long)l.shard_count, (long long)l.info.totals.kept);
    char **shards;
    int64_t count = 0;
    if (!file_glob(a, path_join(a, output, "shard-*.tok"), &shards, &count, &why))
        count = 0;
    return arena_print(a, "missed: %s; %lld shards stand there, of which those are kept whose key is still the same", b->reason,
                       (long long)(l.finished ? l.shard_count : count));
}

// ---- steps --------------------------------------------------------------------------------------------------------------

static node text_or_null(const char *s) { return s ? node_text(str_of(s)) : (node){ .kind = NODE_NULL }; }

// In a C program the tokens of a step must be there before its rows can be told.
static bool add_rows(jobs *j, const job *b, int64_t step, node *n, err *e)
{
    if (strcmp(b->step->kind->name, "train") || step < 1)
        return true;
    for (int k = 0; k < b->step->dep_count; k++) {
        const exec_step *d = &j->steps[b->step->deps[k]];
        if (status_read(d->output) != STEP_SUCCESS)
            return fail(e, ERR_INPUT, "%s: which rows a step has is known from its tokens, and '%s' has not run yet", b->step->name,
                        d->name);
    }
    return explain_rows(j->arena, b->step, step, node_put(j->arena, n, "step", *node_object(j->arena)), e);
}

static bool explain_job(jobs *j, const job *b, int64_t step, node *list, err *e)
{
    arena *a = j->arena;
    const exec_step *s = b->step;
    const char *version = NULL, *last = explain_last(a, s, j->options, &version);
    digests seen = { .arena = a };
    inputs old;
    bool known = info_read(s->output, &seen, &old);
    node *n = node_object(a), *changed = node_list(a);
    if (version)
        TRY(explain_versions(a, j->steps, s, version, changed, e));
    node_put(a, n, "name", node_text(str_of(s->name)));
    node_put(a, n, "kind", node_text(str_of(s->kind->name)));
    node_put(a, n, "output_path", node_text(str_of(s->output)));
    node_put(a, n, "status", node_text(str_of(step_status_name(status_read(s->output)))));
    node_put(a, n, "action", node_text(str_of(job_action(b))));
    node_put(a, n, "reason", text_or_null(b->inputs_known ? b->reason : arena_chars(a, str_of(b->error.text))));
    node_put(a, n, "compared_with", text_or_null(last));
    node_put(a, n, "changed", *changed);
    node_put(a, n, "inputs", *changed_inputs(a, b, &old, known));
    if (!strcmp(s->kind->name, "tokenize"))
        node_put(a, n, "cache", node_text(str_of(cache_words(a, b))));
    TRY(add_rows(j, b, step, n, e));
    node_add(a, list, *n);
    return true;
}

bool experiment_explain(arena *a, exec_step *steps, int count, const executor_options *o, int64_t step, text *out, err *e)
{
    jobs j = { .arena = a, .steps = steps, .count = count, .options = o };
    node *top = node_object(a), *list = node_list(a);
    bool trains = false;
    TRY(jobs_decide(&j, e));
    for (int i = 0; i < count; i++) {
        trains = trains || !strcmp(steps[i].kind->name, "train");
        TRY(explain_job(&j, &j.items[i], step, list, e));
    }
    if (step > 0 && !trains)
        return fail(e, ERR_INPUT, "--step %lld: no step of the experiment trains", (long long)step);
    node_put(a, top, "prefix", node_text(str_of(executor_prefix(o))));
    node_put(a, top, "steps", *list);
    json_write(out, top, JSON_SPACED);
    return text_ok(out, e);
}
