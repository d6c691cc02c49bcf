// Opening a tokenizer, and what it answers about its tokens.
#include "text/tokenizer.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/util.h"
#include "format/sentencepiece.h"
#include "text/tokenizer_parts.h"

static tokenizer *new_tokenizer(const char *path, err *e)
{
    tokenizer *t = calloc(1, sizeof *t);
    if (!t) {
        fail(e, ERR_MEMORY, "no memory for a tokenizer");
        return NULL;
    }
    t->path = arena_chars(&t->arena, str_of(path));
    t->bos = t->eos = t->pad = t->unk = -1;
    return t;
}

void tokenizer_close(tokenizer *t)
{
    if (!t)
        return;
    splitter_close(&t->splitter);
    normalizing_close(&t->normalizing);
    decoder_close(&t->decoder);
    trie_close(&t->model.trie);
    trie_close(&t->own);
    arena_close(&t->arena);
    free(t);
}

static void digest_number(digest *d, int64_t n) { digest_add(d, &n, sizeof n); }

static void digest_text(digest *d, str s)
{
    digest_number(d, (int64_t)s.size);
    digest_add(d, s.at, s.size);
}

static void digest_node(digest *d, const node *n)
{
    text t = {0};
    if (n)
        json_write(&t, n, JSON_COMPACT);
    digest_text(d, text_view(&t));
    text_close(&t);
}

static void digest_model(digest *d, const word_model *m)
{
    if (!m->type)
        return;
    digest_text(d, str_of(m->type));
    digest_add(d, (int32_t[]){ m->fuse_unk, m->byte_fallback, m->ignore_merges, m->single, m->unk, m->size }, 6 * sizeof(int32_t));
    digest_number(d, m->most_chars);
    digest_text(d, m->prefix);
    digest_text(d, m->suffix);
    if (m->scores)
        digest_add(d, m->scores, (size_t)m->size * sizeof *m->scores);
    if (m->kinds)
        digest_add(d, m->kinds, (size_t)m->size);
}

// All that decides ids, whatever file it stood in.
static void make_digest(tokenizer *t)
{
    arena a = {0};
    digest *d = sha256_open();
    const merge **merges = bpe_by_rank(&t->bpe, &a);
    digest_number(d, t->vocab.size);
    for (int32_t i = 0; i < t->vocab.size; i++)
        digest_text(d, t->vocab.tokens[i]);
    for (int32_t i = 0; i < t->bpe.merge_count; i++)
        if (merges[i])
            digest_add(d, (int32_t[]){ merges[i]->left, merges[i]->right }, 2 * sizeof(int32_t));
    digest_add(d, (int32_t[]){ t->bpe.unk, t->bpe.fuse_unk, t->bpe.ignore_merges }, 3 * sizeof(int32_t));
    for (int64_t i = 0; i < t->added.count; i++) {
        const added_token *x = &t->added.tokens[i];
        digest_add(d, (int32_t[]){ x->id, x->special, x->single_word, x->lstrip, x->rstrip, x->normalized }, 6 * sizeof(int32_t));
    }
    digest_node(d, t->normalizer_node);
    digest_node(d, t->split_node);
    digest_model(d, &t->model);
    digest_add(d, t->before.items, (size_t)t->before.count * sizeof(int32_t));
    digest_number(d, t->before.count);
    digest_add(d, t->after.items, (size_t)t->after.count * sizeof(int32_t));
    digest_close(d, t->digest);
    char first[17] = {0};
    memcpy(first, t->digest, 16);
    t->bpe.owner = strtoull(first, NULL, 16);
    arena_close(&a);
}

// NFC alone is quick and has a way of its own; a model's own normalizer stands already.
static bool read_normalizer(tokenizer *t, const char *file, err *e)
{
    const normalizing *n = &t->normalizing;
    if (n->count)
        return true;
    TRY(normalizing_open(&t->normalizing, &t->arena, t->normalizer_node, file, e));
    if (n->count != 1 || n->steps[0].change != change_nfc)
        return true;
    t->normalizer = NORMAL_NFC;
    t->normalizing.count = 0;
    return true;
}

// Added tokens as they look after a normalizer of several steps.
static bool normal_added(tokenizer *t, err *e)
{
    for (int64_t i = 0; t->normalizing.count && i < t->added.count; i++) {
        added_token *a = &t->added.tokens[i];
        str s = {0};
        if (!a->normalized || a->inner)
            continue;
        TRY(normalizing_text(&t->normalizing, &t->arena, a->content, &s, e));
        if (!str_equal(s, a->content))
            a->normal = s.size ? s : STR("");
    }
    return true;
}

// BPE is byte-level where ByteLevel makes bytes of the text and the model has nothing that looks at characters.
static void choose_model(tokenizer *t)
{
    word_model *m = &t->model;
    bool plain = m->make == make_bpe_chars && !m->prefix.size && !m->suffix.size && !m->byte_fallback;
    if (plain && splitter_makes_bytes(&t->splitter))
        *m = (word_model){0};
    if (!m->make)
        return;
    t->splitter.model = m;
    t->splitter.fast = NULL;
}

bool tokenizer_finish(tokenizer *t, const char *file, err *e)
{
    TRY(read_normalizer(t, file, e));
    TRY(splitter_open(&t->splitter, &t->arena, t->split_node, file, e));
    choose_model(t);
    TRY(decoder_open(&t->decoder, &t->arena, t->decoder_node, file, e));
    TRY(normal_added(t, e));
    if (t->post_node)
        TRY(tokenizer_read_post(t, t->post_node, file, e));
    TRY(added_index(&t->added, &t->arena, t->normalizer, e));
    t->added_by_id = ARENA_ARRAY(&t->arena, const added_token *, t->vocab.size);
    for (int64_t i = 0; i < t->added.count; i++)
        t->added_by_id[t->added.tokens[i].id] = &t->added.tokens[i];
    make_digest(t);
    if (t->says_add_bos && t->add_bos != tokenizer_adds_bos(t) && t->config)
        log_warning("%s: tokenizer_config.json says add_bos_token = %s, but the post_processor of tokenizer.json %s; the latter "
                    "counts, as in transformers", t->path, t->add_bos ? "true" : "false", t->add_bos ? "adds none" : "adds one");
    return true;
}

static tokenizer *finish(tokenizer *t, bool ok, err *e)
{
    if (ok && tokenizer_finish(t, t->path, e))
        return t;
    tokenizer_close(t);
    return NULL;
}

tokenizer *tokenizer_open_json(str bytes, const char *file, err *e)
{
    tokenizer *t = new_tokenizer(file, e);
    return t ? finish(t, tokenizer_read_json(t, arena_str(&t->arena, bytes), t->path, e), e) : NULL;
}

// A file by what it begins with: SentencePiece, tiktoken, or JSON.
static bool read_bytes(tokenizer *t, str bytes, err *e)
{
    if (spm_looks_like(bytes))
        return tokenizer_read_spm(t, bytes, t->path, e);
    if (tiktoken_looks_like(bytes))
        return tokenizer_read_tiktoken(t, bytes, t->path, e);
    return tokenizer_read_json(t, bytes, t->path, e);
}

tokenizer *tokenizer_open_bytes(str bytes, const char *file, err *e)
{
    tokenizer *t = new_tokenizer(file, e);
    return t ? finish(t, read_bytes(t, arena_str(&t->arena, bytes), e), e) : NULL;
}

static bool read_path(tokenizer *t, err *e)
{
    str bytes = {0};
    if (file_is_folder(t->path))
        return tokenizer_read_folder(t, t->path, e);
    if (str_ends(str_of(t->path), STR(".gguf")))
        return tokenizer_read_gguf(t, t->path, e);
    return file_read(&t->arena, t->path, &bytes, e) && read_bytes(t, bytes, e);
}

tokenizer *tokenizer_open(const char *path, err *e)
{
    tokenizer *t = new_tokenizer(path, e);
    return t ? finish(t, read_path(t, e), e) : NULL;
}

static bool has(const tokenizer *t, int32_t id) { return id >= 0 && id < t->vocab.size; }

int64_t tokenizer_size(const tokenizer *t) { return t->vocab.size; }
int32_t tokenizer_id(const tokenizer *t, str token) { return vocab_find(&t->vocab, token); }
str tokenizer_token(const tokenizer *t, int32_t id) { return has(t, id) ? t->vocab.tokens[id] : (str){0}; }
bool tokenizer_is_added(const tokenizer *t, int32_t id) { return has(t, id) && t->added_by_id[id]; }
bool tokenizer_is_special(const tokenizer *t, int32_t id) { return tokenizer_is_added(t, id) && t->added_by_id[id]->special; }
int32_t tokenizer_bos(const tokenizer *t) { return t->bos; }
int32_t tokenizer_eos(const tokenizer *t) { return t->eos; }
int32_t tokenizer_pad(const tokenizer *t) { return t->pad; }
str tokenizer_chat_template(const tokenizer *t) { return t->chat_template; }
const char *tokenizer_path(const tokenizer *t) { return t->path; }
const char *tokenizer_digest(const tokenizer *t) { return t->digest; }

bool tokenizer_adds_bos(const tokenizer *t)
{
    return t->before.count > 0 && (t->bos < 0 || t->before.items[0] == t->bos);
}
