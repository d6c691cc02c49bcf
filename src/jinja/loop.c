// for … in … if … else, recursive or not.
#include "base/util.h"
#include "jinja/ast.h"

// The items a loop's `if` lets through. Its test sees the loop's own names and those outside.
static bool filter_items(render *r, const stmt *s, value **items, int64_t *count)
{
    value *kept = ARENA_ARRAY(&r->arena, value, *count);
    int64_t n = 0;
    for (int64_t i = 0; i < *count; i++) {
        value yes;
        TRY(exec_assign(r, s->target, (*items)[i]));
        TRY(eval(r, s->test, &yes));
        if (value_truth(r, yes))
            kept[n++] = (*items)[i];
    }
    *items = kept;
    *count = n;
    return true;
}

static bool run_items(render *r, const stmt *s, scope *outer, jloop *loop)
{
    value self = { .kind = V_LOOP, .loop = loop };
    for (; loop->index < loop->count; loop->index++) {
        if (r->fork && r->fork->loop == loop)
            fork_at(r);
        if (r->scope->kept)
            r->scope = scope_new(r, outer);
        fork_note(r, r->scope, sizeof *r->scope);
        r->scope->count = 0;
        flow f = FLOW_ON;
        scope_set(r, NAME_LOOP, self);
        r->line = s->line;
        r->column = s->column;
        TRY(exec_assign(r, s->target, loop->items[loop->index]));
        TRY(exec_body(r, (const stmt *const *)s->body.items, s->body.count, &f));
        loop->completed = loop->completed || f == FLOW_ON;
        if (f == FLOW_BREAK)
            break;
    }
    return true;
}

static bool run_otherwise(render *r, const stmt *s, scope *outer, const jloop *loop, flow *f)
{
    if (loop->completed || !s->otherwise.count)
        return true;
    r->scope = scope_new(r, outer);
    return exec_body(r, (const stmt *const *)s->otherwise.items, s->otherwise.count, f);
}

bool loop_finish(render *r, jloop *loop, bool with_item)
{
    flow f = FLOW_ON;
    TRY(!with_item || run_items(r, loop->node, loop->scope, loop));
    TRY(run_otherwise(r, loop->node, loop->scope, loop, &f));
    r->scope = loop->scope;
    return true;
}

// `else` runs when no round reached the end of the body: so does jinja2, where break and continue skip its note of it.
bool exec_loop(render *r, const stmt *s, scope *outer, value v, int64_t depth, flow *f)
{
    jloop *loop = ARENA_NEW(&r->arena, jloop);
    *loop = (jloop){ .depth = depth, .node = s, .scope = outer };
    TRY(value_items(r, v, &loop->items, &loop->count));
    scope *before = r->scope;
    bool ok = true;
    r->scope = scope_new(r, outer);
    if (r->fork)
        fork_enter_loop(r, s, v, loop);
    if (s->test)
        ok = filter_items(r, s, &loop->items, &loop->count);
    ok = ok && run_items(r, s, outer, loop);
    if (r->fork)
        fork_leave_loop(r, loop);
    ok = ok && run_otherwise(r, s, outer, loop, f);
    r->scope = before;
    return ok;
}
