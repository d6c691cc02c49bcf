// The tokens of a vocabulary by id and by text, in both spellings: as files write them ("Ġthe", GPT-2's byte alphabet)
// and as the bytes they stand for (" the").
#pragma once
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum { VOCAB_MAX = 1 << 22 };       // ids above are taken for a damaged file

// Of an open hash table. The tag is a part of the hash, so that other texts are seldom looked at.
typedef struct vocab_slot {
    uint32_t tag;
    int32_t id;                     // -1: empty
} vocab_slot;

typedef struct vocab {
    str *tokens;                    // [size] as written; at == NULL: no such id
    str *bytes;                     // [size] what they decode to
    bool *byte_level;               // [size] written in the byte alphabet throughout
    int32_t size;
    vocab_slot *by_token, *by_bytes;
    uint32_t mask;
    bool closed;                    // the model's tokens are all there: what comes now is not found by its bytes
} vocab;

void vocab_open(vocab *v, arena *a, int32_t size);
// False when the id is taken or the token is there already. `token` must outlive the vocabulary.
bool vocab_set(vocab *v, arena *a, int32_t id, str token);
int32_t vocab_find(const vocab *v, str token);          // as written; -1
// Fetches into the processor's cache what finding these texts will read, up to VOCAB_FETCH of them: all at once, not one by one.
enum { VOCAB_FETCH = 64 };
void vocab_fetch(const vocab *v, const str *tokens, int count);
int32_t vocab_find_from(const vocab *v, str token, int32_t guess);     // the same, fast when it is the guess or the next one
int32_t vocab_find_bytes(const vocab *v, str bytes);    // as bytes, among tokens in the byte alphabet; -1

// GPT-2's alphabet: printable Latin-1 bytes stand for themselves, the others for U+0100 and up.
uint32_t byte_to_char(uint8_t b);
int char_to_byte(uint32_t c);                           // -1: not of the alphabet
int byte_to_utf8(uint8_t b, char to[2]);                // the same as UTF-8; its length
