// Characters to tokens and back, exactly as Hugging Face's `tokenizers` does it for byte-level BPE.
// Read-only once open: any number of threads may encode with one tokenizer.
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "base/text.h"

typedef struct tokenizer tokenizer;

// A folder with tokenizer.json or tokenizer.model (+ tokenizer_config.json, special_tokens_map.json, generation_config.json
// where present); one of these files alone, a tekken.json, a tiktoken file of Llama 3 or 4; or a .gguf (tokenizer.ggml.*).
// NULL on failure. docs/tokenizers.md says what of them is read.
tokenizer *tokenizer_open(const char *path, err *e);
tokenizer *tokenizer_open_json(str bytes, const char *file, err *e);   // tokenizer.json in memory (copied)
tokenizer *tokenizer_open_bytes(str bytes, const char *file, err *e);  // any of the files in memory, but .gguf
void tokenizer_close(tokenizer *t);

enum {
    ENCODE_PLAIN       = 0,         // special tokens standing in the text are parsed, none is added
    ENCODE_ADD_SPECIAL = 1,         // what the post-processor adds (BOS, EOS)
    ENCODE_NO_SPECIAL  = 2,         // special-token text is ordinary text
};

typedef struct tokens {
    int32_t *ids;
    uint32_t *begin, *end;          // bytes of the text each token stands for; begin == end for added ones
    int64_t count, room;
    struct scratch *scratch;        // the tokenizer's own: word cache and buffers. Reusing a `tokens` is what makes it fast
} tokens;                           // {0} is empty; grows; reused from call to call; one thread at a time

// Appends. A token that holds part of a character has exactly those bytes; with NFC or replaced bytes it has all that
// they were made from. Invalid UTF-8 is replaced as Python's errors="replace" does (U+FFFD). Fails for want of memory, for
// texts over 4 GB, and where a regular expression of tokenizer.json backtracks without end.
bool tokenizer_encode(const tokenizer *t, str s, int flags, tokens *out, err *e) MUST_CHECK;
void tokens_clear(tokens *k);
void tokens_close(tokens *k);

// Appends the text of ids; broken UTF-8 pieces become U+FFFD as in `tokenizers`. Unknown ids are ERR_INPUT.
bool tokenizer_decode(const tokenizer *t, const int32_t *ids, int64_t count, bool skip_special, text *out, err *e) MUST_CHECK;
// The bytes of one token, raw (a byte-level piece may be no whole UTF-8); for streaming and `data show`.
bool tokenizer_token_bytes(const tokenizer *t, int32_t id, text *out);

int64_t tokenizer_size(const tokenizer *t);             // ids are below this (added tokens included)
int32_t tokenizer_id(const tokenizer *t, str token);    // of a token's literal text ("<|im_end|>"), -1 when there is none
str tokenizer_token(const tokenizer *t, int32_t id);    // the literal; size 0 when there is none
bool tokenizer_is_added(const tokenizer *t, int32_t id);        // an added token (matched literally in text)
bool tokenizer_is_special(const tokenizer *t, int32_t id);      // an added token marked special

// -1 / empty where the files say nothing. Of a GGUF: tokenizer.ggml.*_token_id.
int32_t tokenizer_bos(const tokenizer *t);
int32_t tokenizer_eos(const tokenizer *t);
int32_t tokenizer_pad(const tokenizer *t);
bool tokenizer_adds_bos(const tokenizer *t);            // does ENCODE_ADD_SPECIAL put BOS first?
str tokenizer_chat_template(const tokenizer *t);        // from chat_template.jinja, tokenizer_config.json or the GGUF; empty when none
const char *tokenizer_path(const tokenizer *t);         // what was opened
const char *tokenizer_digest(const tokenizer *t);       // SHA-256 (hex) of the bytes that decide the ids

// Writes tokenizer.json, tokenizer_config.json, special_tokens_map.json and chat_template.jinja into a folder so that
// transformers' AutoTokenizer loads them and gives the same ids. Files of a Hugging Face folder are copied as they
// are (tokenizer_config.json gets the template and eos token trained); from a GGUF they are written.
bool tokenizer_save(const tokenizer *t, const char *folder, str chat_template, int32_t eos, err *e) MUST_CHECK;
// Adds tokens that nothing uses behind those of a folder so saved, until there are `vocab`.
bool tokenizer_add_unused(const tokenizer *t, const char *folder, int64_t vocab, err *e) MUST_CHECK;
