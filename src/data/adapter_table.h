// Between the table of adapters (adapter.c) and the functions that turn rows (adapt_list.c, adapt_flat.c, adapt_answer.c).
#pragma once
#include "data/adapter.h"

#define ADAPT_ARROW " => "                 // between a text and its replacement

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
    bool by_name;                           // never found by a row's keys, since other adapters' rows have them too
    const char *element, *content;          // keys of a message, or of an answer: the one by which this form is known, that of its text
};

bool adapt_messages(const adapting *x, err *e) MUST_CHECK;
bool adapt_sharegpt(const adapting *x, err *e) MUST_CHECK;
bool adapt_alpaca(const adapting *x, err *e) MUST_CHECK;
bool adapt_response(const adapting *x, err *e) MUST_CHECK;
bool adapt_completion(const adapting *x, err *e) MUST_CHECK;
bool adapt_column_response(const adapting *x, err *e) MUST_CHECK;
bool adapt_message_response(const adapting *x, err *e) MUST_CHECK;

// The field in use: what the options name, else the table's.
const char *adapt_input(const adapting *x);
const char *adapt_output(const adapting *x);
const char *adapt_role_key(const adapting *x);
const char *adapt_content_key(const adapting *x);
// The role that the options name a spelling of, or NULL.
const char *adapt_named_role(const adapting *x, str spelling);
// The answer of a row whose answers are a list of objects: the first, or the best by filter_on_key. Without one the row is dropped.
bool adapt_answer(const adapting *x, const node *answers, str *out, err *e) MUST_CHECK;
// What is done to every chat once it is one (adapt_after.c).
void adapt_after(const adapting *x);
// A required text; *null = true where null stands and the adapter drops such rows.
bool adapt_text(const adapting *x, const char *field, str *out, bool *null, err *e) MUST_CHECK;
// An optional text: empty when absent or null.
bool adapt_maybe_text(const adapting *x, const char *field, str *out, err *e) MUST_CHECK;
bool adapt_missing(const adapting *x, const char *field, err *e);      // the error: names the field and the keys there are
// Begins the chat of `out`: {messages: [system?]} with `tools` and the members of `chat_template_kwargs`. Returns the message list.
bool adapt_begin(const adapting *x, const char *system_field, node **messages, err *e) MUST_CHECK;
void adapt_message(const adapting *x, node *messages, const char *role, str content);
