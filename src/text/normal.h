// Normalization of a text before it is cut: none, or Unicode's composed form NFC.
#pragma once
#include "base/node.h"
#include "text/scratch.h"

typedef enum normalizer { NORMAL_NONE, NORMAL_NFC } normalizer;

bool normalizer_open(normalizer *n, const node *json, const char *file, err *e) MUST_CHECK;

// True when `s` is in normal form as it is; cheap, may say false for some that are.
bool normal_already(normalizer n, str s);

// Writes the normal form of chars[begin, end) with places counted in `text`. False: no memory.
bool normal_make(normalizer n, const char *chars, size_t begin, size_t end, made *to);

// A mark that came after Unicode 9, with which `tokenizers` normalizes: it stands alone.
bool normal_is_young(uint32_t c);

// A vowel or a final of Hangul, which may join what is before it. U+11A7 stands one below the finals and is none, but utf8proc 2.8 takes
// it for one and swallows it after a syllable.
static inline bool normal_is_jamo(uint32_t c) { return c >= 0x1160 && c <= 0x11ff && c != 0x11a7; }
