// The inside of a tokenizer, for the files that make, use and save one.
#pragma once
#include "base/digest.h"
#include "base/node.h"
#include "text/added.h"
#include "text/decoder.h"
#include "text/normalize.h"
#include "text/split.h"
#include "text/tokenizer.h"

typedef struct id_list { int32_t *items; int64_t count; } id_list;

struct tokenizer {
    arena arena;
    const char *path;
    const char *folder;             // that it was opened from; NULL for a file
    str json;                       // tokenizer.json; of a GGUF it is written when saved
    const node *normalizer_node, *split_node, *decoder_node, *post_node;    // parts of it, as JSON; NULL: null
    vocab vocab;
    int32_t model_size;             // ids of the model itself are below this, added tokens may be too
    added added;
    const added_token **added_by_id;
    bpe bpe;
    trie own;                       // pieces of the user, of a SentencePiece model
    word_model model;               // where that is not byte-level BPE: model.make is not NULL
    normalizer normalizer;          // none or NFC alone
    normalizing normalizing;        // all others
    splitter splitter;
    decoder decoder;
    id_list before, after;          // what the post-processor puts around a text
    int32_t bos, eos, pad, unk;
    bool says_add_bos, add_bos;     // what the files say besides the post-processor
    str chat_template;
    const node *config;             // tokenizer_config.json
    char digest[SHA256_HEX + 1];
};

// From the parsed tokenizer.json; `bytes` (kept) is its text. Or the parts of a GGUF, then tokenizer_finish.
bool tokenizer_read_json(tokenizer *t, str bytes, const char *file, err *e) MUST_CHECK;
bool tokenizer_read_model(tokenizer *t, const node *root, const char *file, err *e) MUST_CHECK;
bool tokenizer_read_vocab(tokenizer *t, const node *words, int64_t more, const char *file, err *e) MUST_CHECK;
bool tokenizer_read_bpe(tokenizer *t, const node *model, const char *file, err *e) MUST_CHECK;
bool tokenizer_read_other(tokenizer *t, const node *model, int64_t more, const char *file, bool *read, err *e) MUST_CHECK;
bool tokenizer_read_spm(tokenizer *t, str bytes, const char *file, err *e) MUST_CHECK;
// Added tokens of a tokenizer_config.json beside a vocabulary that is no tokenizer.json.
bool tokenizer_read_added(tokenizer *t, const node *config, const char *file, err *e) MUST_CHECK;
int64_t tokenizer_count_added(const node *config);
bool tokenizer_read_spm_folder(tokenizer *t, str bytes, const char *file, const node *config, err *e) MUST_CHECK;
bool tokenizer_spm_decoder(tokenizer *t, int left, int right, err *e) MUST_CHECK;
bool tokenizer_spm_normalizer(tokenizer *t, str map, bool extra, bool dummy, bool suffix, bool escape, err *e) MUST_CHECK;
bool tiktoken_looks_like(str bytes);
bool tokenizer_read_tiktoken(tokenizer *t, str bytes, const char *file, err *e) MUST_CHECK;
bool tokenizer_read_tekken(tokenizer *t, const node *root, const char *file, err *e) MUST_CHECK;
bool tokenizer_make_post(tokenizer *t, bool bos, bool eos, err *e) MUST_CHECK;     // a post-processor: BOS, the text, EOS
bool tokenizer_read_gguf(tokenizer *t, const char *path, err *e) MUST_CHECK;
bool tokenizer_read_folder(tokenizer *t, const char *folder, err *e) MUST_CHECK;

// Normalizer, pre-tokenizer, decoder and post-processor from their nodes; the index of added tokens; the digest.
bool tokenizer_finish(tokenizer *t, const char *file, err *e) MUST_CHECK;
bool tokenizer_read_post(tokenizer *t, const node *post_processor, const char *file, err *e) MUST_CHECK;

void tokenizer_write_model(const tokenizer *t, text *out);       // its "model"
void tokenizer_write_json(const tokenizer *t, text *out);       // a tokenizer.json of its own
