// Regular expressions of a tokenizer.json, written for Oniguruma, through PCRE2 (UTF, UCP, JIT).
#pragma once
#include "base/arena.h"
#include "text/scratch.h"

typedef struct regex regex;

// `at` is the place of the pattern in its file. What PCRE2 cannot take in Oniguruma's sense is ERR_UNSUPPORTED.
regex *regex_open(str pattern, place at, err *e);
void regex_close(regex *r);

// The pattern as PCRE2 gets it: \s, \w, \h and \p{L}, \p{M}, \p{N}, \p{P} with Oniguruma's characters.
bool regex_translate(str pattern, place at, text *out, err *e) MUST_CHECK;

// The next match in chars[begin, end) at or after `from`, which sees nothing outside of the two. No match: *found false.
bool regex_next(const regex *r, scratch *s, const char *chars, piece within, size_t from, piece *match, bool *found, err *e) MUST_CHECK;
