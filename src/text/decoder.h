// Decoders: the texts of tokens become one text by a list of steps, as tokenizer.json gives it.
#pragma once
#include "base/node.h"
#include "text/regex.h"

typedef enum decode_kind {
    DECODE_BYTES,                   // ByteLevel: GPT-2's alphabet back to bytes
    DECODE_METASPACE,               // U+2581 to a space
    DECODE_REPLACE,
    DECODE_FALLBACK,                // <0x41> to a byte
    DECODE_FUSE,                    // all in one
    DECODE_STRIP,
    DECODE_WORDPIECE,
    DECODE_SUFFIX,                  // BPEDecoder: the end of a word to a space
    DECODE_CTC,
} decode_kind;

typedef struct decode_step {
    decode_kind kind;
    str pattern, content;           // Replace; the prefix of WordPiece, the suffix of BPE, CTC's pad and delimiter
    regex *regex;
    int64_t left, right;            // Strip
    bool first, cleanup;            // Metaspace: the first token loses its own; WordPiece, CTC
} decode_step;

typedef struct decoder {
    decode_step *steps;
    int64_t count;
    bool bytes;                     // ByteLevel alone: the bytes of the vocabulary, one after the other
} decoder;

bool decoder_open(decoder *d, arena *a, const node *json, const char *file, err *e) MUST_CHECK;
void decoder_close(decoder *d);

// Appends the text of tokens; without any steps they are joined by spaces.
bool decoder_run(const decoder *d, const str *tokens, int64_t count, text *out, err *e) MUST_CHECK;
// The bytes that one token in the middle of a text stands for, as well as can be said of it alone.
void decoder_piece(const decoder *d, str token, text *out);
