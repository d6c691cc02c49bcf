// The command line: what main.c and the commands share.
#pragma once
#include <stdio.h>

#include <skiff/skiff.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/node.h"
#include "base/text.h"

// A flag of a command. `value`: what follows it in --help ("FILE"), or NULL when it stands alone.
typedef struct flag {
    const char *name, *value, *help;
    bool repeats;
} flag;

typedef struct command command;

// The command line as parsed against the command's row.
typedef struct args {
    const command *command;
    arena *arena;
    const char *const *words;       // what is neither flag nor option, NULL at the end
    int word_count;
    const char *const *options;     // "name=value", NULL at the end
    int option_count;
    const char **values;            // per flag of the row: its value ("" when it has none), NULL when not given
    bool json;
} args;

const char *arg(const args *a, const char *flag_name);             // NULL when not given
bool arg_int(const args *a, const char *flag_name, int64_t preset, int64_t least, int64_t *out, err *e) MUST_CHECK;
bool arg_number(const args *a, const char *flag_name, double preset, double *out, err *e) MUST_CHECK;
bool arg_need(const args *a, const char *flag_name, const char **out, err *e) MUST_CHECK;
bool word_need(const args *a, int i, const char *what, const char **out, err *e) MUST_CHECK;

struct command {
    const char *name, *usage, *help;        // "data show", "CACHE|DATA [--row N]", one sentence
    flag flags[12];
    bool options;                           // takes options of the option table (name=value)
    bool raw;                               // parses its own arguments (run)
    int (*run)(const args *a, err *e);      // the exit code; when e->code is set, main prints it
};

// Prints a report: as it is with --json, else as aligned lines.
void print_report(const args *a, const char *report);
// Reads all of stdin, or lines of it. `line` is reused.
bool read_line(text *line, FILE *from);
