// Options: rows of the table in <skiff/options.h>, and what walks them. A section is a struct of plain values; its rows know
// where each value lies, so that YAML, flags, C experiments, JSON, hashes and documentation need no code per option.
#pragma once
#include <skiff/options.h>

#include "base/node.h"
#include "base/text.h"

typedef enum option_type { OPTION_INT, OPTION_NUMBER, OPTION_BOOL, OPTION_TEXT, OPTION_CHOICE, OPTION_LIST } option_type;

typedef struct option {
    const char *name, *help, *words;
    double least, most;             // checked when least < most
    size_t offset;
    option_type type;
    unsigned flags;                 // SKIFF_IGNORED …
} option;

typedef struct option_section {
    const char *name, *title;       // "SimpleSFTConfig", "Training"
    const option *rows;
    size_t count, size;
    const void *defaults;
} option_section;

typedef enum section_id {
#define SECTION_ID(id, name, type, rows, title) SECTION_##id,
    SKIFF_SECTIONS(SECTION_ID)
#undef SECTION_ID
    SECTIONS
} section_id;

extern const option_section option_sections[SECTIONS];

const option *option_find(section_id s, const char *name);

// "unknown option 'learning_rat'; did you mean 'learning_rate'?", or whose option it is. Always false.
bool option_unknown(const section_id *used, size_t count, str name, place at, err *e);

// From a flag's text, a YAML or JSON value; null gives the default. The value is checked; text is copied into `a`.
bool option_set_text(const option *o, void *values, arena *a, const char *value, place at, err *e) MUST_CHECK;
bool option_set_node(const option *o, void *values, const void *defaults, arena *a, const node *value, const char *file, err *e) MUST_CHECK;

// Every member of an object into the values of one section. Names in `others` (NULL at the end, may be NULL) are left to the
// caller; any other unknown name is an error. `refer` (may be NULL) makes a text of an object that names another step.
typedef struct option_reader {
    arena *arena;
    const char *file;
    const char *const *others;
    const char *(*refer)(void *self, const node *n, err *e);
    void *self;
} option_reader;
bool options_read(const option_reader *r, section_id s, void *values, const node *object, err *e) MUST_CHECK;

// "name=value" texts, NULL at the end (the list may be NULL), into the first section that has the name. An option that no
// section has is an error with the nearest names.
typedef struct option_values { section_id section; void *values; } option_values;
bool options_from_flags(const option_values *into, size_t count, arena *a, const char *const *flags, err *e) MUST_CHECK;
void options_preset(section_id s, void *values);        // the defaults

// What a C program put into the struct, checked by the same rows.
bool options_check(section_id s, const void *values, place at, err *e) MUST_CHECK;

bool option_is_default(const option *o, const void *values, const void *defaults);
// The first option that is set although it carries one of `flags`; NULL when there is none.
const option *options_first_set(section_id s, const void *values, unsigned flags);

// Values as members of an object, unset ones as null. OPTIONS_HASHED leaves out those marked ignore_in_hash, OPTIONS_IGNORED
// leaves in only those.
typedef enum options_which { OPTIONS_ALL, OPTIONS_HASHED, OPTIONS_IGNORED } options_which;
void options_dump(section_id s, const void *values, options_which which, arena *a, node *into);
node option_value(const option *o, const void *values, arena *a);

// Documentation: the page docs/options.md; one section for --help; "section.name" lines for the lint.
void options_markdown(text *out);
void options_help(section_id s, text *out);
void options_names(text *out);

// Replaces ${NAME} and ${NAME:-default} in all texts of a tree by the environment's values. A name that is not set and has no
// default is an error.
bool expand_environment(arena *a, node *tree, const char *file, err *e) MUST_CHECK;
