// What the files behind skiff.h share.
#pragma once
#include "base/file.h"
#include "base/node.h"
#include "base/text.h"
#include "base/util.h"
#include "text/chat.h"

// The chat template of a tokenizer, of one of Skiff's own by name, or of a file; NULL: the tokenizer's.
chat *api_open_chat(const tokenizer *t, const char *template_file, arena *a, err *e);

// A report: the node as JSON text, made with malloc.
bool api_report(const node *n, char **report, err *e) MUST_CHECK;
