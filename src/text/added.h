// Added tokens: texts that stand for one token wherever they occur, before any word is cut.
#pragma once
#include "base/arena.h"
#include "text/normal.h"
#include "text/tokenizer.h"

enum { ADDED_LONGEST = 4096 };      // bytes of an added token

typedef struct added_token {
    str content;
    int32_t id;
    str normal;                     // its form after a normalizer of several steps, if another; at == NULL: as it is
    bool special, single_word, lstrip, rstrip, normalized;
    bool inner;                     // the model itself finds it (SentencePiece's user-defined pieces)
} added_token;

// Patterns in byte order, searched by narrowing the range of those that begin like the text.
typedef struct added_set {
    str *patterns;
    const added_token **tokens;
    int32_t count;
    int32_t first[257];             // patterns that begin with byte b: [first[b], first[b + 1])
    int only;                       // the one byte that all begin with; -1 when there are several
} added_set;

typedef struct added {
    added_token *tokens;
    int64_t count;
    added_set raw, normal;          // looked for in the text as it is, and after normalization
} added;

bool added_index(added *a, arena *memory, normalizer n, err *e) MUST_CHECK;
const added_token *added_find(const added *a, int32_t id);              // NULL

typedef struct added_match { const added_token *token; size_t begin, end; } added_match;

// The next match in chars[from, end): leftmost, the longest there, as the aho_corasick crate's LeftmostLongest.
bool added_next(const added_set *s, const char *chars, size_t from, size_t end, added_match *m);

// Widens a match found in chars[begin, end) by lstrip and rstrip; false when single_word or ENCODE_NO_SPECIAL forbids
// it. `done` is where the match before ended.
bool added_accept(added_match *m, const char *chars, size_t begin, size_t end, size_t done, int flags);
