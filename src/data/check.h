// Reading every row of a dataset and naming each bad one, where building a cache stops at the first.
#pragma once
#include "data/cache.h"
#include "data/loader.h"
#include "data/roles.h"

// Bad rows cannot be read, have another form, or train nothing; a warning is about a row that is trained all the same.
typedef enum check_reason {
    CHECK_FILE, CHECK_MALFORMED, CHECK_FORM, CHECK_TEMPLATE, CHECK_NO_ASSISTANT, CHECK_NULL, CHECK_UNTRAINED, CHECK_LONG,
    CHECK_BAD,                      // reasons before this one are of bad rows
    CHECK_LEFT_OUT = CHECK_BAD, CHECK_STOP, CHECK_CUT, CHECK_SPECIAL, CHECK_NO_BOS, CHECK_TWO_BOS, CHECK_TOOLS, CHECK_ARGUMENTS,
    CHECK_EMPTY, CHECK_REASONS
} check_reason;
extern const struct check_words { const char *name, *help; } check_words[CHECK_REASONS];

typedef struct check_finding {
    check_reason reason;
    const char *file, *path;        // path: within the row ("messages[2].role"), or ""
    int64_t row;                    // 0: the file as a whole
    const char *text;               // what was expected and what came
} check_finding;

typedef struct check_options {
    adapter_options adapter;
    const tokenizer *tokenizer;     // NULL: the rows' form alone
    chat_options chat;
    str chat_template;
    const char *template_file;
    int64_t seq;                    // 0: any length
    truncate_how cut;
    int threads;
} check_options;

typedef struct check_totals {
    int64_t files, rows, bad;       // a row is bad once, whatever there is to say about it
    int64_t reasons[CHECK_REASONS];
    char first[CHECK_REASONS][256]; // the place of the first of each
    int64_t tokens, trained, longest;       // of the rows that are not bad, before they are cut
    role_totals roles;
} check_totals;

// Findings come in the order of the rows, whatever the threads; `finding` returning false ends it. Memory is bounded by some thousand rows.
// False: nothing could be looked at (no such data, a template that does not parse).
bool data_check(const char *data, const check_options *o, bool (*finding)(void *self, const check_finding *), void *self,
                check_totals *out, err *e) MUST_CHECK;
