// Rendering: limits, errors with their place, and the output with its runs.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "jinja/ast.h"

enum { DEEPEST = 1500, MEMORY_PER_OUTPUT = 8 };
static const jinja_limits defaults = { 64 << 20, 50000000, 200 };

// "file:line:column: what (in macro 'x' called at line 3, in macro 'y' called at line 9)"
bool jinja_stop(render *r, err_code code, const char *fmt, ...)
{
    char what[360], chain[120] = "";
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    size_t n = 0;
    for (const call_frame *f = r->frame; f && n < sizeof chain - 1; f = f->before)
        n += (size_t)snprintf(chain + n, sizeof chain - n, "%s %s '%.*s' called at line %d", n ? ", in" : " (in", f->what,
                              (int)MIN(f->name.size, (size_t)40), f->name.at, f->line);
    if (n)
        snprintf(chain + MIN(n, sizeof chain - 5), 5, n > sizeof chain - 5 ? "…)" : ")");
    return fail(r->e, code, "%s:%d:%d: %s%s", r->j->file, r->line, r->column, what, chain);
}

bool jinja_fail(render *r, const char *fmt, ...)
{
    char what[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return jinja_stop(r, ERR_INPUT, "%s", what);
}

bool jinja_step(render *r, int64_t steps)
{
    r->steps += steps;
    if (r->steps > r->limits.steps)
        return jinja_stop(r, ERR_INPUT, "the template takes more than %lld steps", (long long)r->limits.steps);
    if (r->arena.used / MEMORY_PER_OUTPUT > (size_t)r->limits.output)
        return jinja_stop(r, ERR_INPUT, "the template takes more than %lld MB of memory",
                          (long long)(r->limits.output * MEMORY_PER_OUTPUT >> 20));
    return true;
}

bool jinja_enter(render *r)
{
    TRY(jinja_step(r, 1));
    if (r->depth >= DEEPEST)
        return jinja_fail(r, "expressions, loops and values are nested more than %d deep", DEEPEST);
    r->depth++;
    return true;
}

static bool no_memory(err *e) { return fail(e, ERR_MEMORY, "no memory left for the text of a template"); }

static bool add_span(jinja_output *o, uint32_t begin, uint32_t end, err *e)
{
    if (o->generation_count && o->generation[o->generation_count - 1].end == begin) {
        o->generation[o->generation_count - 1].end = end;
        return true;
    }
    if (o->generation_count == o->generation_room) {
        int64_t room = MAX(2 * o->generation_room, (int64_t)8);
        jinja_span *more = realloc(o->generation, (size_t)room * sizeof *more);
        if (!more)
            return no_memory(e);
        o->generation = more;
        o->generation_room = room;
    }
    o->generation[o->generation_count++] = (jinja_span){ begin, end };
    return true;
}

// The bit of {% generation %} becomes spans; what is left of the marks becomes runs.
static bool take_runs(const sink *s, jinja_output *o, err *e)
{
    o->run_count = o->generation_count = 0;
    if (o->run_room < s->run_count) {
        jinja_run *more = realloc(o->runs, (size_t)s->run_count * sizeof *more);
        if (!more)
            return no_memory(e);
        o->runs = more;
        o->run_room = s->run_count;
    }
    for (int64_t i = 0; i < s->run_count; i++) {
        jinja_run run = s->runs[i];
        if (run.mark & MARK_GENERATION)
            TRY(add_span(o, run.begin, run.end, e));
        run.mark &= MARK_GENERATION - 1;
        if (o->run_count && o->runs[o->run_count - 1].mark == run.mark)
            o->runs[o->run_count - 1].end = run.end;
        else
            o->runs[o->run_count++] = run;
    }
    return true;
}

static bool render_into(render *r, jinja_output *out)
{
    sink root = { .r = r };
    flow f = FLOW_ON;
    r->out = r->root = &root;
    r->scope = r->base = scope_new(r, NULL);
    r->globals = ARENA_ARRAY(&r->arena, value, r->j->name_count);
    if (r->fork)
        fork_begin(r);
    TRY(exec_root(r, &r->j->body, &f));
    text_clear(&out->text);
    text_bytes(&out->text, root.at ? root.at : "", root.size);
    return take_runs(&root, out, r->e) && text_ok(&out->text, r->e);
}

bool jinja_render_at(const jinja *j, const node *context, int32_t (*mark)(void *, const node *), void *self,
                     const jinja_limits *limits, struct timespec now, size_t watch, int32_t *watch_line, jinja_fork *fork,
                     jinja_output *out, err *e)
{
    if (!node_is(context, NODE_OBJECT))
        return fail(e, ERR_INPUT, "%s: the variables of a template are an object", j->file);
    render r = { .j = j, .e = e, .limits = defaults, .context = context, .mark = mark, .self = self, .now = now, .watch = watch,
                 .fork = fork, .arena = out->arena };
    arena_clear(&r.arena);
    if (limits && limits->output)
        r.limits.output = MIN(limits->output, (int64_t)UINT32_MAX);
    if (limits && limits->steps)
        r.limits.steps = limits->steps;
    if (limits && limits->depth)
        r.limits.depth = limits->depth;
    bool ok = render_into(&r, out);
    if (watch_line)
        *watch_line = r.watch_line;
    arena_clear(&r.arena);
    out->arena = r.arena;
    return ok;
}

bool jinja_render(const jinja *j, const node *context, int32_t (*mark)(void *self, const node *text), void *self,
                  const jinja_limits *limits, jinja_output *out, err *e)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return jinja_render_at(j, context, mark, self, limits, now, 0, NULL, NULL, out, e);
}

void jinja_output_close(jinja_output *o)
{
    text_close(&o->text);
    arena_close(&o->arena);
    free(o->runs);
    free(o->generation);
    *o = (jinja_output){0};
}
