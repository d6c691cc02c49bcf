// The vocabulary of a GGUF file (tokenizer.ggml.*), as the tokenizer.json it was made from.
#include <math.h>
#include <strings.h>

#include "base/json.h"
#include "base/log.h"
#include "base/utf8.h"
#include "base/util.h"
#include "format/gguf.h"
#include "text/pretokenizer_names.h"
#include "text/tokenizer_parts.h"

enum { TOKEN_UNKNOWN = 2, TOKEN_CONTROL = 3, TOKEN_USER = 4 };      // tokenizer.ggml.token_type

// A list of texts or of 32-bit numbers; *out NULL when it may be missing and is.
static bool want_list(const gguf *g, const char *key, bool texts, bool required, const gguf_value **out, err *e)
{
    const gguf_value *v = *out = gguf_find(g, key);
    if (!v)
        return !required || fail(e, ERR_INPUT, "%s: %s: missing", g->path, key);
    bool fits = v->kind == GGUF_LIST && (texts ? v->item == GGUF_TEXT : v->item == GGUF_I32 || v->item == GGUF_U32);
    return fits || fail(e, ERR_INPUT, "%s: %s: expected a list of %s", g->path, key, texts ? "texts" : "32-bit whole numbers");
}

static bool read_tokens(tokenizer *t, const gguf *g, err *e)
{
    const gguf_value *list = NULL;
    TRY(want_list(g, "tokenizer.ggml.tokens", true, true, &list, e));
    if (list->count < 1 || list->count > VOCAB_MAX)
        return fail(e, ERR_INPUT, "%s: tokenizer.ggml.tokens: %lld tokens, expected 1 to %d", g->path, (long long)list->count, VOCAB_MAX);
    const str *texts = list->items;
    vocab_open(&t->vocab, &t->arena, (int32_t)list->count);
    t->model_size = (int32_t)list->count;
    for (int32_t i = 0; i < t->model_size; i++) {
        str s = texts[i].size ? arena_str(&t->arena, texts[i]) : str_of(arena_print(&t->arena, "[EMPTY_%d]", i));
        if (utf8_check(s) != s.size)
            return fail(e, ERR_INPUT, "%s: tokenizer.ggml.tokens[%d]: is not UTF-8", g->path, i);
        if (!vocab_set(&t->vocab, &t->arena, i, s))
            return fail(e, ERR_INPUT, "%s: tokenizer.ggml.tokens[%d]: '%.*s' is token %d already", g->path, i, STR_ARG(s),
                        vocab_find(&t->vocab, s));
    }
    return true;
}

// "a b": the space that divides is the first one after the first byte.
static bool read_merge(tokenizer *t, str s, text *both)
{
    size_t space = s.size ? str_find(s, STR(" "), 1) : 0;
    if (space >= s.size)
        return false;
    text_clear(both);
    text_bytes(both, s.at, space);
    text_bytes(both, s.at + space + 1, s.size - space - 1);
    int32_t left = vocab_find(&t->vocab, str_slice(s, 0, space)), right = vocab_find(&t->vocab, str_from(s, space + 1));
    int32_t id = both->failed ? -1 : vocab_find_from(&t->vocab, text_view(both), t->bpe.last);
    if (left < 0 || right < 0 || id < 0)
        return false;
    bpe_add(&t->bpe, left, right, id);
    return true;
}

// The sides of the merges from the i-th on, so that looking them up need not wait for memory each time.
static void fetch_merges(const tokenizer *t, const str *texts, int64_t i, int64_t end)
{
    str sides[VOCAB_FETCH];
    int count = 0;
    for (; i < end && count + 2 <= VOCAB_FETCH; i++) {
        size_t space = texts[i].size ? str_find(texts[i], STR(" "), 1) : 0;
        if (space >= texts[i].size)
            break;
        sides[count++] = str_slice(texts[i], 0, space);
        sides[count++] = str_from(texts[i], space + 1);
    }
    vocab_fetch(&t->vocab, sides, count);
}

static bool read_merges(tokenizer *t, const gguf *g, err *e)
{
    const gguf_value *list = NULL;
    TRY(want_list(g, "tokenizer.ggml.merges", true, true, &list, e));
    const str *texts = list->items;
    bpe_open(&t->bpe, &t->arena, &t->vocab, list->count);
    text both = {0};
    int64_t i = 0;
    for (; i < list->count; i++) {
        if (i % (VOCAB_FETCH / 2) == 0)
            fetch_merges(t, texts, i, list->count);
        if (!read_merge(t, texts[i], &both))
            break;
    }
    text_close(&both);
    return i == list->count || fail(e, ERR_INPUT, "%s: tokenizer.ggml.merges[%lld]: '%.*s' is not two tokens that make a third", g->path,
                                    (long long)i, (int)MIN(texts[i].size, 60), texts[i].at);
}

// Control tokens and those of the user are matched in the text as it is, before anything else.
static bool read_types(tokenizer *t, const gguf *g, err *e)
{
    const gguf_value *list = NULL;
    TRY(want_list(g, "tokenizer.ggml.token_type", false, false, &list, e));
    if (list && list->count != t->vocab.size)
        return fail(e, ERR_INPUT, "%s: tokenizer.ggml.token_type: %lld entries for %d tokens", g->path,
                    (long long)list->count, t->vocab.size);
    for (int32_t i = 0; list && i < t->vocab.size; i++) {
        int32_t type;
        memcpy(&type, (const char *)list->items + 4 * (size_t)i, sizeof type);
        str content = t->vocab.tokens[i];
        if ((type != TOKEN_UNKNOWN && type != TOKEN_CONTROL && type != TOKEN_USER) || content.size > ADDED_LONGEST)
            continue;
        ARENA_PUSH(&t->arena, t->added.tokens, t->added.count, (added_token){ .content = content, .id = i, .special = type != TOKEN_USER });
    }
    return true;
}

static bool read_id(const tokenizer *t, const gguf *g, const char *key, int32_t *out, err *e)
{
    int64_t id = -1;
    if (!gguf_find(g, key))
        return true;
    TRY(gguf_want_int(g, key, &id, e));
    if (id == UINT32_MAX || id == -1)                   // "none"
        return true;
    if (id < 0 || id >= t->vocab.size)
        return fail(e, ERR_INPUT, "%s: %s: %lld, but there are %d tokens", g->path, key, (long long)id, t->vocab.size);
    *out = (int32_t)id;
    return true;
}

static bool read_flag(const gguf *g, const char *key, bool none, bool *out, err *e)
{
    const gguf_value *v = gguf_find(g, key);
    *out = v ? v->b : none;
    return !v || v->kind == GGUF_BOOL || fail(e, ERR_INPUT, "%s: %s: expected true or false", g->path, key);
}

static void write_special(const tokenizer *t, int32_t id, text *single, text *table)
{
    text_add(single, "{\"SpecialToken\": {\"id\": ");
    json_write_string(single, t->vocab.tokens[id]);
    text_add(single, ", \"type_id\": 0}}");
    str name = t->vocab.tokens[id];
    if (table->size > 1 && str_find(text_view(table), name, 0) < table->size)
        return;                                         // BOS and EOS are the same token
    text_add(table, "%s", table->size > 1 ? ", " : "");
    json_write_string(table, name);
    text_add(table, ": {\"id\": ");
    json_write_string(table, name);
    text_add(table, ", \"ids\": [%d], \"tokens\": [", id);
    json_write_string(table, name);
    text_add(table, "]}");
}

// BOS, the text, EOS.
static void write_post(const tokenizer *t, bool bos, bool eos, text *out)
{
    text single = {0}, table = {0};
    text_char(&table, '{');
    if (bos) {
        write_special(t, t->bos, &single, &table);
        text_add(&single, ", ");
    }
    text_add(&single, "{\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}");
    if (eos) {
        text_add(&single, ", ");
        write_special(t, t->eos, &single, &table);
    }
    str one = text_view(&single), names = text_view(&table);
    text_add(out, "{\"type\": \"TemplateProcessing\", \"single\": [%.*s], "
             "\"pair\": [%.*s, {\"Sequence\": {\"id\": \"B\", \"type_id\": 1}}], "
             "\"special_tokens\": %.*s}}", STR_ARG(one), STR_ARG(one), STR_ARG(names));
    text_close(&single);
    text_close(&table);
}

static bool parse(tokenizer *t, text *json, const node **out, err *e)
{
    bool ok = text_ok(json, e) && json_parse(&t->arena, arena_str(&t->arena, text_view(json)), (place){ .file = t->path }, out, e);
    text_close(json);
    return ok;
}

bool tokenizer_make_post(tokenizer *t, bool bos, bool eos, err *e)
{
    text json = {0};
    write_post(t, bos, eos, &json);
    return parse(t, &json, &t->post_node, e);
}

// The parts around the model as tokenizer.json has them.
static bool make_parts(tokenizer *t, const gguf *g, const pretokenizer_name *pre, err *e)
{
    text words = {0}, post = {0}, decode = {0}, normal = {0};
    bool bos = false, eos = false;
    TRY(read_flag(g, "tokenizer.ggml.add_bos_token", pre->flags & PRE_BOS, &bos, e));
    TRY(read_flag(g, "tokenizer.ggml.add_eos_token", false, &eos, e));
    t->says_add_bos = gguf_find(g, "tokenizer.ggml.add_bos_token");
    t->add_bos = bos;
    pretokenizer_json(pre, &words);
    TRY(parse(t, &words, &t->split_node, e));
    text_add(&decode, "{\"type\": \"ByteLevel\", \"add_prefix_space\": true, \"trim_offsets\": true, \"use_regex\": true}");
    TRY(parse(t, &decode, &t->decoder_node, e));
    write_post(t, bos && t->bos >= 0, eos && t->eos >= 0, &post);
    TRY(parse(t, &post, &t->post_node, e));
    if (!(pre->flags & PRE_NFC))
        return true;
    text_add(&normal, "{\"type\": \"NFC\"}");
    return parse(t, &normal, &t->normalizer_node, e);
}

static bool read_ids(tokenizer *t, const gguf *g, err *e)
{
    str jinja = {0};
    TRY(read_id(t, g, "tokenizer.ggml.bos_token_id", &t->bos, e) && read_id(t, g, "tokenizer.ggml.eos_token_id", &t->eos, e));
    TRY(read_id(t, g, "tokenizer.ggml.padding_token_id", &t->pad, e) && read_id(t, g, "tokenizer.ggml.unknown_token_id", &t->unk, e));
    if (gguf_find(g, "tokenizer.chat_template")) {
        TRY(gguf_want_text(g, "tokenizer.chat_template", &jinja, e));
        t->chat_template = arena_str(&t->arena, jinja);
    }
    return true;
}

static bool read_scores(tokenizer *t, const gguf *g, err *e)
{
    const gguf_value *v = gguf_find(g, "tokenizer.ggml.scores");
    if (!v || v->kind != GGUF_LIST || v->item != GGUF_F32 || v->count != t->vocab.size)
        return fail(e, ERR_INPUT, "%s: tokenizer.ggml.scores: expected a list of %d 32-bit numbers", g->path, t->vocab.size);
    t->model.scores = ARENA_ARRAY(&t->arena, double, v->count);
    for (int64_t i = 0; i < v->count; i++) {
        float score;
        memcpy(&score, (const char *)v->items + 4 * i, sizeof score);
        if (!isfinite(score))
            return fail(e, ERR_INPUT, "%s: tokenizer.ggml.scores[%lld]: is not a number", g->path, (long long)i);
        t->model.scores[i] = score;
    }
    return true;
}

// Phi 3 takes the white space after its tokens with them.
static void strip_after(tokenizer *t, const gguf *g)
{
    const gguf_value *v = gguf_find(g, "general.name");
    str name = v && v->kind == GGUF_TEXT ? v->text : (str){0};
    bool phi = false;
    for (size_t i = 0; i + 4 <= name.size; i++)
        phi |= !strncasecmp(name.at + i, "phi3", 4) || (i + 5 <= name.size && !strncasecmp(name.at + i, "phi-3", 5));
    for (int64_t i = 0; phi && i < t->added.count; i++) {
        str s = t->added.tokens[i].content;
        t->added.tokens[i].rstrip = !str_is(s, "<unk>") && !str_is(s, "<s>") && !str_is(s, "<|endoftext|>");
    }
}

// 'llama': SentencePiece's BPE as llama.cpp does it: any token may be made, and what stands between two special tokens
// gets a space in front.
static bool read_pieces(tokenizer *t, const gguf *g, err *e)
{
    bool space = true, bos = true, eos = false, extra = false;
    word_model *m = &t->model;
    TRY(read_tokens(t, g, e) && read_types(t, g, e) && read_ids(t, g, e));
    *m = (word_model){ .type = "BPE", .make = make_pieces, .vocab = &t->vocab, .size = t->model_size, .bpe = &t->bpe, .unk = -1,
                       .fuse_unk = true, .byte_fallback = true, .single = true };
    TRY(read_scores(t, g, e));
    bpe_open(&t->bpe, &t->arena, &t->vocab, 0);
    m->unk = t->unk >= 0 ? t->unk : 0;
    word_model_bytes(m);
    word_model_ranks(m, &t->arena);
    strip_after(t, g);
    TRY(read_flag(g, "tokenizer.ggml.add_space_prefix", true, &space, e) && read_flag(g, "tokenizer.ggml.add_bos_token", true, &bos, e));
    TRY(read_flag(g, "tokenizer.ggml.add_eos_token", false, &eos, e));
    TRY(read_flag(g, "tokenizer.ggml.remove_extra_whitespaces", false, &extra, e));
    t->says_add_bos = gguf_find(g, "tokenizer.ggml.add_bos_token");
    t->add_bos = bos;
    TRY(tokenizer_spm_normalizer(t, (str){0}, extra, space, false, true, e) && tokenizer_spm_decoder(t, space, 0, e));
    return tokenizer_make_post(t, bos && t->bos >= 0, eos && t->eos >= 0, e);
}

static bool read_all(tokenizer *t, const gguf *g, err *e)
{
    str model = {0}, pre = {0};
    TRY(gguf_want_text(g, "tokenizer.ggml.model", &model, e));
    if (str_is(model, "llama"))
        return read_pieces(t, g, e);
    if (!str_is(model, "gpt2"))
        return fail(e, ERR_UNSUPPORTED, "%s: tokenizer.ggml.model: '%.*s' is not supported; byte-level BPE ('gpt2') and "
                    "SentencePiece's BPE ('llama') are", g->path, (int)MIN(model.size, 60), model.at);
    if (gguf_find(g, "tokenizer.ggml.pre"))
        TRY(gguf_want_text(g, "tokenizer.ggml.pre", &pre, e));
    else
        log_warning("%s: tokenizer.ggml.pre: missing; words are cut as llama.cpp's 'default' does", g->path);
    const pretokenizer_name *name = pretokenizer_find(pre.size ? pre : STR("default"), g->path, e);
    TRY(name && read_tokens(t, g, e) && read_merges(t, g, e) && read_types(t, g, e));
    t->bpe.ignore_merges = name->flags & PRE_IGNORE_MERGES;
    return read_ids(t, g, e) && make_parts(t, g, name, e);
}

bool tokenizer_read_gguf(tokenizer *t, const char *path, err *e)
{
    gguf g = {0};
    TRY(gguf_open(&g, path, e));
    bool ok = read_all(t, &g, e);
    gguf_close(&g);
    return ok;
}
