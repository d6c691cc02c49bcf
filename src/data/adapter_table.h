// Between the table of adapters (adapter.c) and the functions that turn rows (adapt_list.c, adapt_flat.c).
#pragma once
#include "data/adapter.h"

typedef struct adapting {                   // one row on its way
    const adapter *adapter;
    const adapter_options *options;
    arena *arena;
    const node *row;
    place at;
    adapted *out;
} adapting;

struct adapter {
    const char *name;
    const char *input, *output;             // the fields of the row; for lists of messages only `input`
    bool (*apply)(const adapting *x, err *e);
    bool list;                              // `input` holds a list of messages
    bool drops_null;                        // a null field leaves the row out; otherwise it is an error
    const char *element;                    // list: the key by which elements of this form are known
};

bool adapt_messages(const adapting *x, err *e) MUST_CHECK;
bool adapt_sharegpt(const adapting *x, err *e) MUST_CHECK;
bool adapt_alpaca(const adapting *x, err *e) MUST_CHECK;
bool adapt_response(const adapting *x, err *e) MUST_CHECK;
bool adapt_completion(const adapting *x, err *e) MUST_CHECK;

// The field in use: what the options name, else the table's.
const char *adapt_input(const adapting *x);
const char *adapt_output(const adapting *x);
// A required text; *null = true where null stands and the adapter drops such rows.
bool adapt_text(const adapting *x, const char *field, str *out, bool *null, err *e) MUST_CHECK;
// An optional text: empty when absent or null.
bool adapt_maybe_text(const adapting *x, const char *field, str *out, err *e) MUST_CHECK;
bool adapt_missing(const adapting *x, const char *field, err *e);      // the error: names the field and the keys there are
// Begins the chat of `out`: {messages: [system?]} with `tools` and the members of `chat_template_kwargs`. Returns the message list.
bool adapt_begin(const adapting *x, const char *system_field, node **messages, err *e) MUST_CHECK;
void adapt_message(const adapting *x, node *messages, const char *role, str content);
