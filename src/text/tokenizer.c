// Opening a tokenizer, and what it answers about its tokens.
#include "text/tokenizer.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/util.h"
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
    arena_close(&t->arena);
    free(t);
}

static bool read_decoder(tokenizer *t, const char *file, err *e)
{
    str type = {0};
    t->decoder = t->decoder_node ? DECODE_BYTES : DECODE_JOIN;
    if (!t->decoder_node)
        return true;
    TRY(node_want_text(t->decoder_node, file, "type", &type, e));
    if (str_is(type, "ByteLevel"))
        return true;
    (void)fail_at(e, node_place(t->decoder_node, file), "decoder of type '%.*s' is not supported", STR_ARG(type));
    e->code = ERR_UNSUPPORTED;
    return false;
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
    digest_add(d, t->before.items, (size_t)t->before.count * sizeof(int32_t));
    digest_number(d, t->before.count);
    digest_add(d, t->after.items, (size_t)t->after.count * sizeof(int32_t));
    digest_close(d, t->digest);
    char first[17] = {0};
    memcpy(first, t->digest, 16);
    t->bpe.owner = strtoull(first, NULL, 16);
    arena_close(&a);
}

bool tokenizer_finish(tokenizer *t, const char *file, err *e)
{
    if (!t->split_node) {
        fail(e, ERR_UNSUPPORTED, "%s: pre_tokenizer: missing; only byte-level BPE is supported", file);
        return false;
    }
    TRY(normalizer_open(&t->normalizer, t->normalizer_node, file, e));
    TRY(splitter_open(&t->splitter, &t->arena, t->split_node, file, e));
    TRY(read_decoder(t, file, e));
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

static bool read_path(tokenizer *t, err *e)
{
    str bytes = {0};
    if (file_is_folder(t->path))
        return tokenizer_read_folder(t, t->path, e);
    if (str_ends(str_of(t->path), STR(".gguf")))
        return tokenizer_read_gguf(t, t->path, e);
    return file_read(&t->arena, t->path, &bytes, e) && tokenizer_read_json(t, bytes, t->path, e);
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
