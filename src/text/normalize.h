// Normalization by a list of steps, as tokenizer.json gives it: what NFC alone (normal.h) does not cover.
#pragma once
#include "text/charsmap.h"
#include "text/normal.h"
#include "text/regex.h"

typedef struct normal_step normal_step;

// Writes what `in` becomes; places are counted in `in`.
typedef bool normal_change(const normal_step *n, scratch *s, str in, made *to, err *e);

struct normal_step {
    normal_change *change;
    str pattern, content;           // Replace, Prepend
    regex *regex;
    charsmap map;
    bool left, right;               // Strip
    bool clean, chinese, accents, lower;        // BertNormalizer
    bool escape, extra, dummy, suffix;          // SentencePiece's own: spaces as U+2581, fewer of them, one added, at the end
    const struct trie *own;         // SentencePiece's: texts that nothing may change
};

typedef struct normalizing { normal_step *steps; int64_t count; } normalizing;

// From the value of `normalizer`; no steps for null. What is not built is ERR_UNSUPPORTED.
bool normalizing_open(normalizing *n, arena *a, const node *json, const char *file, err *e) MUST_CHECK;
void normalizing_close(normalizing *n);

// What chars[begin, end) becomes, with places counted in `chars`. It lives in `s` until the next call.
bool normalizing_run(const normalizing *n, scratch *s, const char *chars, size_t begin, size_t end, const made **out, err *e) MUST_CHECK;
bool normalizing_text(const normalizing *n, arena *a, str s, str *out, err *e) MUST_CHECK;     // of a text alone

normal_change change_lower, change_accents, change_nfc, change_nfd, change_nfkc, change_nfkd, change_nmt, change_bert, change_bytes;
normal_change change_charsmap, change_sentencepiece;
