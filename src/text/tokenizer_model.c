// The models of tokenizer.json: BPE of characters, Unigram, WordPiece, WordLevel. Byte-level BPE takes what is read here
// for BPE and leaves the rest (tokenizer.c chooses).
#include "base/util.h"
#include "text/tokenizer_parts.h"

static bool want_flag(const node *n, const char *file, const char *key, bool *out, err *e)
{
    const node *v = node_get(n, key);
    if (v && v->kind != NODE_BOOL && v->kind != NODE_NULL)
        return fail_at(e, node_place(v, file), "model.%s: expected true or false, got %s", key, node_kind_name(v->kind));
    *out = node_is(v, NODE_BOOL) && v->truth;
    return true;
}

static bool read_text(const node *n, const char *file, const char *key, str *out, err *e)
{
    const node *v = node_get(n, key);
    if (v && v->kind != NODE_TEXT && v->kind != NODE_NULL)
        return fail_at(e, node_place(v, file), "model.%s: expected text, got %s", key, node_kind_name(v->kind));
    *out = node_is(v, NODE_TEXT) ? v->text : (str){0};
    return true;
}

static bool read_unknown(tokenizer *t, const node *model, const char *file, bool required, err *e)
{
    str unk = {0};
    TRY(read_text(model, file, "unk_token", &unk, e));
    t->model.unk = unk.at ? word_model_find(&t->model, unk) : -1;
    if (unk.at && t->model.unk < 0 && required)
        return fail_at(e, node_place(node_get(model, "unk_token"), file), "model.unk_token: '%.*s' is not in model.vocab", STR_ARG(unk));
    return true;
}

static void begin(tokenizer *t, const char *type, word_maker *make)
{
    t->model = (word_model){ .type = type, .make = make, .vocab = &t->vocab, .size = t->model_size, .bpe = &t->bpe, .unk = -1 };
}

bool tokenizer_read_bpe(tokenizer *t, const node *model, const char *file, err *e)
{
    word_model *m = &t->model;
    begin(t, "BPE", make_bpe_chars);
    TRY(want_flag(model, file, "fuse_unk", &m->fuse_unk, e) && want_flag(model, file, "byte_fallback", &m->byte_fallback, e));
    TRY(want_flag(model, file, "ignore_merges", &m->ignore_merges, e));
    TRY(read_text(model, file, "continuing_subword_prefix", &m->prefix, e) && read_text(model, file, "end_of_word_suffix", &m->suffix, e));
    TRY(read_unknown(t, model, file, true, e));
    t->bpe.ignore_merges = m->ignore_merges;
    t->bpe.fuse_unk = m->fuse_unk;
    t->bpe.unk = m->unk;
    word_model_bytes(m);
    return true;
}

static bool read_wordlevel(tokenizer *t, const node *model, const char *file, err *e)
{
    begin(t, "WordLevel", make_wordlevel);
    return read_unknown(t, model, file, false, e);
}

static bool read_wordpiece(tokenizer *t, const node *model, const char *file, err *e)
{
    word_model *m = &t->model;
    begin(t, "WordPiece", make_wordpiece);
    m->most_chars = 100;
    TRY(read_unknown(t, model, file, false, e) && read_text(model, file, "continuing_subword_prefix", &m->prefix, e));
    if (!m->prefix.at)
        m->prefix = STR("##");
    return !node_get(model, "max_input_chars_per_word") || node_want_int(model, file, "max_input_chars_per_word", &m->most_chars, e);
}

// model.vocab is a list of [token, score].
static bool read_pieces(tokenizer *t, const node *list, int64_t more, const char *file, err *e)
{
    int64_t count = list->list.count;
    if (count + more > VOCAB_MAX)
        return fail_at(e, node_place(list, file), "model.vocab: more than %d tokens", VOCAB_MAX);
    vocab_open(&t->vocab, &t->arena, (int32_t)(count + more));
    t->model_size = (int32_t)count;
    double *scores = ARENA_ARRAY(&t->arena, double, count);
    for (int64_t i = 0; i < count; i++) {
        const node *pair = &list->list.items[i], *token = node_at(pair, 0), *score = node_at(pair, 1);
        if (!node_is(token, NODE_TEXT) || !(node_is(score, NODE_FLOAT) || node_is(score, NODE_INT)))
            return fail_at(e, node_place(pair, file), "model.vocab[%lld]: expected [token, score]", (long long)i);
        if (!vocab_set(&t->vocab, &t->arena, (int32_t)i, token->text))
            return fail_at(e, node_place(pair, file), "model.vocab[%lld]: '%.*s' is token %d already", (long long)i, STR_ARG(token->text),
                           vocab_find(&t->vocab, token->text));
        scores[i] = node_number(score);
    }
    begin(t, "Unigram", make_unigram);
    t->model.scores = scores;
    return true;
}

static bool read_unigram(tokenizer *t, const node *model, const node *list, int64_t more, const char *file, err *e)
{
    const node *unk = node_get(model, "unk_id");
    int64_t id = -1;
    TRY(read_pieces(t, list, more, file, e));
    word_model *m = &t->model;
    if (unk && unk->kind != NODE_NULL)
        TRY(node_want_int(model, file, "unk_id", &id, e));
    if (unk && unk->kind != NODE_NULL && (id < 0 || id >= m->size))
        return fail_at(e, node_place(unk, file), "model.unk_id: %lld, but there are %d tokens", (long long)id, m->size);
    m->unk = (int32_t)id;
    m->fuse_unk = true;
    TRY(want_flag(model, file, "byte_fallback", &m->byte_fallback, e));
    double least = m->size ? m->scores[0] : 0;
    for (int32_t i = 0; i < m->size; i++)
        least = MIN(least, m->scores[i]);
    m->unknown_score = least - 10;
    word_model_bytes(m);
    bpe_open(&t->bpe, &t->arena, &t->vocab, 0);
    return word_model_trie(m, &t->arena, e);
}

// Older files do not say their model's type: it is that whose members are there.
static str type_of(const node *model)
{
    const node *type = node_get(model, "type"), *words = node_get(model, "vocab");
    if (node_is(type, NODE_TEXT))
        return type->text;
    if (node_is(words, NODE_LIST))
        return STR("Unigram");
    return node_get(model, "merges") ? STR("BPE") : node_get(model, "max_input_chars_per_word") ? STR("WordPiece") : STR("WordLevel");
}

// `t` has no model yet. *read: it has one now; else it is BPE, which tokenizer_json.c reads.
bool tokenizer_read_other(tokenizer *t, const node *model, int64_t more, const char *file, bool *read, err *e)
{
    str type = type_of(model);
    const node *words = NULL;
    *read = !str_is(type, "BPE");
    if (!*read)
        return true;
    if (str_is(type, "Unigram"))
        return node_want(model, file, "vocab", NODE_LIST, &words, e) && read_unigram(t, model, words, more, file, e);
    bool by_piece = str_is(type, "WordPiece");
    if (!by_piece && !str_is(type, "WordLevel")) {
        (void)fail_at(e, node_place(node_get(model, "type"), file), "model.type '%.*s' is not supported", STR_ARG(type));
        e->code = ERR_UNSUPPORTED;
        return false;
    }
    TRY(node_want(model, file, "vocab", NODE_OBJECT, &words, e) && tokenizer_read_vocab(t, words, more, file, e));
    bpe_open(&t->bpe, &t->arena, &t->vocab, 0);
    return (by_piece ? read_wordpiece : read_wordlevel)(t, model, file, e);
}
