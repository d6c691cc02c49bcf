// Conversations to tokens with a mask: what is trained and what is not (docs/masks.md).
#pragma once
#include "base/node.h"
#include "jinja/jinja.h"
#include "text/tokenizer.h"

typedef struct chat chat;

// `chat_template`: a template's source, the name of one of Skiff's own ("chatml", "llama3", "qwen2.5"), or empty for the
// tokenizer's own. None there: an error that lists the names. The tokenizer must outlive the chat.
chat *chat_open(const tokenizer *t, str chat_template, const char *template_file, err *e);
void chat_close(chat *c);
str chat_template(const chat *c);                       // the source in use
const char *const *chat_template_names(void);           // of Skiff's own, NULL at the end

typedef struct chat_options {
    bool add_generation_prompt;
    bool train_all;                 // mask_user_turns = false: every token is trained
    bool special_in_content_as_text;// special_tokens_in_content = "text"
    bool bos_add;                   // bos = "add": a BOS is put before the text when it has none
    bool end_optional;              // an answer that no stop token follows is no error: to look at, not to train on
                                    // (so it is with add_generation_prompt)
} chat_options;

// The mark of a run of the output that came from a message: which message, and which of its fields.
typedef enum chat_field { FIELD_OTHER, FIELD_ROLE, FIELD_CONTENT, FIELD_REASONING, FIELD_TOOL_CALLS } chat_field;
static inline int32_t chat_mark_message(int32_t mark) { return (mark & 0xFFFFFF) - 1; }        // -1: the template's own
static inline chat_field chat_mark_field(int32_t mark) { return (chat_field)(mark >> 24); }

// What the messages before an answer give with a generation prompt: the first bytes of the text, and the rest that follows them.
typedef struct chat_prompt {
    enum { PROMPT_UNKNOWN, PROMPT_REFUSED, PROMPT_KNOWN } state;
    size_t shared, rest, rest_size; // bytes of the text; the rest in `rests`
} chat_prompt;

typedef struct chat_result {
    jinja_output output;            // the rendered text
    tokens tokens;
    uint8_t *mask;                  // per token: 1 when trained
    int64_t mask_room, trained;
    jinja_output before;            // renderings of the first messages alone, to find where an answer begins
    chat_prompt *prompts;           // of each message's place, where the rendering of all told them
    int64_t prompt_count, prompt_room;
    text rests;
    arena arena;                    // of one row
    uint8_t *bytes;                 // per byte of the text: 1 when trained, 2 when inside an answer but another message's
    size_t bytes_room;
    int32_t stop;                   // the stop token trained last (-1: none): generation_config wants it
    int64_t left_out;               // answers with content or tool calls of which the template printed nothing
    bool special_in_content;        // text of a message held the literal of a special token
    bool bos_missing, bos_double;   // see decisions: the tokenizer alone would add one / begins with two
} chat_result;                      // {0} is empty; reused

// `row` is an object with `messages` (a list of {role, content, …}) and optionally `tools` and other template variables.
// Errors carry the place of the value within the row: "part.jsonl: row 17: messages[2].role: expected …".
bool chat_check_row(const node *row, place at, err *e) MUST_CHECK;      // shape of the row alone
bool chat_encode(const chat *c, const node *row, place at, const chat_options *o, chat_result *r, err *e) MUST_CHECK;

// prompt/completion rows: what the post-processor adds, the completion and the stop token trained.
bool chat_encode_pair(const chat *c, str prompt, str completion, chat_result *r, err *e) MUST_CHECK;
void chat_result_close(chat_result *r);

// The stop tokens that answers of this template end with, from the tokenizer's own config and a trial rendering.
int32_t chat_stop_token(const chat *c);

// The last token of the first answer that does not end with an added token, as a stop token is (blanks after it do not count); -1 when
// there is none. An answer is a stretch of trained tokens.
int64_t chat_unended(const tokenizer *t, const int32_t *ids, const uint8_t *mask, int64_t count);
