// What makes tokens of a word where byte-level BPE (bpe.c) does not: the other models of `tokenizers`, and SentencePiece's.
#pragma once
#include "text/bpe.h"
#include "text/trie.h"

typedef struct word_model word_model;

// Appends the tokens of chars[begin, end), which is not empty.
typedef bool word_maker(const word_model *m, const char *chars, size_t begin, size_t end, tokens *out, err *e);

struct word_model {
    const char *type;               // as tokenizer.json names it: "BPE", "Unigram", "WordPiece", "WordLevel"
    word_maker *make;
    const vocab *vocab;
    int32_t size;                   // ids of the model are below this; those above are of added tokens
    const bpe *bpe;                 // BPE: the merges
    double *scores;                 // [size] Unigram, SentencePiece
    uint32_t *ranks;                // [size] SentencePiece's BPE: place among the scores, highest first, equal ones alike
    uint8_t *kinds;                 // [size] SentencePiece: piece_kind; NULL: all are normal
    bool has_unused;
    struct trie trie;                    // Unigram: the pieces
    const struct trie *own;         // SentencePiece's BPE: the pieces of the user
    double unknown_score;
    int32_t unk;                    // -1: none
    bool fuse_unk, byte_fallback, ignore_merges;
    bool single;                    // sums of scores are float, as in SentencePiece; else double, as in `tokenizers`
    int32_t byte[256];              // "<0x00>" to "<0xFF>"; -1: missing
    str prefix, suffix;             // of symbols inside and at the end of a word (BPE, WordPiece)
    int64_t most_chars;             // WordPiece: longer words are unknown
};

// The kinds of SentencePiece's pieces, by its numbers.
typedef enum piece_kind { PIECE_NORMAL = 1, PIECE_UNKNOWN, PIECE_CONTROL, PIECE_USER, PIECE_UNUSED, PIECE_BYTE } piece_kind;

word_maker make_bpe_chars, make_pieces, make_unigram, make_wordpiece, make_wordlevel;

void word_model_ranks(word_model *m, arena *a);         // fills `ranks` from `scores`
void word_model_bytes(word_model *m);                   // fills `byte`
bool word_model_trie(word_model *m, arena *a, err *e) MUST_CHECK;      // from the vocabulary, for Unigram

// The id of a token of the model; -1.
static inline int32_t word_model_find(const word_model *m, str s)
{
    int32_t id = vocab_find(m->vocab, s);
    return id < m->size ? id : -1;
}

static inline piece_kind kind_of(const word_model *m, int32_t id) { return m->kinds ? (piece_kind)m->kinds[id] : PIECE_NORMAL; }

// Tokens for text that the model does not know: its bytes, or the unknown token. False: no memory.
bool put_unknown(const word_model *m, const char *chars, size_t begin, size_t end, tokens *out);
