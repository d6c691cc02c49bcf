// Hand-written scanners of the pre-tokenizer patterns that most models use: the same words as the regular expression.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

// The end of the word that begins at `at`, within [at, end) of valid UTF-8; at < end.
typedef size_t scanner(const char *chars, size_t at, size_t end);

size_t scan_gpt2(const char *chars, size_t at, size_t end);
size_t scan_gpt2_digits(const char *chars, size_t at, size_t end);       // after single digits were split off (SmolLM2)
size_t scan_llama3(const char *chars, size_t at, size_t end);
size_t scan_qwen2(const char *chars, size_t at, size_t end);

// The ends of the next words from `at` on, up to `most` of them: how many there were. The same words, without a call each.
typedef int scan_run(const char *chars, size_t at, size_t end, uint32_t *ends, int most);

extern const char scan_gpt2_pattern[], scan_llama3_pattern[], scan_qwen2_pattern[];

scanner *scan_find(str pattern);                        // the scanner of a pattern, NULL when there is none
scan_run *scan_run_of(scanner *scan);                   // never NULL for the four above
