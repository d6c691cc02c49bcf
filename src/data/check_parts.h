// Between reading rows in batches (check.c) and looking at one (check_row.c).
#pragma once
#include "data/check.h"
#include "data/reader.h"

enum { ROW_FINDINGS = 16 };

typedef struct row_findings { check_finding items[ROW_FINDINGS]; int count; } row_findings;

typedef struct looked {             // one row, looked at
    size_t begin, size;             // of its text, in the batch's
    raw_row raw;
    const adapter *adapter;         // NULL: chosen by no row yet
    row_findings found;
    err error;                      // when `unreadable`
    bool unreadable;
    int64_t tokens, trained;
} looked;

typedef struct row_checker {        // what all threads share
    const check_options *options;
    adapter_options adapting;
    const chat *chat;               // NULL without a tokenizer
    bool shows_tools, shows_calls;
} row_checker;

typedef struct row_scratch {        // of one thread
    arena arena;                    // a row's, emptied after each
    arena texts;                    // of findings, emptied after each batch
    chat_result result;
    role_totals roles;
} row_scratch;

void check_row(const row_checker *c, row_scratch *s, str bytes, looked *row);
// An error's text cut into the place within the row and what is wrong there.
check_finding check_of_error(arena *a, check_reason reason, place at, const err *e);
