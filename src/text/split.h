// Pre-tokenization: a text is cut into words by a sequence of steps, and the words become bytes for the merges.
#pragma once
#include "base/node.h"
#include "text/bpe.h"
#include "text/regex.h"
#include "text/word_model.h"

typedef enum split_behaviour { SPLIT_ISOLATED, SPLIT_REMOVED, SPLIT_MERGED_PREVIOUS, SPLIT_MERGED_NEXT, SPLIT_CONTIGUOUS } split_behaviour;

typedef enum split_kind {
    SPLIT_SCAN,                     // words of a hand-written scanner
    SPLIT_REGEX,                    // matches of a regular expression
    SPLIT_CHARS,                    // characters of a class
    SPLIT_LITERAL,                  // a text that stands literally
    SPLIT_SPACE,                    // puts a space before each piece that has none
    SPLIT_BYTES,                    // bytes are written in GPT-2's alphabet; following steps see that
    SPLIT_META,                     // spaces are written as `literal`, one is put before each piece or the first
    SPLIT_LENGTH,                   // pieces of so many characters
    SPLIT_SCRIPTS,                  // where the script of writing changes
} split_kind;

typedef struct split_step {
    split_kind kind;
    split_behaviour behaviour;
    bool invert;                    // what does not match is the match
    scanner *scan;
    regex *regex;
    bool (*is)(uint32_t c);
    str literal;
    enum { META_NEVER, META_FIRST, META_ALWAYS } prefix;
    int64_t length;
} split_step;

typedef struct splitter {
    split_step *steps;
    int64_t count;
    scan_run *fast;                 // the whole sequence is this scanner and the bytes: no buffers needed
    const word_model *model;        // makes the tokens of words; NULL: byte-level BPE, to which words are bytes
} splitter;

// From the value of `pre_tokenizer`; NULL: the text is one word. What is not built is ERR_UNSUPPORTED and names itself.
bool splitter_open(splitter *s, arena *a, const node *pre_tokenizer, const char *file, err *e) MUST_CHECK;
void splitter_close(splitter *s);
bool splitter_makes_bytes(const splitter *s);           // is one of the steps ByteLevel?

// Appends the tokens of chars[begin, end).
bool splitter_encode(const splitter *s, const bpe *b, const char *chars, size_t begin, size_t end, tokens *out, err *e) MUST_CHECK;
