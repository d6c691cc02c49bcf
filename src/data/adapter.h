// THE TABLE of adapters: rows of a dataset to rows with `messages` (OpenAI's form), or to a prompt and a completion.
#pragma once
#include "base/node.h"

typedef struct adapter adapter;

typedef struct adapter_options {            // empty: the adapter's default, or found in the first row
    const char *adapter;                    // name of a row of the table; NULL or "auto": by the first row's keys
    const char *messages_field;             // "messages"
    const char *input_field, *output_field; // role names where rows hold a message list (guide's form), else two fields of a flat row
    const char *system_field;               // "" where there is none
    const char *role_key, *content_key;     // of a message: "role", "content"
    const char *user_value, *assistant_value, *system_value, *tool_value;   // spellings of roles besides the usual names
    const char *filter_on_key;              // of a list of answers the one in which this is largest
    const char *reasoning_field;            // on/off, becomes the template variable enable_thinking
    const char *const *replacements;        // "this => that", NULL at the end; may be NULL
    bool single_turn;                       // only the first user and the first assistant message
    bool calls_as_text;                     // a tool call given as JSON text stays text (for templates that show no `tool_calls`)
} adapter_options;

// Why rows are left out.
typedef enum drop_reason { DROP_UNTRAINED, DROP_NULL, DROP_NO_ANSWER, DROP_NOT_ONE, DROP_NO_ROLE, DROP_NO_TURN, DROP_REASONS } drop_reason;
extern const char *const drop_reasons[DROP_REASONS];

typedef struct adapted {
    const node *chat;                       // an object with `messages` (and `tools` …) for chat_encode, or NULL
    const node *before;                     // its messages before replacements
    str prompt, completion;                 // when chat is NULL
    const char *dropped;                    // one of drop_reasons: the row is left out; or NULL
} adapted;

// What is wrong with the options alone: an unknown adapter, a replacement without an arrow.
bool adapter_check(const adapter_options *o, err *e) MUST_CHECK;
// Chooses by options and the first row. Unknown name: ERR_INPUT with the nearest.
bool adapter_choose(const adapter_options *o, const node *first, place at, const adapter **out, err *e) MUST_CHECK;
bool adapter_apply(const adapter *a, const adapter_options *o, arena *memory, const node *row, place at, adapted *out, err *e) MUST_CHECK;
const char *adapter_name(const adapter *a);
const char *const *adapter_names(void);     // of the table, each once, NULL at the end
