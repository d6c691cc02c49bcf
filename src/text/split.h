// Pre-tokenization: a text is cut into words by a sequence of steps, and the words become bytes for the merges.
#pragma once
#include "base/node.h"
#include "text/bpe.h"
#include "text/regex.h"

typedef enum split_behaviour { SPLIT_ISOLATED, SPLIT_REMOVED, SPLIT_MERGED_PREVIOUS, SPLIT_MERGED_NEXT, SPLIT_CONTIGUOUS } split_behaviour;

typedef enum split_kind {
    SPLIT_SCAN,                     // words of a hand-written scanner
    SPLIT_REGEX,                    // matches of a regular expression
    SPLIT_CHARS,                    // characters of a class
    SPLIT_LITERAL,                  // a text that stands literally
    SPLIT_SPACE,                    // puts a space before each piece that has none
    SPLIT_BYTES,                    // bytes are written in GPT-2's alphabet; following steps see that
} split_kind;

typedef struct split_step {
    split_kind kind;
    split_behaviour behaviour;
    bool invert;                    // what does not match is the match
    scanner *scan;
    regex *regex;
    bool (*is)(uint32_t c);
    str literal;
} split_step;

typedef struct splitter {
    split_step *steps;
    int64_t count;
    scan_run *fast;                 // the whole sequence is this scanner and the bytes: no buffers needed
} splitter;

// From the value of `pre_tokenizer`. What is not built is ERR_UNSUPPORTED and names itself.
bool splitter_open(splitter *s, arena *a, const node *pre_tokenizer, const char *file, err *e) MUST_CHECK;
void splitter_close(splitter *s);

// Appends the tokens of chars[begin, end).
bool splitter_encode(const splitter *s, const bpe *b, const char *chars, size_t begin, size_t end, tokens *out, err *e) MUST_CHECK;
