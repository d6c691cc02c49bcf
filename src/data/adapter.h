// THE TABLE of adapters: rows of a dataset to rows with `messages` (OpenAI's form), or to a prompt and a completion.
#pragma once
#include "base/node.h"

typedef struct adapter adapter;

typedef struct adapter_options {            // empty: the adapter's default, or found in the first row
    const char *adapter;                    // name of a row of the table; NULL: by the first row's keys
    const char *messages_field;             // "messages"
    const char *input_field, *output_field; // role names where rows hold a message list (guide's form), else two fields of a flat row
    const char *system_field;
    bool calls_as_text;                     // a tool call given as JSON text stays text (for templates that show no `tool_calls`)
} adapter_options;

// Why rows are left out.
typedef enum drop_reason { DROP_UNTRAINED, DROP_NULL, DROP_REASONS } drop_reason;
extern const char *const drop_reasons[DROP_REASONS];

typedef struct adapted {
    const node *chat;                       // an object with `messages` (and `tools` …) for chat_encode, or NULL
    str prompt, completion;                 // when chat is NULL
    const char *dropped;                    // one of drop_reasons: the row is left out; or NULL
} adapted;

// Chooses by options and the first row. Unknown name: ERR_INPUT with the nearest.
bool adapter_choose(const adapter_options *o, const node *first, place at, const adapter **out, err *e) MUST_CHECK;
bool adapter_apply(const adapter *a, const adapter_options *o, arena *memory, const node *row, place at, adapted *out, err *e) MUST_CHECK;
const char *adapter_name(const adapter *a);
const char *const *adapter_names(void);     // of the table, each once, NULL at the end
