// What the files of chat share.
#pragma once
#include <time.h>

#include "text/chat.h"
#include "jinja/value.h"

enum { MOST_STOPS = 8, CHAT_BYTES_MORE = 8 };     // bytes behind chat_result.bytes that may be read

struct chat {
    const tokenizer *tokenizer;
    jinja *template;
    char *source;
    size_t source_size;
    char *file;
    arena arena;
    int32_t stops[MOST_STOPS];      // tokens that end an answer: seen in trial renderings, and the tokenizer's EOS
    int stop_count;
    uint64_t *special;              // a bit per token
};

// The context of a template: the row's members and the special tokens, messages as `transformers` hands them over.
typedef struct chat_context {
    node *root, *messages;
    node *generation;               // the value of add_generation_prompt
    const member *members;          // of all messages, in one block
    const int32_t *marks;           // per member
    int64_t member_count;
    int32_t *roles;                 // per message: 1 for an assistant's
} chat_context;

bool chat_make_context(const chat *c, const node *row, arena *a, chat_context *out, err *e);
int32_t chat_mark(void *self, const node *n);

// A rendering: of the first `count` messages (-1: all).
typedef struct chat_call { const chat *c; chat_context *context; struct timespec now; } chat_call;
bool chat_render(const chat_call *call, int64_t count, bool generation_prompt, jinja_output *out, err *e);
// All of it without a generation prompt, keeping on the way what the answers' prompts are, where that can be told.
bool chat_render_all(const chat_call *call, chat_result *r, err *e);
int32_t chat_line_of(const chat_call *call, size_t at); // the line of the template that wrote this byte of the text

// chat_mask.c: marks trained bytes; needs the tokens.
bool chat_find_trained(const chat_call *call, place at, bool end_optional, chat_result *r, err *e);
bool chat_find_stops(chat *c);                          // chat_trial.c
bool chat_encode_text(const chat *c, const chat_options *o, chat_result *r, err *e);    // chat_tokens.c
bool chat_result_room(chat_result *r, err *e);
bool chat_train_completion(const chat *c, size_t prompt, chat_result *r, err *e);
void chat_mark_tokens(chat_result *r, bool all);         // mask and trained, from the bytes

extern const char template_chatml[], template_llama3[], template_qwen2_5[];     // template_*.c
