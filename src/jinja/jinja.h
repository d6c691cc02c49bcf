// The Jinja that chat templates use (jinja2's sandbox as `transformers` sets it up: trim_blocks, lstrip_blocks,
// loop controls, `generation` tags), rendering text that remembers where each byte came from.
#pragma once
#include "base/arena.h"
#include "base/node.h"
#include "base/text.h"

typedef struct jinja jinja;

// `file` names the source in errors: "chat_template.jinja:12:7: …". NULL on failure.
jinja *jinja_open(str source, const char *file, err *e);
void jinja_close(jinja *j);
bool jinja_has_generation(const jinja *j);              // has {% generation %} tags

// Bytes [begin, end) of the output came from text with this mark (see jinja_mark), or from the template when 0.
// Runs are in order, cover the output, and neighbours differ.
typedef struct jinja_run { uint32_t begin, end; int32_t mark; } jinja_run;

typedef struct jinja_span { uint32_t begin, end; } jinja_span;

typedef struct jinja_output {
    text text;
    jinja_run *runs;
    jinja_span *generation;         // what stood inside {% generation %} … {% endgeneration %}
    int64_t run_count, generation_count, run_room, generation_room;
    arena arena;                    // of the rendering
} jinja_output;                     // {0} is empty; reused from render to render

typedef struct jinja_limits { int64_t output, steps; int depth; } jinja_limits;    // 0: the defaults (64 MiB, 50 M, 200)

// `context` is an object of the template's variables. `mark` (may be NULL) gives the mark of a text node of the
// context: 0 = none. Marks follow text through filters, slices, concatenation, tojson, macros and loops.
// raise_exception('…') fails with its message. The template's errors have file, line, column and the calls.
bool jinja_render(const jinja *j, const node *context, int32_t (*mark)(void *self, const node *text), void *self,
                  const jinja_limits *limits, jinja_output *out, err *e) MUST_CHECK;
void jinja_output_close(jinja_output *o);
