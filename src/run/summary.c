// What became of the steps, as JSON.
#include "base/json.h"
#include "run/decide.h"

const char *job_action(const job *b)
{
    static const char *const words[] = { "", "skip", "run", "run afresh", "blocked" };
    return !b->wanted ? "not asked for" : b->same_as >= 0 ? "same as another" : words[b->action];
}

static node job_node(jobs *j, const job *b)
{
    static const char *const done[] = { "WAITING", "RUNNING", "SUCCESS", "FAILED", "DEP_FAILED", "CANCELLED" };
    arena *a = j->arena;
    node *n = node_object(a);
    const char *status = done[b->outcome];
    if (!b->wanted || b->outcome == OUTCOME_OPEN)
        status = step_status_name(status_read(b->step->output));
    node_put(a, n, "name", node_text(str_of(b->step->name)));
    node_put(a, n, "kind", node_text(str_of(b->step->kind->name)));
    node_put(a, n, "output_path", node_text(str_of(b->step->output)));
    node_put(a, n, "status", node_text(str_of(status)));
    node_put(a, n, "action", node_text(str_of(job_action(b))));
    node_put(a, n, "reason", b->reason ? node_text(str_of(b->reason)) : (node){ .kind = NODE_NULL });
    node_put(a, n, "seconds", node_float((double)(long long)(b->seconds * 1000) / 1000));
    node_put(a, n, "message", b->message ? node_text(str_of(b->message)) : (node){ .kind = NODE_NULL });
    if (b->forecast)
        node_put(a, n, "forecast", *b->forecast);
    return *n;
}

void jobs_summarize(jobs *j, const char *info, double seconds, text *out)
{
    arena *a = j->arena;
    node *n = node_object(a), *list = node_list(a);
    for (int i = 0; i < j->count; i++)
        node_add(a, list, job_node(j, &j->items[i]));
    node_put(a, n, "prefix", node_text(str_of(executor_prefix(j->options))));
    node_put(a, n, "experiment", info ? node_text(str_of(info)) : (node){ .kind = NODE_NULL });
    node_put(a, n, "dry_run", node_bool(j->options->dry_run));
    node_put(a, n, "steps", *list);
    node_put(a, n, "seconds", node_float((double)(long long)(seconds * 1000) / 1000));
    if (out)
        json_write(out, n, JSON_SPACED);
}
