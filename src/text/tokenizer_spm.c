// SentencePiece models. A file alone is read as SentencePiece reads it; in a folder of a Llama without tokenizer.json as
// transformers reads it, whose tokenizer it becomes.
#include "format/sentencepiece.h"

#include <math.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/log.h"
#include "base/utf8.h"
#include "base/util.h"
#include "text/tokenizer_parts.h"

static bool refused(err *e, const char *file, const char *what)
{
    return fail(e, ERR_UNSUPPORTED, "%s: %s", file, what);
}

static bool read_pieces(tokenizer *t, const spm_file *m, int64_t more, const char *file, err *e)
{
    if (m->count + more > VOCAB_MAX)
        return fail(e, ERR_INPUT, "%s: %lld pieces; up to %d are supported", file, (long long)m->count, VOCAB_MAX);
    vocab_open(&t->vocab, &t->arena, (int32_t)(m->count + more));
    t->model_size = (int32_t)m->count;
    t->model = (word_model){ .vocab = &t->vocab, .size = t->model_size, .bpe = &t->bpe, .unk = -1 };
    t->model.scores = ARENA_ARRAY(&t->arena, double, m->count);
    t->model.kinds = ARENA_ARRAY(&t->arena, uint8_t, m->count);
    for (int32_t i = 0; i < t->model_size; i++) {
        const spm_piece *p = &m->pieces[i];
        if (!p->text.size || utf8_check(p->text) != p->text.size)
            return fail(e, ERR_INPUT, "%s: piece %d: expected text in UTF-8", file, i);
        if (p->kind < PIECE_NORMAL || p->kind > PIECE_BYTE || !isfinite(p->score))
            return fail(e, ERR_INPUT, "%s: piece %d ('%.*s'): kind %d and score %g; expected a kind from 1 to 6 and a number", file, i,
                        (int)MIN(p->text.size, 60), p->text.at, p->kind, (double)p->score);
        if (!vocab_set(&t->vocab, &t->arena, i, arena_str(&t->arena, p->text)))
            return fail(e, ERR_INPUT, "%s: piece %d: '%.*s' is piece %d already", file, i, (int)MIN(p->text.size, 60), p->text.at,
                        vocab_find(&t->vocab, p->text));
        t->model.scores[i] = p->score;
        t->model.kinds[i] = (uint8_t)p->kind;
        t->model.has_unused |= p->kind == PIECE_UNUSED;
        if (p->kind == PIECE_UNKNOWN)
            t->model.unk = i;
    }
    t->unk = t->model.unk;
    return t->unk >= 0 || fail(e, ERR_INPUT, "%s: expected a SentencePiece model, but no piece is of the kind 'unknown'", file);
}

static bool is_control(const tokenizer *t, int32_t id) { return id >= 0 && id < t->model_size && t->model.kinds[id] == PIECE_CONTROL; }

static void name_tokens(tokenizer *t, const spm_file *m)
{
    t->bos = is_control(t, m->bos) ? m->bos : -1;
    t->eos = is_control(t, m->eos) ? m->eos : -1;
    t->pad = is_control(t, m->pad) ? m->pad : -1;
}

// Control pieces are matched whole where special tokens are parsed; those of the user always, by the model itself if `inner`.
static void add_tokens(tokenizer *t, bool inner, bool unknown)
{
    for (int32_t i = 0; i < t->model_size; i++) {
        int kind = t->model.kinds[i];
        str content = t->vocab.tokens[i];
        if ((kind != PIECE_CONTROL && kind != PIECE_USER && !(unknown && kind == PIECE_UNKNOWN)) || content.size > ADDED_LONGEST)
            continue;
        ARENA_PUSH(&t->arena, t->added.tokens, t->added.count, (added_token){ .content = content, .id = i, .special = kind != PIECE_USER,
                                                                             .inner = inner && kind == PIECE_USER });
    }
}

static int by_score(const void *a, const void *b)
{
    const struct { double score; int32_t id; } *x = a, *y = b;
    return (x->score < y->score) - (x->score > y->score);
}

void word_model_ranks(word_model *m, arena *a)
{
    struct { double score; int32_t id; } *list = calloc((size_t)m->size + 1, sizeof *list);
    m->ranks = ARENA_ARRAY(a, uint32_t, m->size);
    for (int32_t i = 0; list && i < m->size; i++) {
        list[i].score = m->scores[i];
        list[i].id = i;
    }
    if (list)
        qsort(list, (size_t)m->size, sizeof *list, by_score);
    for (int32_t i = 0; list && i < m->size; i++)
        m->ranks[list[i].id] = i && list[i].score == list[i - 1].score ? m->ranks[list[i - 1].id] : (uint32_t)i;
    free(list);
}

static bool choose(tokenizer *t, const spm_file *m, const char *file, err *e)
{
    word_model *w = &t->model;
    double least = INFINITY, most = -INFINITY;
    w->fuse_unk = w->single = true;
    w->byte_fallback = m->byte_fallback;
    word_model_bytes(w);
    for (int b = 0; w->byte_fallback && b < 256; b++)
        if (w->byte[b] < 0 || w->kinds[w->byte[b]] != PIECE_BYTE)
            return fail(e, ERR_INPUT, "%s: byte_fallback is set, but there is no piece <0x%02X> of the kind 'byte'", file, (unsigned)b);
    for (int32_t i = 0; i < w->size; i++) {
        if (w->kinds[i] == PIECE_NORMAL) {
            least = MIN(least, w->scores[i]);
            most = MAX(most, w->scores[i]);
        }
        if (w->kinds[i] == PIECE_USER)
            TRY(trie_add(&t->own, t->vocab.tokens[i], i, e));
    }
    w->own = &t->own;
    if (m->model_type == SPM_BPE) {
        w->type = "BPE";
        w->make = make_pieces;
        word_model_ranks(w, &t->arena);
        return true;
    }
    w->type = "Unigram";
    w->make = make_unigram;
    w->unknown_score = (double)((float)(least > most ? 0 : least) - 10.0f);
    return word_model_trie(w, &t->arena, e);
}

static bool parse(tokenizer *t, text *json, const node **out, err *e)
{
    bool ok = text_ok(json, e) && json_parse(&t->arena, arena_str(&t->arena, text_view(json)), (place){ .file = t->path }, out, e);
    text_close(json);
    return ok;
}

// The decoder of Llama's tokenizer.json, without the space that was added.
bool tokenizer_spm_decoder(tokenizer *t, int left, int right, err *e)
{
    text json = {0};
    text_add(&json, "{\"type\": \"Sequence\", \"decoders\": [{\"type\": \"Replace\", \"pattern\": {\"String\": \"\xe2\x96\x81\"}, "
             "\"content\": \" \"}, {\"type\": \"ByteFallback\"}, {\"type\": \"Fuse\"}");
    if (left || right)
        text_add(&json, ", {\"type\": \"Strip\", \"content\": \" \", \"start\": %d, \"stop\": %d}", left, right);
    text_add(&json, "]}");
    return parse(t, &json, &t->decoder_node, e);
}

// What SentencePiece's normalizer is in steps of `tokenizers`, for a tokenizer.json.
bool tokenizer_spm_normalizer(tokenizer *t, str map, bool extra, bool dummy, bool suffix, bool escape, err *e)
{
    text json = {0};
    const char *comma = "";
    text_add(&json, "{\"type\": \"Sequence\", \"normalizers\": [");
    if (map.size) {
        text_add(&json, "{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"");
        base64_write(&json, map);
        text_add(&json, "\"}");
        comma = ", ";
    }
    if (extra) {
        text_add(&json, "%s{\"type\": \"Replace\", \"pattern\": {\"Regex\": \"\\\\A +| +\\\\z\"}, \"content\": \"\"}, "
                 "{\"type\": \"Replace\", \"pattern\": {\"Regex\": \" {2,}\"}, \"content\": \" \"}", comma);
        comma = ", ";
    }
    if (dummy && suffix) {
        text_add(&json, "%s{\"type\": \"Replace\", \"pattern\": {\"Regex\": \"\\\\z\"}, \"content\": \" \"}", comma);
        comma = ", ";
    } else if (dummy) {
        text_add(&json, "%s{\"type\": \"Prepend\", \"prepend\": \"%s\"}", comma, escape ? "\xe2\x96\x81" : " ");
        comma = ", ";
    }
    if (escape)
        text_add(&json, "%s{\"type\": \"Replace\", \"pattern\": {\"String\": \" \"}, \"content\": \"\xe2\x96\x81\"}", comma);
    text_add(&json, "]}");
    return parse(t, &json, &t->normalizer_node, e);
}

bool tokenizer_read_spm(tokenizer *t, str bytes, const char *file, err *e)
{
    spm_file m;
    TRY(spm_read(&m, &t->arena, bytes, file, e));
    if (m.model_type != SPM_UNIGRAM && m.model_type != SPM_BPE)
        return refused(e, file, "SentencePiece models of words or characters are not supported; those of pieces (unigram, bpe) are");
    if (m.denormalizer.size)
        return refused(e, file, "its denormalizer is not supported");
    TRY(read_pieces(t, &m, 0, file, e) && choose(t, &m, file, e));
    name_tokens(t, &m);
    add_tokens(t, true, true);
    bpe_open(&t->bpe, &t->arena, &t->vocab, 0);
    normal_step step = { .change = change_sentencepiece, .escape = m.escape_whitespaces, .extra = m.remove_extra_whitespaces,
                         .dummy = m.add_dummy_prefix, .suffix = m.suffix, .own = &t->own };
    if (m.charsmap.size)
        TRY(charsmap_open(&step.map, &t->arena, arena_str(&t->arena, m.charsmap), (place){ .file = file }, e));
    ARENA_PUSH(&t->arena, t->normalizing.steps, t->normalizing.count, step);
    bool front = m.add_dummy_prefix && !m.suffix;
    TRY(tokenizer_spm_normalizer(t, m.charsmap, m.remove_extra_whitespaces, m.add_dummy_prefix, m.suffix, m.escape_whitespaces, e));
    TRY(tokenizer_spm_decoder(t, front, m.add_dummy_prefix && m.suffix, e));
    return t->bos < 0 || tokenizer_make_post(t, true, false, e);
}

static bool flag_of(const node *config, const char *key, bool none)
{
    const node *v = node_get(config, key);
    return node_is(v, NODE_BOOL) ? v->truth : none;
}

// transformers: any two tokens that make a third may join; pieces of lower id first, shorter left sides first.
static bool all_merges(tokenizer *t)
{
    int64_t room = 0;
    for (int32_t i = 0; i < t->model_size; i++)
        room += (int64_t)t->vocab.tokens[i].size;
    bpe_open(&t->bpe, &t->arena, &t->vocab, MIN(room, 8 * (int64_t)t->model_size));
    for (int32_t i = 0; i < t->model_size; i++) {
        str s = t->vocab.tokens[i];
        for (size_t at = 1; at < s.size; at++) {
            if ((s.at[at] & 0xc0) == 0x80)
                continue;
            int32_t left = vocab_find(&t->vocab, str_slice(s, 0, at)), right = left < 0 ? -1 : vocab_find(&t->vocab, str_from(s, at));
            if (right >= 0 && !bpe_add_ranked(&t->bpe, left, right, t->bpe.merge_count, i))
                return false;
        }
    }
    return true;
}

bool tokenizer_read_spm_folder(tokenizer *t, str bytes, const char *file, const node *config, err *e)
{
    const node *class = node_get(config, "tokenizer_class"), *legacy = node_get(config, "legacy");
    spm_file m;
    str name = node_is(class, NODE_TEXT) ? class->text : (str){0};
    bool llama = !class || str_is(name, "LlamaTokenizer") || str_is(name, "LlamaTokenizerFast");
    TRY(spm_read(&m, &t->arena, bytes, file, e));
    if (!llama || m.model_type != SPM_BPE) {
        if (name.size)
            log_warning("%s: read as SentencePiece reads it; what %.*s of transformers adds to that is not known here", file,
                        STR_ARG(name));
        return tokenizer_read_spm(t, bytes, file, e);
    }
    TRY(read_pieces(t, &m, tokenizer_count_added(config), file, e));
    if (!all_merges(t))
        return fail(e, ERR_INPUT, "%s: its pieces can be made in too many ways", file);
    word_model *w = &t->model;
    bool space = flag_of(config, "add_prefix_space", true);
    add_tokens(t, false, true);
    name_tokens(t, &m);
    w->type = "BPE";
    w->make = make_bpe_chars;
    w->scores = NULL;
    w->kinds = NULL;
    w->has_unused = false;
    w->unk = -1;
    w->fuse_unk = w->byte_fallback = true;
    word_model_bytes(w);
    text json = {0};
    text_add(&json, "{\"type\": \"Metaspace\", \"replacement\": \"\xe2\x96\x81\", \"prepend_scheme\": \"%s\", \"split\": false}",
             !space ? "never" : node_is(legacy, NODE_BOOL) && legacy->truth ? "always" : "first");
    TRY(parse(t, &json, &t->split_node, e) && tokenizer_spm_decoder(t, space, 0, e));
    TRY(tokenizer_read_added(t, config, file, e));
    bool bos = flag_of(config, "add_bos_token", false) && t->bos >= 0, eos = flag_of(config, "add_eos_token", false) && t->eos >= 0;
    return (!bos && !eos) || tokenizer_make_post(t, bos, eos, e);
}
