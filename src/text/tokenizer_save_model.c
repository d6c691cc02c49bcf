// The "model" of a tokenizer.json, of what was read from another file.
#include <stdlib.h>

#include "base/json.h"
#include "text/tokenizer_parts.h"

static void write_flag(text *out, const char *key, bool value) { text_add(out, "    \"%s\": %s,\n", key, value ? "true" : "false"); }

static void write_token(const tokenizer *t, text *out, int32_t id)
{
    if (id >= 0)
        json_write_string(out, t->vocab.tokens[id]);
    else
        text_add(out, "null");
}

static void write_vocab(const tokenizer *t, text *out)
{
    bool first = true;
    text_add(out, "    \"vocab\": {");
    for (int32_t i = 0; i < t->model_size; i++) {
        if (!t->vocab.tokens[i].at)
            continue;
        text_add(out, "%s      ", first ? "\n" : ",\n");
        json_write_string(out, t->vocab.tokens[i]);
        text_add(out, ": %d", i);
        first = false;
    }
    text_add(out, "\n    },\n");
}

static void write_merge(const tokenizer *t, text *out, int32_t left, int32_t right, bool first)
{
    text_add(out, "%s      [", first ? "\n" : ",\n");
    json_write_string(out, t->vocab.tokens[left]);
    text_add(out, ", ");
    json_write_string(out, t->vocab.tokens[right]);
    text_char(out, ']');
}

static void write_merges(const tokenizer *t, text *out)
{
    arena a = {0};
    int64_t count;
    const merge **list = bpe_all(&t->bpe, &a, &count);
    for (int64_t i = 0; i < count; i++)
        write_merge(t, out, list[i]->left, list[i]->right, i == 0);
    arena_close(&a);
}

static int by_rank(const void *a, const void *b)
{
    const merge *x = a, *y = b;
    if (x->rank != y->rank)
        return (uint32_t)x->rank < (uint32_t)y->rank ? -1 : 1;
    return x->left != y->left ? (x->left > y->left) - (x->left < y->left) : (x->right > y->right) - (x->right < y->right);
}

static bool joins(const word_model *m, int32_t id)
{
    piece_kind k = id < 0 ? PIECE_CONTROL : kind_of(m, id);
    return k == PIECE_NORMAL || k == PIECE_USER || k == PIECE_UNUSED;
}

// SentencePiece has no merges: all ways to make a piece of two, by its score.
static void write_piece_merges(const tokenizer *t, text *out)
{
    const word_model *m = &t->model;
    arena a = {0};
    merge *list = NULL;
    int64_t count = 0;
    for (int32_t i = 0; i < m->size; i++) {
        str s = t->vocab.tokens[i];
        for (size_t at = 1; joins(m, i) && at < s.size; at++) {
            if ((s.at[at] & 0xc0) == 0x80)
                continue;
            int32_t left = word_model_find(m, str_slice(s, 0, at)), right = word_model_find(m, str_from(s, at));
            if (joins(m, left) && joins(m, right))
                ARENA_PUSH(&a, list, count, (merge){ left, right, (int32_t)m->ranks[i], i });
        }
    }
    if (count)
        qsort(list, (size_t)count, sizeof *list, by_rank);
    for (int64_t i = 0; i < count; i++)
        write_merge(t, out, list[i].left, list[i].right, i == 0);
    arena_close(&a);
}

static void write_bpe(const tokenizer *t, text *out)
{
    bool bytes = !t->model.make, pieces_only = t->model.make == make_pieces;
    text_add(out, "{\n    \"type\": \"BPE\",\n    \"dropout\": null,\n    \"unk_token\": ");
    write_token(t, out, bytes ? t->bpe.unk : t->model.unk);
    text_add(out, ",\n    \"continuing_subword_prefix\": null,\n    \"end_of_word_suffix\": null,\n");
    write_flag(out, "fuse_unk", bytes ? t->bpe.fuse_unk : t->model.fuse_unk);
    write_flag(out, "byte_fallback", !bytes && t->model.byte_fallback);
    write_flag(out, "ignore_merges", bytes ? t->bpe.ignore_merges : t->model.ignore_merges);
    write_vocab(t, out);
    text_add(out, "    \"merges\": [");
    (pieces_only ? write_piece_merges : write_merges)(t, out);
    text_add(out, "\n    ]\n  }");
}

static void write_unigram(const tokenizer *t, text *out)
{
    const word_model *m = &t->model;
    text_add(out, "{\n    \"type\": \"Unigram\",\n    \"unk_id\": ");
    text_add(out, m->unk >= 0 ? "%d" : "null", m->unk);
    text_add(out, ",\n");
    write_flag(out, "byte_fallback", m->byte_fallback);
    text_add(out, "    \"vocab\": [");
    for (int32_t i = 0; i < m->size; i++) {
        text_add(out, "%s      [", i ? ",\n" : "\n");
        json_write_string(out, t->vocab.tokens[i]);
        text_add(out, ", ");
        json_write_number(out, m->scores[i]);
        text_char(out, ']');
    }
    text_add(out, "\n    ]\n  }");
}

void tokenizer_write_model(const tokenizer *t, text *out) { (t->model.make == make_unigram ? write_unigram : write_bpe)(t, out); }
