// A template and its variables: the first line is JSON (the variables, or nothing usable), the rest is the template. Where the variables
// hold messages and a false add_generation_prompt, what one rendering tells of shorter ones is held against those.
#include <stdlib.h>

#include "base/json.h"
#include "jinja/jinja.h"
#include "jinja/value.h"

enum { MOST = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const jinja_limits limits = { .output = 1 << 20, .steps = 20000, .depth = 50 };

static int32_t mark(void *self, const node *n)
{
    (void)self;
    return n->kind == NODE_TEXT && n->text.size ? 1 + (n->text.at[0] & 3) : 0;
}

static void check_runs(const jinja_output *out)             // they cover the output, in order, neighbours differ
{
    uint32_t at = 0;
    for (int64_t i = 0; i < out->run_count; i++) {
        if (out->runs[i].begin != at || out->runs[i].end <= at || (i && out->runs[i].mark == out->runs[i - 1].mark))
            __builtin_trap();
        at = out->runs[i].end;
    }
    if (at != out->text.size)
        __builtin_trap();
}

typedef struct told { bool given[MOST]; size_t shared[MOST]; text rest[MOST]; } told;

static bool wanted(void *self, int64_t count) { (void)self; return count < MOST; }

static void take(void *self, int64_t count, size_t shared, const str *rest)
{
    told *t = self;
    if (t->given[count])
        __builtin_trap();                                   // each is told once
    t->given[count] = rest != NULL;
    t->shared[count] = shared;
    if (rest)
        text_str(&t->rest[count], *rest);
}

static void compare(const jinja *j, node *context, node *list, node *flag, const jinja_output *all)
{
    told t = {0};
    err e = {0};
    jinja_output out = {0};
    const struct timespec now = { 1700000000, 0 };
    jinja_fork fork = { .list = list, .flag = flag, .wanted = wanted, .take = take, .self = &t };
    const bool ok = jinja_render_at(j, context, mark, NULL, &limits, now, 0, NULL, &fork, &out, &e);
    if (!ok && !strstr(e.text, "more than"))
        __builtin_trap();
    if (ok && (!str_equal(text_view(&out.text), text_view(&all->text)) || out.run_count != all->run_count
               || (out.run_count && memcmp(out.runs, all->runs, sizeof *out.runs * (size_t)out.run_count))))
        __builtin_trap();
    const int64_t count = list->list.count;
    flag->truth = true;
    for (int64_t i = 1; ok && i < count && i < MOST; i++) {
        if (!t.given[i])
            continue;
        list->list.count = i;
        str rest = text_view(&t.rest[i]);
        if (jinja_render_at(j, context, mark, NULL, &limits, now, 0, NULL, NULL, &out, &e)) {
            str text_of = text_view(&out.text);
            if (text_of.size != t.shared[i] + rest.size || memcmp(text_of.at, all->text.chars, t.shared[i])
                || !str_equal(str_from(text_of, t.shared[i]), rest))
                __builtin_trap();
        } else if (!strstr(e.text, "more than")) {          // a limit
            __builtin_trap();
        }
    }
    for (int i = 0; i < MOST; i++)
        text_close(&t.rest[i]);
    jinja_output_close(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str all = { (const char *)data, size };
    size_t line = str_find(all, STR("\n"), 0);
    str first = str_slice(all, 0, line), source = line < size ? str_from(all, line + 1) : (str){ "", 0 };
    arena a = {0};
    err e = {0};
    const node *context = NULL;
    const struct timespec now = { 1700000000, 0 };
    jinja_output out = {0};
    if (!json_parse(&a, first, (place){ .file = "variables" }, &context, &e) || !node_is(context, NODE_OBJECT))
        context = node_object(&a);
    jinja *j = jinja_open(source, "fuzz.jinja", &e);
    if (j && jinja_render_at(j, context, mark, NULL, &limits, now, 0, NULL, NULL, &out, &e)) {
        node *list = (node *)node_get(context, "messages"), *flag = (node *)node_get(context, "add_generation_prompt");
        check_runs(&out);
        if (node_is(list, NODE_LIST) && node_is(flag, NODE_BOOL) && !flag->truth)
            compare(j, (node *)context, list, flag, &out);
    }
    jinja_output_close(&out);
    jinja_close(j);
    arena_close(&a);
    return 0;
}
