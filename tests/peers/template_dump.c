// For test_templates.py: many templates. Records on stdin and stdout are a 32-bit size and so many bytes: the template, then its
// variables as JSON → one byte, 1 for a text and 0 for a refusal, and the text or the error.
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "jinja/jinja.h"

// A copy of just this size, so that a sanitizer sees reads past the end.
static char *record(uint32_t *size)
{
    if (fread(size, sizeof *size, 1, stdin) != 1)
        return NULL;
    char *bytes = malloc(*size + !*size);
    if (bytes && fread(bytes, 1, *size, stdin) == *size)
        return bytes;
    free(bytes);
    return NULL;
}

static void answer(bool ok, str s)
{
    uint32_t size = (uint32_t)s.size + 1;
    fwrite(&size, sizeof size, 1, stdout);
    fputc(ok, stdout);
    fwrite(s.at, 1, s.size, stdout);
}

int main(void)
{
    arena a = {0};
    jinja_output out = {0};
    uint32_t size, variables_size;
    for (char *source, *variables; (source = record(&size)) && (variables = record(&variables_size));) {
        err e = {0};
        const node *context;
        const str json = { variables, variables_size };
        jinja *j = jinja_open((str){ source, size }, "t", &e);
        const bool ok = j && json_parse(&a, json, (place){ .file = "variables" }, &context, &e)
                        && jinja_render(j, context, NULL, NULL, NULL, &out, &e);
        answer(ok, ok ? text_view(&out.text) : str_of(e.text));
        jinja_close(j);
        arena_clear(&a);
        free(source);
        free(variables);
    }
    jinja_output_close(&out);
    arena_close(&a);
    return 0;
}
