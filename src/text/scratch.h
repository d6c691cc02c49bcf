// What one thread needs while it encodes: the cache of words and the buffers. It hangs on `tokens`.
#pragma once
#include <stdint.h>

#include "base/text.h"
#include "text/tokenizer.h"

// A short word and the tokens it becomes. 32 bytes: two fill a cache line, and are one set.
typedef struct cached_word {
    uint64_t low, high;             // up to 15 bytes, zeros after them, and in the last byte their number; 0: empty
    int32_t id[3];
    uint8_t count, end[3];          // of each token within the word
} cached_word;

enum { WIDE_SIZE = 58, WIDE_TOKENS = 12 };

// A longer word, or one of more tokens. 128 bytes.
typedef struct wide_word {
    uint64_t hash;
    uint8_t size, count;            // 0: empty
    uint8_t end[WIDE_TOKENS];
    char bytes[WIDE_SIZE];
    int32_t id[WIDE_TOKENS];
} wide_word;

// Words that came before, of one tokenizer. Begins small and grows with the number of different words.
typedef struct word_cache {
    cached_word *sets;              // [2 << set_bits]
    wide_word *wide;                // [1 << wide_bits]
    int set_bits, wide_bits;
    uint32_t kept, wide_kept;       // words put in since the last growth
    uint64_t owner;                 // the digest of the tokenizer whose words these are
} word_cache;

enum { WORKS = 8 };                  // texts that one pre-tokenizer may write

// A text made from another one: byte i came from bytes [from[i], to[i]) of that.
typedef struct made {
    text text;
    uint32_t *from, *to;
    size_t room;
    bool failed;
} made;

typedef struct piece { uint32_t begin, end; } piece;

typedef struct pieces {
    piece *items;
    int64_t count, room;
    bool failed;
} pieces;

struct pcre2_real_match_data_8;
struct pcre2_real_jit_stack_8;
struct pcre2_real_match_context_8;

typedef struct scratch {
    word_cache words;
    uint32_t *symbols;              // of a long word under merging
    size_t symbol_room;
    made repaired, normal, work[WORKS];
    made turn[2];                   // of a normalizer of several steps
    const made *origin;             // how the text that is being cut came from the one given; NULL: it is that
    void *room;                     // of one word's model at a time
    size_t room_size;
    pieces pieces[2];
    struct pcre2_real_match_data_8 *match;
    struct pcre2_real_match_context_8 *context;
    struct pcre2_real_jit_stack_8 *stack;
} scratch;

scratch *tokens_scratch(tokens *k);                     // NULL: no memory
bool tokens_grow(tokens *k, int64_t more);
void *scratch_room(scratch *s, size_t size);            // at least so many bytes, whatever stood there before; NULL: no memory

static inline bool tokens_reserve(tokens *k, int64_t more) { return k->room - k->count >= more || tokens_grow(k, more); }

static inline void tokens_put(tokens *k, int32_t id, size_t begin, size_t end)
{
    k->ids[k->count] = id;
    k->begin[k->count] = (uint32_t)begin;
    k->end[k->count++] = (uint32_t)end;
}

void made_clear(made *m);
// Appends bytes that all came from [from, to), or (made_copy) each from its own place, counted from `base`.
void made_add(made *m, str bytes, size_t from, size_t to);
void made_copy(made *m, str bytes, size_t base);
// Tokens from the `first` on have places in the made text; now they get those in the text it came from.
// Where byte i of the made text came from; its end for i past the last one.
static inline uint32_t made_from(const made *m, size_t i)
{
    return i < m->text.size ? m->from[i] : m->text.size ? m->to[m->text.size - 1] : 0;
}

void made_places(const made *m, tokens *k, int64_t first);

void pieces_add(pieces *p, size_t begin, size_t end);   // empty ones are left out
