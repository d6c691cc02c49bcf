// SentencePiece's models (tokenizer.model): a protobuf message of pieces with scores, and how texts are normalized.
#pragma once
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

// kind: 1 normal, 2 unknown, 3 control, 4 user's own, 5 unused, 6 byte
typedef struct spm_piece { str text; float score; int32_t kind; } spm_piece;

enum { SPM_UNIGRAM = 1, SPM_BPE, SPM_WORD, SPM_CHAR };

typedef struct spm_file {
    spm_piece *pieces;
    int64_t count;
    int32_t model_type;
    bool byte_fallback, suffix;     // suffix: the space that is added stands at the end
    int32_t unk, bos, eos, pad;     // -1: none
    str charsmap, denormalizer;
    bool add_dummy_prefix, remove_extra_whitespaces, escape_whitespaces;
} spm_file;

bool spm_looks_like(str bytes);     // does a message of pieces begin here?
// Texts point into `bytes`. Errors name the byte.
bool spm_read(spm_file *m, arena *a, str bytes, const char *file, err *e) MUST_CHECK;
