// What the files behind skiff.h share.
#pragma once
#include "base/file.h"
#include "base/node.h"
#include "base/text.h"
#include "base/util.h"
#include "engine/tensor.h"
#include "text/chat.h"

// The chat template of a tokenizer, of one of Skiff's own by name, or of a file; NULL: the tokenizer's.
chat *api_open_chat(const tokenizer *t, const char *template_file, arena *a, err *e);

// A report: the node as JSON text, made with malloc.
bool api_report(const node *n, char **report, err *e) MUST_CHECK;

// What skiff_chat_open takes of the table of options.
typedef struct chat_settings {
    const char *chat_template;      // a file or a name; NULL: the model's
    type compute;                   // F32 or BF16, as precision= and this machine say
    int threads;
    int64_t max_seq_len;            // 0: not given
} chat_settings;
bool api_chat_settings(const char *const *options, chat_settings *out, err *e) MUST_CHECK;
