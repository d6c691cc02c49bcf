// A template and its variables: the first line is JSON (the variables, or nothing usable), the rest is the template.
#include "base/json.h"
#include "text/jinja.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int32_t mark(void *self, const node *n)
{
    (void)self;
    return n->kind == NODE_TEXT && n->text.size ? 1 + (n->text.at[0] & 3) : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str all = { (const char *)data, size };
    size_t line = str_find(all, STR("\n"), 0);
    str first = str_slice(all, 0, line), source = line < size ? str_from(all, line + 1) : (str){ "", 0 };
    arena a = {0};
    err e = {0};
    const node *context = NULL;
    const jinja_limits limits = { .output = 1 << 20, .steps = 20000, .depth = 50 };
    jinja_output out = {0};
    if (!json_parse(&a, first, (place){ .file = "variables" }, &context, &e) || !node_is(context, NODE_OBJECT))
        context = node_object(&a);
    jinja *j = jinja_open(source, "fuzz.jinja", &e);
    if (j && jinja_render(j, context, mark, NULL, &limits, &out, &e)) {
        uint32_t at = 0;                                    // runs cover the output, in order, neighbours differ
        for (int64_t i = 0; i < out.run_count; i++) {
            if (out.runs[i].begin != at || out.runs[i].end <= at || (i && out.runs[i].mark == out.runs[i - 1].mark))
                __builtin_trap();
            at = out.runs[i].end;
        }
        if (at != out.text.size)
            __builtin_trap();
    }
    jinja_output_close(&out);
    jinja_close(j);
    arena_close(&a);
    return 0;
}
