// Opening a template.
#include "jinja/jinja.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "jinja/ast.h"

// Line ends become \n and the last one goes, as jinja2 reads sources.
static str normal_source(arena *a, str s)
{
    char *to = arena_alloc(a, s.size + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.size; i++) {
        if (s.at[i] == '\r' && i + 1 < s.size && s.at[i + 1] == '\n')
            continue;
        to[n++] = s.at[i] == '\r' ? '\n' : s.at[i];
    }
    if (n && to[n - 1] == '\n')
        n--;
    return (str){ to, n };
}

static bool open_source(jinja *j, str source, err *e)
{
    static const char *const reserved[] = { "loop", "caller", "kwargs", "varargs", " body", "self" };   // NAME_LOOP …
    if (source.size > INT32_MAX / 2)
        return fail(e, ERR_INPUT, "%s: a template of %zu bytes", j->file, source.size);
    size_t bad = utf8_check(source);
    if (bad < source.size)
        return fail(e, ERR_INPUT, "%s: byte %zu is not UTF-8", j->file, bad);
    map_open(&j->name_map, &j->arena, 64);
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        jinja_name(j, str_of(reserved[i]));
    j->source = normal_source(&j->arena, source);
    return jinja_parse(j, e);
}

jinja *jinja_open(str source, const char *file, err *e)
{
    jinja *j = calloc(1, sizeof *j);
    if (!j) {
        fail(e, ERR_MEMORY, "no memory left for a template");
        return NULL;
    }
    j->file = arena_chars(&j->arena, str_of(file ? file : "template"));
    if (!open_source(j, source, e)) {
        jinja_close(j);
        return NULL;
    }
    return j;
}

void jinja_close(jinja *j)
{
    if (!j)
        return;
    arena_close(&j->arena);
    free(j);
}

bool jinja_has_generation(const jinja *j) { return j->has_generation; }
