// SentencePiece's precompiled charsmap: a double array of texts and what they become.
#pragma once
#include "base/arena.h"
#include "base/err.h"

typedef struct charsmap {
    const uint32_t *units;
    size_t count;
    str texts;                      // what is put in, each ended by 0
    str blob;                       // all of it, to be written again
} charsmap;

// From the bytes of a SentencePiece file (kept), or from the base64 of a tokenizer.json.
bool charsmap_open(charsmap *m, arena *a, str blob, place at, err *e) MUST_CHECK;
bool charsmap_open_text(charsmap *m, arena *a, str base64, place at, err *e) MUST_CHECK;

// The longest or the shortest beginning of chars[at, end) that is mapped: its size and what it becomes. False: none.
bool charsmap_find(const charsmap *m, const char *chars, size_t at, size_t end, bool longest, size_t *size, str *becomes);
