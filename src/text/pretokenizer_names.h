// Pre-tokenizers by the names that GGUF files give them (tokenizer.ggml.pre): THE TABLE, one row a kind.
#pragma once
#include "base/text.h"

enum {
    PRE_DIGITS = 1,                 // single digits are split off first
    PRE_WORDS = 2,                  // then GPT-2's pattern, as part of ByteLevel
    PRE_NFC = 4,                    // the model's own tokenizer composes characters first
    PRE_IGNORE_MERGES = 8,          // a word that is a token needs no merges
    PRE_BOS = 16,                   // a BOS is added unless tokenizer.ggml.add_bos_token says otherwise
};

typedef struct pretokenizer_name {
    const char *names;              // separated by spaces
    int flags;
    const char *patterns[6];        // each cuts what the ones before left; matches and gaps become words
} pretokenizer_name;

// ERR_UNSUPPORTED for names that are not in the table.
const pretokenizer_name *pretokenizer_find(str name, const char *file, err *e);

// The same as tokenizer.json has it.
void pretokenizer_json(const pretokenizer_name *p, text *out);
