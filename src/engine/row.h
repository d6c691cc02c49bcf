// What the table of operations says of one argument, taken apart. For recording only.
#pragma once
#include "engine/program.h"

typedef struct word {
    char use;                       // '=', '+', '~', '!', or ' ' for only read
    bool optional;                  // '?'
    char type;                      // 'h', 'a', 'i', or 'f' for F32
    const char *dims;               // letters, '*' or '.'
    int rank;                       // how many letters; -1 for '*'
} word;

// Reads the word at *spec and moves to the next; false at the end.
bool row_word(const char **spec, word *w);
const char *row_spec(op o);

// Checks a call's arguments against its row and fills args, access, dim and count. `wanted` tells whether
// somebody wants a result. False when p->error was set.
bool row_bind(program *p, call *c, bool *wanted);

// Outputs and scratch must be made in every step before they are read or added to.
bool row_check_made(program *p);
