// tokenizer.json: the model, the added tokens, and which parts surround them.
#include "base/json.h"
#include "base/log.h"
#include "base/util.h"
#include "text/tokenizer_parts.h"

static bool unsupported(err *e, const node *n, const char *file, const char *what, str value)
{
    (void)fail_at(e, node_place(n, file), "%s '%.*s' is not supported", what, STR_ARG(value));
    e->code = ERR_UNSUPPORTED;
    return false;
}

// Merges left out by chance would give other ids every time.
static bool check_model(const node *model, const char *file, err *e)
{
    const node *n = node_get(model, "dropout");
    if (n && n->kind != NODE_NULL && node_number(n) != 0)
        return unsupported(e, n, file, "model.dropout", n->raw);
    return true;
}

bool tokenizer_read_vocab(tokenizer *t, const node *list, int64_t more, const char *file, err *e)
{
    int64_t most = list->object.count - 1;
    for (int64_t i = 0; i < list->object.count; i++) {
        const member *m = &list->object.members[i];
        if (m->value.kind != NODE_INT || m->value.integer < 0 || m->value.integer >= VOCAB_MAX)
            return fail_at(e, node_place(&m->value, file), "model.vocab: the id of '%.*s' is not a whole number from 0 to %d",
                           STR_ARG(m->key), VOCAB_MAX - 1);
        most = MAX(most, m->value.integer);
    }
    if (most + 1 + more > VOCAB_MAX)
        return fail_at(e, node_place(list, file), "model.vocab: more than %d tokens", VOCAB_MAX);
    if (most > 4 * list->object.count + 65536)          // memory follows the highest id
        return fail_at(e, node_place(list, file), "model.vocab: %lld tokens with ids up to %lld; is the file whole?",
                       (long long)list->object.count, (long long)most);
    vocab_open(&t->vocab, &t->arena, (int32_t)(most + 1 + more));
    for (int64_t i = 0; i < list->object.count; i++) {
        const member *m = &list->object.members[i];
        if (!vocab_set(&t->vocab, &t->arena, (int32_t)m->value.integer, m->key))
            return fail_at(e, node_place(&m->value, file), "model.vocab: id %lld of '%.*s' is taken by '%.*s'",
                           (long long)m->value.integer, STR_ARG(m->key), STR_ARG(t->vocab.tokens[m->value.integer]));
    }
    t->model_size = (int32_t)(most + 1);
    return true;
}

// The two sides of a merge: "a b", or ["a", "b"].
static bool merge_sides(const node *n, str *left, str *right)
{
    if (n->kind == NODE_LIST && n->list.count == 2 && node_is(node_at(n, 0), NODE_TEXT) && node_is(node_at(n, 1), NODE_TEXT)) {
        *left = node_at(n, 0)->text;
        *right = node_at(n, 1)->text;
        return true;
    }
    if (n->kind != NODE_TEXT)
        return false;
    size_t space = str_find(n->text, STR(" "), 0);
    if (space == n->text.size || str_find(n->text, STR(" "), space + 1) < n->text.size)
        return false;
    *left = str_slice(n->text, 0, space);
    *right = str_from(n->text, space + 1);
    return true;
}

// `prefix`: bytes of the right one that a token in the middle of a word has in front.
static bool read_merge(tokenizer *t, const node *n, int64_t number, size_t prefix, text *both, const char *file, err *e)
{
    str left, right;
    if (!merge_sides(n, &left, &right) || right.size < prefix)
        return fail_at(e, node_place(n, file), "model.merges[%lld]: expected two tokens, as \"a b\" or [\"a\", \"b\"]", (long long)number);
    int32_t l = vocab_find(&t->vocab, left), r = vocab_find(&t->vocab, right);
    if (l < 0 || r < 0)
        return fail_at(e, node_place(n, file), "model.merges[%lld]: '%.*s' is not in model.vocab", (long long)number,
                       STR_ARG(l < 0 ? left : right));
    text_clear(both);
    text_str(both, left);
    text_str(both, str_from(right, prefix));
    TRY(text_ok(both, e));
    int32_t id = vocab_find_from(&t->vocab, text_view(both), t->bpe.last);
    if (id < 0)
        return fail_at(e, node_place(n, file), "model.merges[%lld]: what '%.*s' and '%.*s' make together is not in model.vocab",
                       (long long)number, STR_ARG(left), STR_ARG(right));
    bpe_add(&t->bpe, l, r, id);
    return true;
}

static bool read_merges(tokenizer *t, const node *list, size_t prefix, const char *file, err *e)
{
    text both = {0};
    bool ok = true;
    bpe_open(&t->bpe, &t->arena, &t->vocab, list->list.count);
    for (int64_t i = 0; ok && i < list->list.count; i++) {
        const node *n = &list->list.items[i];
        if (n->kind == NODE_TEXT && str_begins(n->text, STR("#version")))   // a merges.txt's first line
            continue;
        ok = read_merge(t, n, i, prefix, &both, file, e);
    }
    text_close(&both);
    return ok;
}

static bool flag_of(const node *n, const char *key, bool none)
{
    const node *v = node_get(n, key);
    return node_is(v, NODE_BOOL) ? v->truth : none;
}

// While added tokens are read: the number of tokens of the model, the highest id of an added one, which ids are.
typedef struct adding { int64_t model_count, most; bool *is_added; } adding;

// The id `tokenizers` gives an added token: its own in the model, else the next free one; the file's id is not asked.
static int32_t added_id(const adding *x, int32_t known)
{
    if (known >= 0)
        return known;
    return (int32_t)(x->most >= x->model_count ? x->most + 1 : x->model_count);
}

static bool read_added(tokenizer *t, adding *x, const node *n, int64_t number, const char *file, err *e)
{
    added_token a = {0};
    if (n->kind != NODE_OBJECT)
        return fail_at(e, node_place(n, file), "added_tokens[%lld]: expected an object, got %s", (long long)number,
                       node_kind_name(n->kind));
    TRY(node_want_text(n, file, "content", &a.content, e));
    int32_t known = vocab_find(&t->vocab, a.content);
    if (!a.content.size || (known >= 0 && x->is_added[known]))
        return true;
    if (a.content.size > ADDED_LONGEST)
        return fail_at(e, node_place(n, file), "added_tokens[%lld]: %zu bytes; up to %d are supported", (long long)number,
                       a.content.size, ADDED_LONGEST);
    a.special = flag_of(n, "special", false);
    a.single_word = flag_of(n, "single_word", false);
    a.lstrip = flag_of(n, "lstrip", false);
    a.rstrip = flag_of(n, "rstrip", false);
    a.normalized = flag_of(n, "normalized", !a.special);
    a.id = added_id(x, known);
    int64_t said = a.id;
    TRY(!node_get(n, "id") || node_want_int(n, file, "id", &said, e));
    if (said != a.id)
        log_warning("%s:%d:%d: added token '%.*s' says id %lld, but gets %d as in `tokenizers`", file, n->line, n->column,
                    STR_ARG(a.content), (long long)said, a.id);
    if (known < 0 && (a.id >= t->vocab.size || !vocab_set(&t->vocab, &t->arena, a.id, a.content)))
        return fail_at(e, node_place(n, file), "added_tokens[%lld]: id %d of '%.*s' is taken", (long long)number, a.id, STR_ARG(a.content));
    ARENA_PUSH(&t->arena, t->added.tokens, t->added.count, a);
    x->is_added[a.id] = true;
    x->most = MAX(x->most, a.id);
    return true;
}

// Ids run to the highest one in use.
static void trim(vocab *v)
{
    while (v->size > 0 && !v->tokens[v->size - 1].at)
        v->size--;
}

static bool read_bpe(tokenizer *t, const node *model, int64_t more, const char *file, err *e)
{
    const node *words = NULL, *merges = NULL, *prefix = node_get(model, "continuing_subword_prefix");
    TRY(check_model(model, file, e));
    TRY(node_want(model, file, "vocab", NODE_OBJECT, &words, e) && node_want(model, file, "merges", NODE_LIST, &merges, e));
    return tokenizer_read_vocab(t, words, more, file, e)
        && read_merges(t, merges, node_is(prefix, NODE_TEXT) ? prefix->text.size : 0, file, e) && tokenizer_read_bpe(t, model, file, e);
}

// How many tokens the model has: ids with holes count only what is there.
static int64_t model_count(const tokenizer *t)
{
    int64_t count = 0;
    for (int32_t i = 0; i < t->model_size; i++)
        count += t->vocab.tokens[i].at != NULL;
    return count;
}

bool tokenizer_read_model(tokenizer *t, const node *root, const char *file, err *e)
{
    const node *model = NULL, *list = node_get(root, "added_tokens");
    bool read = false;
    TRY(node_want(root, file, "model", NODE_OBJECT, &model, e));
    if (list && list->kind != NODE_LIST && list->kind != NODE_NULL)
        return fail_at(e, node_place(list, file), "added_tokens: expected a list, got %s", node_kind_name(list->kind));
    int64_t count = node_is(list, NODE_LIST) ? list->list.count : 0;
    TRY(tokenizer_read_other(t, model, count, file, &read, e) && (read || read_bpe(t, model, count, file, e)));
    t->vocab.closed = true;
    adding x = { model_count(t), -1, ARENA_ARRAY(&t->arena, bool, t->vocab.size) };
    for (int64_t i = 0; i < count; i++)
        TRY(read_added(t, &x, &list->list.items[i], i, file, e));
    trim(&t->vocab);
    return true;
}

static const node *part(const node *root, const char *key)
{
    const node *n = node_get(root, key);
    return n && n->kind != NODE_NULL ? n : NULL;
}

bool tokenizer_read_json(tokenizer *t, str bytes, const char *file, err *e)
{
    const node *root = NULL;
    t->json = bytes;
    TRY(json_parse(&t->arena, bytes, (place){ .file = file }, &root, e));
    if (root->kind != NODE_OBJECT)
        return fail_at(e, node_place(root, file), "expected a tokenizer.json, that is an object, got %s", node_kind_name(root->kind));
    if (node_is(node_get(root, "config"), NODE_OBJECT) && node_is(node_get(root, "vocab"), NODE_LIST)) {
        t->json = (str){0};                             // it is to become a tokenizer.json when saved
        return tokenizer_read_tekken(t, root, file, e);
    }
    TRY(tokenizer_read_model(t, root, file, e));
    t->normalizer_node = part(root, "normalizer");
    t->split_node = part(root, "pre_tokenizer");
    t->decoder_node = part(root, "decoder");
    t->post_node = part(root, "post_processor");
    return true;
}
